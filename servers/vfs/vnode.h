/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inodes that VFS knows. A vnode holds `fs_refs` counted references at its file system; when nobody
 * in VFS uses it it stays in a list of unused ones for a while, so that names and attributes stay
 * known.
 */
#pragma once

#include <sys/stat.h>

#include "lib/coro/coro.h"
#include "proto/fs.h"

struct file_lock_list;
struct memfd;
struct pipe;
struct superblock;

struct vnode {
	struct list hash;
	struct list unused;   /* in vfs->unused_vnodes when refs is 0 */
	struct list aliases;  /* names that lead here */
	struct list children; /* names in this directory */
	struct superblock *sb;
	uint64_t ino;
	uint64_t size;
	uint64_t rdev;
	uint64_t fs_refs;
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t nlink;
	unsigned refs;
	unsigned mounts_here;
	unsigned writers; /* open for writing */
	uint32_t changes; /* counts what makes `stat` stale */
	bool is_stat_valid;
	bool is_read_told; /* the file system knows that it has been read since the last change */
	uint32_t recover_count; /* the superblock's, when it was bound again */
	bool is_removed;        /* directory: rmdir has taken its name */
	struct coro_mutex lock; /* directory: its names; file: writing, size, attributes */
	char *label;            /* VFS's own nodes and memfd: what /proc/PID/fd says of them */
	char *link_text;        /* symbolic link: where it leads, once it has been read */
	struct memfd *memfd;    /* file of memfd_create */
	struct pipe *pipe;      /* named pipe that is open */
	struct list locks;      /* struct file_lock: byte ranges and flock */
	struct waitq lock_wait;
	struct stat stat; /* valid as said */
};

static inline uint32_t vnode_type(const struct vnode *node)
{
	return node->mode & S_IFMT;
}

static inline bool vnode_is_dir(const struct vnode *node)
{
	return S_ISDIR(node->mode);
}

struct vnode *vnode_find(const struct superblock *sb, uint64_t ino);
/* The vnode of an inode for which the file system has just given one reference. NULL: no memory (it
 * was given back). */
struct vnode *vnode_from_reply(struct superblock *sb, const struct fs_node *node);
/* Take over attributes that a file system told. */
void vnode_update(struct vnode *node, const struct fs_node *attributes);

void vnode_get(struct vnode *node);
void vnode_put(struct vnode *node);

/* Something about the inode has changed: cached attributes are stale. */
static inline void vnode_touch(struct vnode *node)
{
	node->is_stat_valid = false;
	node->is_read_told = false;
	node->changes++;
}

/* Its file system does not know the inode any more, though it is in use: all that is asked of it is
 * -EIO from now on. The number may come to mean another inode. -ENOMEM. */
int vnode_lose(struct vnode *node);

/* Drop all unused vnodes and names of a superblock; how many vnodes stay. */
unsigned vnode_flush(struct superblock *sb);
/* Forget unused ones when there are too many. */
void vnode_trim(void);
