/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RS's own live update. From BEGIN to the end the old RS rests under renewal.old, waiting for the
 * answer to its VM_RENEW_BEGIN; it comes back to EP_RS by that answer, or is ended by the new one.
 */
#include "servers/vm/renew.h"

#include <errno.h>

#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "servers/vm/alarm.h"
#include "servers/vm/call.h"
#include "servers/vm/update.h"

bool renew_is_on(const struct vm *vm)
{
	return vm->renewing != EP_NONE;
}

/* The endpoint is the old one's again. */
static int take_back(struct vm *vm)
{
	endpoint_t old = vm->renewing;

	vm->renewing = EP_NONE;
	alarm_set(vm, ALARM_RENEWAL, 0);
	return update_swap(vm, EP_RS, old, VM_UPDATE_ROLLBACK);
}

/* `why` is what the old one has waited for. */
static void roll_back(struct vm *vm, int why)
{
	struct message reply = {.type = 0};
	int result = take_back(vm);

	if (result != 0) {
		diag_printf("the old rs cannot come back: error %d", result);
		(void)sys_abort(ABORT_PANIC);
		return;
	}
	diag_printf("the old rs is back: error %d", why);
	ipc_reply(EP_RS, &reply, why);
}

static int begin(struct vm *vm, endpoint_t successor, uint64_t limit_ns)
{
	int result = renew_is_on(vm) ? -EINVAL : update_swap(vm, EP_RS, successor, 0);

	if (result != 0) {
		return result;
	}
	vm->renewing = successor;
	alarm_set(vm, ALARM_RENEWAL, limit_ns);
	result = sys_privctl(PRIV_ALLOW, EP_RS, NULL);
	if (result != 0) {
		roll_back(vm, result);
	}
	return -EDONTREPLY;
}

static int finish(struct vm *vm, endpoint_t standby)
{
	int result = renew_is_on(vm) ? update_set_standby(vm, standby) : -EINVAL;

	if (result == 0) {
		vm->renewing = EP_NONE;
		alarm_set(vm, ALARM_RENEWAL, 0);
	}
	return result;
}

int vm_call_renew(struct vm *vm, const struct call *call)
{
	const struct vm_renew_req *req = MSG(call->req, vm_renew_req);

	switch (req->step) {
	case VM_RENEW_BEGIN:
		return begin(vm, req->ep, req->limit_ns);
	case VM_RENEW_DONE:
		return finish(vm, req->ep);
	case VM_RENEW_FAILED:
		if (!renew_is_on(vm)) {
			return -EINVAL;
		}
		roll_back(vm, req->result < 0 ? req->result : -EIO);
		return -EDONTREPLY;
	default:
		return -EINVAL;
	}
}

bool renew_died(struct vm *vm)
{
	if (!renew_is_on(vm)) {
		return false;
	}
	roll_back(vm, -EIO);
	return true;
}

void renew_timeout(struct vm *vm)
{
	if (renew_is_on(vm)) {
		roll_back(vm, -ETIMEDOUT);
	}
}
