/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/signal.h"

#include "lib/sys/asyn.h"
#include "proto/pm.h"
#include "servers/vfs/call.h"

void signal_thread(const struct call *call, int signo)
{
	struct message m = {.type = PM_SIGNAL_PROC};

	if (!call->thread) {
		return;
	}
	MSG(&m, pm_signal_proc)->ep = call->m.source;
	MSG(&m, pm_signal_proc)->signo = signo;
	(void)asyn_send(EP_PM, &m);
}

void signal_group(int32_t pgid, int32_t sid, int signo, int and_cont)
{
	struct message m = {.type = PM_KILL_PGRP};
	struct pm_kill_pgrp *req = MSG(&m, pm_kill_pgrp);

	req->pgid = pgid;
	req->signo = signo;
	req->sid = sid;
	req->and_cont = (uint32_t)and_cont;
	(void)asyn_send(EP_PM, &m);
}
