/* SPDX-License-Identifier: BSD-2-Clause */
/* Making memory present. */
#pragma once

#include "servers/vm/space.h"

/*
 * Make the page of fault->addr present for the access; stacks grow if need be. 0; -EFAULT: nothing
 * is mapped; -EACCES: not permitted; -EIO: nothing behind the mapping; -EAGAIN: fault->wait_for;
 * -ENOMEM.
 */
int space_fault(struct vm *vm, struct space *space, struct fault *fault);

/* The same for each page of a range of bytes; *fault says where it stopped. */
int space_touch(
	struct vm *vm, struct space *space, vaddr_t addr, uint64_t bytes, struct fault *fault);

/* Make a range present as far as that goes without waiting; errors do not matter. */
void space_populate(struct vm *vm, struct space *space, vaddr_t start, vaddr_t end);

/* Copy between VM and a process, present or not, but without waiting: 0 or -EFAULT. */
int space_copy_out(
	struct vm *vm, struct space *space, vaddr_t addr, const void *from, uint64_t bytes);
int space_copy_in(struct vm *vm, struct space *space, void *to, vaddr_t addr, uint64_t bytes);
/* Store for a debugger (within one page), also where the process itself may not: it gets a private
 * copy of the page. Further errors: -EAGAIN: read it first; those of space_fault; -EINVAL. */
int space_force_out(
	struct vm *vm, struct space *space, vaddr_t addr, const void *from, uint64_t bytes);
int space_clear_bytes(struct vm *vm, struct space *space, vaddr_t addr, uint64_t bytes);
