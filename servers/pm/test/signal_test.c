/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals, stops and timers: scenarios against the real PM over a fake kernel, VM and VFS. */
#include "servers/pm/test/scenario.h"

static void test_handler(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);

	set_handler(child, LSIGUSR1, HANDLER, LSA_SIGINFO);
	assert(kill_(shell, fake_pid(child), LSIGUSR1) == 0);
	assert(fake_proc(child)->frames == 1 && !fake_proc(child)->stopped);
	assert(fake_proc(child)->frame.handler == HANDLER && fake_proc(child)->frame.mask == 0);
	/* Blocked while the handler runs: a second one waits for sigreturn. */
	assert(kill_(shell, fake_pid(child), LSIGUSR1) == 0 && fake_proc(child)->frames == 1);
	fake_proc(child)->return_mask = 0;
	assert(call(child, rt_sigreturn) == PENDING && fake_proc(child)->frames == 2);
	fake_proc(child)->return_mask = 0;
	assert(call(child, rt_sigreturn) == PENDING && fake_proc(child)->frames == 2 &&
		!fake_proc(child)->stopped);
	/* To oneself: the call is answered first. */
	assert(kill_(child, fake_pid(child), LSIGUSR1) == 0 && fake_proc(child)->frames == 3);
}

static void test_two_signals_nest(void)
{
	endpoint_t shell = start();

	set_handler(shell, LSIGUSR1, HANDLER, 0);
	set_handler(shell, LSIGUSR2, HANDLER, LSA_RESETHAND | LSA_NODEFER);
	set_mask(shell, UINT64_MAX);
	assert(kill_(EP_INIT, fake_pid(shell), LSIGUSR2) == 0 &&
		kill_(EP_INIT, fake_pid(shell), LSIGUSR1) == 0);
	assert(fake_proc(shell)->frames == 0);
	set_mask(shell, 0);
	assert(fake_proc(shell)->frames == 2 && fake_proc(shell)->frame.signo == LSIGUSR2);
	assert(fake_proc(shell)->frame.mask == SIGNAL_BIT(LSIGUSR1));
	/* Reset: the next one kills. */
	assert(kill_(EP_INIT, fake_pid(shell), LSIGUSR2) == 0);
	(void)fake_vfs_run();
	assert(!alive(shell));
}

static void test_signal_in_vfs_call(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);

	set_handler(child, LSIGTERM, HANDLER, LSA_RESTART);
	(void)fake_vfs_run();
	fake_enter(child, FAKE_IN_VFS);
	assert(kill_(shell, fake_pid(child), LSIGTERM) == 0);
	assert(fake_proc(child)->stopped && fake_proc(child)->frames == 0 &&
		fake_sent(VFS_PM_CANCEL) == 1);
	assert(fake_vfs_run() == 1);
	assert(fake_proc(child)->frames == 1 && fake_proc(child)->result == -ERESTARTSYS &&
		!fake_proc(child)->stopped);
}

static void test_signal_in_other_call(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);

	set_handler(child, LSIGTERM, HANDLER, 0);
	fake_enter(child, FAKE_IN_OTHER);
	assert(kill_(shell, fake_pid(child), LSIGTERM) == 0 && fake_proc(child)->frames == 0);
	fake_other_call_ends(child);
	assert(fake_proc(child)->frames == 1);
}

static void test_killed_in_vfs_call(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	int32_t pid = fake_pid(child);

	fake_enter(child, FAKE_IN_VFS);
	assert(kill_(shell, pid, LSIGTERM) == 0);
	assert(fake_sent(VFS_PM_CANCEL) == 0 && fake_sent(VFS_PM_EXIT) == 1);
	(void)fake_vfs_run();
	expect_wait(shell, pid, LSIGTERM);
}

static void test_wait_is_interrupted(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);

	set_handler(shell, LSIGUSR1, HANDLER, 0);
	assert(call(shell, wait4, NOBODY, 0ul, 0ul, 0ul) == PENDING);
	assert(kill_(child, fake_pid(shell), LSIGUSR1) == 0);
	assert(fake_proc(shell)->result == -ERESTARTSYS && fake_proc(shell)->frames == 1);
}

static void test_sigchld_comes_after_wait(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	int32_t pid = fake_pid(child);

	set_handler(shell, LSIGCHLD, HANDLER, LSA_SIGINFO);
	assert(call(shell, wait4, NOBODY, 0ul, 0ul, 0ul) == PENDING);
	(void)call(child, exit_group, 5ul);
	(void)fake_vfs_run();
	assert(fake_proc(shell)->result == pid && fake_proc(shell)->frames == 1);
	assert(((struct linux_siginfo *)fake_proc(shell)->frame.siginfo)->pid == pid);
	assert(((struct linux_siginfo *)fake_proc(shell)->frame.siginfo)->code == LCLD_EXITED);
}

static void test_stop_and_continue(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	int32_t pid = fake_pid(child), status = -1;

	fake_enter(child, FAKE_IN_VFS);
	assert(call(shell, wait4, NOBODY, P(&status), (uint64_t)LWUNTRACED, 0ul) == PENDING);
	assert(kill_(EP_INIT, pid, LSIGSTOP) == 0);
	assert(fake_proc(shell)->result == PENDING); /* not before it stands */
	(void)fake_vfs_run();
	assert(fake_proc(shell)->result == pid && status == STATUS_STOPPED(LSIGSTOP));
	assert(fake_proc(child)->stopped && fake_proc(child)->result == -ERESTARTSYS);
	assert(call(shell, wait4, NOBODY, P(&status), (uint64_t)(LWUNTRACED | LWNOHANG), 0ul) == 0);
	/* SIGTERM waits for the continuation, which comes from SIGCONT. */
	assert(kill_(shell, pid, LSIGTERM) == 0 && alive(child) && fake_proc(child)->stopped);
	assert(call(shell, wait4, NOBODY, P(&status), (uint64_t)LWCONTINUED, 0ul) == PENDING);
	assert(kill_(EP_INIT, pid, LSIGCONT) == 0);
	assert(fake_proc(shell)->result == pid && status == STATUS_CONTINUED);
	(void)fake_vfs_run();
	expect_wait(shell, pid, LSIGTERM);
}

static void test_stop_of_itself(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	int32_t pid = fake_pid(child), status;

	assert(call(child, setpgid, 0ul, 0ul) == 0);
	assert(kill_(child, 0, LSIGTSTP) == 0 && fake_proc(child)->stopped);
	assert(call(shell, wait4, NOBODY, P(&status), (uint64_t)LWUNTRACED, 0ul) == pid);
	assert(status == STATUS_STOPPED(LSIGTSTP));
	assert(kill_(shell, -pid, LSIGCONT) == 0 && !fake_proc(child)->stopped);
	assert(kill_(shell, pid, LSIGSTOP) == 0 && kill_(shell, pid, LSIGKILL) == 0);
	(void)fake_vfs_run();
	expect_wait(shell, pid, LSIGKILL);
}

static void test_terminal(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	int32_t pid = fake_pid(child);
	struct message m = {.type = PM_TTY_SIGNAL, .source = EP_TTY};
	struct message job = {.type = PM_JOBCTL};

	assert(call(child, setpgid, 0ul, 0ul) == 0);
	fake_enter(child, FAKE_IN_VFS);
	MSG(&job, pm_jobctl)->ep = child;
	MSG(&job, pm_jobctl)->signo = LSIGTTIN;
	fake_from_vfs(&job);
	assert(fake_sent(VFS_PM_JOBCTL_REPLY) == 1);
	(void)fake_vfs_run();
	assert(fake_proc(child)->stopped);
	assert(kill_(shell, pid, LSIGCONT) == 0);
	MSG(&m, pm_kill_pgrp)->pgid = pid;
	MSG(&m, pm_kill_pgrp)->signo = LSIGINT;
	pm_handle(&fake_pm, &m, IPC_STATUS_ASYNC);
	(void)fake_vfs_run();
	expect_wait(shell, pid, LSIGINT);
}

static void test_group_stop_of_threads(void)
{
	endpoint_t shell = start(), leader = fake_fork(shell), a;
	int32_t pid = fake_pid(leader), status;
	int64_t tid;

	a = fake_clone(leader, THREAD_FLAGS, &tid);
	fake_enter(a, FAKE_IN_OTHER);
	assert(kill_(shell, pid, LSIGSTOP) == 0 && fake_proc(leader)->stopped);
	assert(call(shell, wait4, NOBODY, P(&status), (uint64_t)(LWUNTRACED | LWNOHANG), 0ul) == 0);
	fake_other_call_ends(a);
	assert(call(shell, wait4, NOBODY, P(&status), (uint64_t)(LWUNTRACED | LWNOHANG), 0ul) ==
		pid);
	assert(kill_(shell, pid, LSIGCONT) == 0 && !fake_proc(leader)->stopped &&
		!fake_proc(a)->stopped);
}

static void test_sigsuspend(void)
{
	endpoint_t shell = start();
	uint64_t none = 0;

	set_handler(shell, LSIGUSR1, HANDLER, 0);
	set_mask(shell, SIGNAL_BIT(LSIGUSR1));
	assert(call(shell, rt_sigsuspend, P(&none), 8ul) == PENDING);
	assert(kill_(EP_INIT, fake_pid(shell), LSIGUSR1) == 0);
	assert(fake_proc(shell)->result == -ERESTARTNOHAND && fake_proc(shell)->frames == 1);
	assert(fake_proc(shell)->frame.mask == SIGNAL_BIT(LSIGUSR1));
	/* Pending before: it does not even begin to wait. */
	fake_proc(shell)->return_mask = SIGNAL_BIT(LSIGUSR1);
	(void)call(shell, rt_sigreturn);
	assert(kill_(EP_INIT, fake_pid(shell), LSIGUSR1) == 0 && fake_proc(shell)->frames == 1);
	assert(call(shell, rt_sigsuspend, P(&none), 8ul) == -ERESTARTNOHAND &&
		fake_proc(shell)->frames == 2);
	assert(call(shell, rt_sigsuspend, BAD_ADDRESS, 8ul) == -EFAULT);
	assert(call(shell, rt_sigsuspend, P(&none), 4ul) == -EINVAL);
}

static void test_temporary_mask_of_vfs(void)
{
	endpoint_t shell = start();
	struct message m = {.type = PM_SIGMASK};

	set_handler(shell, LSIGUSR1, HANDLER, 0);
	set_mask(shell, SIGNAL_BIT(LSIGUSR1));
	fake_enter(shell, FAKE_IN_VFS);
	MSG(&m, pm_sigmask)->ep = shell;
	MSG(&m, pm_sigmask)->set = 1;
	fake_from_vfs(&m);
	assert(kill_(EP_INIT, fake_pid(shell), LSIGUSR1) == 0);
	(void)fake_vfs_run();
	assert(fake_proc(shell)->frames == 1 &&
		fake_proc(shell)->frame.mask == SIGNAL_BIT(LSIGUSR1));
}

static void test_sigtimedwait(void)
{
	endpoint_t shell = start();
	uint64_t set = SIGNAL_BIT(LSIGUSR1) | SIGNAL_BIT(40);
	struct linux_timespec second = {1, 0}, zero = {0, 0};
	struct linux_siginfo info = {.code = LSI_QUEUE};

	set_mask(shell, set);
	assert(call(shell, rt_sigtimedwait, P(&set), 0ul, P(&zero), 8ul) == -EAGAIN);
	assert(call(shell, rt_sigtimedwait, P(&set), P(&info), P(&second), 8ul) == PENDING);
	fake_advance(NS_PER_SECOND);
	assert(fake_proc(shell)->result == -EAGAIN);
	/* Real-time signals queue, with their values. */
	for (uint64_t value = 1; value <= 2; value++) {
		info.code = LSI_QUEUE;
		info.value = value;
		assert(call(EP_INIT, rt_sigqueueinfo, (uint64_t)fake_pid(shell), 40ul, P(&info)) ==
			0);
	}
	for (uint64_t value = 1; value <= 2; value++) {
		assert(call(shell, rt_sigtimedwait, P(&set), P(&info), 0ul, 8ul) == 40 &&
			info.value == value);
	}
	assert(call(shell, rt_sigtimedwait, P(&set), P(&info), 0ul, 8ul) == PENDING);
	assert(kill_(EP_INIT, fake_pid(shell), LSIGUSR1) == 0);
	assert(fake_proc(shell)->result == LSIGUSR1 && info.pid == 1 && info.code == LSI_USER);
}

static void test_kill_rights(void)
{
	endpoint_t shell = start(), a = fake_fork(shell), b = fake_fork(shell);
	struct linux_siginfo info = {.code = LSI_USER};

	assert(call(a, setresuid, 10ul, 10ul, 10ul) == 0 &&
		call(b, setresuid, 20ul, 20ul, 20ul) == 0);
	assert(kill_(a, fake_pid(b), LSIGTERM) == -EPERM && kill_(a, fake_pid(b), LSIGCONT) == 0);
	assert(kill_(a, 0, LSIGCHLD) == 0); /* to itself, at least */
	assert(kill_(b, 4711, 0) == -ESRCH && kill_(b, fake_pid(b), 65) == -EINVAL &&
		kill_(b, -4711, 0) == -ESRCH);
	assert(call(b, rt_sigqueueinfo, (uint64_t)fake_pid(shell), 40ul, P(&info)) == -EPERM);
	assert(call(b, tkill, 0ul, 1ul) == -EINVAL);
	/* Services: root only, and by the kernel. */
	assert(kill_(b, fake_pm.by_slot[EP_VFS]->tid, LSIGTERM) == -EPERM);
	assert(kill_(shell, fake_pm.by_slot[EP_VFS]->tid, LSIGTERM) == 0);
}

static void test_faults(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	int32_t pid = fake_pid(child);
	struct ksig ksig = {.endpoint = child,
		.signals = 1ull << LSIGSEGV,
		.fault_sig = LSIGSEGV,
		.code = LSEGV_MAPERR,
		.address = 0x1234,
		.trapno = 14,
		.error = 6};

	set_handler(child, LSIGSEGV, HANDLER, LSA_SIGINFO);
	assert(pm_handle_ksig(&fake_pm, &ksig) == 0 && fake_proc(child)->frames == 1);
	assert(fake_proc(child)->frame.fault_address == 0x1234 &&
		fake_proc(child)->frame.trapno == 14);
	assert(((struct linux_siginfo *)fake_proc(child)->frame.siginfo)->address == 0x1234);
	/* Again in the handler, where it is blocked: the end. */
	assert(pm_handle_ksig(&fake_pm, &ksig) == 0);
	(void)fake_vfs_run();
	expect_wait(shell, pid, LSIGSEGV);
	assert(pm_handle_ksig(&fake_pm, &ksig) != 0);
}

static void test_no_stack(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	int32_t pid = fake_pid(child);

	set_handler(child, LSIGUSR1, HANDLER, 0);
	fake_proc(child)->no_stack = true;
	assert(kill_(shell, pid, LSIGUSR1) == 0);
	(void)fake_vfs_run();
	expect_wait(shell, pid, LSIGSEGV);
}

static void test_sleep(void)
{
	endpoint_t shell = start();
	struct linux_timespec time = {2, 0}, left = {9, 9}, bad = {0, 1000000000}, at = {1010, 0};

	assert(call(shell, nanosleep, P(&bad), 0ul) == -EINVAL &&
		call(shell, nanosleep, BAD_ADDRESS, 0ul) == -EFAULT);
	assert(call(shell, nanosleep, P(&time), 0ul) == PENDING);
	fake_advance(NS_PER_SECOND);
	assert(fake_proc(shell)->result == PENDING);
	fake_advance(NS_PER_SECOND);
	assert(fake_proc(shell)->result == 0);
	set_handler(shell, LSIGUSR1, HANDLER, 0);
	assert(call(shell, clock_nanosleep, (uint64_t)LCLOCK_MONOTONIC, 0ul, P(&time), P(&left)) ==
		PENDING);
	fake_advance(NS_PER_SECOND / 2);
	assert(kill_(EP_INIT, fake_pid(shell), LSIGUSR1) == 0);
	assert(fake_proc(shell)->result == -ERESTART_RESTARTBLOCK && left.sec == 1 &&
		left.nsec == 500000000);
	/* On the wall clock, which is 1000 s ahead in the fake. */
	assert(call(shell, clock_nanosleep, (uint64_t)LCLOCK_REALTIME, (uint64_t)LTIMER_ABSTIME,
		       P(&at), 0ul) == PENDING);
	fake_advance(5 * NS_PER_SECOND);
	assert(fake_proc(shell)->result == PENDING);
	fake_advance(2 * NS_PER_SECOND);
	assert(fake_proc(shell)->result == 0);
	assert(call(shell, clock_nanosleep, 3ul, 0ul, P(&time), 0ul) == -EINVAL);
}

static void test_stopped_sleep(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	struct linux_timespec time = {2, 0};

	assert(call(child, nanosleep, P(&time), 0ul) == PENDING);
	assert(kill_(shell, fake_pid(child), LSIGSTOP) == 0 && fake_proc(child)->stopped);
	assert(kill_(shell, fake_pid(child), LSIGCONT) == 0 && !fake_proc(child)->stopped);
	assert(fake_proc(child)->result == PENDING); /* it sleeps on */
	assert(kill_(shell, fake_pid(child), LSIGSTOP) == 0);
	fake_advance(2 * NS_PER_SECOND);
	assert(fake_proc(child)->result == 0 && fake_proc(child)->stopped);
}

static void test_alarm(void)
{
	endpoint_t shell = start();
	struct linux_itimerval value = {{0, 100000}, {1, 0}}, old;

	set_handler(shell, LSIGALRM, HANDLER, LSA_NODEFER);
	assert(call(shell, alarm, 5ul) == 0 && call(shell, alarm, 0ul) == 5);
	assert(call(shell, setitimer, 0ul, P(&value), 0ul) == 0);
	fake_advance(NS_PER_SECOND / 2);
	assert(call(shell, getitimer, 0ul, P(&old)) == 0 && old.value.usec == 500000 &&
		old.interval.usec == 100000);
	fake_advance(NS_PER_SECOND / 2);
	assert(fake_proc(shell)->frames == 1);
	fake_advance(100000000);
	assert(fake_proc(shell)->frames == 2);
	/* Blocked: one is pending, however long; then it goes on in step. */
	set_mask(shell, SIGNAL_BIT(LSIGALRM));
	fake_advance(1050000000);
	assert(fake_proc(shell)->frames == 2);
	set_mask(shell, 0);
	assert(fake_proc(shell)->frames == 3);
	fake_advance(50000000);
	assert(fake_proc(shell)->frames == 4);
	assert(call(shell, setitimer, 3ul, P(&value), 0ul) == -EINVAL);
}

static void test_cpu_timer(void)
{
	endpoint_t shell = start();
	struct linux_itimerval value = {{0, 0}, {0, 50000}};

	set_handler(shell, LSIGPROF, HANDLER, 0);
	assert(call(shell, setitimer, 2ul, P(&value), 0ul) == 0);
	for (int i = 0; i < 20; i++) {
		fake_advance(100000000);
	}
	assert(fake_proc(shell)->frames == 0); /* it used no processor */
	fake_proc(shell)->user_ns += 60000000;
	fake_advance(200000000);
	assert(fake_proc(shell)->frames == 1);
}

static void test_posix_timer(void)
{
	endpoint_t shell = start();
	struct linux_sigevent event = {.notify = LSIGEV_SIGNAL, .signo = 40, .value = 77};
	struct linux_itimerspec spec = {{0, 10000000}, {0, 10000000}}, now;
	const struct linux_siginfo *info = (const void *)fake_proc(shell)->frame.siginfo;
	int32_t id;

	set_handler(shell, 40, HANDLER, LSA_SIGINFO);
	assert(call(shell, timer_create, (uint64_t)LCLOCK_MONOTONIC, P(&event), P(&id)) == 0);
	assert(call(shell, timer_settime, (uint64_t)id, 0ul, P(&spec), 0ul) == 0);
	fake_advance(10000000);
	assert(fake_proc(shell)->frames == 1 && info->value == 77 && info->code == LSI_TIMER &&
		info->overrun == 0);
	/* In the handler the next stays pending; 5 periods are lost. */
	fake_advance(10000000);
	fake_advance(50000000);
	fake_proc(shell)->return_mask = 0;
	(void)call(shell, rt_sigreturn);
	assert(fake_proc(shell)->frames == 2 && info->overrun == 5);
	assert(call(shell, timer_getoverrun, (uint64_t)id) == 5);
	assert(call(shell, timer_gettime, (uint64_t)id, P(&now)) == 0 &&
		now.value.nsec == 10000000);
	assert(call(shell, timer_delete, (uint64_t)id) == 0 &&
		call(shell, timer_delete, (uint64_t)id) == -EINVAL);
	event.signo = 0;
	assert(call(shell, timer_create, (uint64_t)LCLOCK_MONOTONIC, P(&event), P(&id)) == -EINVAL);
	assert(call(shell, timer_create, 77ul, 0ul, P(&id)) == -EINVAL);
}

int main(void)
{
	static void (*const tests[])(void) = {test_handler, test_two_signals_nest,
		test_signal_in_vfs_call, test_signal_in_other_call, test_killed_in_vfs_call,
		test_wait_is_interrupted, test_sigchld_comes_after_wait, test_stop_and_continue,
		test_stop_of_itself, test_terminal, test_group_stop_of_threads, test_sigsuspend,
		test_temporary_mask_of_vfs, test_sigtimedwait, test_kill_rights, test_faults,
		test_no_stack, test_sleep, test_stopped_sleep, test_alarm, test_cpu_timer,
		test_posix_timer};

	return scenarios_run(tests, ARRAY_LEN(tests));
}
