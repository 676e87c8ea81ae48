/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reincarnation server: starts the services with the privileges that their declarations name,
 * manages their signals, and brings up anew what has crashed. docs/recovery.md.
 *
 * It waits for VM and the kernel only; all others are told asynchronously.
 */
#include <errno.h>
#include <stdlib.h>

#include "abi/errno.h"
#include "abi/linux/signal.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "proto/rs.h"
#include "servers/rs/boot.h"
#include "servers/rs/control.h"
#include "servers/rs/heartbeat.h"
#include "servers/rs/info.h"
#include "servers/rs/mounts.h"
#include "servers/rs/peers.h"
#include "servers/rs/process.h"
#include "servers/rs/renew.h"
#include "servers/rs/service.h"
#include "servers/rs/standby.h"
#include "servers/rs/update.h"
#include "servers/rs/upgrade.h"

#include "rs_layout.h" /* generated */

#define LINUX_NR_AXO_SERVICE 0x800

/* For the callbacks of SEF; handlers get it as an argument. On the heap, with all that it leads to:
 * another version goes on with it. */
static struct rs *the_rs;

/* Signals that end a service; all others are its own to handle. */
#define LETHAL                                                                     \
	(1ull << LSIGILL | 1ull << LSIGTRAP | 1ull << LSIGABRT | 1ull << LSIGBUS | \
		1ull << LSIGFPE | 1ull << LSIGKILL | 1ull << LSIGSEGV | 1ull << LSIGSYS)

/* Signals of a service. Nonzero: it has been cleared. */
static int on_signals(const struct ksig *ksig)
{
	struct rs *rs = the_rs;
	struct service *service = service_by_endpoint(rs, ksig->endpoint);
	uint64_t lethal = ksig->signals & LETHAL;

	/* Called within sef_receive: the time of the last message may be long past. */
	rs->now_ns = sys_monotonic_ns();
	if (!service) {
		return 0;
	}
	if (lethal) {
		int signo = __builtin_ctzll(lethal);

		if (service->state != SERVICE_STOPPING && service->ep != EP_NONE) {
			process_log_death(service, signo, ksig->address);
		}
		service_died(rs, service, signo);
		return 1; /* it never goes on */
	}
	for (int signo = 1; signo < 64; signo++) {
		if (ksig->signals >> signo & 1) {
			peers_send_signal(service, signo);
		}
	}
	return 0;
}

/* What services say of themselves: the ends of inits and preparations. */
static void on_sef(struct rs *rs, struct service *service, struct message *m, uint32_t status)
{
	bool is_waiting = (status & IPC_STATUS_SENDREC) != 0;

	if (m->type == SEF_LU_REPLY) {
		update_ready(rs, service, MSG(m, sef_lu_reply)->result, is_waiting);
	} else if (service->is_boot && !rs->is_init_running) {
		int result = MSG(m, sef_init_reply)->result;

		if (result >= 0 && is_waiting) {
			ipc_reply(m->source, m, 0);
		}
		boot_started(rs, service, result);
	} else {
		service_started(rs, service, MSG(m, sef_init_reply)->result, is_waiting);
	}
	service_tick(rs);
}

static void on_call(struct rs *rs, const struct message *m)
{
	int64_t result;

	if (LINUX_CALL_NR(m->type) != LINUX_NR_AXO_SERVICE) {
		ipc_reply_call(m->source, -ENOSYS); /* the routing table sends nothing else here */
		return;
	}
	if (control_call(rs, m->source, m->call.arg[0], &result)) {
		ipc_reply_call(m->source, result);
	}
}

static void on_notification(struct rs *rs, const struct message *m)
{
	struct service *service = service_by_endpoint(rs, m->source);

	if (m->source == EP_CLOCK) {
		rs->alarm_ns = 0;
		service_tick(rs);
	} else if (service) {
		heartbeat_beat(rs, service);
	}
}

/* PM may end only those whose signals are its. */
static void on_ended(struct rs *rs, const struct rs_ended *ended)
{
	struct service *service = service_by_endpoint(rs, ended->ep);

	if (service && !service_is_managed(service)) {
		service_ended(rs, service, ended->signo);
	}
}

static void on_message(struct rs *rs, struct message *m, uint32_t status)
{
	struct service *service = service_by_endpoint(rs, m->source);

	if (IS_NOTIFY(m)) {
		on_notification(rs, m);
		return;
	}
	if (IS_LINUX_CALL(m->type) && (status & IPC_STATUS_FROM_KERNEL)) {
		on_call(rs, m);
	} else if (service && (m->type == SEF_INIT_REPLY || m->type == SEF_LU_REPLY)) {
		on_sef(rs, service, m, status);
	} else if (service && service->update >= UPDATE_STARTING && (status & IPC_STATUS_SENDREC)) {
		update_nonsense(rs, service);
		service_tick(rs);
	} else if (m->source == EP_VFS && m->type == RS_FS_START) {
		mounts_start(rs, MSG(m, rs_fs_start));
	} else if (m->source == EP_VFS && m->type == RS_FS_STOP) {
		mounts_stop(rs, MSG(m, rs_ep));
	} else if (m->source == EP_PM && m->type == RS_ENDED) {
		on_ended(rs, MSG(m, rs_ended));
	} else if (m->type == RS_GETINFO && !(status & IPC_STATUS_SENDREC)) {
		info_request(rs, m->source, MSG(m, rs_getinfo));
	} else if (status & IPC_STATUS_SENDREC) {
		ipc_reply(m->source, m, -EBADREQUEST);
	}
}

/* Whether a program or service waits for an answer that RS knows of. */
static bool is_waiter(endpoint_t ep)
{
	return control_is_waiter(the_rs, ep);
}

static int on_take_over(const struct sef_info *info)
{
	(void)info;
	standby_take_over(the_rs, sys_monotonic_ns());
	return 0;
}

static void start(void)
{
	the_rs = calloc(1, sizeof(*the_rs));
	if (!the_rs) {
		diag_panic("no memory");
	}
	the_rs->standby_ep = EP_NONE;
	sef_start_self(EP_RS, "rs");
	the_rs->now_ns = sys_monotonic_ns();
	boot_begin(the_rs);
}

static const struct sef_kept kept = {
	.name = "rs",
	.root = (void **)&the_rs,
	.version = RS_STATE_VERSION,
	.layout = RS_LAYOUT,
	.upgrade = rs_upgrade,
};

/* RS boots, or an RS has died, or is to be replaced by this one: what VM says of its predecessor
 * tells. */
static void begin(void)
{
	int r = sef_take_over(on_take_over);

	if (r == -EBUSY) {
		renew_take_over(&the_rs);
	} else if (r < 0) {
		start();
	}
}

int main(void)
{
	struct rs *rs;

	sef_on_ksig(on_signals);
	sef_on_waiter(is_waiter);
	sef_hand_on_heap(&kept);
	begin();
	rs = the_rs;
	for (;;) {
		struct message m;
		uint32_t status;

		renew_try(rs);
		if (sef_receive(EP_ANY, &m, &status) == 0) {
			rs->now_ns = sys_monotonic_ns();
			on_message(rs, &m, status);
		}
	}
}
