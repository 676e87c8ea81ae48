/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a crash between two messages, or a live update, takes from PM is only what the kernel held
 * for it: the alarm.
 * Within a message, lib/undo has put all back to its start, and it is served once more (sef_redo);
 * a second crash in the same one ends the call with EINTR, which nothing was done for. When PM had
 * gone too far for that (undo_close), the message is served once more all the same.
 */
#include "servers/pm/recover.h"

#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "lib/undo/undo.h"
#include "servers/pm/pm.h"

bool pm_knows_waiter(struct pm *pm, endpoint_t ep)
{
	const struct thread *thread = thread_by_ep(pm, ep);

	return thread && thread->in_call;
}

/* SEF answers the call with EINTR. */
static void give_call_up(struct pm *pm, endpoint_t ep)
{
	struct thread *thread = thread_by_ep(pm, ep);

	if (thread && thread->in_call) {
		timerq_disarm(pm, &thread->timer.timer);
		thread->in_call = false;
		thread->wait.kind = WAIT_NONE;
	}
}

/* Threads whose signals PM had fetched and not yet dealt with: a fault happens again. */
static void release_signalled(struct pm *pm)
{
	pm_for_each_process(process, pm)
	{
		process_for_each_thread(thread, process)
		{
			struct proc_info info;

			if (!process->is_service &&
				sys_getinfo(GETINFO_PROC, &info, sizeof(info), thread->ep) >= 0 &&
				(info.rts_flags & RTS_SIG_PENDING) &&
				!(info.rts_flags & RTS_SIGNALED)) {
				(void)sys_endksig(thread->ep);
			}
		}
	}
}

/* Those that were stopped for a request that is undone, or stood before they were let go. */
static void release_stopped(struct pm *pm)
{
	pm_for_each_process(process, pm)
	{
		process_for_each_thread(thread, process)
		{
			if (!process->is_service && process->state == PROCESS_ALIVE &&
				!thread->gone && thread->run == RUN_FREE) {
				(void)sys_resume(thread->ep);
			}
		}
	}
}

int pm_recover(struct pm *pm, const struct sef_info *info)
{
	enum undo_outcome outcome = undo_settle();

	timerq_restart(pm);
	if (outcome != UNDO_NOTHING) {
		release_stopped(pm);
	}
	if (info->interrupted) {
		diag_printf("restarted within message %#x of %d%s",
			(unsigned)info->interrupted->type, info->interrupted->source,
			outcome == UNDO_ROLLED_BACK ? ", which is undone" : "");
		if (!sef_redo()) {
			give_call_up(pm, info->interrupted->source);
		}
		release_signalled(pm);
	}
	return 0;
}
