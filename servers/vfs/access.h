/* SPDX-License-Identifier: BSD-2-Clause */
/* Permission checks: who may do what with an inode. */
#pragma once

#include "servers/vfs/mount.h"

struct call;
struct cred;

#define ACCESS_READ  4u
#define ACCESS_WRITE 2u
#define ACCESS_EXEC  1u

/* By the file-system ids of cred: 0, -EACCES, -EROFS (writing on a read-only mount, but for devices
 * and pipes). */
int access_check(const struct cred *cred, const struct path *path, unsigned want);
int access_check_node(const struct cred *cred, const struct vnode *node, unsigned want);
/* Owner or root: 0 or -EPERM. */
int access_check_owner(const struct cred *cred, const struct vnode *node);
/* May the entry that leads to `node` be taken out of (or replaced in) `dir`: write and sticky
 * rules. -EACCES, -EPERM. */
int access_check_remove(const struct cred *cred, const struct path *dir, const struct vnode *node);
/* May an entry be made in dir. -EACCES, -EROFS, -ENOENT when dir itself was removed. */
int access_check_create(const struct cred *cred, const struct path *dir);
/* Mount and its like: -EPERM unless root. */
int access_check_root(const struct call *call);

int64_t sys_access(struct call *call);
int64_t sys_faccessat(struct call *call);
int64_t sys_faccessat2(struct call *call);
