/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads: which endpoint uses which address space. */
#pragma once

#include "servers/vm/space.h"

/* The thread of an endpoint, or NULL when there is none (stale, or unknown). */
struct vm_thread *thread_find(struct vm *vm, endpoint_t ep);

/* The space of an endpoint, or NULL. */
struct space *thread_space(struct vm *vm, endpoint_t ep);

/* Any thread that uses a space; EP_NONE: none. */
endpoint_t thread_of_space(struct vm *vm, const struct space *space);

/* Enter a thread. -EINVAL: the slot is out of range or taken. */
int thread_add(struct vm *vm, endpoint_t ep, struct space *space);

/* A thread is gone; with the last one its space is destroyed. */
void thread_remove(struct vm *vm, struct vm_thread *thread);
