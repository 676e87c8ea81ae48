/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/service.h"

#include "lib/sys/kcall.h"
#include "proto/rs.h"
#include "servers/pm/deliver.h"
#include "servers/pm/notice.h"
#include "servers/pm/signal.h"

bool service_is_managed(const struct thread *service)
{
	struct priv_spec spec;

	/* PM waits for VM, and would for itself. */
	if (service->ep == EP_VM || service->ep == EP_PM) {
		return false;
	}
	return sys_getinfo(GETINFO_PRIV, &spec, sizeof(spec), service->ep) >= 0 &&
		spec.sig_mgr == EP_PM;
}

bool service_takes(struct pm *pm, struct thread *service, int signo)
{
	struct message m = {.type = RS_ENDED};
	struct stop_info info;

	if (signal_default(signo) != DEFAULT_KILL) {
		return true;
	}
	(void)thread_stop(service, &info);
	service->run = RUN_STOPPED;
	MSG(&m, rs_ended)->ep = service->ep;
	MSG(&m, rs_ended)->signo = signo;
	notice_send(pm, EP_RS, &m);
	return false;
}

void service_signalled(struct pm *pm, struct thread *service, const struct ksig *ksig)
{
	for (int signo = 1; signo < LINUX_NSIG; signo++) {
		struct linux_siginfo info = siginfo_kernel(signo);

		if (!(ksig->signals & (1ull << signo))) {
			continue;
		}
		if (signo == LSIGKILL || !service->trace.tracer) {
			(void)service_takes(pm, service, signo);
			continue;
		}
		if (signo == ksig->fault_sig) {
			info.code = ksig->code;
			info.address = ksig->address;
		}
		(void)sigqueue_add(&service->pending, &info, NULL, 1);
	}
	if (service->trace.tracer) {
		thread_kick(pm, service);
	}
}
