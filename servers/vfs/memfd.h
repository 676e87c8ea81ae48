/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files in memory without a name (memfd_create) and their seals. They live on a tmp file system of
 * their own, which is mounted nowhere and started when the first one is made.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct call;
struct file;
struct memfd;
struct vnode;

int64_t sys_memfd_create(struct call *call);

/* fcntl F_ADD_SEALS (0, -EPERM, -EBUSY, -EINVAL) and F_GET_SEALS (the seals; -EINVAL: no file in
 * memory). */
int64_t memfd_add_seals(struct file *file, unsigned seals);
int64_t memfd_get_seals(const struct file *file);

/* What the seals leave of a write of `bytes` at pos: bytes, or -EPERM. Any vnode. */
int64_t memfd_limit_write(const struct vnode *node, uint64_t pos, uint64_t bytes);
/* Whether they permit this size: 0 or -EPERM. */
int memfd_check_size(const struct vnode *node, uint64_t size);
/* Whether no new shared mapping may be written. */
bool memfd_is_write_sealed(const struct vnode *node);
/* The vnode goes. */
void memfd_free(struct memfd *memfd);
