/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/standby.h"

#include <errno.h>

#include "abi/linux/signal.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "proto/vm.h"
#include "servers/rs/process.h"
#include "servers/rs/renew.h"
#include "servers/rs/service.h"
#include "servers/rs/status.h"

void standby_make(struct rs *rs)
{
	struct service *self = service_by_endpoint(rs, EP_RS);
	struct message m = {.type = VM_STANDBY};
	int r;

	if (rs->standby_ep != EP_NONE || !self || !self->binary) {
		return;
	}
	r = process_create(rs, self, self->binary, &rs->standby_ep);
	if (r < 0) {
		diag_printf("no standby for RS: error %d", -r);
		rs->standby_ep = EP_NONE;
		return;
	}
	MSG(&m, vm_ep_req)->ep = rs->standby_ep;
	r = ipc_call(EP_VM, &m);
	if (r < 0) {
		diag_printf("VM takes no standby for RS: error %d", -r);
		process_destroy(rs->standby_ep);
		rs->standby_ep = EP_NONE;
	}
}

/* The kernel made VM the manager of the RS that died, and VM its own. */
static void restore_privileges(struct rs *rs)
{
	static const endpoint_t both[] = {EP_RS, EP_VM};

	for (size_t i = 0; i < AXO_ARRAY_LEN(both); i++) {
		struct service *s = service_by_endpoint(rs, both[i]);

		if (s) {
			(void)process_give_privileges(rs, s, s->ep, PRIV_UPDATE);
		}
	}
}

/* Deaths that the RS that died had been told of and not yet seen to. */
static void find_dead(struct rs *rs)
{
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];
		bool should_live = s->state == SERVICE_RUNNING || s->state == SERVICE_STARTING ||
			s->state == SERVICE_STOPPING;

		if (should_live && s->ep != EP_RS && process_is_dead(s->ep)) {
			service_died(rs, s, LSIGKILL);
		}
	}
}

/* Whether RS knows a process that does not run yet, or no more. */
static bool is_known(const struct rs *rs, endpoint_t ep)
{
	if (ep == rs->standby_ep) {
		return true;
	}
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		const struct service *s = &rs->services[i];

		if (s->state != SERVICE_FREE &&
			(s->ep == ep || s->past_ep == ep || s->replica_ep == ep ||
				s->next_ep == ep)) {
			return true;
		}
	}
	return false;
}

/* What the RS that died was just making is nobody's. */
static void end_strays(const struct rs *rs)
{
	endpoint_t eps[16];
	unsigned slot = 0;
	int count;

	while ((count = process_stopped(&slot, eps, (int)AXO_ARRAY_LEN(eps))) > 0) {
		for (int i = 0; i < count; i++) {
			if (!is_known(rs, eps[i])) {
				diag_printf("ends %d, which was just being made", eps[i]);
				process_destroy(eps[i]);
			}
		}
	}
}

void standby_tidy(struct rs *rs)
{
	restore_privileges(rs);
	end_strays(rs);
}

void standby_take_over(struct rs *rs, time_ns_t now_ns)
{
	struct service *self = service_by_endpoint(rs, EP_RS);
	/* The time of the last message is as near to the death as can be told. */
	uint64_t took_ns = now_ns - rs->now_ns;

	rs->now_ns = now_ns;

	diag_printf("has taken the place of an RS that died");
	if (self) {
		self->counts.restarts++;
		status_count_recovery(self, took_ns);
		self->since_ns = rs->now_ns;
	}
	if (rs->standby_ep != EP_NONE) {
		process_destroy(rs->standby_ep); /* names the dead one now */
		rs->standby_ep = EP_NONE;
	}
	standby_tidy(rs);
	renew_settle(rs);
	standby_make(rs);
	find_dead(rs);
	rs->alarm_ns = 1; /* unknown: it is set anew */
	service_tick(rs);
}
