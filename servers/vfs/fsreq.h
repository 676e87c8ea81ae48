/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to file systems (proto/fs.h) as functions. Workers only, but for fs_putnode. All return
 * 0 or a negative errno (-EIO when the file system is gone). They keep the vnode's attributes true,
 * and know nothing of names, rights and mounts.
 */
#pragma once

#include <sys/stat.h>
#include <sys/statfs.h>

#include "proto/fs.h"

struct superblock;
struct uio;
struct vnode;

/* References at the file system given back; not waited for. */
void fs_putnode(struct superblock *sb, uint64_t ino, uint64_t count);

int fs_mount(struct superblock *sb, endpoint_t driver, uint32_t flags, const char *data,
	struct fs_mount_rep *rep);
int fs_remount(struct superblock *sb, uint32_t flags);
int fs_unmount(struct superblock *sb);
/* Recovery: the new process learns of an inode that VFS holds; all have been bound. */
int fs_rebind(struct vnode *node);
int fs_recovered(struct superblock *sb);
int fs_new_driver(struct superblock *sb, endpoint_t driver);

/* The nodes they return have a reference for the caller. */
int fs_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **node);
/* op: FS_CREATE, FS_MKDIR, FS_MKNOD. */
int fs_make(int op, struct vnode *dir, const char *name, size_t len, uint32_t mode, uint32_t uid,
	uint32_t gid, uint64_t rdev, struct vnode **node);
int fs_symlink(struct vnode *dir, const char *name, size_t len, const char *target, uint32_t uid,
	uint32_t gid, struct vnode **node);
int fs_link(struct vnode *dir, const char *name, size_t len, struct vnode *target);
/* op: FS_UNLINK, FS_RMDIR. */
int fs_remove(int op, struct vnode *dir, const char *name, size_t len);
int fs_rename(struct vnode *old_dir, const char *old_name, size_t old_len,
	const struct vnode *old_node, struct vnode *new_dir, const char *new_name, size_t new_len,
	uint32_t flags);

/* The text's length (no NUL). */
int64_t fs_readlink(struct vnode *node, char *buf, size_t size);

/* op: FS_READ, FS_WRITE, FS_GETDENTS: between the file and bytes of a process's memory; *done is
 * what was done. */
int fs_transfer(int op, struct vnode *node, endpoint_t ep, vaddr_t addr, uint64_t bytes,
	uint64_t offset, struct fs_io_rep *rep);
/* op: FS_PEEK, FS_MKWRITE: pages into VM's cache, or made writable there; *done: how many bytes of
 * the file there are. */
int fs_cache(int op, struct vnode *node, uint64_t offset, uint64_t bytes, uint64_t *done);
/* The same without waiting, for read-ahead. */
void fs_peek_later(struct vnode *node, uint64_t offset, uint64_t bytes);
/* A file was read from the cache: its access time moves. Does not wait; once until the file
 * changes. */
void fs_tell_read(struct vnode *node);

int fs_truncate(struct vnode *node, uint64_t size);
/* The attributes, from the cache when they are known. */
int fs_stat(struct vnode *node, struct stat *stat);
/* attributes: mask and the values it names; head is filled in. */
int fs_setattr(struct vnode *node, const struct fs_setattr_req *attributes);
int fs_fsync(struct vnode *node);
/* Any request of proto/fs.h; the answer takes its place: its result. */
int fs_request(struct superblock *sb, struct message *m);
int fs_sync(struct superblock *sb);
int fs_statfs(struct superblock *sb, struct statfs *statfs);
