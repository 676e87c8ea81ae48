/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/event.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "servers/pm/deliver.h"
#include "servers/pm/exit.h"
#include "servers/pm/notice.h"
#include "servers/pm/pm.h"

#define process_for_each_watch(var, process) \
	list_for_each_safe(var, &(process)->watches, struct watch, link)

static struct watch *watch_find(struct process *process, endpoint_t service)
{
	process_for_each_watch(watch, process)
	{
		if (watch->service == service) {
			return watch;
		}
	}
	return NULL;
}

static void go_on(struct pm *pm, struct process *process)
{
	if (process->unanswered != 0) {
		return;
	}
	if (process->state == PROCESS_ALIVE) {
		process_kick(pm, process);
	} else if (process->state == PROCESS_EXITING && process->exit_seq == 0) {
		exit_go_on(pm, process);
	}
}

static void watch_free(struct process *process, struct watch *watch)
{
	if (watch->sent != 0) {
		process->unanswered--;
	}
	list_remove(&watch->link);
	free(watch);
}

static void answer(
	struct pm *pm, endpoint_t service, const struct pm_watch *request, int32_t result)
{
	struct message m = {.type = PM_WATCH | PROTO_REPLY};

	MSG(&m, pm_getproc_rep)->result = result;
	MSG(&m, pm_getproc_rep)->seq = request->seq;
	notice_send(pm, service, &m);
}

static int watch_set(struct pm *pm, struct process *process, endpoint_t service, uint32_t kinds)
{
	struct watch *watch = watch_find(process, service);

	if (kinds & ~(uint32_t)(PM_EVENT_SIGNAL | PM_EVENT_EXIT)) {
		return -EINVAL;
	}
	if (kinds == 0) {
		if (watch) {
			watch_free(process, watch);
			go_on(pm, process);
		}
		return 0;
	}
	if (!watch) {
		watch = calloc(1, sizeof(*watch));
		if (!watch) {
			return -ENOMEM;
		}
		list_init(&watch->link);
		watch->service = service;
		list_add_tail(&process->watches, &watch->link);
	}
	watch->kinds = kinds;
	return 0;
}

void event_watch(struct pm *pm, endpoint_t source, const struct pm_watch *request)
{
	const struct thread *thread = thread_by_ep(pm, request->ep);
	struct process *process = request->ep == EP_NONE ? process_by_pid(pm, request->pid)
							 : (thread ? thread->process : NULL);
	int result = -ESRCH;

	if (process && !process->is_service && process->state == PROCESS_ALIVE) {
		result = watch_set(pm, process, source, request->kinds);
	}
	answer(pm, source, request, result);
}

static void send(struct pm *pm, struct process *process, struct watch *watch, uint32_t kind)
{
	struct message m = {.type = PM_EVENT};
	struct pm_event *event = MSG(&m, pm_event);

	watch->sent = kind;
	watch->seq = notice_next_seq(pm);
	watch->sent_ns = sys_monotonic_ns();
	process->unanswered++;
	event->ep = process->leader->ep;
	event->pid = process->pid;
	event->kind = kind;
	event->seq = watch->seq;
	notice_send(pm, watch->service, &m);
	if (!pm->event_timer.armed) {
		pm->event_timer.kind = TIMER_EVENT;
		timerq_arm(pm, &pm->event_timer, watch->sent_ns + EVENT_LIMIT_NS);
	}
}

bool event_publish(struct pm *pm, struct process *process, enum pm_event_kind kind)
{
	process_for_each_watch(watch, process)
	{
		if (!(watch->kinds & kind)) {
			continue;
		}
		if (watch->sent == 0) {
			send(pm, process, watch, kind);
		} else if (kind == PM_EVENT_EXIT) {
			watch->end_due = true;
		}
	}
	return process->unanswered != 0;
}

void event_done(struct pm *pm, endpoint_t source, const struct pm_event *event)
{
	struct process *process = process_by_pid(pm, event->pid);
	struct watch *watch = process ? watch_find(process, source) : NULL;

	if (!watch || watch->sent == 0 || watch->seq != event->seq) {
		return;
	}
	watch->sent = 0;
	process->unanswered--;
	if (watch->end_due) {
		watch->end_due = false;
		send(pm, process, watch, PM_EVENT_EXIT);
	}
	go_on(pm, process);
}

void event_forget(struct pm *pm, endpoint_t service)
{
	pm_for_each_process(process, pm)
	{
		struct watch *watch = watch_find(process, service);

		if (watch) {
			watch_free(process, watch);
			go_on(pm, process);
		}
	}
}

void event_release(struct process *process)
{
	process_for_each_watch(watch, process)
	{
		watch_free(process, watch);
	}
}

/* A service that has not answered in time, EP_NONE if there is none; and when to look again. */
static endpoint_t find_late(struct pm *pm, uint64_t now, uint64_t *next_ns)
{
	*next_ns = UINT64_MAX;
	pm_for_each_process(process, pm)
	{
		process_for_each_watch(watch, process)
		{
			uint64_t limit = watch->sent_ns + EVENT_LIMIT_NS;

			if (watch->sent == 0) {
				continue;
			}
			if (limit <= now) {
				return watch->service;
			}
			*next_ns = u64_min(*next_ns, limit);
		}
	}
	return EP_NONE;
}

void event_late(struct pm *pm, struct pm_timer *timer)
{
	uint64_t now = sys_monotonic_ns(), next_ns;
	endpoint_t late;

	while ((late = find_late(pm, now, &next_ns)) != EP_NONE) {
		diag_printf("service %d does not answer events: it gets no more", late);
		event_forget(pm, late);
	}
	if (next_ns != UINT64_MAX) {
		timerq_arm(pm, &pm->event_timer, next_ns);
	}
}
