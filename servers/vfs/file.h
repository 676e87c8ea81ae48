/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files (open file descriptions). What read, write and poll need is the object behind `kind`:
 * regular file, directory, pipe, character device, block device; each kind has a file of its own
 * and knows nothing of names, rights and descriptors.
 */
#pragma once

#include "lib/coro/coro.h"
#include "servers/vfs/mount.h"
#include "servers/vfs/readahead.h"

struct blk_device;
struct call;
struct chr_device;
struct epoll;
struct eventfd;
struct file;
struct pipe;
struct poll_table;
struct proc;
struct timerfd;
struct uio;

/* What an open file is. Kept over a live update: new kinds go to the end. */
enum file_kind {
	FILE_PATH, /* O_PATH */
	FILE_REGULAR,
	FILE_DIR,
	FILE_PIPE,
	FILE_CHR,
	FILE_TTY,
	FILE_BLK,
	FILE_NULL,
	FILE_ZERO,
	FILE_FULL,
	FILE_EVENTFD,
	FILE_EPOLL,
	FILE_TIMERFD,
	FILE_KINDS
};

/* Operations of a kind of object; NULL where the kind has no such operation. */
struct file_ops {
	const char *name;
	bool is_seekable;  /* has a position; pread and lseek work */
	bool ignores_seek; /* lseek does nothing and says 0 */
	bool is_pollable;  /* readiness changes; else always ready */
	bool waits_always; /* reading and writing needs a worker in any case */
	/* Bytes done or negative errno; *pos is moved. In the main loop they may defer. */
	int64_t (*read)(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos);
	int64_t (*write)(
		struct call *call, struct file *file, const struct uio *uio, uint64_t *pos);
	/* POLL* bits that hold now; enters the table's waiters (NULL: none) where a change will be
	 * told. */
	unsigned (*poll)(
		struct call *call, struct file *file, unsigned events, struct poll_table *table);
	int64_t (*ioctl)(struct call *call, struct file *file, unsigned request, uint64_t arg);
	/* The last descriptor is closed. Must not wait. */
	void (*release)(struct file *file);
};

struct file {
	unsigned refs;
	unsigned flags; /* O_*: access mode and status flags */
	uint64_t pos;
	struct path path; /* no node: an unnamed pipe */
	enum file_kind kind;
	union {
		struct pipe *pipe;
		struct chr_device *chr;
		struct blk_device *blk;
		struct eventfd *eventfd;
		struct epoll *epoll;
		struct timerfd *timerfd;
	};
	struct list epoll_items; /* interests of epoll files in this one */
	struct list object_link; /* character device: in its list of files */
	struct coro_mutex pos_lock;
	struct readahead readahead;
	uint64_t dir_cookie; /* directories: where getdents goes on, when it differs from pos */
	int32_t owner_pid;   /* F_SETOWN */
	int32_t owner_sig;
	bool is_writer; /* counted in the vnode's writers */
	bool has_flock;
};

/* A file without object yet: NULL when there is no memory. path: a reference is taken (may be
 * NULL). */
struct file *file_new(const struct path *path, unsigned flags, enum file_kind kind);
void file_get(struct file *file);
/* For the time of the running call: given back as well when VFS crashes in it. */
void file_hold(struct file *file);
void file_put(struct file *file);

static inline bool file_is_readable(const struct file *file)
{
	unsigned mode = file->flags & 3;

	return mode == 0 || mode == 2;
}

static inline bool file_is_writable(const struct file *file)
{
	unsigned mode = file->flags & 3;

	return mode == 1 || mode == 2;
}

/* Nothing to be done now: wait in a queue: 0; -EAGAIN when the file must not wait; -ERESTARTSYS
 * when cancelled; in the main loop it defers. */
int file_wait(struct call *call, const struct file *file, struct waitq *queue);

/* A file on an inode of VFS's own file system, with what /proc/PID/fd says of it (NULL: a pipe). */
struct file *file_new_internal(const struct proc *proc, uint32_t mode, const char *label,
	unsigned flags, enum file_kind kind);

/* The operations of the file's kind. */
const struct file_ops *file_ops(const struct file *file);

extern const struct file_ops file_ops_regular, file_ops_dir, file_ops_pipe, file_ops_chr,
	file_ops_tty, file_ops_blk, file_ops_null, file_ops_zero, file_ops_full, file_ops_eventfd,
	file_ops_epoll, file_ops_timerfd;
