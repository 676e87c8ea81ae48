/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptor tables. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct call;
struct file;
struct proc;

struct fd_entry {
	struct file *file; /* counted */
	bool is_cloexec;
	bool is_reserved; /* taken by an open in progress */
};

struct fd_table {
	unsigned refs; /* CLONE_FILES */
	unsigned size;
	unsigned lowest; /* no descriptor below is free */
	struct fd_entry *entries;
};

struct fd_table *fd_table_new(void);
/* A copy with counted files; NULL: no memory. */
struct fd_table *fd_table_copy(const struct fd_table *table);
/* The last reference closes all. */
void fd_table_unref(struct fd_table *table);
/* Close everything, keep the table. */
void fd_table_close_all(struct fd_table *table);
void fd_table_close_on_exec(struct fd_table *table);

/* The open file with a reference taken, or NULL (EBADF); O_PATH files count only for fd_hold_any.
 */
struct file *fd_hold(const struct proc *proc, int fd);
struct file *fd_hold_any(const struct proc *proc, int fd);
/* Without a reference, for handlers that do not wait. */
struct file *fd_peek(const struct proc *proc, int fd);

/* The lowest free descriptor at or above `from`, reserved: or -EMFILE, -EINVAL, -ENOMEM. */
int fd_reserve(struct proc *proc, unsigned from);
void fd_cancel(struct proc *proc, int fd);
/* Fill a reserved descriptor; takes over the caller's reference. */
void fd_install(struct proc *proc, int fd, struct file *file, bool is_cloexec);
/* reserve + install; the reference is dropped on failure. */
int fd_add(struct proc *proc, struct file *file, bool is_cloexec);
/* 0 or -EBADF. */
int fd_close(struct proc *proc, int fd);

int64_t sys_close(struct call *call);
int64_t sys_close_range(struct call *call);
int64_t sys_dup(struct call *call);
int64_t sys_dup2(struct call *call);
int64_t sys_dup3(struct call *call);
/* fcntl F_DUPFD */
int64_t fd_dup_from(struct proc *proc, struct file *file, uint64_t from, bool is_cloexec);
