/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live update, the old version's side: RS asks for a state; once it is reached, between two
 * messages, the service says so and waits in that call until it is replaced, or goes on when the
 * update was given up.
 */
#include <errno.h>

#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef_impl.h"

void sef_on_update(const struct sef_update *update)
{
	sef.update = update;
}

void sef_on_busy(unsigned (*fn)(void))
{
	sef.busy = fn;
}

/* Returns when RS has answered: after an error at once, else when the update was given up. */
static void report(int result, int state)
{
	struct message m = {.type = SEF_LU_REPLY};

	MSG(&m, sef_lu_reply)->result = result;
	MSG(&m, sef_lu_reply)->state = state;
	(void)ipc_sendrec(EP_RS, &m);
}

static void change(int state, uint32_t flags)
{
	int from = sef.lu_state;

	sef.lu_state = state;
	sef.lu_flags = flags;
	if (sef.update && sef.update->changed && from != state) {
		sef.update->changed(from, state);
	}
}

static bool is_valid(int state, uint32_t flags)
{
	return sef.update && sef.update->is_valid ? sef.update->is_valid(state, flags)
						  : sef_valid_standard(state, flags);
}

void sef_update_request(const struct sef_lu_prepare *request)
{
	if (request->state == SEF_LU_NULL) {
		change(SEF_LU_NULL, 0);
	} else if (sef.lu_state != SEF_LU_NULL) {
		report(-EBUSY, request->state);
	} else if (sef.keeps_memory && !sef.heap && !sef.update) {
		report(-ENOSYS, request->state);
	} else if (!is_valid(request->state, request->flags)) {
		report(-EINVAL, request->state);
	} else {
		change(request->state, request->flags);
	}
}

static int prepare(int state, uint32_t flags)
{
	endpoint_t waiter;

	if (sef.update && sef.update->prepare) {
		return sef.update->prepare(state, flags);
	}
	if (state == SEF_LU_WORK_FREE) {
		return 0;
	}
	if (sef.busy && sef.busy() > 0) {
		return -ENOTREADY;
	}
	return !sef.heap && sef_statectl(STATE_WAITERS, &waiter, 1, 0) > 0 ? -ENOTREADY : 0;
}

void sef_update_check(void)
{
	int state = sef.lu_state;
	uint32_t flags = sef.lu_flags;
	int r = prepare(state, flags);

	/* What it sent is on its way before it stops: the table of messages is not handed over. */
	if (r == -ENOTREADY || (r == 0 && !asyn_flush())) {
		return;
	}
	if (r == 0 && sef.update && sef.update->save) {
		r = sef.update->save(state, flags);
	}
	if (r == 0 && sef.heap) {
		sef.heap->save();
	}
	report(r, state);
	change(SEF_LU_NULL, 0);
}
