/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message passing for services. Each returns 0 (or as said) or a negative error of abi/errno.h:
 * -EDEADSRCDST (peer dead), -ECALLDENIED (peer not in the caller's mask), -ETRAPDENIED, -ELOCKED
 * (deadlock), -EINVAL. Services receive with sef_receive (lib/sys/sef.h), which keeps the service's
 * own life out of their way.
 */
#pragma once

#include "lib/sys/trap.h"
#include "lib/undo/outbox.h"

/* Waits until dst takes the message. */
static inline int ipc_send(endpoint_t dst, const struct message *m)
{
	return (int)sys_trap(TRAP_SEND, (uint64_t)dst, (uint64_t)m, 0, 0, 0, 0);
}

/* Waits for a message from src (EP_ANY: anyone); *status (may be NULL) gets IPC_STATUS_*. */
static inline int ipc_receive(endpoint_t src, struct message *m, uint32_t *status)
{
	int64_t r = sys_trap(TRAP_RECEIVE, (uint64_t)src, (uint64_t)m, 0, 0, 0, 0);

	if (r >= 0 && status) {
		*status = (uint32_t)r;
	}
	return r < 0 ? (int)r : 0;
}

/* Sends m to dst and waits for dst's answer, which replaces m. */
static inline int ipc_sendrec(endpoint_t dst, struct message *m)
{
	int64_t r = sys_trap(TRAP_SENDREC, (uint64_t)dst, (uint64_t)m, 0, 0, 0, 0);

	return r < 0 ? (int)r : 0;
}

/* As ipc_sendrec, and returns the answer's type where it is a negative error: for protocols that
 * reply so. */
static inline int ipc_call(endpoint_t dst, struct message *m)
{
	int r = ipc_sendrec(dst, m);

	return r < 0 ? r : (m->type < 0 ? m->type : 0);
}

/* Never waits. */
static inline int ipc_notify(endpoint_t dst)
{
	return (int)sys_trap(TRAP_NOTIFY, (uint64_t)dst, 0, 0, 0, 0, 0);
}

/* Never waits: -ENOTREADY unless dst waits for the caller. This is how a server answers. */
static inline int ipc_sendnb(endpoint_t dst, const struct message *m)
{
	return (int)sys_trap(TRAP_SENDNB, (uint64_t)dst, (uint64_t)m, 0, 0, 0, 0);
}

/* A test asked for that many wrong answers of this service (SEF_FAULT_WRONG); host tests have none.
 */
extern uint32_t ipc_wrong_replies;
void ipc_make_wrong(struct message *m);

static inline void ipc_spoil(struct message *m)
{
#ifndef AXO_HOST
	if (__builtin_expect(ipc_wrong_replies != 0, 0)) {
		ipc_make_wrong(m);
	}
#endif
}

/* An answer may not be waited for: its error is nobody's trouble. Within a window of lib/undo it
 * goes out when that ends. */
static inline void ipc_answer(endpoint_t dst, const struct message *m)
{
	if (!undo_reply_later(dst, m)) {
		(void)ipc_sendnb(dst, m);
	}
}

/* Answers dst with m, whose type is set to `result`. A caller that is gone or does not wait is not
 * the server's trouble. */
static inline void ipc_reply(endpoint_t dst, struct message *m, int result)
{
	m->type = result;
	ipc_spoil(m);
	ipc_answer(dst, m);
}

/* Answers a program's system call with the value for its rax. */
static inline void ipc_reply_call(endpoint_t program, int64_t result)
{
	struct message m = {.type = 0, .reply = {.result = result}};

	ipc_spoil(&m);
	ipc_answer(program, &m);
}
