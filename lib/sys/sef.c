/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/sys/sef.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef_impl.h"

#define SEF_ARGS_MAX 4096
#define KSIG_SELF_AT 3 /* where the notification has the bits of KSIG_SELF */

struct sef sef = {.signal = sef_signal_term, .ping = sef_ping_pong};

void sef_on_init(sef_init_fn *fn)
{
	for (int i = 0; i < SEF_INIT_TYPES; i++) {
		sef.init[i] = fn;
	}
}

void sef_on_init_type(enum sef_init_type type, sef_init_fn *fn)
{
	sef.init[type] = fn;
}

void sef_on_signal(sef_signal_fn *fn)
{
	sef.signal = fn;
}

void sef_on_ksig(sef_ksig_fn *fn)
{
	sef.ksig = fn;
}

void sef_on_ping(sef_ping_fn *fn)
{
	sef.ping = fn;
}

void sef_cancel(void)
{
	sef.is_cancelled = true;
}

_Noreturn void sef_exit(void)
{
	sys_exit();
}

const struct sef_info *sef_self(void)
{
	return &sef.info;
}

static void sef_whoami(void)
{
	struct whoami who = {0};

	(void)sys_getinfo(GETINFO_WHOAMI, &who, sizeof(who), 0);
	sef.info.self = who.endpoint;
	who.label[sizeof(who.label) - 1] = '\0';
	memcpy(sef.info.label, who.label, sizeof(sef.info.label));
}

static const char *sef_args(const struct message *m)
{
	const struct sef_init *req = MSG(m, sef_init);
	char *args;

	if (req->args == GRANT_INVALID || req->args_len == 0 || req->args_len > SEF_ARGS_MAX) {
		return "";
	}
	args = calloc(1, req->args_len + 1);
	if (!args || sys_safecopyfrom(m->source, req->args, 0, args, req->args_len) < 0) {
		free(args);
		return "";
	}
	return args;
}

/* The predecessor's state or memory, and what the kernel tells of the service itself. */
static int take_state(const struct message *m, bool inherits)
{
	const struct sef_init *req = MSG(m, sef_init);
	bool takes_heap = sef.heap && req->type == SEF_INIT_LU;
	int r = inherits ? sef_inherit() : takes_heap ? sef.heap->take_over() : 0;

	if (r < 0) {
		return r;
	}
	if (inherits && !sef.is_started) {
		return -EIO; /* it never got through its first init */
	}
	sef_whoami();
	sef.info.type = (enum sef_init_type)req->type;
	sef.info.old = req->old;
	sef.info.restarts = req->restarts;
	sef.info.args = sef_args(m);
	sef_debug_options(sef.info.args);
	if (inherits) {
		return 0;
	}
	if (req->type != SEF_INIT_FRESH) {
		r = sef_state_transfer();
	}
	return r < 0 ? r : sef_state_announce();
}

static int initialise(const struct message *m)
{
	bool inherits = sef.keeps_memory && MSG(m, sef_init)->type == SEF_INIT_RESTART;
	int r = take_state(m, inherits);

	if (sef.is_verbose) {
		diag_printf("sef: init, type %d: %d", MSG(m, sef_init)->type, r);
	}
	return r == 0 && sef.init[sef.info.type] ? sef.init[sef.info.type](&sef.info) : r;
}

static bool is_init(const struct message *m)
{
	return m->type == SEF_INIT && MSG(m, sef_init)->type >= 0 &&
		MSG(m, sef_init)->type < SEF_INIT_TYPES;
}

/* RS's answer to the result lets the service run. */
static void report_init(int result)
{
	struct message m = {.type = SEF_INIT_REPLY};

	MSG(&m, sef_init_reply)->result = result;
	if (sef.answers_nonsense) {
		m.type = SEF_FAULT;
		memset(m.raw, 0x5a, sizeof(m.raw));
	}
	if (ipc_sendrec(EP_RS, &m) < 0 || result < 0) {
		sys_exit();
	}
}

/* Who has all of its memory does not start as new. */
static void forget_general_init(enum sef_init_type type, bool is_kept)
{
	if (is_kept && sef.init[type] == sef.init[SEF_INIT_FRESH]) {
		sef.init[type] = NULL;
	}
}

void sef_start(void)
{
	struct message m;
	int32_t type;
	int result;

	forget_general_init(SEF_INIT_RESTART, sef.keeps_memory);
	forget_general_init(SEF_INIT_LU, sef.heap != NULL);
	do {
		if (ipc_receive(EP_RS, &m, NULL) < 0) {
			sys_exit();
		}
	} while (!is_init(&m));
	type = MSG(&m, sef_init)->type;
	result = initialise(&m);
	report_init(result > 0 ? 0 : result);
	sef.is_started = true;
	if ((sef.keeps_memory && type == SEF_INIT_RESTART) || (sef.heap && type == SEF_INIT_LU)) {
		sef_settle();
	} else {
		(void)sef_statectl(STATE_CLEAR_IPC_REFS, NULL, 0, 0);
	}
}

void sef_start_self(endpoint_t self, const char *label)
{
	sef.info.self = self;
	strncpy(sef.info.label, label, sizeof(sef.info.label) - 1);
	sef.info.args = "";
	sef.is_started = true;
	sef.is_self_started = true;
}

static void sef_signal(int signo)
{
	if (sef.is_verbose) {
		diag_printf("sef: signal %d", signo);
	}
	sef.signal(signo);
}

/* Works off the processes whose signals the caller manages. */
static void sef_manage(void)
{
	struct ksig ksig;

	while (sys_getksig(&ksig) == 1) {
		if (sef.ksig(&ksig) == 0) {
			(void)sys_endksig(ksig.endpoint);
		}
	}
}

int sef_init_self(const char *args)
{
	sef.info.type = SEF_INIT_LU;
	sef_debug_options(args);
	return sef.init[SEF_INIT_LU] ? sef.init[SEF_INIT_LU](&sef.info) : 0;
}

void sef_come_back(void)
{
	if (sef.ksig) {
		sef_manage();
	}
	sef_settle();
}

static bool handle_notification(struct message *m)
{
	if (m->source == EP_RS && sef.info.self != EP_RS) {
		sef.ping();
		return true;
	}
	if (m->source != EP_KERNEL) {
		return false;
	}
	if ((m->notify.signals & KSIG_SIGNAL) && sef.ksig) {
		sef_manage();
		m->notify.signals &= ~(uint64_t)KSIG_SIGNAL;
	}
	if ((m->notify.signals & KSIG_SELF) && !sef.is_self_started) {
		for (int signo = 1; signo < 64; signo++) {
			if (m->u64[KSIG_SELF_AT] >> signo & 1) {
				sef_signal(signo);
			}
		}
		m->notify.signals &= ~(uint64_t)KSIG_SELF;
	}
	m->notify.signals &= ~(uint64_t)KSIG_ASYNC;
	return m->notify.signals == 0;
}

/* True: the message was the framework's. */
static bool sef_handle(struct message *m)
{
	if (IS_NOTIFY(m)) {
		return handle_notification(m);
	}
	if (m->source != EP_RS || sef.info.self == EP_RS) {
		return false;
	}
	switch (m->type) {
	case SEF_SIGNAL:
		sef_signal(MSG(m, sef_signal)->signo);
		return true;
	case SEF_LU_PREPARE:
		if (sef.is_verbose) {
			diag_printf("sef: prepare, state %d", MSG(m, sef_lu_prepare)->state);
		}
		sef_update_request(MSG(m, sef_lu_prepare));
		return true;
	case SEF_FAULT:
		sef_fault_request(MSG(m, sef_fault));
		return true;
	case SEF_INIT:
		/* VM is up before RS is: it answers asynchronously, so that neither waits for the
		 * other. A second one for others means nothing. */
		if (sef.is_self_started) {
			struct message reply = {.type = SEF_INIT_REPLY};

			(void)asyn_send(EP_RS, &reply);
		}
		return true;
	default:
		return false;
	}
}

/* The next message; kept memory says what it is. */
static int take(endpoint_t src, struct message *m, uint32_t *status)
{
	int r;

	if (!sef.keeps_memory) {
		return ipc_receive(src, m, status);
	}
	if (sef.is_redo) {
		sef.is_redo = false;
		sef.was_redone = true;
		r = 0;
	} else {
		sef.was_redone = false;
		sef.inbox.source = EP_NONE;
		__atomic_store_n(&sef.phase, SEF_RECEIVING, __ATOMIC_RELEASE);
		r = ipc_receive(src, &sef.inbox, &sef.inbox_status);
	}
	*status = sef.inbox_status;
	*m = sef.inbox;
	__atomic_store_n(&sef.phase, r == 0 ? SEF_SERVING : SEF_OUTSIDE, __ATOMIC_RELEASE);
	return r;
}

int sef_receive(endpoint_t src, struct message *m, uint32_t *status)
{
	for (;;) {
		uint32_t how = 0;
		int r;

		sef.phase = SEF_OUTSIDE;
		if (sef.lu_state != SEF_LU_NULL) {
			sef_update_check();
		}
		r = take(src, m, &how);
		if (r < 0) {
			return r;
		}
		if (!sef_handle(m)) {
			if (sef.fault.kind != 0 && !sef.arm_fault) {
				sef_fault_strike();
			}
			if (status) {
				*status = how;
			}
			return 0;
		}
		if (sef.is_cancelled) {
			sef.is_cancelled = false;
			return -EINTR;
		}
	}
}
