/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/crash.h"

#include "lib/sys/diag.h"
#include "servers/vfs/call.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/timer.h"
#include "servers/vfs/update.h"
#include "servers/vfs/vfs.h"

/* The message that was being served. */
static void settle_interrupted(const struct message *m)
{
	struct thread *thread;

	if (!IS_LINUX_CALL(m->type)) {
		/* Answers, and requests of servers, may be looked at twice. */
		(void)sef_redo();
		return;
	}
	thread = thread_find(m->source);
	if (!thread || !thread->call) {
		return; /* EINTR, by SEF */
	}
	/* It waits in a worker: it goes on, and must not be answered now. */
	if (sef_redo()) {
		vfs->is_redo_known = true;
	} else {
		call_forget(thread);
	}
}

int crash_recover(const struct sef_info *info)
{
	struct call *call = call_current();
	bool was_worker = coro_abandon() != NULL;

	if (call && was_worker) {
		call_abandoned(call);
	} else if (call) {
		/* No call runs any more: what it gives back is not looked for among what it holds.
		 */
		call->handler = NULL;
		call_release(call);
	}
	window_unpin_all(&vfs->window);
	timer_restart();
	if (info->interrupted) {
		settle_interrupted(info->interrupted);
	}
	if (vfs->is_resting) {
		update_resume();
	}
	diag_printf("recovered: %u calls in progress", vfs->workers);
	return 0;
}

bool crash_knows_waiter(endpoint_t ep)
{
	const struct thread *thread = thread_find(ep);

	return thread && thread->call;
}
