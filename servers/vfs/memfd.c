/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers/vfs/call.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/file.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/mountcalls.h"
#include "servers/vfs/open.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vmfile.h"
#include "servers/vfs/vnode.h"

#define FLAG_CLOEXEC       1u
#define FLAG_ALLOW_SEALING 2u
#define FLAG_NOEXEC_SEAL   8u
#define FLAG_EXEC          16u
#define FLAGS_KNOWN        (FLAG_CLOEXEC | FLAG_ALLOW_SEALING | FLAG_NOEXEC_SEAL | FLAG_EXEC)

#define SEAL_SEAL         1u
#define SEAL_SHRINK       2u
#define SEAL_GROW         4u
#define SEAL_WRITE        8u
#define SEAL_FUTURE_WRITE 16u
#define SEAL_EXEC         32u
#define SEALS_KNOWN       63u

#define NAME_MAX_BYTES 250 /* with NUL */

struct memfd {
	unsigned seals;
};

void memfd_free(struct memfd *memfd)
{
	free(memfd);
}

static int start_mount(struct mount **mount)
{
	struct superblock *sb;
	struct vnode *root;
	int r = mount_hidden_tmp(&root);

	if (r < 0) {
		return r;
	}
	sb = root->sb;
	*mount = mount_new(sb, root, 0, "memfd");
	vnode_put(root);
	if (!*mount) {
		(void)fs_unmount(sb);
		superblock_free(sb);
		return -ENOMEM;
	}
	mount_attach(*mount, NULL);
	return 0;
}

/* Its file system has died for good: the mount goes with its last file. */
static void drop_mount(struct mount *mount)
{
	mount_detach(mount);
	if (mount->refs == 0) {
		mount_destroy(mount);
	}
}

/* The file system of such files, started at need. Worker. */
static int get_mount(struct mount **mount)
{
	int r = 0;

	coro_mutex_lock(&vfs->mount_lock);
	if (vfs->memfd_mount && vfs->memfd_mount->sb->is_dead) {
		drop_mount(vfs->memfd_mount);
		vfs->memfd_mount = NULL;
	}
	if (!vfs->memfd_mount) {
		r = start_mount(&vfs->memfd_mount);
	}
	*mount = vfs->memfd_mount;
	coro_mutex_unlock(&vfs->mount_lock);
	return r;
}

/* A new file without a name: *path gets a reference. */
static int make_node(struct call *call, struct path *path)
{
	const struct cred *cred = &call->proc->cred;
	struct mount *mount;
	struct vnode *root;
	char name[24];
	int len, r = get_mount(&mount);

	if (r < 0) {
		return r;
	}
	root = mount->root;
	len = snprintf(name, sizeof(name), "%llu", (unsigned long long)++vfs->next_memfd);
	r = fs_make(FS_CREATE, root, name, (size_t)len, S_IFREG | 0777, cred->fsuid, cred->fsgid, 0,
		&path->node);
	if (r < 0) {
		return r;
	}
	r = fs_remove(FS_UNLINK, root, name, (size_t)len);
	if (r < 0) {
		vnode_put(path->node);
		return r;
	}
	path->node->nlink = 0;
	vnode_touch(path->node);
	path->mount = mount;
	mount->refs++;
	return 0;
}

static int64_t make_file(struct call *call, const char *name, unsigned flags)
{
	struct memfd *memfd = calloc(1, sizeof(*memfd));
	char text[NAME_MAX_BYTES + 24], *label;
	struct path path;
	struct file *file;
	int r;

	if (!memfd) {
		return -ENOMEM;
	}
	memfd->seals = flags & (FLAG_ALLOW_SEALING | FLAG_NOEXEC_SEAL) ? 0 : SEAL_SEAL;
	(void)snprintf(text, sizeof(text), "/memfd:%s (deleted)", name);
	label = strdup(text);
	r = label ? make_node(call, &path) : -ENOMEM;
	if (r < 0) {
		free(label);
		free(memfd);
		return r;
	}
	path.node->memfd = memfd;
	path.node->label = label;
	if (flags & FLAG_NOEXEC_SEAL) {
		struct fs_setattr_req attributes = {.mask = FS_ATTR_MODE, .mode = 0666};

		(void)fs_setattr(path.node, &attributes);
		memfd->seals |= SEAL_EXEC;
	}
	r = open_place(call, &path, O_RDWR, &file);
	path_put(&path);
	return r < 0 ? r : fd_add(call->proc, file, flags & FLAG_CLOEXEC);
}

int64_t sys_memfd_create(struct call *call)
{
	unsigned flags = ARG_U32(call, 1);
	char name[NAME_MAX_BYTES];
	int64_t r;

	if ((flags & ~FLAGS_KNOWN) || ((flags & FLAG_EXEC) && (flags & FLAG_NOEXEC_SEAL))) {
		return -EINVAL;
	}
	r = user_string(call, name, ARG(call, 0), sizeof(name));
	if (r < 0) {
		return r == -ENAMETOOLONG ? -EINVAL : r;
	}
	return make_file(call, name, flags);
}

int64_t memfd_add_seals(struct file *file, unsigned seals)
{
	struct memfd *memfd = file->path.node->memfd;

	if (!memfd) {
		return -EINVAL;
	}
	if (!file_is_writable(file)) {
		return -EPERM;
	}
	if (seals & ~SEALS_KNOWN) {
		return -EINVAL;
	}
	if (memfd->seals & SEAL_SEAL) {
		return -EPERM;
	}
	if ((seals & SEAL_WRITE) && !(memfd->seals & SEAL_WRITE) &&
		vmfile_is_shared_writable(file->path.node)) {
		return -EBUSY;
	}
	if ((seals & SEAL_EXEC) && (file->path.node->mode & 0111)) {
		seals |= SEAL_SHRINK | SEAL_GROW | SEAL_WRITE | SEAL_FUTURE_WRITE;
	}
	memfd->seals |= seals;
	return 0;
}

int64_t memfd_get_seals(const struct file *file)
{
	const struct memfd *memfd = file->path.node->memfd;

	return memfd ? (int64_t)memfd->seals : -EINVAL;
}

int64_t memfd_limit_write(const struct vnode *node, uint64_t pos, uint64_t bytes)
{
	uint64_t whole = AXO_PAGE_DOWN(node->size);

	if (!node->memfd || bytes == 0) {
		return (int64_t)bytes;
	}
	if (node->memfd->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE)) {
		return -EPERM;
	}
	if (!(node->memfd->seals & SEAL_GROW) || range_within(pos, bytes, 0, node->size)) {
		return (int64_t)bytes;
	}
	/* Page by page, up to the one that would make it longer. */
	return pos < whole ? (int64_t)(whole - pos) : -EPERM;
}

int memfd_check_size(const struct vnode *node, uint64_t size)
{
	if (!node->memfd) {
		return 0;
	}
	return (size < node->size && (node->memfd->seals & SEAL_SHRINK)) ||
			(size > node->size && (node->memfd->seals & SEAL_GROW))
		? -EPERM
		: 0;
}

bool memfd_is_write_sealed(const struct vnode *node)
{
	return node->memfd && (node->memfd->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE));
}
