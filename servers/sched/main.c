/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCHED, the scheduler: gives threads their priorities and quanta. Called by PM and RS,
 * asynchronously, and by the kernel on behalf of a thread whose quantum is used up. State at
 * restart: the table of threads comes over; who waited for a quantum gets one.
 */
#include <errno.h>
#include <stdlib.h>

#include "abi/bootinfo.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "servers/sched/sched.h"

#define STATE_VERSION 1 /* of struct sched and what it points to */

static struct sched the_sched; /* for the callback of SEF */

static int on_init(const struct sef_info *info)
{
	struct kinfo *kinfo = calloc(1, sizeof(*kinfo));
	uint32_t slots = 0;
	int r;

	if (kinfo && sys_getinfo(GETINFO_KINFO, kinfo, sizeof(*kinfo), 0) >= 0) {
		slots = kinfo->procs_max;
	}
	free(kinfo);
	if (info->type == SEF_INIT_FRESH) {
		r = sched_init(&the_sched, slots);
	} else {
		r = sched_adopt(&the_sched, slots, sef_state_fetch);
	}
	if (r == 0 && info->type != SEF_INIT_FRESH) {
		sched_rescue(&the_sched);
	}
	return r;
}

static void request_handle(struct sched *sched, struct message *m, uint32_t status)
{
	bool trusted = m->source == EP_PM || m->source == EP_RS;
	int result = 0;

	if (m->type == SCHED_NO_QUANTUM && (status & IPC_STATUS_FROM_KERNEL)) {
		sched_no_quantum(sched, m->source);
		return;
	}
	if (!trusted) {
		result = -EPERM;
	} else if (m->type == SCHED_START) {
		sched_start(sched, MSG(m, sched_start));
	} else if (m->type == SCHED_STOP) {
		sched_stop(sched, MSG(m, sched_ep)->ep);
	} else if (m->type == SCHED_NICE) {
		sched_nice(sched, MSG(m, sched_nice));
	} else {
		result = -ENOSYS;
	}
	if (status & IPC_STATUS_SENDREC) {
		ipc_reply(m->source, m, result);
	}
}

int main(void)
{
	sef_on_init(on_init);
	sef_state("sched", &the_sched, sizeof(the_sched), STATE_VERSION, NULL);
	sef_start();
	for (;;) {
		struct message m;
		uint32_t status = 0;

		if (sef_receive(EP_ANY, &m, &status) < 0) {
			continue;
		}
		if (!IS_NOTIFY(&m)) {
			request_handle(&the_sched, &m, status);
		} else if (m.source == EP_CLOCK) {
			sched_period(&the_sched);
		}
	}
}
