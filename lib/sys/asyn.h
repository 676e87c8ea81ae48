/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asynchronous messages: the way upward and sideways, where a synchronous call is forbidden.
 *
 * Messages to one receiver arrive in the order they were sent. A message to a dead receiver is
 * dropped.
 */
#pragma once

#include "abi/message.h"

/* Queues m for dst and delivers it now if dst waits. 0, -ENOMEM, -EDEADSRCDST, -ECALLDENIED. */
int asyn_send(endpoint_t dst, const struct message *m);

/* lib/undo: message `index` of the table, which asyn_send kept back, goes out. As asyn_send. */
int asyn_release(uint32_t index);

/* How many messages to dst are still undelivered. */
unsigned asyn_pending(endpoint_t dst);

/* True: all has been delivered. Else a notification comes (EP_KERNEL, KSIG_ASYNC) when one more
 * has.
 */
bool asyn_flush(void);

/* After a restart that kept the memory: the kernel learns of the table again. */
int asyn_reregister(void);

/* The table, a piece of the heap, when nothing is pending: another program goes on with it, over a
 * live update. */
struct asyn_state {
	uint64_t table; /* 0: there is none */
	uint32_t size;
	uint32_t padding;
};
void asyn_get_state(struct asyn_state *state);
void asyn_adopt(const struct asyn_state *state);
