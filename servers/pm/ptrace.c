/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/ptrace.h"

#include <errno.h>
#include <string.h>

#include "abi/linux/ptrace.h"
#include "lib/core/util.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "proto/vm.h"
#include "servers/pm/cred.h"
#include "servers/pm/deliver.h"
#include "servers/pm/pm.h"
#include "servers/pm/service.h"
#include "servers/pm/signal.h"
#include "servers/pm/trace.h"
#include "servers/pm/user.h"

#define WORD         8
#define SIGSET_BYTES 8
#define FPU_MAX      4096
#define FORCE_TRIES  3 /* a page that is read first may be gone again */

struct linux_iovec {
	uint64_t base, len;
};

/* ---- attaching ---- */

/* It would get no capability by what it makes the target do. */
static bool has_all_capabilities_of(const struct process *tracer, const struct process *target)
{
	return cred_capable(tracer, LCAP_SYS_PTRACE) ||
		(target->cred.cap_permitted & ~tracer->cred.cap_permitted) == 0;
}

static bool may_trace(const struct process *tracer, const struct process *target)
{
	const struct credentials *a = &tracer->cred, *b = &target->cred;

	if (cred_capable(tracer, LCAP_SYS_PTRACE)) {
		return !target->is_service || service_is_managed(target->leader);
	}
	if (target->is_service || !has_all_capabilities_of(tracer, target)) {
		return false;
	}
	return target->dumpable == 1 && a->uid == b->uid && a->uid == b->euid &&
		a->uid == b->suid && a->gid == b->gid && a->gid == b->egid && a->gid == b->sgid;
}

static int64_t trace_me(struct thread *thread)
{
	struct process *parent = thread->process->parent;

	if (thread->trace.tracer || !parent || parent->state != PROCESS_ALIVE ||
		!has_all_capabilities_of(parent, thread->process)) {
		return -EPERM;
	}
	trace_attach(thread, parent, false, 0);
	return 0;
}

/* A service's signals come from the kernel; this one is its tracer's alone. */
static void stop_by_signal(struct pm *pm, struct thread *target)
{
	struct linux_siginfo info = siginfo_kernel(LSIGSTOP);

	if (target->process->is_service) {
		(void)sigqueue_add(&target->pending, &info, NULL, 1);
	} else {
		(void)signal_send(pm, target->process, target, &info, NULL);
	}
}

static int64_t attach(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct thread *target = thread_by_tid(pm, (int32_t)arg[1]);
	bool seize = arg[0] == LPTRACE_SEIZE;

	if (seize && (arg[2] != 0 || (arg[3] & ~(uint64_t)LPTRACE_O_ALL))) {
		return -EIO;
	}
	if (!target) {
		return -ESRCH;
	}
	if (target->process == thread->process || target->gone ||
		target->process->state != PROCESS_ALIVE || target->trace.tracer ||
		!may_trace(thread->process, target->process)) {
		return -EPERM;
	}
	trace_attach(target, thread->process, seize, seize ? (uint32_t)arg[3] : 0);
	target->trace.group_due = target->process->stopped;
	if (!seize) {
		stop_by_signal(pm, target);
	}
	thread_kick(pm, target);
	return 0;
}

/* ---- memory ---- */

/* It may have executed a program since that its tracer may not read. */
static bool may_reach_memory(const struct process *tracer, const struct process *target)
{
	return target->dumpable == 1 || cred_capable(tracer, LCAP_SYS_PTRACE);
}

static int store_forced(
	const struct thread *tracee, uint64_t address, const uint8_t *data, size_t n)
{
	for (int i = 0; i < FORCE_TRIES; i++) {
		struct message m = {.type = VM_FORCE_STORE};
		struct vm_force_store_req *req = MSG(&m, vm_force_store_req);
		uint8_t byte;
		int r;

		req->ep = tracee->ep;
		req->address = address;
		req->bytes = (uint32_t)n;
		memcpy(req->data, data, n);
		r = ipc_call(EP_VM, &m);
		if (r != -EAGAIN) {
			return r;
		}
		(void)user_read(tracee, address, &byte, 1);
	}
	return -EAGAIN;
}

static int64_t poke(
	const struct thread *thread, const struct thread *tracee, uint64_t address, uint64_t value)
{
	uint8_t bytes[WORD];

	if (!may_reach_memory(thread->process, tracee->process)) {
		return -EIO;
	}
	memcpy(bytes, &value, WORD);
	for (size_t done = 0; done < WORD;) {
		uint64_t at = address + done;
		size_t part = u64_min(WORD - done, AXO_PAGE_SIZE - (at & AXO_PAGE_MASK));

		if (user_write(tracee, at, bytes + done, part) < 0 &&
			store_forced(tracee, at, bytes + done, part) < 0) {
			return -EIO;
		}
		done += part;
	}
	return 0;
}

static int64_t peek(const struct thread *thread, const struct thread *tracee, const uint64_t *arg)
{
	uint64_t word;

	if (!may_reach_memory(thread->process, tracee->process) ||
		user_read(tracee, arg[2], &word, WORD) < 0) {
		return -EIO;
	}
	return user_write(thread, arg[3], &word, WORD);
}

/* ---- registers ---- */

static int regs_get(const struct thread *tracee, struct linux_user_regs *regs)
{
	return (int)sys_trace(TRACEE_GET_REGS, tracee->ep, (uint64_t)(uintptr_t)regs, 0);
}

static int regs_set(const struct thread *tracee, const struct linux_user_regs *regs)
{
	return (int)sys_trace(TRACEE_SET_REGS, tracee->ep, (uint64_t)(uintptr_t)regs, 0);
}

static bool user_offset_is_valid(uint64_t offset)
{
	return offset % WORD == 0 && offset <= LINUX_USER_BYTES - WORD;
}

static int64_t peek_user(
	const struct thread *thread, const struct thread *tracee, uint64_t offset, uint64_t to)
{
	struct linux_user_regs regs;
	uint64_t word = 0;
	int r = 0;

	if (!user_offset_is_valid(offset)) {
		return -EIO;
	}
	if (offset < sizeof(regs)) {
		r = regs_get(tracee, &regs);
		memcpy(&word, (const uint8_t *)&regs + offset, WORD);
	}
	return r < 0 ? r : user_write(thread, to, &word, WORD);
}

/* There are no debug registers to be set. */
static int64_t poke_user(const struct thread *tracee, uint64_t offset, uint64_t value)
{
	struct linux_user_regs regs;
	int r;

	if (user_offset_is_valid(offset) && offset >= LINUX_USER_DEBUGREG && value == 0) {
		return 0;
	}
	if (offset % WORD != 0 || offset >= sizeof(regs)) {
		return -EIO;
	}
	r = regs_get(tracee, &regs);
	memcpy((uint8_t *)&regs + offset, &value, WORD);
	return r < 0 ? r : regs_set(tracee, &regs);
}

static int64_t get_regs(const struct thread *thread, const struct thread *tracee, uint64_t to)
{
	struct linux_user_regs regs;
	int r = regs_get(tracee, &regs);

	return r < 0 ? r : user_write(thread, to, &regs, sizeof(regs));
}

static int64_t set_regs(
	const struct thread *thread, const struct thread *tracee, uint64_t from, uint64_t bytes)
{
	struct linux_user_regs regs;
	int r = regs_get(tracee, &regs);

	if (r >= 0) {
		r = user_read(thread, from, &regs, bytes);
	}
	return r < 0 ? r : regs_set(tracee, &regs);
}

/* At most *bytes of the FPU image; *bytes becomes how many. */
static int64_t get_fpu(
	const struct thread *thread, const struct thread *tracee, uint64_t to, uint64_t *bytes)
{
	uint8_t image[FPU_MAX];
	int64_t n = sys_trace(TRACEE_GET_FPU, tracee->ep, (uint64_t)(uintptr_t)image,
		u64_min(*bytes, sizeof(image)));

	if (n < 0) {
		return n;
	}
	*bytes = (uint64_t)n;
	return user_write(thread, to, image, (size_t)n);
}

static int64_t set_fpu(
	const struct thread *thread, const struct thread *tracee, uint64_t from, uint64_t bytes)
{
	uint8_t image[FPU_MAX];

	if (bytes > sizeof(image)) {
		return -EINVAL;
	}
	if (user_read(thread, from, image, bytes) < 0) {
		return -EFAULT;
	}
	return sys_trace(TRACEE_SET_FPU, tracee->ep, (uint64_t)(uintptr_t)image, bytes);
}

static int64_t get_fpregs(const struct thread *thread, const struct thread *tracee, uint64_t to)
{
	uint64_t bytes = LINUX_FPREGS_BYTES;

	return get_fpu(thread, tracee, to, &bytes);
}

static int64_t get_regset(const struct thread *thread, const struct thread *tracee, uint64_t type,
	struct linux_iovec *area)
{
	struct linux_user_regs regs;
	int r;

	switch (type) {
	case LNT_PRSTATUS:
		area->len = u64_min(area->len, sizeof(regs));
		r = regs_get(tracee, &regs);
		return r < 0 ? r : user_write(thread, area->base, &regs, area->len);
	case LNT_PRFPREG:
		area->len = u64_min(area->len, LINUX_FPREGS_BYTES);
		return get_fpu(thread, tracee, area->base, &area->len);
	default:
		return get_fpu(thread, tracee, area->base, &area->len);
	}
}

static int64_t set_regset(const struct thread *thread, const struct thread *tracee, uint64_t type,
	struct linux_iovec *area)
{
	switch (type) {
	case LNT_PRSTATUS:
		area->len = u64_min(area->len, sizeof(struct linux_user_regs));
		return set_regs(thread, tracee, area->base, area->len);
	case LNT_PRFPREG:
		area->len = u64_min(area->len, LINUX_FPREGS_BYTES);
		return set_fpu(thread, tracee, area->base, area->len);
	default:
		return set_fpu(thread, tracee, area->base, area->len);
	}
}

static int64_t regset(const struct thread *thread, const struct thread *tracee, const uint64_t *arg)
{
	struct linux_iovec area;
	int64_t r;

	if (user_read(thread, arg[3], &area, sizeof(area)) < 0) {
		return -EFAULT;
	}
	if ((arg[2] != LNT_PRSTATUS && arg[2] != LNT_PRFPREG && arg[2] != LNT_X86_XSTATE) ||
		area.len % WORD != 0) {
		return -EINVAL;
	}
	r = arg[0] == LPTRACE_GETREGSET ? get_regset(thread, tracee, arg[2], &area)
					: set_regset(thread, tracee, arg[2], &area);
	return r < 0 ? r
		     : user_write(thread, arg[3] + offsetof(struct linux_iovec, len), &area.len,
			       sizeof(area.len));
}

/* ---- what it stands for ---- */

static int64_t get_siginfo(const struct thread *thread, const struct thread *tracee, uint64_t to)
{
	const struct tracee *trace = &tracee->trace;

	return trace->has_info ? user_write(thread, to, &trace->info, sizeof(trace->info))
			       : -EINVAL;
}

static int64_t set_siginfo(const struct thread *thread, struct thread *tracee, uint64_t from)
{
	struct linux_siginfo info;

	if (user_read(thread, from, &info, sizeof(info)) < 0) {
		return -EFAULT;
	}
	if (!tracee->trace.has_info) {
		return -EINVAL;
	}
	tracee->trace.info = info;
	return 0;
}

static int64_t get_syscall_info(
	const struct thread *thread, const struct thread *tracee, const uint64_t *arg)
{
	struct linux_syscall_info info = {.arch = LAUDIT_ARCH_X86_64};
	uint64_t bytes = offsetof(struct linux_syscall_info, entry);
	struct linux_user_regs regs;
	int r = regs_get(tracee, &regs);

	if (r < 0) {
		return r;
	}
	info.ip = regs.rip;
	info.sp = regs.rsp;
	if (tracee->trace.stop == TRACE_AT_CALL) {
		const uint64_t args[] = {regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9};

		info.op = LPTRACE_SYSCALL_INFO_ENTRY;
		info.entry.nr = regs.orig_rax;
		memcpy(info.entry.args, args, sizeof(args));
		bytes += sizeof(info.entry);
	} else if (tracee->trace.stop == TRACE_AT_RESULT) {
		info.op = LPTRACE_SYSCALL_INFO_EXIT;
		info.exit.value = (int64_t)regs.rax;
		info.exit.is_error = info.exit.value < 0 && info.exit.value >= -4095;
		bytes += sizeof(info.exit.value) + sizeof(info.exit.is_error);
	}
	r = user_write(thread, arg[3], &info, u64_min(bytes, arg[2]));
	return r < 0 ? r : (int64_t)bytes;
}

static int64_t set_options(struct thread *tracee, uint64_t options)
{
	if (options & ~(uint64_t)LPTRACE_O_ALL) {
		return -EINVAL;
	}
	tracee->trace.options = (uint32_t)options;
	return 0;
}

static int64_t sigmask(
	struct pm *pm, const struct thread *thread, struct thread *tracee, const uint64_t *arg)
{
	uint64_t mask = tracee->restore_mask ? tracee->saved_mask : tracee->mask;

	if (arg[2] != SIGSET_BYTES) {
		return -EINVAL;
	}
	if (arg[0] == LPTRACE_GETSIGMASK) {
		return user_write(thread, arg[3], &mask, sizeof(mask));
	}
	if (user_read(thread, arg[3], &mask, sizeof(mask)) < 0) {
		return -EFAULT;
	}
	tracee->restore_mask = false;
	signal_set_mask(pm, tracee, mask);
	return 0;
}

/* ---- going on ---- */

static int64_t go(struct pm *pm, struct thread *tracee, uint64_t request, uint64_t signo)
{
	if (signo > LINUX_NSIG) {
		return -EIO;
	}
	if (request == LPTRACE_DETACH) {
		trace_detach(pm, tracee, (int)signo);
	} else {
		trace_go(pm, tracee,
			request == LPTRACE_SYSCALL              ? TRACEE_CALLS
				: request == LPTRACE_SINGLESTEP ? TRACEE_STEP
								: 0,
			(int)signo);
	}
	return 0;
}

static int64_t interrupt(struct pm *pm, struct thread *tracee)
{
	if (!tracee->trace.seized) {
		return -EIO;
	}
	tracee->trace.trap_due = true;
	if (tracee->trace.stop == TRACE_LISTENS) {
		trace_listen(pm, tracee);
	} else {
		thread_kick(pm, tracee);
	}
	return 0;
}

static int64_t listen(struct pm *pm, struct thread *tracee)
{
	if (!tracee->trace.seized || tracee->trace.stop != TRACE_IN_GROUP_STOP) {
		return -EIO;
	}
	trace_listen(pm, tracee);
	return 0;
}

/* Requests to a thread that stands. */
static int64_t request(
	struct pm *pm, struct thread *thread, struct thread *tracee, const uint64_t *arg)
{
	switch (arg[0]) {
	case LPTRACE_PEEKTEXT:
	case LPTRACE_PEEKDATA:
		return peek(thread, tracee, arg);
	case LPTRACE_POKETEXT:
	case LPTRACE_POKEDATA:
		return poke(thread, tracee, arg[2], arg[3]);
	case LPTRACE_PEEKUSER:
		return peek_user(thread, tracee, arg[2], arg[3]);
	case LPTRACE_POKEUSER:
		return poke_user(tracee, arg[2], arg[3]);
	case LPTRACE_GETREGS:
		return get_regs(thread, tracee, arg[3]);
	case LPTRACE_SETREGS:
		return set_regs(thread, tracee, arg[3], sizeof(struct linux_user_regs));
	case LPTRACE_GETFPREGS:
		return get_fpregs(thread, tracee, arg[3]);
	case LPTRACE_SETFPREGS:
		return set_fpu(thread, tracee, arg[3], LINUX_FPREGS_BYTES);
	case LPTRACE_GETREGSET:
	case LPTRACE_SETREGSET:
		return regset(thread, tracee, arg);
	case LPTRACE_CONT:
	case LPTRACE_SYSCALL:
	case LPTRACE_SINGLESTEP:
	case LPTRACE_DETACH:
		return go(pm, tracee, arg[0], arg[3]);
	case LPTRACE_SETOPTIONS:
		return set_options(tracee, arg[3]);
	case LPTRACE_GETEVENTMSG:
		return user_write(thread, arg[3], &tracee->trace.message, sizeof(uint64_t));
	case LPTRACE_GETSIGINFO:
		return get_siginfo(thread, tracee, arg[3]);
	case LPTRACE_SETSIGINFO:
		return set_siginfo(thread, tracee, arg[3]);
	case LPTRACE_LISTEN:
		return listen(pm, tracee);
	case LPTRACE_GETSIGMASK:
	case LPTRACE_SETSIGMASK:
		return sigmask(pm, thread, tracee, arg);
	case LPTRACE_GET_SYSCALL_INFO:
		return get_syscall_info(thread, tracee, arg);
	default:
		return -EIO;
	}
}

int64_t call_ptrace(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct thread *tracee;

	switch (arg[0]) {
	case LPTRACE_TRACEME:
		return trace_me(thread);
	case LPTRACE_ATTACH:
	case LPTRACE_SEIZE:
		return attach(pm, thread, arg);
	default:
		break;
	}
	tracee = thread_by_tid(pm, (int32_t)arg[1]);
	if (!tracee || tracee->trace.tracer != thread->process ||
		tracee->process->state != PROCESS_ALIVE) {
		return -ESRCH;
	}
	if (arg[0] == LPTRACE_KILL) {
		signal_send_kernel(pm, tracee->process, LSIGKILL);
		return 0;
	}
	if (arg[0] == LPTRACE_INTERRUPT) {
		return interrupt(pm, tracee);
	}
	if (tracee->trace.stop == TRACE_RUNS || tracee->trace.stop == TRACE_LISTENS) {
		return -ESRCH;
	}
	return request(pm, thread, tracee, arg);
}
