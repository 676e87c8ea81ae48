/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name space of the proc file system.
 *
 * An inode number is (kind << 56) | (number << 28) | pid: what it is, of which descriptor or
 * thread, of which process. It says everything, so nothing is kept between requests. For the files
 * without a process `number` is an index into the table of static names (tree.c). The root is
 * number 1, as Linux has it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fs/proc/format.h"
#include "proto/fs.h"

enum node_kind {
	NODE_ROOT = 0, /* ino 1 */
	NODE_STATIC,   /* number: index of a static entry (file or directory) */
	NODE_PID,      /* directory /proc/PID */
	NODE_PID_FILE, /* number: index of a file of a process */
	NODE_TASK,     /* directory task */
	NODE_TID,      /* directory task/TID; number: tid */
	NODE_TID_FILE, /* number: tid * 64 + index */
	NODE_FD_DIR,
	NODE_FD, /* number: descriptor */
	NODE_FDINFO_DIR,
	NODE_FDINFO,
	NODE_LINK /* number: enum fs_magic */
};

#define NODE_INO(kind, pid, number) FS_MAGIC(kind, pid, number)
#define NODE_ROOT_INO               1

struct node {
	enum node_kind kind;
	int pid;
	int number;
};

/* Writes the text of a file. 0 or a negative errno. Coroutines only. */
typedef int node_text_fn(struct text *text, const struct node *node);

struct static_entry {
	const char *name;
	int parent; /* index, -1: the root */
	uint32_t mode;
	node_text_fn *write; /* NULL: directory */
};

struct pid_entry {
	const char *name;
	uint32_t mode;
	node_text_fn *write;
};

/* Tables: system.c, process.c */
extern const struct static_entry static_entries[];
extern const int static_count;
extern const struct pid_entry pid_entries[];
extern const int pid_count;

struct node node_of(uint64_t ino);
bool node_is_directory(const struct node *node);
/* The text function of a regular file, or NULL. */
node_text_fn *node_text(const struct node *node);
/* Mode, owner, magic number of the node with this number: 0, -ENOENT. Coroutines only, like the
 * following. */
int tree_get(uint64_t ino, struct fs_node *attr);
/* The name in directory `dir`: 0, -ENOENT, -ENOTDIR. */
int tree_lookup(uint64_t dir, const char *name, struct fs_node *attr);

/* An entry for getdents; false when there is no more room: the walk ends before it. */
typedef bool tree_emit_fn(void *arg, uint64_t ino, uint8_t type, const char *name, uint64_t next);
/* The entries of a directory from position `from` on. */
int tree_list(uint64_t dir, uint64_t from, tree_emit_fn *emit, void *arg);
