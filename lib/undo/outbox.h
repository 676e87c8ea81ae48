/* SPDX-License-Identifier: BSD-2-Clause */
/* What lib/sys tells lib/undo before it traps into the kernel (-DAXO_UNDO=1). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "abi/message.h"

#ifdef AXO_UNDO

/*
 * A trap is about to happen, with these first arguments. True: it is one whose result nobody needs,
 * and happens when the window ends; its result is 0. False: now; if it changes what others have the
 * window has been closed.
 */
bool undo_takes_trap(uint64_t nr, const uint64_t a[5]);

/* True: it goes out when the window ends. False: no window is open, send it now. */
bool undo_reply_later(endpoint_t dst, const struct message *m);
bool undo_notify_later(endpoint_t dst);

/* The asynchronous message `index` of the ring. Only while a window is open; false: it has been
 * closed for want of room, send it now. */
bool undo_asyn_later(endpoint_t dst, uint32_t index);

#else

static inline bool undo_takes_trap(uint64_t nr, const uint64_t a[5])
{
	return false;
}
static inline bool undo_reply_later(endpoint_t dst, const struct message *m)
{
	return false;
}
static inline bool undo_notify_later(endpoint_t dst)
{
	return false;
}
static inline bool undo_asyn_later(endpoint_t dst, uint32_t index)
{
	return false;
}

#endif
