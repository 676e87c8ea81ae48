/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/oom.h"

#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "servers/vm/thread.h"

#define SIGNAL_KILL 9

static struct space *largest_program(struct vm *vm)
{
	struct space *largest = NULL;

	list_for_each(space, &vm->spaces, struct space, link)
	{
		if (!space->is_service && space->threads > 0 && space->owner != EP_INIT &&
			(largest == NULL || space->resident > largest->resident)) {
			largest = space;
		}
	}
	return largest;
}

bool oom_relieve(struct vm *vm)
{
	struct space *victim;
	endpoint_t ep;

	if (vm->oom_victim != NULL) {
		return true;
	}
	victim = largest_program(vm);
	if (victim == NULL) {
		return false;
	}
	ep = thread_of_space(vm, victim);
	diag_printf("out of memory: killing process of endpoint %d, %lu pages resident, %lu free",
		ep, (unsigned long)victim->resident, (unsigned long)vm->pool.count[PAGE_FREE]);
	vm->oom_victim = victim;
	(void)sys_kill(ep, SIGNAL_KILL, 0, 0);
	return true;
}
