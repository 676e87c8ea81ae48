/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's part of a switch between stacks. */
#pragma once

/*
 * Save the callee-saved state on the running stack, its pointer in *save, and go on where `load`
 * was saved.
 */
void coro_switch(void **save, void *load);

/* The saved pointer for a new stack that ends at `top` (16-byte aligned): the first switch to it
 * calls entry(). */
void *coro_switch_prepare(void *top, void (*entry)(void));
