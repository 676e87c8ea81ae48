/* SPDX-License-Identifier: BSD-2-Clause */
/* Invariants: 1. entry i is in use when it has a file or is reserved, never both; 2. none below
 * `lowest` is free. */
#include "servers/vfs/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/util.h"
#include "servers/vfs/call.h"
#include "servers/vfs/file.h"
#include "servers/vfs/lock.h"
#include "servers/vfs/proc.h"

#define FD_TABLE_FIRST      32
#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

struct fd_table *fd_table_new(void)
{
	struct fd_table *table = calloc(1, sizeof(*table));

	if (table) {
		table->refs = 1;
	}
	return table;
}

struct fd_table *fd_table_copy(const struct fd_table *table)
{
	struct fd_table *copy = fd_table_new();
	unsigned size = table->size;

	if (!copy) {
		return NULL;
	}
	while (size > 0 && !table->entries[size - 1].file) {
		size--;
	}
	if (size == 0) {
		return copy;
	}
	size = (unsigned)align_up(size, FD_TABLE_FIRST);
	copy->entries = calloc(size, sizeof(*copy->entries));
	if (!copy->entries) {
		free(copy);
		return NULL;
	}
	copy->size = size;
	for (unsigned i = 0; i < size && i < table->size; i++) {
		if (table->entries[i].file) {
			file_get(table->entries[i].file);
			copy->entries[i].file = table->entries[i].file;
			copy->entries[i].is_cloexec = table->entries[i].is_cloexec;
		}
	}
	return copy;
}

static bool entry_close(struct fd_table *table, unsigned fd)
{
	struct file *file = table->entries[fd].file;

	if (!file) {
		return false;
	}
	table->entries[fd].file = NULL;
	if (fd < table->lowest) {
		table->lowest = fd;
	}
	lock_close_posix(file, table);
	file_put(file);
	return true;
}

void fd_table_close_all(struct fd_table *table)
{
	for (unsigned i = 0; i < table->size; i++) {
		(void)entry_close(table, i);
	}
}

void fd_table_close_on_exec(struct fd_table *table)
{
	for (unsigned i = 0; i < table->size; i++) {
		if (table->entries[i].is_cloexec) {
			(void)entry_close(table, i);
		}
	}
}

void fd_table_unref(struct fd_table *table)
{
	if (table && --table->refs == 0) {
		fd_table_close_all(table);
		free(table->entries);
		free(table);
	}
}

struct file *fd_peek(const struct proc *proc, int fd)
{
	if (fd < 0 || (unsigned)fd >= proc->fds->size) {
		return NULL;
	}
	return proc->fds->entries[fd].file;
}

struct file *fd_hold_any(const struct proc *proc, int fd)
{
	struct file *file = fd_peek(proc, fd);

	if (file) {
		file_hold(file);
	}
	return file;
}

struct file *fd_hold(const struct proc *proc, int fd)
{
	struct file *file = fd_peek(proc, fd);

	if (!file || (file->flags & O_PATH)) {
		return NULL;
	}
	file_hold(file);
	return file;
}

static int table_grow(struct fd_table *table, unsigned need)
{
	unsigned size = table->size ? table->size : FD_TABLE_FIRST;
	struct fd_entry *entries;

	while (size < need) {
		size *= 2;
	}
	if (size == table->size) {
		return 0;
	}
	entries = realloc(table->entries, size * sizeof(*entries));
	if (!entries) {
		return -ENOMEM;
	}
	memset(&entries[table->size], 0, (size - table->size) * sizeof(*entries));
	table->entries = entries;
	table->size = size;
	return 0;
}

/* The running call has one more reserved descriptor (was -1), or one less (now -1). */
static void reservation_note(int was, int now)
{
	struct call *call = call_current();

	for (int i = 0; call && i < 2; i++) {
		if (call->reserved_fds[i] == was) {
			call->reserved_fds[i] = now;
			break;
		}
	}
}

static bool entry_is_free(const struct fd_table *table, unsigned fd)
{
	return fd >= table->size || (!table->entries[fd].file && !table->entries[fd].is_reserved);
}

int fd_reserve(struct proc *proc, unsigned from)
{
	struct fd_table *table = proc->fds;
	unsigned fd = from > table->lowest ? from : table->lowest;

	while (!entry_is_free(table, fd)) {
		fd++;
	}
	if (fd >= proc->limit_nofile) {
		return -EMFILE;
	}
	if (table_grow(table, fd + 1) < 0) {
		return -ENOMEM;
	}
	table->entries[fd].is_reserved = true;
	reservation_note(-1, (int)fd);
	table->entries[fd].is_cloexec = false;
	if (from <= table->lowest) {
		table->lowest = fd + 1;
	}
	return (int)fd;
}

void fd_cancel(struct proc *proc, int fd)
{
	struct fd_table *table = proc->fds;

	table->entries[fd].is_reserved = false;
	reservation_note(fd, -1);
	if ((unsigned)fd < table->lowest) {
		table->lowest = (unsigned)fd;
	}
}

void fd_install(struct proc *proc, int fd, struct file *file, bool is_cloexec)
{
	struct fd_entry *entry = &proc->fds->entries[fd];

	entry->is_reserved = false;
	reservation_note(fd, -1);
	entry->file = file;
	entry->is_cloexec = is_cloexec;
}

int fd_add(struct proc *proc, struct file *file, bool is_cloexec)
{
	int fd = fd_reserve(proc, 0);

	if (fd < 0) {
		file_put(file);
		return fd;
	}
	fd_install(proc, fd, file, is_cloexec);
	return fd;
}

int fd_close(struct proc *proc, int fd)
{
	if (fd < 0 || (unsigned)fd >= proc->fds->size || !entry_close(proc->fds, (unsigned)fd)) {
		return -EBADF;
	}
	return 0;
}

int64_t sys_close(struct call *call)
{
	return fd_close(call->proc, ARG_INT(call, 0));
}

int64_t sys_close_range(struct call *call)
{
	unsigned first = ARG_U32(call, 0), last = ARG_U32(call, 1), flags = ARG_U32(call, 2);

	if (first > last || (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))) {
		return -EINVAL;
	}
	if (flags & CLOSE_RANGE_UNSHARE) {
		int r = proc_unshare_files(call->proc);

		if (r < 0) {
			return r;
		}
	}
	for (unsigned fd = first; fd <= last && fd < call->proc->fds->size; fd++) {
		if (flags & CLOSE_RANGE_CLOEXEC) {
			call->proc->fds->entries[fd].is_cloexec = true;
		} else {
			(void)fd_close(call->proc, (int)fd);
		}
	}
	return 0;
}

int64_t fd_dup_from(struct proc *proc, struct file *file, uint64_t from, bool is_cloexec)
{
	int fd;

	if (from >= proc->limit_nofile) {
		return -EINVAL;
	}
	fd = fd_reserve(proc, (unsigned)from);
	if (fd >= 0) {
		file_get(file);
		fd_install(proc, fd, file, is_cloexec);
	}
	return fd;
}

int64_t sys_dup(struct call *call)
{
	struct file *file = fd_peek(call->proc, ARG_INT(call, 0));

	return file ? fd_dup_from(call->proc, file, 0, false) : -EBADF;
}

static int64_t dup_onto(struct proc *proc, struct file *file, unsigned fd, bool is_cloexec)
{
	struct fd_table *table = proc->fds;
	int r;

	if (fd >= proc->limit_nofile) {
		return -EBADF;
	}
	r = table_grow(table, fd + 1);
	if (r < 0) {
		return r;
	}
	if (table->entries[fd].is_reserved) {
		return -EBUSY;
	}
	file_get(file);
	(void)entry_close(table, fd);
	fd_install(proc, (int)fd, file, is_cloexec);
	return (int64_t)fd;
}

int64_t sys_dup2(struct call *call)
{
	struct file *file = fd_peek(call->proc, ARG_INT(call, 0));

	if (!file) {
		return -EBADF;
	}
	if (ARG_U32(call, 0) == ARG_U32(call, 1)) {
		return ARG_INT(call, 0);
	}
	return dup_onto(call->proc, file, ARG_U32(call, 1), false);
}

int64_t sys_dup3(struct call *call)
{
	struct file *file = fd_peek(call->proc, ARG_INT(call, 0));
	int flags = ARG_INT(call, 2);

	if ((flags & ~O_CLOEXEC) || ARG_U32(call, 0) == ARG_U32(call, 1)) {
		return -EINVAL;
	}
	if (!file) {
		return -EBADF;
	}
	return dup_onto(call->proc, file, ARG_U32(call, 1), flags & O_CLOEXEC);
}
