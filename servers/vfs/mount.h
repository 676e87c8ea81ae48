/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File systems in use and the tree of mounts.
 *
 * A superblock is one file-system process and its volume. A mount shows (a part of) a superblock at
 * a place in the tree; several mounts may show one superblock (bind mounts). A place in the tree of
 * names is a pair of mount and vnode.
 */
#pragma once

#include "abi/types.h"
#include "lib/coro/coro.h"

struct vnode;
struct call;

struct superblock {
	struct list link;
	endpoint_t ep; /* the file-system process */
	uint64_t dev;  /* st_dev */
	unsigned mounts;
	bool is_readonly;       /* the volume */
	bool is_nocache;        /* names and attributes change by themselves */
	bool is_memory;         /* no device behind it */
	bool is_dead;           /* the process is gone for good */
	bool is_internal;       /* VFS's own, without a process: unnamed pipes */
	bool has_peek;          /* its files are in VM's page cache */
	bool is_bound;          /* VM knows whose cache the pages of dev are */
	bool is_mounted;        /* FS_MOUNT has succeeded */
	bool is_recovering;     /* a new process is being mounted: requests wait in recover_wait */
	uint32_t recover_count; /* recoveries so far */
	struct waitq recover_wait;
	char *data; /* mount options, NULL: none */
	char type[16];
	char source[64];
};

struct mount {
	struct list link; /* in vfs->mounts */
	struct superblock *sb;
	struct vnode *root;       /* counted */
	struct mount *parent;     /* NULL: the root, or detached; not counted */
	struct vnode *mountpoint; /* in parent; counted */
	unsigned refs;            /* paths in use; children hold none */
	bool is_attached;
	uint64_t flags; /* MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, ... */
	int32_t id;
	char source[64];
};

struct path {
	struct mount *mount;
	struct vnode *node;
};

void path_get(const struct path *path);
void path_put(struct path *path); /* and clears it; harmless on an empty path */
static inline bool path_equal(const struct path *a, const struct path *b)
{
	return a->mount == b->mount && a->node == b->node;
}

/* The topmost mount on a place, or NULL. */
struct mount *mount_at(const struct path *path);
/* Step onto what is mounted on a path (which is owned by the caller), however often. */
void mount_cross_down(struct path *path);
/* From the root of a mount to the place it covers; false at the top. */
bool mount_cross_up(struct path *path);

bool mount_is_readonly(const struct mount *mount);

/* Show `root` (a reference is taken) of a superblock at a place (NULL: nowhere yet). NULL: no
 * memory. */
struct mount *mount_new(
	struct superblock *sb, struct vnode *root, uint64_t flags, const char *source);
void mount_attach(struct mount *mount, const struct path *place);
void mount_detach(struct mount *mount);
/* The detached mount is gone; with the last mount of a superblock the volume is unmounted. Workers
   that hold vfs->mount_lock. */
void mount_destroy(struct mount *mount);

struct superblock *superblock_new(
	endpoint_t ep, uint64_t dev, const char *type, const char *source);
struct superblock *superblock_find_dev(uint64_t dev);
struct superblock *superblock_find_ep(endpoint_t ep);
/* A device number for a file system without a device. */
uint64_t superblock_anonymous_dev(void);
/* Mount the boot ramdisk as root: worker function. */
int64_t mount_boot_root(struct call *call);
/* Bring a superblock's volume up: FS_MOUNT; *root is its root with a reference. */
int superblock_start(struct superblock *sb, endpoint_t driver, uint32_t fs_flags, const char *data,
	struct vnode **root);
void superblock_free(struct superblock *sb);
/* The file system's process has been replaced by a new one under the same endpoint: mount it again,
 * bind all inodes, and have what was in flight sent again. From the main loop. */
void superblock_recovered(struct superblock *sb);
/* The process is gone for good: all requests fail from now on. */
void superblock_dead(struct superblock *sb);
