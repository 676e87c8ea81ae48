/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `update` of RS: PREPARING: waits for its messages to be delivered; STARTING: the old one rests;
 * STARTED: the new one has a standby of its own and says so to VM. A crash of the new one before
 * VM has heard that brings the old one back, after it the new one's standby.
 */
#include "servers/rs/renew.h"

#include <errno.h>

#include "abi/errno.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "proto/vm.h"
#include "servers/rs/heartbeat.h"
#include "servers/rs/peers.h"
#include "servers/rs/process.h"
#include "servers/rs/service.h"
#include "servers/rs/standby.h"
#include "servers/rs/update.h"

static int tell_vm(const struct vm_renew_req *req)
{
	struct message m = {.type = VM_RENEW};

	*MSG(&m, vm_renew_req) = *req;
	return ipc_call(EP_VM, &m);
}

/* The successor may have taken what the old one waits for. */
static void come_back(struct rs *rs, int result)
{
	rs->now_ns = sys_monotonic_ns();
	standby_tidy(rs);
	update_renew_failed(rs, result);
	sef_come_back();
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		if (rs->services[i].state != SERVICE_FREE) {
			heartbeat_begin(rs, &rs->services[i]);
		}
	}
	rs->alarm_ns = 1; /* unknown: it is set anew */
	service_tick(rs);
}

void renew_try(struct rs *rs)
{
	struct service *self = service_by_endpoint(rs, EP_RS);
	struct vm_renew_req req = {.step = VM_RENEW_BEGIN};
	int r;

	if (!self || self->update != UPDATE_PREPARING) {
		return;
	}
	r = sef_rest();
	if (r == -ENOTREADY) {
		sef_cancel(); /* that a message has gone is told to SEF alone */
		return;
	}
	rs->now_ns = sys_monotonic_ns();
	update_renew_begins(rs);
	if (r == 0) {
		/* VM must run when the new one does for ever. */
		peers_schedule_below_vm(rs, self);
		req.ep = self->next_ep;
		req.limit_ns = rs->update.deadline_ns - rs->now_ns;
		r = tell_vm(&req);
	}
	come_back(rs, r);
}

static int take_over(struct rs **root)
{
	struct vm_renew_req req = {.step = VM_RENEW_DONE};
	int r = sef_go_on();
	struct service *self;
	struct rs *rs;

	if (r < 0) {
		return r;
	}
	rs = *root;
	rs->now_ns = sys_monotonic_ns();
	self = service_by_endpoint(rs, EP_RS);
	r = self ? sef_init_self(self->args) : -EPROTO;
	if (r == 0) {
		r = process_create(rs, self, self->next_binary, &rs->standby_ep);
	}
	if (r < 0) {
		return r;
	}
	self->update = UPDATE_STARTED;
	req.ep = rs->standby_ep;
	return tell_vm(&req);
}

void renew_take_over(struct rs **root)
{
	struct vm_renew_req req = {.step = VM_RENEW_FAILED};

	sef_start_self(EP_RS, "rs");
	req.result = take_over(root);
	if (req.result < 0) {
		diag_printf("the new version's init failed: error %d", -req.result);
		(void)tell_vm(&req);
		sys_exit();
	}
	renew_settle(*root);
	standby_tidy(*root);
	(*root)->alarm_ns = 1; /* unknown: it is set anew */
	service_tick(*root);
}

void renew_settle(struct rs *rs)
{
	const struct service *self = service_by_endpoint(rs, EP_RS);

	if (self && self->update == UPDATE_STARTED) {
		diag_printf("goes on as another version");
		update_renewed(rs);
	} else if (self && self->update == UPDATE_STARTING) {
		update_renew_failed(rs, -EIO);
	}
}
