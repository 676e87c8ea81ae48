/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Restart with the whole memory of the predecessor.
 *
 * A service with kept memory receives into sef.inbox, so that the memory itself says where the
 * predecessor stood: between two messages, with a message that it had been given and not yet looked
 * at (which is served now as if nothing had happened), or within a request.
 */
#include <errno.h>
#include <string.h>

#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef_impl.h"
#include "proto/vm.h"

#define WAITERS_MAX 64 /* at once */

void sef_keep_memory(void)
{
	sef.keeps_memory = true;
}

void sef_on_inherited(void (*fn)(void))
{
	sef.inherited = fn;
}

void sef_served(void)
{
	sef.phase = SEF_OUTSIDE;
}

void sef_on_waiter(sef_waiter_fn *fn)
{
	sef.waiter = fn;
}

bool sef_redo(void)
{
	/* A message that nobody has seen yet is handed out in any case. */
	if (sef.info.interrupted != NULL) {
		sef.is_redo = !sef.was_redone;
	}
	return sef.is_redo;
}

/* Does it wait for this service's answer? */
static bool waits(endpoint_t ep)
{
	endpoint_t first = EP_NONE;

	return sef_statectl(STATE_WAITERS, &first, 1, (uint64_t)EP_SLOT(ep)) == 1 && first == ep;
}

/* The message that came, but was not looked at: how it came is told by who waits. */
static void redo_unseen(void)
{
	sef.inbox_status = IS_NOTIFY(&sef.inbox) ? IPC_STATUS_NOTIFY
		: waits(sef.inbox.source)        ? IPC_STATUS_SENDREC
						 : IPC_STATUS_ASYNC;
	sef.is_redo = true;
	if (IS_LINUX_CALL(sef.inbox.type)) {
		/* That it was the kernel's is not known any more: the program asks again. */
		ipc_reply_call(sef.inbox.source, -ERESTARTNOINTR);
		sef.is_redo = false;
	}
}

int sef_inherit(void)
{
	struct message m = {.type = VM_INHERIT};
	int r = ipc_call(EP_VM, &m);

	/* From here on all static data is the predecessor's. */
	if (r == 0 && sef.inherited) {
		sef.inherited();
	}
	if (r == 0) {
		r = grant_reregister();
	}
	if (r == 0) {
		r = asyn_reregister();
	}
	if (r == 0) {
		r = sef_state_announce();
	}
	if (r < 0) {
		return r;
	}
	sef.is_redo = false;
	sef.info.interrupted = NULL;
	if (sef.phase == SEF_SERVING) {
		/* Who does not wait any more has been answered: the request was as good as done. */
		bool is_call = (sef.inbox_status & IPC_STATUS_SENDREC) != 0;

		sef.info.interrupted = !is_call || waits(sef.inbox.source) ? &sef.inbox : NULL;
	} else if (sef.phase == SEF_RECEIVING && sef.inbox.source != EP_NONE) {
		redo_unseen();
	}
	sef.lu_state = SEF_LU_NULL;
	sef.fault.kind = 0;
	return 0;
}

static void send_away(endpoint_t ep, int64_t result_of_program)
{
	struct proc_info info = {.call = -1};
	struct message m = {0};

	if (sys_getinfo(GETINFO_PROC, &info, sizeof(info), ep) >= 0 && info.call >= 0) {
		ipc_reply_call(ep, result_of_program);
	} else {
		ipc_reply(ep, &m, -ERESTARTED);
	}
}

static void settle_waiters(endpoint_t current)
{
	endpoint_t eps[WAITERS_MAX] = {0};
	unsigned first = 0;
	int count;

	do {
		count = sef_statectl(STATE_WAITERS, eps, WAITERS_MAX, first);
		for (int i = 0; i < count; i++) {
			if (eps[i] != current && !sef.waiter(eps[i])) {
				send_away(eps[i], -ERESTARTNOINTR);
			}
			first = (unsigned)EP_SLOT(eps[i]) + 1;
		}
	} while (count == WAITERS_MAX);
}

void sef_settle(void)
{
	endpoint_t current = EP_NONE;

	if (sef.is_redo) {
		current = sef.inbox.source;
	} else if (sef.info.interrupted && (sef.inbox_status & IPC_STATUS_SENDREC)) {
		current = sef.inbox.source;
		send_away(current, -EINTR);
	}
	if (sef.waiter) {
		settle_waiters(current);
	}
	sef.info.interrupted = NULL;
	sef.phase = SEF_OUTSIDE;
}

int sef_take_over(sef_init_fn *fn)
{
	int r = sef_inherit();

	if (r < 0) {
		return r;
	}
	sef.info.type = SEF_INIT_RESTART;
	sef.info.restarts++;
	if (fn) {
		r = fn(&sef.info);
	}
	if (r == 0) {
		sef_settle();
	}
	return r;
}
