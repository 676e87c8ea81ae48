/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/crash.h"

#include "lib/sys/diag.h"
#include "lib/undo/undo.h"
#include "servers/vfs/call.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/timer.h"
#include "servers/vfs/update.h"
#include "servers/vfs/vfs.h"

/* The message that was being served. */
static void settle_interrupted(const struct message *m, bool was_undone)
{
	struct thread *thread;

	if (was_undone || !IS_LINUX_CALL(m->type)) {
		/* Nothing has been done for it; or answers, and requests of servers, which may be
		 * looked at twice. */
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
	bool was_undone = undo_settle() == UNDO_ROLLED_BACK;
	struct call *call = call_current();
	struct coro *coro = coro_abandon();

	if (coro) {
		call_abandoned(call_of(coro));
	} else if (call) {
		/* No call runs any more: what it gives back is not looked for among what it holds.
		 */
		call->handler = NULL;
		call_release(call);
	}
	window_unpin_all(&vfs->window);
	timer_restart();
	if (info->interrupted) {
		settle_interrupted(info->interrupted, was_undone);
	}
	if (vfs->is_resting) {
		update_resume();
	}
	diag_printf("recovered%s: %u calls in progress", was_undone ? ", rolled back" : "",
		vfs->workers);
	return 0;
}

bool crash_knows_waiter(endpoint_t ep)
{
	const struct thread *thread = thread_find(ep);

	return thread && thread->call;
}
