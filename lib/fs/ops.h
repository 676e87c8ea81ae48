/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a file system implements: one table of operations over node (inode) numbers. The frame
 * (lib/fs/server.c) turns messages of proto/fs.h into these calls, one at a time; host tests call
 * them directly. The virtual file system server walks paths, checks permissions, follows mount
 * points and serialises what must be: here names are single components, never empty, never longer
 * than FS_NAME_MAX and, where a name is made or removed, never "." or "..".
 *
 * References: lookup, get and create return a node with one reference more; put takes references
 * back. A node whose last link is gone lives on until its last reference is.
 *
 * All return 0 or a negative errno. Each either does what it says or changes nothing (write:
 * reports how far it came); after -EIO the file system is as consistent as the device lets it be.
 */
#pragma once

#include "lib/fs/device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_NAME_MAX 255

struct fs;
struct fs_cache;

struct fs_time {
	int64_t sec;
	uint32_t nsec;
};

struct fs_attr {
	uint64_t ino;
	uint32_t mode; /* type and permissions, as in struct stat */
	uint32_t nlink;
	uint32_t uid;
	uint32_t gid;
	uint32_t major; /* of device nodes */
	uint32_t minor;
	uint64_t size;   /* bytes */
	uint64_t blocks; /* 512-byte units */
	uint32_t block_size;
	uint32_t generation;
	struct fs_time atime;
	struct fs_time mtime;
	struct fs_time ctime;
};

struct fs_name {
	const char *text; /* not terminated */
	size_t len;
};

/* What a new node is to be. */
struct fs_new {
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	uint32_t major;
	uint32_t minor;
};

/* The caller's side of a transfer: a grant, in tests plain memory. */
struct fs_data {
	/*
	 * Copy between pieces of memory, at most FS_IOVEC_MAX, and the caller's bytes from `offset`
	 * on. Returns 0 or a negative errno.
	 */
	int (*copy)(struct fs_data *data, uint64_t offset, const struct fs_iovec *vec, size_t count,
		bool to_caller);
};

/* Which attributes set_attr changes. */
enum fs_set {
	FS_SET_MODE = 1, /* permission bits only */
	FS_SET_UID = 2,
	FS_SET_GID = 4,
	FS_SET_ATIME = 8,
	FS_SET_MTIME = 16,
	FS_SET_READ = 256, /* alone: the file was read: atime, where the rules want that */
};

/* rename's flags, Linux's values. */
enum fs_rename_flags {
	FS_RENAME_NOREPLACE = 1,
	FS_RENAME_EXCHANGE = 2,
};

struct fs_stat {
	uint64_t magic;
	uint32_t block_size;
	uint64_t blocks;
	uint64_t blocks_free;
	uint64_t blocks_available;
	uint64_t nodes;
	uint64_t nodes_free;
};

/* One directory entry for readdir's callback; `next` is the position after it. */
struct fs_entry {
	uint64_t ino;
	uint64_t next;
	uint8_t type; /* DT_* */
	struct fs_name name;
};

/* Takes an entry; false when it has no room for it: the walk ends before it. */
typedef bool (*fs_emit_fn)(void *ctx, const struct fs_entry *entry);

struct fs_ops {
	void (*unmount)(struct fs *fs); /* frees fs */
	int (*remount)(struct fs *fs, bool read_only);
	int (*lookup)(struct fs *fs, uint64_t dir, struct fs_name name, struct fs_attr *attr);
	int (*get)(struct fs *fs, uint64_t ino, struct fs_attr *attr);
	int (*put)(struct fs *fs, uint64_t ino, uint64_t count);
	int (*create)(struct fs *fs, uint64_t dir, struct fs_name name, const struct fs_new *what,
		struct fs_attr *attr); /* any type but a symbolic link */
	int (*symlink)(struct fs *fs, uint64_t dir, struct fs_name name, const struct fs_new *what,
		const char *target, size_t len, struct fs_attr *attr);
	int (*link)(struct fs *fs, uint64_t ino, uint64_t dir, struct fs_name name);
	int (*unlink)(struct fs *fs, uint64_t dir, struct fs_name name);
	int (*rmdir)(struct fs *fs, uint64_t dir, struct fs_name name);
	int (*rename)(struct fs *fs, uint64_t old_dir, struct fs_name old_name, uint64_t new_dir,
		struct fs_name new_name, unsigned flags);
	int (*readlink)(struct fs *fs, uint64_t ino, char *buf, size_t size, size_t *len);
	int (*read)(struct fs *fs, uint64_t ino, uint64_t position, size_t len,
		struct fs_data *data, size_t *done);
	int (*write)(struct fs *fs, uint64_t ino, uint64_t position, size_t len,
		struct fs_data *data, size_t *done);
	int (*truncate)(struct fs *fs, uint64_t ino, uint64_t size);
	/* fallocate(2): mode FS_ALLOCATE_*; NULL: -EOPNOTSUPP. */
	int (*allocate)(struct fs *fs, uint64_t ino, uint32_t mode, uint64_t offset, uint64_t len);
	/* Bring bytes of a file into the page cache; *done: as far as the file goes. NULL: no. */
	int (*peek)(struct fs *fs, uint64_t ino, uint64_t position, size_t len, size_t *done);
	/* The same, and they are about to be written through a mapping: blocks allocated, dirty.
	 * -EFAULT: beyond the end. NULL: no. */
	int (*mkwrite)(struct fs *fs, uint64_t ino, uint64_t position, size_t len, size_t *done);
	int (*get_attr)(struct fs *fs, uint64_t ino, struct fs_attr *attr);
	int (*set_attr)(struct fs *fs, uint64_t ino, unsigned set, const struct fs_attr *attr);
	int (*readdir)(struct fs *fs, uint64_t ino, uint64_t position, fs_emit_fn emit, void *ctx);
	int (*sync)(struct fs *fs);
	int (*fsync)(struct fs *fs, uint64_t ino, bool data_only);
	int (*statfs)(struct fs *fs, struct fs_stat *stat);
	/* After a mount that took over from a process that died: a node that is held by `count`
	 * references; then, all others are known. NULL: it has no such mount. */
	int (*rebind)(struct fs *fs, uint64_t ino, uint64_t count, struct fs_attr *attr);
	int (*recovered)(struct fs *fs);
	/* The process has crashed and goes on in its old memory: nothing is under way; may be NULL.
	 */
	void (*restarted)(struct fs *fs);
	bool (*is_dirty)(struct fs *fs); /* sync would have something to write; may be NULL */
	void (*idle)(
		struct fs *fs); /* between requests: write back when much is dirty; may be NULL */
};

/* A mounted file system: each kind embeds this first. */
struct fs {
	const struct fs_ops *ops;
	bool read_only;
	bool is_device_only;     /* there is no other node than the device */
	struct fs_cache *device; /* whose device is a file as well (devnode.h); NULL: no */
	uint64_t root;           /* node number of the root directory */
	struct fs_time (*now)(void);
	void (*log)(const char *format, ...) __attribute__((format(printf, 1, 2)));
};
