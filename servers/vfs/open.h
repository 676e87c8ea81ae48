/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening files. */
#pragma once

#include "servers/vfs/file.h"

struct walk;

int64_t sys_open(struct call *call);
int64_t sys_openat(struct call *call);
int64_t sys_openat2(struct call *call);
int64_t sys_creat(struct call *call);

/* Open a place that has been checked: *file has the caller's reference. Workers only. */
int open_place(struct call *call, const struct path *path, unsigned flags, struct file **file);

/* Owner group and mode of a new entry in dir (set-group-id directories hand their group on). */
uint32_t create_gid(const struct call *call, const struct vnode *dir);
