/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The less common calls of the mmap family (arguments and errors: their manual pages). Each returns
 * what the program gets; `arg` are the raw arguments.
 */
#pragma once

#include "servers/vm/space.h"

/* remap.c */
int64_t linux_mremap(struct vm *vm, struct space *space, const uint64_t *arg);

/* advise.c */
int64_t linux_madvise(struct vm *vm, struct space *space, endpoint_t ep, const uint64_t *arg);
int64_t linux_msync(struct vm *vm, struct space *space, endpoint_t ep, const uint64_t *arg);
int64_t linux_mincore(struct vm *vm, struct space *space, const uint64_t *arg);

/* lock.c; `ep` is the caller, whose user id decides on limits */
int64_t linux_mlock(struct vm *vm, struct space *space, endpoint_t ep, vaddr_t addr, uint64_t len,
	uint64_t flags);
int64_t linux_munlock(struct vm *vm, struct space *space, vaddr_t addr, uint64_t len);
int64_t linux_mlockall(struct vm *vm, struct space *space, endpoint_t ep, uint64_t flags);
/* Whether a mapping of `len` bytes with MAP_* `flags` may be locked, if it would be: 0, -EAGAIN,
 * -EPERM. */
int linux_may_map_locked(const struct space *space, endpoint_t ep, uint64_t flags, uint64_t len);
int64_t linux_munlockall(struct vm *vm, struct space *space);
