/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vnode.h"

#define DENTS_CHUNK (64u * 1024)

/* getdents64(2)'s record as file systems make it, and getdents(2)'s with the type in its last byte.
 */
struct dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
} __attribute__((packed));

struct dirent_old {
	uint64_t ino;
	uint64_t off;
	uint16_t reclen;
	char name[];
} __attribute__((packed));

static int64_t dir_read(struct call *call, struct file *file, const struct uio *uio, uint64_t *pos)
{
	(void)call;
	(void)file;
	(void)uio;
	(void)pos;
	return -EISDIR;
}

const struct file_ops file_ops_dir = {
	.name = "dir",
	.is_seekable = true,
	.read = dir_read,
};

/* Records from the directory's position on into memory: bytes; *next is the position behind them.
 */
static int64_t read_records(
	struct file *file, endpoint_t ep, vaddr_t addr, uint64_t bytes, uint64_t *next)
{
	struct fs_io_rep rep;
	int r;

	if (file->path.node->is_removed) {
		return -ENOENT;
	}
	r = fs_transfer(FS_GETDENTS, file->path.node, ep, addr, bytes, file->pos, &rep);
	if (r == -EFAULT && ep != EP_SELF) {
		bytes = user_present_prefix(ep, addr, bytes, true);
		if (bytes == 0) {
			return -EFAULT;
		}
		r = fs_transfer(FS_GETDENTS, file->path.node, ep, addr, bytes, file->pos, &rep);
	}
	if (r < 0) {
		return r;
	}
	*next = rep.offset;
	vnode_touch(file->path.node);
	return (int64_t)rep.done;
}

static struct file *hold_dir(struct call *call, int *error)
{
	struct file *file = fd_hold(call->proc, ARG_INT(call, 0));

	if (!file) {
		*error = -EBADF;
		return NULL;
	}
	if (file->kind != FILE_DIR) {
		file_put(file);
		*error = -ENOTDIR;
		return NULL;
	}
	coro_mutex_lock(&file->pos_lock);
	return file;
}

static void release_dir(struct file *file)
{
	coro_mutex_unlock(&file->pos_lock);
	file_put(file);
}

int64_t sys_getdents64(struct call *call)
{
	int error = 0;
	struct file *file = hold_dir(call, &error);
	uint64_t next;
	int64_t r;

	if (!file) {
		return error;
	}
	r = read_records(
		file, call->m.source, ARG(call, 1), u64_min(ARG_U32(call, 2), DENTS_CHUNK), &next);
	if (r > 0) {
		file->pos = next;
	}
	release_dir(file);
	return r;
}

/* Turn new records in `from` into old ones in `to`: bytes made; *next is where to go on, or
 * -EINVAL: not one fits. */
static int64_t convert(const char *from, size_t bytes, char *to, size_t room, uint64_t *next)
{
	size_t done = 0;

	for (size_t at = 0; at + sizeof(struct dirent64) < bytes;) {
		const struct dirent64 *entry = (const struct dirent64 *)(from + at);
		size_t name_len, need;
		struct dirent_old *old = (struct dirent_old *)(to + done);

		if (entry->reclen <= sizeof(*entry) || entry->reclen > bytes - at) {
			return -EIO;
		}
		name_len = strnlen(entry->name, entry->reclen - sizeof(*entry));
		need = align_up(sizeof(*old) + name_len + 2, 8);
		if (need > room - done) {
			return done > 0 ? (int64_t)done : -EINVAL;
		}
		memset(old, 0, need);
		old->ino = entry->ino;
		old->off = (uint64_t)entry->off;
		old->reclen = (uint16_t)need;
		memcpy(old->name, entry->name, name_len);
		to[done + need - 1] = (char)entry->type;
		*next = (uint64_t)entry->off;
		done += need;
		at += entry->reclen;
	}
	return (int64_t)done;
}

int64_t sys_getdents(struct call *call)
{
	int error = 0;
	uint64_t room = u64_min(ARG_U32(call, 2), DENTS_CHUNK), next;
	char *records = malloc(room + 1), *old = malloc(room + 1);
	struct file *file = records && old ? hold_dir(call, &error) : NULL;
	int64_t r = error ? error : -ENOMEM;

	if (file) {
		r = read_records(file, EP_SELF, (vaddr_t)records, room, &next);
		if (r > 0) {
			r = convert(records, (size_t)r, old, room, &next);
		}
		if (r > 0 && user_copy_out(call, ARG(call, 1), old, (size_t)r) < 0) {
			r = -EFAULT;
		}
		if (r > 0) {
			file->pos = next;
		}
		release_dir(file);
	}
	free(records);
	free(old);
	return r;
}
