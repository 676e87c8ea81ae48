/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/fault.h"

#include <errno.h>

#include "lib/sys/diag.h"
#include "servers/rs/peers.h"
#include "servers/rs/process.h"

#define FLIPS_MAX  4096
#define FAULT_KILL 0 /* a SIGKILL by RS, beside enum sef_fault_kind */

/* RS's own death, for the standby to be tried out: VM brings it back. Nobody would see RS hang. */
static int fail_self(int kind, endpoint_t program)
{
	if (kind > SEF_FAULT_EXIT) {
		return -EPERM;
	}
	peers_answer_program(program, 0);
	diag_panic("fails on purpose");
}

int fault_inject(struct service *s, const struct axo_service_req *req, endpoint_t program)
{
	struct sef_fault fault = {
		.kind = req->arg,
		.count = req->count ? req->count : 1,
		.seed = req->seed,
		.at_boundary = (req->flags & AXO_SERVICE_BOUNDARY) != 0,
		.stands = (req->flags & AXO_SERVICE_STANDS) != 0,
	};

	if (req->arg < FAULT_KILL || req->arg > SEF_FAULT_DATA) {
		return -EINVAL;
	}
	if (s->ep == EP_RS) {
		return fail_self(req->arg, program);
	}
	if (s->ep == EP_VM) {
		return -EPERM;
	}
	if (s->state != SERVICE_RUNNING || s->update != UPDATE_NONE) {
		return -EBUSY;
	}
	if (fault.count > FLIPS_MAX && (req->arg == SEF_FAULT_TEXT || req->arg == SEF_FAULT_DATA)) {
		return -EINVAL;
	}
	s->is_on_purpose = (req->flags & AXO_SERVICE_NO_BACKOFF) != 0;
	if (req->arg == FAULT_KILL) {
		process_kill(s->ep);
		return 0;
	}
	if (req->arg == SEF_FAULT_TEXT || req->arg == SEF_FAULT_DATA) {
		return process_flip_bits(s, req->arg == SEF_FAULT_TEXT, fault.count, fault.seed);
	}
	peers_fault(s, &fault);
	return 0;
}
