/* SPDX-License-Identifier: BSD-2-Clause */
/* Advisory locks: byte ranges of fcntl(2), owned by a descriptor table, and whole files of
 * flock(2), owned by an open file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct call;
struct fd_table;
struct file;
struct proc;
struct vnode;

int64_t sys_flock(struct call *call);
/* fcntl F_GETLK, F_SETLK, F_SETLKW and the F_OFD_* forms. */
int64_t lock_fcntl(struct call *call, struct file *file, int cmd, uint64_t arg);

/* A descriptor of this file in this table was closed: the owner's byte-range locks on it go. */
void lock_close_posix(struct file *file, const struct fd_table *owner);
void lock_release_flock(struct file *file);
/* The vnode goes: so do locks that outlived their owners. */
void lock_forget_node(struct vnode *node);
