/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/info.h"

#include <errno.h>
#include <stdio.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/asyn.h"
#include "lib/sys/kcall.h"
#include "proto/vfs.h"
#include "servers/vfs/call.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/magic.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/tty.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vmfile.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

#define RECORDS_MAX   64
#define STRINGS_CHUNK 4096u

/* One request being answered. */
struct info {
	endpoint_t asker;
	struct vfs_getinfo req;
	uint64_t next; /* for the answer */
};

static int put(const struct info *info, uint64_t offset, const void *from, size_t bytes)
{
	if (offset + bytes > info->req.bytes) {
		return -ENOSPC;
	}
	return sys_safecopyto(info->asker, info->req.grant, offset, from, bytes);
}

/* As much of a text as there is room for. */
static int put_text(const struct info *info, const char *text, size_t len)
{
	int r;

	len = u64_min(len, info->req.bytes);
	r = put(info, 0, text, len);
	return r < 0 ? r : (int)len;
}

static int list_fds(struct info *info, const struct proc *proc)
{
	uint64_t done = 0;

	for (unsigned fd = (unsigned)info->req.next; fd < proc->fds->size; fd++) {
		const struct fd_entry *entry = &proc->fds->entries[fd];
		struct vfs_fd_info record = {.fd = (int32_t)fd};

		if (!entry->file) {
			continue;
		}
		if (done + sizeof(record) > info->req.bytes) {
			info->next = fd;
			break;
		}
		record.flags = entry->file->flags;
		record.cloexec = entry->is_cloexec;
		record.mode = entry->file->path.node->mode;
		record.pos = entry->file->pos;
		record.dev = entry->file->path.node->sb->dev;
		record.ino = entry->file->path.node->ino;
		if (put(info, done, &record, sizeof(record)) < 0) {
			return -EFAULT;
		}
		done += sizeof(record);
	}
	return (int)done;
}

static int tell_proc(const struct info *info, const struct proc *proc)
{
	const struct tty *tty = tty_of(proc);
	struct vfs_proc_info record = {
		.umask = proc->fs->umask, .fd_table = proc->fds->size, .tty_pgrp = -1};

	for (unsigned fd = 0; fd < proc->fds->size; fd++) {
		record.fd_count += proc->fds->entries[fd].file != NULL;
	}
	if (tty) {
		record.tty_dev = (uint32_t)tty->dev;
		record.tty_pgrp = tty->pgid;
	}
	record.read_bytes = proc->read_bytes;
	record.write_bytes = proc->write_bytes;
	record.read_calls = proc->read_calls;
	record.write_calls = proc->write_calls;
	return put(info, 0, &record, sizeof(record)) < 0 ? -EFAULT : (int)sizeof(record);
}

static int list_mounts(struct info *info)
{
	const struct proc *proc = info->req.pid ? proc_find(info->req.pid) : NULL;
	const struct path *root = proc && proc->fs->root.node ? &proc->fs->root : NULL;
	uint64_t done = 0, n = 0;
	char *text = malloc(PATH_MAX);

	if (!text) {
		return -ENOMEM;
	}
	list_for_each(mount, &vfs->mounts, struct mount, link)
	{
		struct path top = {mount, mount->root};
		struct vfs_mount_info record = {
			.dev = mount->sb->dev, .flags = mount->flags, .id = mount->id};

		if (mount->sb->is_internal || mount == vfs->memfd_mount || !mount->is_attached ||
			n++ < info->req.next) {
			continue;
		}
		if (done + sizeof(record) > info->req.bytes) {
			info->next = n - 1;
			break;
		}
		if (mount->sb->is_readonly) {
			record.flags |= 1;
		}
		record.parent_id = mount->parent ? mount->parent->id : 0;
		memcpy(record.type, mount->sb->type, sizeof(record.type));
		memcpy(record.source, mount->source, sizeof(record.source));
		if (path_text(&top, root, true, text, PATH_MAX) >= 0) {
			(void)snprintf(record.target, sizeof(record.target), "%s", text);
		}
		if (put(info, done, &record, sizeof(record)) < 0) {
			free(text);
			return -EFAULT;
		}
		done += sizeof(record);
	}
	free(text);
	return (int)done;
}

static int tell_path(const struct info *info, const struct path *path, const struct proc *proc)
{
	const struct path *root = proc && proc->fs->root.node ? &proc->fs->root : NULL;
	char *text;
	int64_t r;

	if (!path || !path->node) {
		return -ENOENT;
	}
	text = malloc(PATH_MAX);
	if (!text) {
		return -ENOMEM;
	}
	r = magic_file_text(path, root, text, PATH_MAX);
	if (r >= 0) {
		r = put_text(info, text, (size_t)r);
	}
	free(text);
	return (int)r;
}

/* Strings from the program's stack, as far as they are present. */
static int tell_strings(struct info *info, const struct proc *proc, vaddr_t start, vaddr_t end)
{
	uint64_t from = info->req.next, len = end - start;
	char *buf;
	int r;

	if (list_is_empty(&proc->threads) || from >= len) {
		return 0;
	}
	len = u64_min(u64_min(len - from, info->req.bytes), STRINGS_CHUNK);
	buf = malloc(len);
	if (!buf) {
		return -ENOMEM;
	}
	r = sys_vircopy_try(list_first(&proc->threads, struct thread, link)->ep, start + from,
		EP_SELF, (vaddr_t)buf, len);
	r = r < 0 ? 0 : put_text(info, buf, len);
	free(buf);
	if (r > 0 && start + from + (uint64_t)r < end) {
		info->next = from + (uint64_t)r;
	}
	return r;
}

static int tell_about(struct info *info, const struct proc *proc)
{
	const struct file *file;

	switch (info->req.what) {
	case VFS_INFO_FDS:
		return list_fds(info, proc);
	case VFS_INFO_PROC:
		return tell_proc(info, proc);
	case VFS_INFO_FD_PATH:
		file = fd_peek(proc, (int)info->req.next);
		return tell_path(info, file ? &file->path : NULL, proc);
	case VFS_INFO_CWD:
		return tell_path(info, &proc->fs->cwd, proc);
	case VFS_INFO_ROOT:
		return tell_path(info, &proc->fs->root, NULL);
	case VFS_INFO_EXE:
		return tell_path(info, &proc->exe, proc);
	case VFS_INFO_CMDLINE:
		return tell_strings(info, proc, proc->arg_start, proc->arg_end);
	case VFS_INFO_ENVIRON:
		return tell_strings(info, proc, proc->env_start, proc->env_end);
	default:
		return -EINVAL;
	}
}

static int answer(struct info *info)
{
	static const char types[] = "nodev\ttmpfs\nnodev\tproc\n\text2\n";
	const struct proc *proc = proc_find(info->req.pid);

	switch (info->req.what) {
	case VFS_INFO_MOUNTS:
		return list_mounts(info);
	case VFS_INFO_FILE:
		return tell_path(info, vmfile_path((int)info->req.next), proc);
	case VFS_INFO_FILESYSTEMS:
		return put_text(info, types, sizeof(types) - 1);
	default:
		return proc ? tell_about(info, proc) : -ESRCH;
	}
}

void info_request(const struct message *m)
{
	struct info info = {
		.asker = m->source, .req = *MSG((struct message *)(uintptr_t)m, vfs_getinfo)};
	struct message reply = {.type = VFS_GETINFO | PROTO_REPLY};
	struct vfs_getinfo_rep *rep = MSG(&reply, vfs_getinfo_rep);

	/* Only a file system that is mounted may ask. */
	rep->result = superblock_find_ep(m->source) ? answer(&info) : -EPERM;
	rep->seq = info.req.seq;
	rep->next = info.next;
	(void)asyn_send(m->source, &reply);
}
