/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenarios against the real PM over a fake kernel, VM and VFS. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "proto/vfs.h"
#include "servers/pm/deliver.h"
#include "servers/pm/signal.h"
#include "servers/pm/test/fake.h"

#define P(x) ((uint64_t)(uintptr_t)(x))
#define HANDLER 0x5000ul
#define NOBODY ((uint64_t)(uint32_t)-1)
#define THREAD_FLAGS (LCLONE_VM | LCLONE_FS | LCLONE_FILES | LCLONE_SIGHAND | LCLONE_THREAD)
#define BAD_ADDRESS 16ul

/* A shell: a child of init that the scenarios start from, leader of its session. */
static endpoint_t start(void)
{
	endpoint_t shell;

	fake_reset();
	shell = fake_fork(EP_INIT);
	assert(call(shell, setsid) == fake_pid(shell));
	(void)fake_vfs_run();
	return shell;
}

static void set_handler(endpoint_t ep, int signo, uint64_t handler, uint64_t flags)
{
	struct linux_sigaction action = {.handler = handler, .flags = flags | LSA_RESTORER, .restorer = 0x6000};

	assert(call(ep, rt_sigaction, (uint64_t)signo, P(&action), 0ul, 8ul) == 0);
}

static void set_mask(endpoint_t ep, uint64_t mask)
{
	assert(call(ep, rt_sigprocmask, (uint64_t)LSIG_SETMASK, P(&mask), 0ul, 8ul) == 0);
}

static int64_t kill_(endpoint_t ep, int32_t pid, int signo)
{
	return call(ep, kill, (uint64_t)(int64_t)pid, (uint64_t)signo);
}

static bool alive(endpoint_t ep)
{
	return fake_proc(ep) != NULL;
}

/* wait4 by `ep` for any child gives this pid and status. */
static void expect_wait(endpoint_t ep, int32_t pid, int32_t expected)
{
	int32_t status = -1;

	assert(call(ep, wait4, NOBODY, P(&status), 0ul, 0ul) == pid);
	assert(status == expected);
}

static void test_exit_and_wait(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	int32_t pid = fake_pid(child), status = -1;
	struct linux_rusage rusage;

	assert(fake_proc(child)->ids.ppid == fake_pid(shell));
	assert(call(shell, wait4, NOBODY, P(&status), (uint64_t)LWNOHANG, 0ul) == 0);
	assert(call(shell, wait4, NOBODY, P(&status), 0ul, P(&rusage)) == PENDING);
	fake_proc(child)->user_ns = 3 * NS_PER_SECOND;
	assert(call(child, exit_group, 7ul) == PENDING);
	assert(fake_proc(shell)->result == PENDING && alive(child)); /* until VFS has closed the files */
	(void)fake_vfs_run();
	assert(!alive(child));
	assert(fake_proc(shell)->result == pid && status == 7 << 8 && rusage.utime.sec == 3);
	assert(call(shell, wait4, NOBODY, 0ul, 0ul, 0ul) == -ECHILD);
	assert(call(shell, wait4, 1ul, 0ul, 0x100ul, 0ul) == -EINVAL);
	assert(call(shell, getrusage, NOBODY, P(&rusage)) == 0 && rusage.utime.sec == 3);
}

static void test_zombie_and_waitid(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	int32_t pid = fake_pid(child);
	struct linux_siginfo info;

	(void)call(child, exit_group, 3ul);
	(void)fake_vfs_run();
	assert(kill_(shell, pid, 0) == 0 && kill_(shell, pid, LSIGKILL) == 0);
	assert(call(shell, waitid, (uint64_t)LP_PID, (uint64_t)pid, P(&info), (uint64_t)(LWEXITED | LWNOWAIT)) == 0);
	assert(info.signo == LSIGCHLD && info.code == LCLD_EXITED && info.pid == pid && info.status == 3);
	assert(call(shell, waitid, (uint64_t)LP_ALL, 0ul, P(&info), 0ul) == -EINVAL);
	assert(call(shell, waitid, (uint64_t)LP_PGID, 0ul, P(&info), (uint64_t)LWEXITED) == 0);
	assert(kill_(shell, pid, 0) == -ESRCH);
}

static void test_wait_selects(void)
{
	endpoint_t shell = start(), a = fake_fork(shell), b = fake_fork(shell);
	int32_t a_pid = fake_pid(a), b_pid = fake_pid(b), status;

	assert(call(shell, setpgid, (uint64_t)b_pid, (uint64_t)b_pid) == 0);
	assert(call(shell, wait4, (uint64_t)(int64_t)-b_pid, P(&status), 0ul, 0ul) == PENDING);
	(void)call(a, exit_group, 1ul);
	(void)fake_vfs_run();
	assert(fake_proc(shell)->result == PENDING);
	(void)call(b, exit_group, 2ul);
	(void)fake_vfs_run();
	assert(fake_proc(shell)->result == b_pid);
	expect_wait(shell, a_pid, 1 << 8);
	assert(call(shell, wait4, 4711ul, 0ul, 0ul, 0ul) == -ECHILD);
}

static void test_fork_failures(void)
{
	endpoint_t shell = start();
	uint32_t before = fake_pm.process_count;
	int forked = 0;
	int64_t result;

	fake_room = 0;
	assert(call(shell, fork) == -ENOMEM && fake_pm.process_count == before);
	fake_room = 1000;
	assert(call(shell, setresuid, 5ul, 5ul, 5ul) == 0);
	while ((result = call(shell, fork)) > 0) {
		forked++;
	}
	assert(result == -EAGAIN && forked > 20);
	assert(call(EP_INIT, fork) > 0); /* root still has room */
	assert(call(shell, clone, (uint64_t)LCLONE_THREAD) == -EINVAL);
	assert(call(shell, clone, (uint64_t)LCLONE_NEWPID) == -EPERM);
}

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
	assert(call(child, rt_sigreturn) == PENDING && fake_proc(child)->frames == 2 && !fake_proc(child)->stopped);
	/* To oneself: the call is answered first. */
	assert(kill_(child, fake_pid(child), LSIGUSR1) == 0 && fake_proc(child)->frames == 3);
}

static void test_two_signals_nest(void)
{
	endpoint_t shell = start();

	set_handler(shell, LSIGUSR1, HANDLER, 0);
	set_handler(shell, LSIGUSR2, HANDLER, LSA_RESETHAND | LSA_NODEFER);
	set_mask(shell, UINT64_MAX);
	assert(kill_(EP_INIT, fake_pid(shell), LSIGUSR2) == 0 && kill_(EP_INIT, fake_pid(shell), LSIGUSR1) == 0);
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
	assert(fake_proc(child)->stopped && fake_proc(child)->frames == 0 && fake_sent(VFS_PM_CANCEL) == 1);
	assert(fake_vfs_run() == 1);
	assert(fake_proc(child)->frames == 1 && fake_proc(child)->result == -ERESTARTSYS && !fake_proc(child)->stopped);
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

static void test_auto_reap(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	int32_t pid = fake_pid(child);

	set_handler(shell, LSIGCHLD, SIGNAL_IGNORE, 0);
	assert(call(shell, wait4, NOBODY, 0ul, 0ul, 0ul) == PENDING);
	(void)call(child, exit_group, 0ul);
	(void)fake_vfs_run();
	assert(fake_proc(shell)->result == -ECHILD && kill_(shell, pid, 0) == -ESRCH);
}

static void test_orphans(void)
{
	endpoint_t shell = start(), child = fake_fork(shell), grandchild = fake_fork(child);
	int32_t shell_pid = fake_pid(shell), child_pid = fake_pid(child), grandchild_pid = fake_pid(grandchild);
	int32_t status;

	assert(call(grandchild, prctl, 1ul, (uint64_t)LSIGUSR2) == 0);
	set_handler(grandchild, LSIGUSR2, HANDLER, 0);
	(void)call(child, exit_group, 0ul);
	(void)fake_vfs_run();
	assert(fake_proc(grandchild)->ids.ppid == 1 && fake_proc(grandchild)->frames == 1);
	expect_wait(shell, child_pid, 0);
	(void)call(grandchild, exit_group, 1ul);
	(void)call(shell, exit_group, 2ul);
	(void)fake_vfs_run();
	assert(call(EP_INIT, wait4, (uint64_t)grandchild_pid, P(&status), 0ul, 0ul) == grandchild_pid && status == 1 << 8);
	assert(call(EP_INIT, wait4, (uint64_t)shell_pid, P(&status), 0ul, 0ul) == shell_pid && status == 2 << 8);
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

static void test_orphaned_group(void)
{
	endpoint_t shell = start(), child = fake_fork(shell), grandchild = fake_fork(child);

	assert(call(child, setpgid, 0ul, 0ul) == 0 && call(grandchild, setpgid, 0ul, 0ul) == 0);
	set_handler(grandchild, LSIGHUP, HANDLER, 0);
	assert(kill_(shell, fake_pid(grandchild), LSIGTSTP) == 0 && fake_proc(grandchild)->stopped);
	(void)call(child, exit_group, 0ul);
	(void)fake_vfs_run();
	/* Its parent is init now: hung up and continued; and SIGTSTP stops it no more. */
	assert(!fake_proc(grandchild)->stopped && fake_proc(grandchild)->frames == 1);
	assert(kill_(shell, fake_pid(grandchild), LSIGTSTP) == 0 && !fake_proc(grandchild)->stopped);
}

static void test_sessions(void)
{
	endpoint_t shell = start(), child = fake_fork(shell), other = fake_fork(EP_INIT);
	int32_t pid = fake_pid(child);

	assert(call(shell, setsid) == -EPERM && call(shell, setpgid, 0ul, 0ul) == -EPERM);
	assert(call(shell, setpgid, (uint64_t)pid, NOBODY) == -EINVAL);
	assert(call(shell, setpgid, (uint64_t)fake_pid(other), 0ul) == -ESRCH);
	assert(call(shell, setpgid, (uint64_t)pid, 4711ul) == -EPERM);
	assert(call(shell, setpgid, (uint64_t)pid, (uint64_t)pid) == 0 && fake_proc(child)->ids.pgid == pid);
	assert(call(shell, getpgid, (uint64_t)pid) == pid && call(shell, getsid, (uint64_t)pid) == fake_pid(shell));
	assert(call(child, execve, 0ul, 0ul, 0ul) == PENDING);
	fake_exec_done(child, 0);
	assert(call(shell, setpgid, (uint64_t)pid, (uint64_t)fake_pid(shell)) == -EACCES);
	assert(call(shell, getsid, 4711ul) == -ESRCH);
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

static void test_exec(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);

	set_handler(child, LSIGUSR1, HANDLER, 0);
	set_handler(child, LSIGUSR2, SIGNAL_IGNORE, 0);
	assert(call(child, execve, 0ul, 0ul, 0ul) == PENDING);
	/* Signals wait for the answer. */
	assert(kill_(shell, fake_pid(child), LSIGUSR2) == 0 && fake_proc(child)->frames == 0);
	fake_exec_done(child, -ENOENT);
	assert(fake_proc(child)->result == -ENOENT);
	assert(call(child, execve, 0ul, 0ul, 0ul) == PENDING);
	fake_exec_done(child, 0);
	assert(fake_proc(child)->execs == 1 && !fake_proc(child)->stopped);
	assert(kill_(shell, fake_pid(child), LSIGUSR2) == 0 && alive(child));
	/* The handler is gone with the old image. */
	assert(kill_(shell, fake_pid(child), LSIGUSR1) == 0);
	(void)fake_vfs_run();
	assert(!alive(child));
}

static void test_kill_during_exec(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	int32_t pid = fake_pid(child);

	assert(call(child, execve, 0ul, 0ul, 0ul) == PENDING);
	assert(kill_(shell, pid, LSIGKILL) == 0);
	(void)fake_vfs_run();
	assert(alive(child));
	fake_exec_done(child, 0);
	(void)fake_vfs_run();
	expect_wait(shell, pid, LSIGKILL);
}

static void test_vfork(void)
{
	endpoint_t shell = start(), child;
	int64_t result;

	child = fake_clone(shell, LCLONE_VM | LCLONE_VFORK | LSIGCHLD, &result);
	assert(result == PENDING);
	set_handler(child, LSIGUSR1, SIGNAL_IGNORE, 0);
	assert(call(child, execve, 0ul, 0ul, 0ul) == PENDING && fake_proc(shell)->result == PENDING);
	fake_exec_done(child, 0);
	assert(fake_proc(shell)->result == fake_pid(child));
	child = fake_clone(shell, LCLONE_VM | LCLONE_VFORK | LSIGCHLD, &result);
	(void)call(child, exit_group, 0ul);
	assert(fake_proc(shell)->result > 0);
}

static void test_threads(void)
{
	endpoint_t shell = start(), leader = fake_fork(shell), a, b;
	int32_t pid = fake_pid(leader);
	int64_t a_tid, b_tid;

	a = fake_clone(leader, THREAD_FLAGS, &a_tid);
	b = fake_clone(leader, THREAD_FLAGS, &b_tid);
	assert(fake_proc(a)->ids.pid == pid && fake_proc(a)->ids.tid == a_tid && a_tid != b_tid);
	set_handler(a, LSIGUSR1, HANDLER, 0);
	set_mask(leader, SIGNAL_BIT(LSIGUSR1));
	set_mask(a, SIGNAL_BIT(LSIGUSR1));
	/* The process's signal goes to the one that does not block it. */
	assert(kill_(shell, pid, LSIGUSR1) == 0 && fake_proc(b)->frames == 1 && fake_proc(leader)->frames == 0);
	/* b is in the handler and blocks it now: pending until somebody unblocks. */
	assert(kill_(shell, pid, LSIGUSR1) == 0 && fake_proc(b)->frames == 1);
	set_mask(a, 0);
	assert(fake_proc(a)->frames == 1);
	/* A thread's own. */
	assert(call(shell, tgkill, (uint64_t)pid, (uint64_t)pid, (uint64_t)LSIGUSR1) == 0);
	assert(fake_proc(leader)->frames == 0);
	set_mask(leader, 0);
	assert(fake_proc(leader)->frames == 1);
	assert(call(shell, tgkill, (uint64_t)fake_pid(shell), (uint64_t)pid, 0ul) == -ESRCH);
	/* One thread ends, the leader ends, the last one ends the process with its own code. */
	assert(call(a, exit, 1ul) == PENDING && !alive(a));
	assert(call(leader, exit, 9ul) == PENDING && alive(leader));
	assert(kill_(shell, pid, 0) == 0);
	assert(call(b, exit, 2ul) == PENDING);
	(void)fake_vfs_run();
	expect_wait(shell, pid, 2 << 8);
}

static void test_thread_group_dies(void)
{
	endpoint_t shell = start(), leader = fake_fork(shell), a;
	int32_t pid = fake_pid(leader);
	int64_t tid;

	a = fake_clone(leader, THREAD_FLAGS, &tid);
	fake_enter(leader, FAKE_IN_VFS);
	(void)call(a, exit_group, 4ul);
	assert(!alive(a));
	(void)fake_vfs_run();
	expect_wait(shell, pid, 4 << 8);
}

static void test_thread_execs(void)
{
	endpoint_t shell = start(), leader = fake_fork(shell), a;
	int32_t pid = fake_pid(leader);
	int64_t tid;

	a = fake_clone(leader, THREAD_FLAGS, &tid);
	assert(call(a, execve, 0ul, 0ul, 0ul) == PENDING);
	assert(!alive(leader) && fake_proc(a)->ids.tid == pid);
	fake_exec_done(a, 0);
	assert(kill_(shell, pid, LSIGTERM) == 0);
	(void)fake_vfs_run();
	expect_wait(shell, pid, LSIGTERM);
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
	assert(call(shell, wait4, NOBODY, P(&status), (uint64_t)(LWUNTRACED | LWNOHANG), 0ul) == pid);
	assert(kill_(shell, pid, LSIGCONT) == 0 && !fake_proc(leader)->stopped && !fake_proc(a)->stopped);
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
	assert(call(shell, rt_sigsuspend, P(&none), 8ul) == -ERESTARTNOHAND && fake_proc(shell)->frames == 2);
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
	assert(fake_proc(shell)->frames == 1 && fake_proc(shell)->frame.mask == SIGNAL_BIT(LSIGUSR1));
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
		assert(call(EP_INIT, rt_sigqueueinfo, (uint64_t)fake_pid(shell), 40ul, P(&info)) == 0);
	}
	for (uint64_t value = 1; value <= 2; value++) {
		assert(call(shell, rt_sigtimedwait, P(&set), P(&info), 0ul, 8ul) == 40 && info.value == value);
	}
	assert(call(shell, rt_sigtimedwait, P(&set), P(&info), 0ul, 8ul) == PENDING);
	assert(kill_(EP_INIT, fake_pid(shell), LSIGUSR1) == 0);
	assert(fake_proc(shell)->result == LSIGUSR1 && info.pid == 1 && info.code == LSI_USER);
}

static void test_kill_rights(void)
{
	endpoint_t shell = start(), a = fake_fork(shell), b = fake_fork(shell);
	struct linux_siginfo info = {.code = LSI_USER};

	assert(call(a, setresuid, 10ul, 10ul, 10ul) == 0 && call(b, setresuid, 20ul, 20ul, 20ul) == 0);
	assert(kill_(a, fake_pid(b), LSIGTERM) == -EPERM && kill_(a, fake_pid(b), LSIGCONT) == 0);
	assert(kill_(a, 0, LSIGCHLD) == 0); /* to itself, at least */
	assert(kill_(b, 4711, 0) == -ESRCH && kill_(b, fake_pid(b), 65) == -EINVAL && kill_(b, -4711, 0) == -ESRCH);
	assert(call(b, rt_sigqueueinfo, (uint64_t)fake_pid(shell), 40ul, P(&info)) == -EPERM);
	assert(call(b, tkill, 0ul, 1ul) == -EINVAL);
	/* Services: root only, and by the kernel. */
	assert(kill_(b, fake_pm.by_slot[EP_VFS]->tid, LSIGTERM) == -EPERM);
	assert(kill_(shell, fake_pm.by_slot[EP_VFS]->tid, LSIGTERM) == 0);
}

static void test_init_is_safe(void)
{
	endpoint_t shell = start();

	assert(kill_(shell, 1, LSIGKILL) == 0 && kill_(shell, 1, LSIGTERM) == 0 && kill_(shell, 1, LSIGSTOP) == 0);
	assert(alive(EP_INIT) && !fake_proc(EP_INIT)->stopped && fake_aborted == 0);
	assert(kill_(shell, -1, LSIGKILL) == -ESRCH); /* nobody else */
	(void)fake_fork(shell);
	assert(kill_(shell, -1, LSIGKILL) == 0 && alive(EP_INIT) && alive(shell));
	assert(call(EP_INIT, exit_group, 0ul) == PENDING);
	(void)fake_vfs_run();
	assert(fake_aborted == ABORT_PANIC);
}

static void test_faults(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	int32_t pid = fake_pid(child);
	struct ksig ksig = {.endpoint = child, .signals = 1ull << LSIGSEGV, .fault_sig = LSIGSEGV, .code = LSEGV_MAPERR,
		.address = 0x1234, .trapno = 14, .error = 6};

	set_handler(child, LSIGSEGV, HANDLER, LSA_SIGINFO);
	assert(pm_handle_ksig(&fake_pm, &ksig) == 0 && fake_proc(child)->frames == 1);
	assert(fake_proc(child)->frame.fault_address == 0x1234 && fake_proc(child)->frame.trapno == 14);
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

	assert(call(shell, nanosleep, P(&bad), 0ul) == -EINVAL && call(shell, nanosleep, BAD_ADDRESS, 0ul) == -EFAULT);
	assert(call(shell, nanosleep, P(&time), 0ul) == PENDING);
	fake_advance(NS_PER_SECOND);
	assert(fake_proc(shell)->result == PENDING);
	fake_advance(NS_PER_SECOND);
	assert(fake_proc(shell)->result == 0);
	set_handler(shell, LSIGUSR1, HANDLER, 0);
	assert(call(shell, clock_nanosleep, (uint64_t)LCLOCK_MONOTONIC, 0ul, P(&time), P(&left)) == PENDING);
	fake_advance(NS_PER_SECOND / 2);
	assert(kill_(EP_INIT, fake_pid(shell), LSIGUSR1) == 0);
	assert(fake_proc(shell)->result == -ERESTART_RESTARTBLOCK && left.sec == 1 && left.nsec == 500000000);
	/* On the wall clock, which is 1000 s ahead in the fake. */
	assert(call(shell, clock_nanosleep, (uint64_t)LCLOCK_REALTIME, (uint64_t)LTIMER_ABSTIME, P(&at), 0ul) == PENDING);
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
	assert(call(shell, getitimer, 0ul, P(&old)) == 0 && old.value.usec == 500000 && old.interval.usec == 100000);
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
	assert(fake_proc(shell)->frames == 1 && info->value == 77 && info->code == LSI_TIMER && info->overrun == 0);
	/* In the handler the next stays pending; 5 periods are lost. */
	fake_advance(10000000);
	fake_advance(50000000);
	fake_proc(shell)->return_mask = 0;
	(void)call(shell, rt_sigreturn);
	assert(fake_proc(shell)->frames == 2 && info->overrun == 5);
	assert(call(shell, timer_getoverrun, (uint64_t)id) == 5);
	assert(call(shell, timer_gettime, (uint64_t)id, P(&now)) == 0 && now.value.nsec == 10000000);
	assert(call(shell, timer_delete, (uint64_t)id) == 0 && call(shell, timer_delete, (uint64_t)id) == -EINVAL);
	event.signo = 0;
	assert(call(shell, timer_create, (uint64_t)LCLOCK_MONOTONIC, P(&event), P(&id)) == -EINVAL);
	assert(call(shell, timer_create, 77ul, 0ul, P(&id)) == -EINVAL);
}

static void test_credentials(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	uint32_t three[3];
	uint32_t groups[3] = {7, 8, 9};

	assert(call(child, setgroups, 3ul, P(groups)) == 0 && call(child, getgroups, 0ul, 0ul) == 3);
	assert(call(child, getgroups, 2ul, P(groups)) == -EINVAL && call(child, setgroups, 70000ul, P(groups)) == -EINVAL);
	assert(call(child, setresgid, 5ul, 5ul, 5ul) == 0);
	assert(call(child, setresuid, 100ul, 200ul, 300ul) == 0);
	assert(fake_proc(child)->ids.euid == 200 && fake_proc(child)->ids.egid == 5);
	assert(call(child, setuid, 0ul) == -EPERM && call(child, setgroups, 0ul, 0ul) == -EPERM);
	assert(call(child, setreuid, NOBODY, 300ul) == 0);
	assert(call(child, getresuid, P(&three[0]), P(&three[1]), P(&three[2])) == 0);
	assert(three[0] == 100 && three[1] == 300 && three[2] == 300);
	assert(call(child, setgid, 6ul) == -EPERM && call(child, setuid, 100ul) == 0);
	assert(call(child, setfsuid, 1ul) == 100 && call(child, setfsuid, NOBODY) == 100);
	/* setuid by root is for good. */
	assert(call(shell, setuid, 50ul) == 0 && call(shell, setuid, 0ul) == -EPERM);
}

static void test_limits(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	uint64_t limit[2] = {100, 50};

	assert(call(child, setrlimit, (uint64_t)LRLIM_NOFILE, P(limit)) == -EINVAL);
	limit[1] = 200;
	assert(call(child, prlimit64, 0ul, (uint64_t)LRLIM_NOFILE, P(limit), 0ul) == 0);
	assert(fake_sent(VFS_PM_RLIMIT) == 1);
	assert(call(child, setresuid, 5ul, 5ul, 5ul) == 0);
	limit[1] = 300;
	assert(call(child, setrlimit, (uint64_t)LRLIM_NOFILE, P(limit)) == -EPERM);
	assert(call(child, getrlimit, (uint64_t)LRLIM_NOFILE, P(limit)) == 0 && limit[0] == 100 && limit[1] == 200);
	assert(call(child, prlimit64, (uint64_t)fake_pid(shell), (uint64_t)LRLIM_CORE, 0ul, P(limit)) == -EPERM);
	assert(call(child, getrlimit, 16ul, P(limit)) == -EINVAL);
	assert(call(child, setpriority, 0ul, 0ul, 5ul) == 0 && call(child, getpriority, 0ul, 0ul) == 15);
	assert(call(child, setpriority, 0ul, 0ul, 0ul) == -EACCES);
	limit[0] = limit[1] = 1;
	assert(call(child, setrlimit, (uint64_t)LRLIM_CPU, P(limit)) == 0);
	fake_proc(child)->user_ns = NS_PER_SECOND;
	fake_advance(2 * NS_PER_SECOND);
	(void)fake_vfs_run();
	assert(!alive(child));
}

static void test_bad_pointers_and_calls(void)
{
	endpoint_t shell = start();
	uint64_t word = 0;

	assert(call(shell, uname, BAD_ADDRESS) == -EFAULT && call(shell, rt_sigaction, 1ul, BAD_ADDRESS, 0ul, 8ul) == -EFAULT);
	assert(call(shell, rt_sigaction, 9ul, 0ul, 0ul, 8ul) == 0);
	assert(call(shell, rt_sigaction, 65ul, 0ul, 0ul, 8ul) == -EINVAL);
	assert(call(shell, rt_sigprocmask, 7ul, P(&word), 0ul, 8ul) == -EINVAL);
	assert(call(shell, getrandom, P(&word), 0ul, 8ul) == -EINVAL && call(shell, getrandom, BAD_ADDRESS, 4ul) == -EFAULT);
	assert(fake_call(shell, 0xfff, 0ul, 0ul, 0ul, 0ul, 0ul, 0ul) == -ENOSYS);
	assert(call(shell, reboot, 1ul, 2ul, 3ul) == -EINVAL);
	assert(call(shell, reboot, 0xfee1deadul, 672274793ul, 0x4321fedcul) == PENDING);
	(void)fake_vfs_run();
	assert(fake_aborted == ABORT_POWEROFF);
}

static void test_many_generations(void)
{
	endpoint_t shell = start();

	for (int i = 0; i < 40000; i++) {
		endpoint_t child;
		int32_t pid;

		if (i % 500 == 0) {
			shell = start();
			fake_pm.last_pid = i;
			fake_pm.pids_wrapped = i > 32000;
		}
		child = fake_fork(shell);
		pid = fake_pid(child);
		assert(pid > 1 && pid < PM_PID_MAX && pid != fake_pid(shell));
		(void)call(child, exit_group, 0ul);
		(void)fake_vfs_run();
		expect_wait(shell, pid, 0);
	}
}

static void test_chacha20(void)
{
	/* RFC 8439, section 2.3.2. */
	static const uint8_t expected[16] = {0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20,
		0x71, 0xc4};
	const uint32_t nonce[3] = {0x09000000, 0x4a000000, 0};
	uint32_t key[8];
	uint8_t bytes[32], out[64];

	for (uint8_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = i;
	}
	memcpy(key, bytes, sizeof(key));
	random_chacha20_block(key, 1, nonce, out);
	assert(memcmp(out, expected, sizeof(expected)) == 0);
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_exit_and_wait, test_zombie_and_waitid, test_wait_selects, test_fork_failures, test_handler,
		test_two_signals_nest, test_signal_in_vfs_call, test_signal_in_other_call, test_killed_in_vfs_call,
		test_wait_is_interrupted, test_sigchld_comes_after_wait, test_auto_reap, test_orphans,
		test_stop_and_continue, test_stop_of_itself, test_orphaned_group, test_sessions, test_terminal, test_exec,
		test_kill_during_exec, test_vfork, test_threads, test_thread_group_dies, test_thread_execs,
		test_group_stop_of_threads, test_sigsuspend, test_temporary_mask_of_vfs, test_sigtimedwait,
		test_kill_rights, test_init_is_safe, test_faults, test_no_stack, test_sleep, test_stopped_sleep,
		test_alarm, test_cpu_timer, test_posix_timer, test_credentials, test_limits, test_bad_pointers_and_calls,
		test_many_generations, test_chacha20,
	};

	for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
		tests[i]();
		printf("ok %zu\n", i + 1);
		fflush(stdout);
	}
	fake_reset();
	return 0;
}
