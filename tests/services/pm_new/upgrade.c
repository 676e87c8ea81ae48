/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From version 1 to the tests' version 2, in which a process has one more member at its end. Each
 * process is made anew, and all that points to it is told.
 */
#include "servers/pm/upgrade.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "servers/pm/pm.h"

_Static_assert(PM_STATE_VERSION == 2, "for the program that tests update to");

#define OLD_BYTES offsetof(struct process, upgraded_ns)

/* `to` is a copy of `from`, and takes its place: a link of an element, or a head of a list. */
static void replace_link(struct list *from, struct list *to)
{
	if (list_is_empty(from)) {
		list_init(to);
	} else {
		to->next->prev = to;
		to->prev->next = to;
	}
}

/* An armed timer is in the tree by its address. */
static void replace_timer(struct pm *pm, struct pm_timer *from, struct pm_timer *to)
{
	if (from->armed) {
		tree_remove(&pm->timers.tree, &from->node);
		(void)tree_insert(&pm->timers.tree, &to->node, timerq_compare);
	}
}

static void replace_cpu_timer(
	struct pm *pm, struct cpu_timer *from, struct cpu_timer *to, struct process *process)
{
	replace_timer(pm, &from->timer, &to->timer);
	if (from->process) {
		to->process = process;
	}
}

static void replace_links(struct pm *pm, struct process *from, struct process *to)
{
	replace_link(&from->all_link, &to->all_link);
	replace_link(&from->pid_link, &to->pid_link);
	replace_link(&from->sibling, &to->sibling);
	replace_link(&from->children, &to->children);
	replace_link(&from->threads, &to->threads);
	replace_link(&from->posix_timers, &to->posix_timers);
	replace_link(&from->tracees, &to->tracees);
	replace_link(&from->trace_ended, &to->trace_ended);
	replace_link(&from->watches, &to->watches);
	replace_link(&from->pending.entries, &to->pending.entries);
	replace_timer(pm, &from->real_timer, &to->real_timer);
	replace_cpu_timer(pm, &from->virtual_timer, &to->virtual_timer, to);
	replace_cpu_timer(pm, &from->prof_timer, &to->prof_timer, to);
	replace_cpu_timer(pm, &from->cpu_limit_timer, &to->cpu_limit_timer, to);
}

static void replace_owner(struct pm *pm, struct process *from, struct process *to)
{
	list_for_each(child, &to->children, struct process, sibling)
	{
		child->parent = to;
	}
	process_for_each_thread(thread, to)
	{
		thread->process = to;
		if (thread->timer.process == from) {
			thread->timer.process = to;
		}
	}
	list_for_each(thread, &to->tracees, struct thread, trace.link)
	{
		thread->trace.tracer = to;
	}
	pm_for_each_process(tracer, pm)
	{
		list_for_each(ended, &tracer->trace_ended, struct trace_ended, link)
		{
			ended->process = ended->process == from ? to : ended->process;
		}
	}
	list_for_each(timer, &to->posix_timers, struct posix_timer, link)
	{
		timer->process = to;
		timer->timer.process = to;
	}
}

static int upgrade_process(struct pm *pm, struct process *from)
{
	struct process *to = calloc(1, sizeof(*to));

	if (!to) {
		return -ENOMEM;
	}
	memcpy(to, from, OLD_BYTES);
	replace_links(pm, from, to);
	replace_owner(pm, from, to);
	if (pm->init == from) {
		pm->init = to;
	}
	to->upgraded_ns = sys_monotonic_ns();
	free(from);
	return 0;
}

int pm_upgrade(void **root, uint32_t from)
{
	struct pm *pm = *root;
	unsigned count = 0;

	if (from != 1) {
		return -EPROTO;
	}
	list_for_each_safe(process, &pm->processes, struct process, all_link)
	{
		int r = upgrade_process(pm, process);

		if (r < 0) {
			return r;
		}
		count++;
	}
	diag_printf("%u processes come from version 1", count);
	return 0;
}
