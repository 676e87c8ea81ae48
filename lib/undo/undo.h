/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Roll-back of a service that crashes within a request. The compiler calls lib/undo before each
 * store (meson.build: undo_c_args); within a window the old bytes go to a log. A successor that has
 * taken over the memory puts them back in reverse order: it stands where the window opened.
 *
 *   idle --undo_open--> open --undo_commit--> committing --> idle
 *                        |                                    ^
 *                        +--undo_close--> closed --undo_commit+
 *
 * Within a window
 * - answers, notifications, asynchronous messages, and kernel calls and requests to VM whose result
 *   nobody needs wait in the outbox and go out, in order, when the window ends;
 * - what is freed is freed when the window ends; what is allocated is freed by a roll-back;
 * - any other kernel call or request that changes the state of others (outbox.c) closes the window:
 *   what has been done stands, and a crash later in the same request is not undone. But the service
 *   may say how it is taken back (undo_by).
 *
 * The stack below the frame that opened the window is not logged. Services with kept memory only
 * (sef_keep_memory); without -DAXO_UNDO=1 all of this is empty.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/message.h"

struct undo_stats {
	uint64_t windows; /* opened */
	uint64_t closed;  /* early, because of an effect on others */
	uint64_t full;    /* early, because the log, the outbox or the list of frees was full */
	uint64_t rolled_back;
};

enum undo_outcome {
	UNDO_NOTHING, /* no window was open */
	UNDO_ROLLED_BACK,
	UNDO_STANDS /* the window had been closed: the request is half done */
};

/* The end of the process's first stack, as far as anybody cares: nothing else lies above it. The
 * successor does not take it over, so that nothing of it may be in the log. */
#define UNDO_MAIN_STACK ((const void *)UINTPTR_MAX)

/*
 * Each static variable that code with the hooks changes is defined with it: a window saves them all
 * when it opens. They are few and small. statics.py sees to it that there are no others.
 */
#ifdef AXO_UNDO
#define UNDO_STATIC __attribute__((section("undo_statics")))
#else
#define UNDO_STATIC
#endif

#ifdef AXO_UNDO

/* Before sef_start: a successor rolls back as soon as it has the memory. on_unsent hears of
 * asynchronous messages that the kernel refused when the window ended; may be NULL. */
void undo_start(void (*on_unsent)(endpoint_t dst, int error));

/* The window opens. stack_top: stores between the stack pointer and here are not logged. on_end: is
 * called when the window ends for good, before anything is sent; may be NULL. */
void undo_open(const void *stack_top, void (*on_end)(void));
/* The service goes on on another stack, which ends there. */
void undo_on_stack(const void *stack_top);
/* `bytes` from p on are restored by a roll-back. */
void undo_save(const void *p, size_t bytes);
/* What has been done stands and is sent; no roll-back from here to undo_commit. */
void undo_close(void);
/* The window ends. */
void undo_commit(void);
bool undo_is_open(void);
/* A roll-back calls fn(arg) in undo_settle(), the last one first. When there are too many the
 * window is closed. */
void undo_by(void (*fn)(uint64_t arg), uint64_t arg);

/* In a restart's init function, first of all: ends what the predecessor was committing, and says
 * what came of its last window. */
enum undo_outcome undo_settle(void);

const struct undo_stats *undo_stats(void);

/* Faults on purpose: strike() is called by the n-th store from now on. is_undone false: with the
 * window closed. */
void undo_strike_after(uint64_t n, bool is_undone, void (*strike)(void));

#else

static inline void undo_start(void (*on_unsent)(endpoint_t dst, int error))
{
}
static inline void undo_open(const void *stack_top, void (*on_end)(void))
{
}
static inline void undo_on_stack(const void *stack_top)
{
}
static inline void undo_save(const void *p, size_t bytes)
{
}
static inline void undo_close(void)
{
}
static inline void undo_commit(void)
{
}
static inline bool undo_is_open(void)
{
	return false;
}
static inline void undo_by(void (*fn)(uint64_t arg), uint64_t arg)
{
}
static inline enum undo_outcome undo_settle(void)
{
	return UNDO_NOTHING;
}

#endif
