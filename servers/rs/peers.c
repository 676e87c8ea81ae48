/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/peers.h"

#include <errno.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/linux/signal.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "proto/ds.h"
#include "proto/pci.h"
#include "proto/pm.h"
#include "proto/sched.h"
#include "proto/vfs.h"
#include "servers/rs/service.h"

#define RS_QUANTUM_NS 200000000ull

/* A message that is lost because its receiver is dead is told anew when the receiver has been
 * restarted. */
static void tell(endpoint_t whom, const struct message *m)
{
	(void)asyn_send(whom, m);
}

void peers_send_init(struct service *s, enum sef_init_type type, endpoint_t former)
{
	struct message m = {.type = SEF_INIT};
	size_t len = strlen(s->args);

	if (len > 0 && s->args_grant == GRANT_INVALID) {
		s->args_grant = grant_direct(s->ep, s->args, len, GRANT_READ);
	}
	*MSG(&m, sef_init) = (struct sef_init){
		.type = type,
		.old = former,
		.restarts = s->counts.restarts,
		.args = s->args_grant,
		.args_len = (uint32_t)len,
	};
	memcpy(MSG(&m, sef_init)->label, s->label, sizeof(s->label));
	tell(s->ep, &m);
}

void peers_forget_args(struct service *s)
{
	if (s->args_grant != GRANT_INVALID) {
		(void)grant_revoke(s->args_grant);
		s->args_grant = GRANT_INVALID;
	}
}

void peers_prepare(const struct service *s, int state)
{
	struct message m = {.type = SEF_LU_PREPARE};

	MSG(&m, sef_lu_prepare)->state = state;
	tell(s->ep, &m);
}

void peers_go_on(endpoint_t ep)
{
	struct message m = {0};

	ipc_reply(ep, &m, 0);
}

void peers_log_rollback(const struct service *s, time_ns_t switched_ns)
{
	diag_printf("%s: the old version goes on, after %llu us", s->label,
		(unsigned long long)(sys_monotonic_ns() - switched_ns) / 1000);
}

void peers_fault(const struct service *s, const struct sef_fault *fault)
{
	struct message m = {.type = SEF_FAULT};

	*MSG(&m, sef_fault) = *fault;
	tell(s->ep, &m);
}

void peers_ping(const struct service *s)
{
	(void)ipc_notify(s->ep);
}

void peers_send_signal(const struct service *s, int signo)
{
	struct message m = {.type = SEF_SIGNAL};

	MSG(&m, sef_signal)->signo = signo;
	tell(s->ep, &m);
}

static void publish_label(struct service *s)
{
	struct message m = {.type = DS_PUBLISH};

	if (s->label_grant <= 0) {
		s->label_grant = grant_direct(EP_DS, s->label, sizeof(s->label), GRANT_READ);
	}
	*MSG(&m, ds_req) = (struct ds_req){
		.type = DS_TYPE_LABEL,
		.flags = DS_FLAG_OVERWRITE,
		.key = s->label_grant,
		.key_len = (uint32_t)strlen(s->label) + 1,
		.value = (uint64_t)(uint32_t)s->ep,
		.data = GRANT_INVALID,
	};
	tell(EP_DS, &m);
}

/* By endpoint, for the slot may have another label when DS gets to it. */
static void delete_label(const struct service *s)
{
	struct message m = {.type = DS_DELETE};

	*MSG(&m, ds_req) = (struct ds_req){
		.type = DS_TYPE_LABEL,
		.key = GRANT_INVALID,
		.value = (uint64_t)(uint32_t)s->last_ep,
		.data = GRANT_INVALID,
	};
	tell(EP_DS, &m);
}

static void tell_pm(const struct service *s, int op)
{
	struct message m = {.type = op};

	MSG(&m, pm_service)->ep = s->ep;
	MSG(&m, pm_service)->uid = s->conf.uid;
	memcpy(MSG(&m, pm_service)->label, s->label, sizeof(s->label));
	tell(EP_PM, &m);
}

/* Its quanta are the kernel's to renew: RS's own, for RS must run when SCHED does not, and all
 * while SCHED rests. */
static void schedule_by_kernel(const struct service *s, int priority)
{
	(void)sys_schedctl(s->ep, EP_SELF);
	(void)sys_schedule(s->ep, priority, RS_QUANTUM_NS);
	(void)sys_schedctl(s->ep, EP_KERNEL);
}

static void tell_sched(const struct service *s)
{
	struct message m = {.type = SCHED_START};

	if (s->ep == EP_RS) {
		schedule_by_kernel(s, s->conf.priority);
		return;
	}
	*MSG(&m, sched_start) = (struct sched_start){
		.ep = s->ep,
		.parent = EP_NONE,
		.priority = s->conf.priority,
		.quantum_ns = s->conf.quantum_ns,
	};
	tell(EP_SCHED, &m);
}

void peers_schedule_all(struct rs *rs, bool by_sched)
{
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		const struct service *s = &rs->services[i];

		if (s->state == SERVICE_FREE || s->ep == EP_NONE) {
			continue;
		}
		if (by_sched) {
			tell_sched(s);
		} else {
			schedule_by_kernel(s, s->conf.priority);
		}
	}
}

void peers_schedule_below_vm(struct rs *rs, const struct service *self)
{
	const struct service *vm = service_by_endpoint(rs, EP_VM);

	schedule_by_kernel(self, vm ? vm->conf.priority + 1 : self->conf.priority);
}

static void tell_pci(struct rs *rs, const struct service *s)
{
	const struct service *pci = service_by_label(rs, "pci");
	struct message m = {.type = PCI_ACL};

	if (s->conf.pci_count == 0 || !pci || pci->ep == EP_NONE) {
		return;
	}
	MSG(&m, pci_acl)->ep = s->ep;
	MSG(&m, pci_acl)->count = s->conf.pci_count;
	memcpy(MSG(&m, pci_acl)->ids, s->conf.pci, sizeof(s->conf.pci));
	tell(pci->ep, &m);
}

void peers_announce(struct rs *rs, struct service *s)
{
	tell_pm(s, PM_SERVICE_NEW);
	tell_sched(s);
	publish_label(s);
	tell_pci(rs, s);
}

void peers_edited(struct rs *rs, const struct service *s)
{
	tell_sched(s);
	tell_pci(rs, s);
}

/* Who keeps something about all services may have lost it, or the last message about it. */
static void tell_all_again(struct rs *rs, const struct service *s)
{
	bool is_pci = strcmp(s->label, "pci") == 0;

	for (unsigned i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *other = &rs->services[i];

		if (other->state == SERVICE_FREE || other->ep == EP_NONE) {
			continue;
		}
		if (s->ep == EP_DS) {
			publish_label(other);
		} else if (s->ep == EP_SCHED) {
			tell_sched(other);
		} else if (is_pci) {
			tell_pci(rs, other);
		}
	}
}

void peers_recovered(struct rs *rs, struct service *s)
{
	struct message m = {.type = VFS_RS_RECOVERED};

	tell_all_again(rs, s);
	peers_map_drivers(s, true);
	if (s->conf.class == CONF_CLASS_FS) {
		MSG(&m, vfs_rs_ep)->ep = s->ep;
		tell(EP_VFS, &m);
	}
}

void peers_renounce(struct service *s)
{
	struct message m = {.type = SCHED_STOP};

	peers_forget_args(s);
	MSG(&m, sched_ep)->ep = s->ep;
	tell(EP_SCHED, &m);
	tell_pm(s, PM_SERVICE_GONE);
}

static void map_majors(const struct service *s, endpoint_t ep, uint32_t kind,
	const uint32_t *majors, uint32_t count, bool is_restarted)
{
	struct message m = {.type = VFS_RS_MAPDRIVER};
	struct vfs_rs_mapdriver *req = MSG(&m, vfs_rs_mapdriver);

	if (count == 0) {
		return;
	}
	req->ep = ep;
	req->kind = kind;
	req->count = count;
	req->restarted = is_restarted;
	memcpy(req->majors, majors, count * sizeof(majors[0]));
	tell(EP_VFS, &m);
}

void peers_map_drivers(const struct service *s, bool is_restarted)
{
	map_majors(s, s->ep, VFS_MAJOR_CHR, s->conf.chr, s->conf.chr_count, is_restarted);
	map_majors(s, s->ep, VFS_MAJOR_BLK, s->conf.blk, s->conf.blk_count, is_restarted);
}

void peers_forget(const struct service *s)
{
	struct message m = {.type = VFS_RS_DEAD};

	delete_label(s);
	map_majors(s, EP_NONE, VFS_MAJOR_CHR, s->conf.chr, s->conf.chr_count, false);
	map_majors(s, EP_NONE, VFS_MAJOR_BLK, s->conf.blk, s->conf.blk_count, false);
	if (s->conf.class != CONF_CLASS_SERVER) {
		MSG(&m, vfs_rs_ep)->ep = s->last_ep;
		tell(EP_VFS, &m);
	}
}

/* A result may be a service's word. The system's own codes are not for programs: one of them would
 * have the call made again, for ever. */
static int result_for_program(int result)
{
	return result > -ERESTARTSYS ? result : -EIO;
}

void peers_answer(struct waiter *waiter, int result, endpoint_t ep)
{
	struct message m = {.type = VFS_RS_FS_REPLY};

	result = result_for_program(result);
	if (waiter->kind == WAITER_PROGRAM) {
		ipc_reply_call(waiter->program, result);
	} else if (waiter->kind == WAITER_MOUNT) {
		*MSG(&m, vfs_rs_fs_reply) =
			(struct vfs_rs_fs_reply){.seq = waiter->seq, .result = result, .ep = ep};
		tell(EP_VFS, &m);
	}
	waiter->kind = WAITER_NONE;
}

void peers_answer_program(endpoint_t program, int64_t result)
{
	ipc_reply_call(program, result);
}

void peers_signal_init(void)
{
	(void)sys_kill(EP_INIT, LSIGHUP, 0, 0);
}

void peers_set_alarm(time_ns_t at_ns)
{
	(void)sys_setalarm(at_ns);
}

void peers_system_failed(const struct service *s)
{
	diag_printf("%s has died, and nothing can go on without it", s->label);
	(void)sys_abort(ABORT_PANIC);
}
