/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/replica.h"

#include <errno.h>

#include "lib/sys/diag.h"
#include "servers/rs/process.h"

int replica_want(struct rs *rs, struct service *s)
{
	if (s->has_replica) {
		return -EEXIST;
	}
	if (!s->binary || s->ep == EP_RS || s->conf.restart == CONF_RESTART_NO) {
		return -EPERM;
	}
	s->has_replica = true;
	s->replica_ns = rs->now_ns;
	return 0;
}

int replica_unwant(struct rs *rs, struct service *s)
{
	(void)rs;
	if (!s->has_replica) {
		return -ENOENT;
	}
	s->has_replica = false;
	replica_drop(s);
	return 0;
}

endpoint_t replica_take(struct service *s)
{
	endpoint_t ep = s->replica_ep;

	s->replica_ep = EP_NONE;
	return ep;
}

void replica_drop(struct service *s)
{
	if (s->replica_ep != EP_NONE) {
		process_destroy(s->replica_ep);
		s->replica_ep = EP_NONE;
	}
}

/* Not before the system is up, for memory is needed for other things then. */
static bool is_wanted(const struct rs *rs, const struct service *s)
{
	return rs->is_booted && !rs->is_shutting_down && s->has_replica &&
		s->replica_ep == EP_NONE && s->state == SERVICE_RUNNING && s->update == UPDATE_NONE;
}

time_ns_t replica_tick(struct rs *rs)
{
	time_ns_t next = 0;

	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];

		if (!is_wanted(rs, s)) {
			continue;
		}
		if (s->replica_ns <= rs->now_ns) {
			int r = process_create(rs, s, s->binary, &s->replica_ep);

			if (r >= 0) {
				continue;
			}
			diag_printf("%s: no replica: error %d", s->label, -r);
			s->replica_ns = rs->now_ns + RS_REPLICA_RETRY_NS;
		}
		if (next == 0 || s->replica_ns < next) {
			next = s->replica_ns;
		}
	}
	return next;
}
