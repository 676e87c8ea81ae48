/* SPDX-License-Identifier: BSD-2-Clause */
/* See signal.h. Invariant: a process is in kernel.signalled if and only if its `signals` is not 0.
 */
#include "kernel/proc/signal.h"

#include "kernel/arch.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/panic.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/ipc.h"
#include "kernel/state.h"

#define STOP_NOTICE 1ull
#define SIG_BIT(n)  (1ull << (n))
/* What no service survives; SIGKILL is an order and no event. */
#define LETHAL                                                                        \
	(SIG_BIT(LSIGILL) | SIG_BIT(LSIGBUS) | SIG_BIT(LSIGFPE) | SIG_BIT(LSIGSEGV) | \
		SIG_BIT(LSIGABRT) | SIG_BIT(LSIGKILL))

static void add_signal(struct proc *proc, endpoint_t manager, uint64_t bits)
{
	if (proc->signals == 0) {
		list_add_tail(&kernel.signalled, &proc->signal_link);
	}
	proc->signals |= bits;
	proc->signal_to = manager;
}

/* The manager gets it and has to deal with it before the process runs again. */
static void raise_to(struct proc *manager, struct proc *proc, int signo)
{
	add_signal(proc, manager->endpoint, SIG_BIT(signo));
	rts_set(proc, RTS_SIGNALED | RTS_SIG_PENDING);
	ipc_ksig(manager, KSIG_SIGNAL);
}

/* A service that is its own manager: it hears of it, unless it is its end, which its backup sees
 * to. */
static void raise_self(struct proc *proc, int signo)
{
	struct proc *backup;

	if ((LETHAL & SIG_BIT(signo)) == 0) {
		proc->priv->self_signals |= SIG_BIT(signo);
		ipc_ksig(proc, KSIG_SELF);
		return;
	}
	backup = proc_find(proc->priv->spec.backup_mgr);
	if (backup == NULL || backup == proc || !proc_is_service(backup)) {
		panic("%s (%d) got signal %d and has no backup manager; ip %lx, address %lx",
			proc->name, proc->endpoint, signo, arch_ip(&proc->arch),
			proc->fault.address);
	}
	raise_to(backup, proc, signo);
}

void signal_raise(struct proc *proc, int signo)
{
	endpoint_t manager_ep = proc->priv->spec.sig_mgr;
	struct proc *manager;

	trace(TRACE_SIGNAL, (uint64_t)proc->endpoint, (uint64_t)signo);
	if (manager_ep == EP_SELF || manager_ep == proc->endpoint) {
		raise_self(proc, signo);
		return;
	}
	manager = proc_find(manager_ep);
	if (manager == NULL || !proc_is_service(manager)) {
		/* RS looks after what has lost its manager. */
		manager = proc_find(EP_RS);
		proc->priv->spec.sig_mgr = EP_RS;
	}
	if (manager == NULL || manager == proc || !proc_is_service(manager)) {
		panic("signal %d for %s (%d), whose manager %d is not there; ip %lx, address %lx",
			signo, proc->name, proc->endpoint, manager_ep, arch_ip(&proc->arch),
			proc->fault.address);
	}
	raise_to(manager, proc, signo);
}

void signal_fault(
	struct proc *proc, int signo, int code, vaddr_t address, int trapno, uint64_t error)
{
	proc->fault.code = code;
	proc->fault.address = address;
	proc->fault.fault_sig = signo;
	proc->fault.trapno = trapno;
	proc->fault.error = error;
	if (proc_is_service(proc)) {
		diag_printf("%s (%d): exception %d, signal %d, ip %lx, sp %lx, address %lx, error "
			    "%lx\n",
			proc->name, proc->endpoint, trapno, signo, arch_ip(&proc->arch),
			arch_sp(&proc->arch), address, error);
	}
	signal_raise(proc, signo);
}

void signal_stopped(struct proc *proc)
{
	struct proc *manager = proc_find(proc->priv->spec.sig_mgr);

	add_signal(proc, proc->priv->spec.sig_mgr, STOP_NOTICE);
	if (manager != NULL && proc_is_service(manager)) {
		ipc_ksig(manager, KSIG_SIGNAL);
	}
}

static bool is_managed_by(const struct proc *proc, const struct proc *manager)
{
	return proc->signal_to == manager->endpoint;
}

bool signal_fetch(struct proc *manager, struct ksig *ksig)
{
	list_for_each_safe(proc, &kernel.signalled, struct proc, signal_link)
	{
		if (!is_managed_by(proc, manager)) {
			continue;
		}
		*ksig = proc->fault;
		ksig->endpoint = proc->endpoint;
		ksig->signals = proc->signals;
		list_remove(&proc->signal_link);
		proc->signals = 0;
		proc->fault = (struct ksig){0};
		rts_clear(proc, RTS_SIGNALED);
		return true;
	}
	return false;
}

int signal_end(struct proc *manager, struct proc *proc)
{
	if (!is_managed_by(proc, manager)) {
		return -EPERM;
	}
	if (!rts_is_set(proc, RTS_SIG_PENDING)) {
		return -EINVAL;
	}
	if (!rts_is_set(proc, RTS_SIGNALED)) {
		rts_clear(proc, RTS_SIG_PENDING);
	}
	return 0;
}
