/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/sys/sef.h"

#include <stdlib.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/linux/signal.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"

#define SEF_ARGS_MAX 4096

static struct {
	sef_init_fn *init;
	sef_signal_fn *signal;
	sef_ksig_fn *ksig;
	struct sef_info info;
	bool started;
} sef;

void sef_on_init(sef_init_fn *fn)
{
	sef.init = fn;
}

void sef_on_signal(sef_signal_fn *fn)
{
	sef.signal = fn;
}

void sef_on_ksig(sef_ksig_fn *fn)
{
	sef.ksig = fn;
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

void sef_start(void)
{
	struct message m;
	int result = 0;

	do {
		if (ipc_receive(EP_RS, &m, NULL) < 0) {
			sys_exit();
		}
	} while (m.type != SEF_INIT);
	sef_whoami();
	sef.info.type = (enum sef_init_type)MSG(&m, sef_init)->type;
	sef.info.old = MSG(&m, sef_init)->old;
	sef.info.restarts = MSG(&m, sef_init)->restarts;
	sef.info.args = sef_args(&m);
	if (sef.init) {
		result = sef.init(&sef.info);
	}
	memset(&m, 0, sizeof(m));
	m.type = SEF_INIT_REPLY;
	MSG(&m, sef_init_reply)->result = result;
	if (ipc_sendrec(EP_RS, &m) < 0 || result < 0) {
		sys_exit();
	}
	sef.started = true;
}

void sef_start_self(endpoint_t self, const char *label)
{
	sef.info.self = self;
	strncpy(sef.info.label, label, sizeof(sef.info.label) - 1);
	sef.info.args = "";
	sef.started = true;
}

static void sef_signal(int signo)
{
	if (sef.signal) {
		sef.signal(signo);
	} else if (signo == LSIGTERM || signo == LSIGKILL) {
		sys_exit();
	}
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

/* True: the message was the framework's. */
static bool sef_handle(struct message *m)
{
	if (IS_NOTIFY(m)) {
		if (m->source == EP_RS && sef.info.self != EP_RS) {
			(void)ipc_notify(EP_RS);
			return true;
		}
		if (m->source == EP_KERNEL) {
			if ((m->notify.signals & KSIG_SIGNAL) && sef.ksig) {
				sef_manage();
				m->notify.signals &= ~(uint64_t)KSIG_SIGNAL;
			}
			m->notify.signals &= ~(uint64_t)KSIG_ASYNC;
			return m->notify.signals == 0;
		}
		return false;
	}
	if (m->source != EP_RS) {
		return false;
	}
	if (m->type == SEF_SIGNAL) {
		sef_signal(MSG(m, sef_signal)->signo);
		return true;
	}
	if (m->type == SEF_INIT && sef.info.self != EP_RS) {
		/* VM is up before RS is: it answers asynchronously, so that neither waits for the
		 * other. */
		struct message reply = {.type = SEF_INIT_REPLY};

		(void)asyn_send(EP_RS, &reply);
		return true;
	}
	return false;
}

int sef_receive(endpoint_t src, struct message *m, uint32_t *status)
{
	for (;;) {
		int r = ipc_receive(src, m, status);

		if (r < 0 || !sef_handle(m)) {
			return r;
		}
	}
}
