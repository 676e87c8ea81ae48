/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tmpfs mount. Invariants:
 *  1. A node is in `nodes` from its making until neither a name nor a reference is left.
 *  2. A directory's nlink is 2 + the number of its subdirectories; 0 once it is removed, when it
 * has no entries.
 *  3. used is the number of dirty pages: those of files that hold data.
 */
#pragma once

#include "lib/core/list.h"
#include "lib/fs/cache.h"
#include "lib/fs/ops.h"

#define TMP_PAGE     FS_PAGE_SIZE
#define TMP_LINK_MAX 65000u
#define TMP_FILE_MAX ((uint64_t)INT64_MAX)

struct tmp_node {
	struct fs_attr attr;
	uint64_t refs;
	struct tmp_node *parent; /* directories: where ".." leads */
	struct list entries;     /* directories: struct tmp_entry, by position */
	uint64_t next_position;
	char *target;        /* symbolic links */
	bool is_tail_mapped; /* files: a process may have written behind the end, in the last page
			      */
	uint64_t reach;      /* files: up to where pages were set aside behind the end */
	bool is_bound;       /* VFS has said after a restart that it holds it */
};

struct tmp_entry {
	struct list link; /* in the directory */
	struct tmp_entry *hash_next;
	struct tmp_node *dir, *node;
	uint64_t position; /* readdir's: 2 and up */
	uint32_t hash;
	uint8_t len;
	char name[];
};

struct tmp_fs {
	struct fs fs;
	struct fs_cache *cache;
	uint64_t used, limit;    /* pages */
	struct tmp_node **nodes; /* by ino; 0 and 1's predecessors unused */
	uint64_t node_room, node_count, node_limit, next_free;
	struct tmp_entry **buckets;
	size_t bucket_count, entry_count;
};

static inline struct tmp_fs *tmp_of(struct fs *fs)
{
	return (struct tmp_fs *)fs; /* fs is the first member */
}

/* Its contents have changed now. */
static inline void tmp_touch(struct tmp_fs *tmp, struct tmp_node *node)
{
	node->attr.mtime = node->attr.ctime = tmp->fs.now();
}

/* node.c: a new node without names and with one reference, *node; -ENOSPC: limit, -ENOMEM. */
int tmp_node_new(struct tmp_fs *tmp, const struct fs_new *what, struct tmp_node **node);
/* The node with this number, or NULL. */
struct tmp_node *tmp_node_find(struct tmp_fs *tmp, uint64_t ino);
/* Its last name or reference may be gone: frees it then. */
void tmp_node_check_end(struct tmp_fs *tmp, struct tmp_node *node);
void tmp_node_free(struct tmp_fs *tmp, struct tmp_node *node);

/* name.c: entries of directories. */
struct tmp_entry *tmp_entry_find(struct tmp_fs *tmp, struct tmp_node *dir, struct fs_name name);
/* A new entry, not yet in any directory; NULL: no memory. */
struct tmp_entry *tmp_entry_new(struct tmp_fs *tmp, struct fs_name name);
void tmp_entry_insert(
	struct tmp_fs *tmp, struct tmp_entry *entry, struct tmp_node *dir, struct tmp_node *node);
void tmp_entry_remove(struct tmp_fs *tmp, struct tmp_entry *entry);

/*
 * data.c: contents of regular files. Holes read as zeroes. Write, peek and mkwrite report how far
 * they came: an error only when it was nowhere. -ENOSPC: the limit, or no memory; -EFAULT: mkwrite
 * beyond the end.
 */
int tmp_data_read(struct tmp_fs *tmp, struct tmp_node *node, uint64_t position, size_t len,
	struct fs_data *data, size_t *done);
int tmp_data_write(struct tmp_fs *tmp, struct tmp_node *node, uint64_t position, size_t len,
	struct fs_data *data, size_t *done);
int tmp_data_peek(
	struct tmp_fs *tmp, struct tmp_node *node, uint64_t position, size_t len, size_t *done);
int tmp_data_mkwrite(
	struct tmp_fs *tmp, struct tmp_node *node, uint64_t position, size_t len, size_t *done);
/* Pages for [offset, offset + len), all or -ENOSPC; -EFBIG. */
int tmp_data_allocate(
	struct tmp_fs *tmp, struct tmp_node *node, uint64_t offset, uint64_t len, bool keep_size);
/* They become a hole. */
void tmp_data_punch(struct tmp_fs *tmp, struct tmp_node *node, uint64_t offset, uint64_t len);
/* is_end: the node goes, nobody has it mapped. */
void tmp_data_truncate(struct tmp_fs *tmp, struct tmp_node *node, uint64_t size, bool is_end);

/* file.c: the operations of lib/fs/ops.h on regular files. */
int tmp_op_read(struct fs *fs, uint64_t ino, uint64_t position, size_t len, struct fs_data *data,
	size_t *done);
int tmp_op_write(struct fs *fs, uint64_t ino, uint64_t position, size_t len, struct fs_data *data,
	size_t *done);
int tmp_op_truncate(struct fs *fs, uint64_t ino, uint64_t size);
int tmp_op_allocate(struct fs *fs, uint64_t ino, uint32_t mode, uint64_t offset, uint64_t len);
int tmp_op_peek(struct fs *fs, uint64_t ino, uint64_t position, size_t len, size_t *done);
int tmp_op_mkwrite(struct fs *fs, uint64_t ino, uint64_t position, size_t len, size_t *done);

/* ops.c: a new, empty file system; size limit in pages, node limit. 0, -ENOMEM, what VM said. */
int tmp_mount(struct fs_cache_memory *memory, uint64_t pages, uint64_t nodes, uint32_t root_mode,
	struct fs_time (*now)(void), struct fs **fs);
/* ops.c: another version of the program goes on with a mount. */
void tmp_resume(struct tmp_fs *tmp, struct fs_cache_memory *memory);
/* options.c: "size=50%,nr_inodes=10k,mode=1777"; total_pages of the machine. 0, -EINVAL. */
struct tmp_options {
	uint64_t pages, nodes;
	uint32_t mode;
};
int tmp_options_parse(const char *text, uint64_t total_pages, struct tmp_options *options);
