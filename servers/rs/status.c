/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "servers/rs/process.h"
#include "servers/rs/service.h"

#define NS_PER_S  1000000000ull
#define NS_PER_US 1000ull

static const char *state_name(const struct service *s)
{
	static const char *const names[] = {
		[SERVICE_FREE] = "free",
		[SERVICE_STARTING] = "starting",
		[SERVICE_RUNNING] = "running",
		[SERVICE_STOPPING] = "stopping",
		[SERVICE_BACKOFF] = "waiting",
		[SERVICE_SCRIPT] = "script",
		[SERVICE_FAILED] = "failed",
	};

	return s->update > UPDATE_QUEUED ? "updating" : names[s->state];
}

static void number_or_dash(char text[16], bool is_number, int number)
{
	if (is_number) {
		snprintf(text, 16, "%d", number);
	} else {
		memcpy(text, "-", 2);
	}
}

static int line(const struct rs *rs, const struct service *s, char *text, size_t size)
{
	char endpoint[16], pid[16];
	int number = process_pid(s);

	number_or_dash(endpoint, s->ep != EP_NONE, s->ep);
	number_or_dash(pid, number > 0, number);
	return snprintf(text, size, "%-16s %8s %5s %-8s %8u %9llu %5u %4d %s\n", s->label, endpoint,
		pid, state_name(s), s->counts.restarts,
		(unsigned long long)((rs->now_ns - s->since_ns) / NS_PER_S), s->conf.uid,
		s->conf.priority, conf_class_name(s->conf.class));
}

static unsigned long long us(uint64_t ns)
{
	return ns / NS_PER_US;
}

/* The rest, for one service alone. */
static int details(const struct service *s, char *text, size_t size)
{
	const struct service_counts *c = &s->counts;
	char watch[80];

	if (s->ep == EP_RS) {
		snprintf(watch, sizeof(watch), "watched by vm, which has a standby for it\n");
	} else if (!service_is_managed(s)) {
		snprintf(watch, sizeof(watch), "signals go to %s: no recovery, no heartbeat\n",
			s->conf.signal_manager);
	} else if (s->conf.restart == CONF_RESTART_NO) {
		snprintf(watch, sizeof(watch), "not brought up again after a crash\n");
	} else {
		snprintf(watch, sizeof(watch), "heartbeat each %llu ms\n",
			us(s->heartbeat.period_ns) / 1000);
	}
	return snprintf(text, size,
		"replica %s, used %u; updates %u, rolled back %u; last signal %d\n"
		"recoveries %u, in us: last %llu, longest %llu, mean %llu\n%s",
		s->replica_ep != EP_NONE ? "ready"
			: s->has_replica ? "wanted"
					 : "none",
		c->replicas_used, c->updates, c->rollbacks, s->last_signal, c->recoveries,
		us(c->last_recovery_ns), us(c->max_recovery_ns),
		us(c->recoveries ? c->total_recovery_ns / c->recoveries : 0), watch);
}

int status_text(struct rs *rs, const char *label, char *text, size_t size)
{
	int len = snprintf(text, size, "%-16s %8s %5s %-8s %8s %9s %5s %4s %s\n", "LABEL",
		"ENDPOINT", "PID", "STATE", "RESTARTS", "SINCE(s)", "UID", "PRIO", "CLASS");
	struct service *one = service_by_label(rs, label);

	if (label[0] != '\0' && !one) {
		return -ESRCH;
	}
	for (int i = 0; i < RS_SERVICES_MAX && len >= 0 && (size_t)len < size; i++) {
		const struct service *s = &rs->services[i];

		if (s->state != SERVICE_FREE && (!one || s == one)) {
			len += line(rs, s, text + len, size - (size_t)len);
		}
	}
	if (one && len >= 0 && (size_t)len < size) {
		len += details(one, text + len, size - (size_t)len);
	}
	return len < 0 || (size_t)len >= size ? -ENOSPC : len;
}

void status_count_recovery(struct service *s, uint64_t took_ns)
{
	struct service_counts *counts = &s->counts;

	counts->recoveries++;
	counts->last_recovery_ns = took_ns;
	counts->total_recovery_ns += took_ns;
	if (took_ns > counts->max_recovery_ns) {
		counts->max_recovery_ns = took_ns;
	}
}

void status_stats(const struct service *s, struct axo_service_stats *stats)
{
	const struct service_counts *c = &s->counts;

	*stats = (struct axo_service_stats){
		.restarts = c->recoveries,
		.updates = c->updates,
		.rollbacks = c->rollbacks,
		.replicas_used = c->replicas_used,
		.last_recovery_ns = c->last_recovery_ns,
		.max_recovery_ns = c->max_recovery_ns,
		.total_recovery_ns = c->total_recovery_ns,
		.endpoint = s->ep,
		.state = (int32_t)s->state,
		.last_signal = s->last_signal,
		.pid = process_pid(s),
	};
}
