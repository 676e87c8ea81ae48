/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/update.h"

#include <errno.h>
#include <stdlib.h>

#include "abi/errno.h"
#include "lib/sys/diag.h"
#include "proto/vfs.h"
#include "servers/vfs/call.h"
#include "servers/vfs/epoll.h"
#include "servers/vfs/requests.h"
#include "servers/vfs/timer.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/walk.h"

struct held_request {
	struct list link;
	struct message m;
};

static bool is_of_vm(const struct message *m)
{
	return m->source == EP_VM && m->type == VFS_VM_REQUEST;
}

/* Work that PM wants done, and waits for. */
static bool is_work_of_pm(const struct message *m)
{
	return m->source == EP_PM &&
		(m->type == VFS_PM_EXEC || m->type == VFS_PM_SYNC || m->type == VFS_PM_UNMOUNT_ALL);
}

static bool is_held(bool (*is_kind)(const struct message *m))
{
	list_for_each(held, &vfs->held_requests, struct held_request, link)
	{
		if (is_kind(&held->m)) {
			return true;
		}
	}
	return false;
}

/*
 * VM's requests serve the copies of calls in progress as well as the page faults of programs: they
 * wait once nothing else is in progress, and then all of them, for they are in order.
 */
bool update_holds(const struct message *m)
{
	struct held_request *held;

	if (!vfs->is_resting) {
		return false;
	}
	if (!is_work_of_pm(m) &&
		!(is_of_vm(m) && (is_held(is_of_vm) || !calls_any_but(is_of_vm)))) {
		return false;
	}
	held = malloc(sizeof(*held));
	if (!held) {
		return false;
	}
	held->m = *m;
	list_add_tail(&vfs->held_requests, &held->link);
	return true;
}

void update_resume(void)
{
	calls_resume();
	while (!list_is_empty(&vfs->held_requests)) {
		struct held_request *held =
			list_entry(list_pop_head(&vfs->held_requests), struct held_request, link);

		request_handle(&held->m);
		free(held);
	}
}

static int prepare(int state, uint32_t flags)
{
	if (!vfs->is_resting) {
		calls_put_back();
	}
	coro_run();
	return coro_count() == 0 ? 0 : -ENOTREADY;
}

/* The update was given up. */
static void changed(int from, int to)
{
	if (to == SEF_LU_NULL && vfs->is_resting) {
		update_resume();
		coro_run();
	}
}

/* At rest: memory that only this version knows is given back. */
static int save(int state, uint32_t flags)
{
	walk_free_spares();
	coro_free_stacks();
	return 0;
}

const struct sef_update update_callbacks = {.prepare = prepare, .changed = changed, .save = save};

int update_take_over(const struct sef_info *info)
{
	waitq_on_watch(epoll_notify);
	timer_restart();
	diag_printf("updated: %u calls to begin again", calls_waiting());
	return 0;
}
