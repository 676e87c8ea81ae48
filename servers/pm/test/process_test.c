/* SPDX-License-Identifier: BSD-2-Clause */
/* Fork, exec, exit, wait, threads, groups and sessions: scenarios against the real PM over a fake
 * kernel, VM and VFS. */
#include "servers/pm/test/scenario.h"

/* PM-07: the slot is cleared when VFS has closed the files; the status is there for wait then. */
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
	assert(fake_proc(shell)->result == PENDING &&
		alive(child)); /* until VFS has closed the files */
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
	assert(call(shell, waitid, (uint64_t)LP_PID, (uint64_t)pid, P(&info),
		       (uint64_t)(LWEXITED | LWNOWAIT)) == 0);
	assert(info.signo == LSIGCHLD && info.code == LCLD_EXITED && info.pid == pid &&
		info.status == 3);
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

/* PM-08: no memory leaves no ghost; root has slots of its own. */
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
	int32_t shell_pid = fake_pid(shell), child_pid = fake_pid(child),
		grandchild_pid = fake_pid(grandchild);
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
	assert(call(EP_INIT, wait4, (uint64_t)grandchild_pid, P(&status), 0ul, 0ul) ==
			grandchild_pid &&
		status == 1 << 8);
	assert(call(EP_INIT, wait4, (uint64_t)shell_pid, P(&status), 0ul, 0ul) == shell_pid &&
		status == 2 << 8);
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
	assert(kill_(shell, fake_pid(grandchild), LSIGTSTP) == 0 &&
		!fake_proc(grandchild)->stopped);
}

static void test_sessions(void)
{
	endpoint_t shell = start(), child = fake_fork(shell), other = fake_fork(EP_INIT);
	int32_t pid = fake_pid(child);

	assert(call(shell, setsid) == -EPERM && call(shell, setpgid, 0ul, 0ul) == -EPERM);
	assert(call(shell, setpgid, (uint64_t)pid, NOBODY) == -EINVAL);
	assert(call(shell, setpgid, (uint64_t)fake_pid(other), 0ul) == -ESRCH);
	assert(call(shell, setpgid, (uint64_t)pid, 4711ul) == -EPERM);
	assert(call(shell, setpgid, (uint64_t)pid, (uint64_t)pid) == 0 &&
		fake_proc(child)->ids.pgid == pid);
	assert(call(shell, getpgid, (uint64_t)pid) == pid &&
		call(shell, getsid, (uint64_t)pid) == fake_pid(shell));
	assert(call(child, execve, 0ul, 0ul, 0ul) == PENDING);
	fake_exec_done(child, 0);
	assert(call(shell, setpgid, (uint64_t)pid, (uint64_t)fake_pid(shell)) == -EACCES);
	assert(call(shell, getsid, 4711ul) == -ESRCH);
}

/* PM-06: exec is VFS's; PM sees its result and changes signals, name and ids. */
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
	assert(call(child, execve, 0ul, 0ul, 0ul) == PENDING &&
		fake_proc(shell)->result == PENDING);
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
	assert(kill_(shell, pid, LSIGUSR1) == 0 && fake_proc(b)->frames == 1 &&
		fake_proc(leader)->frames == 0);
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

static void test_init_is_safe(void)
{
	endpoint_t shell = start();

	assert(kill_(shell, 1, LSIGKILL) == 0 && kill_(shell, 1, LSIGTERM) == 0 &&
		kill_(shell, 1, LSIGSTOP) == 0);
	assert(alive(EP_INIT) && !fake_proc(EP_INIT)->stopped && fake_aborted == 0);
	assert(kill_(shell, -1, LSIGKILL) == -ESRCH); /* nobody else */
	(void)fake_fork(shell);
	assert(kill_(shell, -1, LSIGKILL) == 0 && alive(EP_INIT) && alive(shell));
	assert(call(EP_INIT, exit_group, 0ul) == PENDING);
	(void)fake_vfs_run();
	assert(fake_aborted == ABORT_PANIC);
}

static void test_credentials(void)
{
	endpoint_t shell = start(), child = fake_fork(shell);
	uint32_t three[3];
	uint32_t groups[3] = {7, 8, 9};

	assert(call(child, setgroups, 3ul, P(groups)) == 0 &&
		call(child, getgroups, 0ul, 0ul) == 3);
	assert(call(child, getgroups, 2ul, P(groups)) == -EINVAL &&
		call(child, setgroups, 70000ul, P(groups)) == -EINVAL);
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
	assert(call(child, getrlimit, (uint64_t)LRLIM_NOFILE, P(limit)) == 0 && limit[0] == 100 &&
		limit[1] == 200);
	assert(call(child, prlimit64, (uint64_t)fake_pid(shell), (uint64_t)LRLIM_CORE, 0ul,
		       P(limit)) == -EPERM);
	assert(call(child, getrlimit, 16ul, P(limit)) == -EINVAL);
	assert(call(child, setpriority, 0ul, 0ul, 5ul) == 0 &&
		call(child, getpriority, 0ul, 0ul) == 15);
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

	assert(call(shell, uname, BAD_ADDRESS) == -EFAULT &&
		call(shell, rt_sigaction, 1ul, BAD_ADDRESS, 0ul, 8ul) == -EFAULT);
	assert(call(shell, rt_sigaction, 9ul, 0ul, 0ul, 8ul) == 0);
	assert(call(shell, rt_sigaction, 65ul, 0ul, 0ul, 8ul) == -EINVAL);
	assert(call(shell, rt_sigprocmask, 7ul, P(&word), 0ul, 8ul) == -EINVAL);
	assert(call(shell, getrandom, P(&word), 0ul, 8ul) == -EINVAL &&
		call(shell, getrandom, BAD_ADDRESS, 4ul) == -EFAULT);
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

/* A kill that frees the zombie next to its target: of a parent that has not waited, with a reaper
 * that wants no zombies. */
static void test_kill_frees_neighbour(void)
{
	for (int all = 0; all < 2; all++) {
		endpoint_t shell = start(), parent = fake_fork(shell), child = fake_fork(parent);
		int32_t pid = fake_pid(parent), child_pid = fake_pid(child);

		assert(call(shell, prctl, 36ul /* PR_SET_CHILD_SUBREAPER */, 1ul) == 0);
		set_handler(shell, LSIGCHLD, SIGNAL_IGNORE, 0);
		assert(call(shell, setpgid, (uint64_t)pid, (uint64_t)pid) == 0);
		(void)call(child, exit_group, 0ul);
		(void)fake_vfs_run();
		assert(kill_(shell, all ? -1 : -pid, LSIGKILL) == 0);
		assert(!process_by_pid(&fake_pm, child_pid));
		(void)fake_vfs_run();
		assert(!alive(parent));
	}
}

static void test_chacha20(void)
{
	/* RFC 8439, section 2.3.2. */
	static const uint8_t expected[16] = {0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50,
		0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4};
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
	static void (*const tests[])(void) = {test_exit_and_wait, test_zombie_and_waitid,
		test_wait_selects, test_fork_failures, test_auto_reap, test_orphans,
		test_orphaned_group, test_sessions, test_exec, test_kill_during_exec, test_vfork,
		test_threads, test_thread_group_dies, test_thread_execs, test_init_is_safe,
		test_credentials, test_limits, test_bad_pointers_and_calls, test_many_generations,
		test_kill_frees_neighbour, test_chacha20};

	return scenarios_run(tests, ARRAY_LEN(tests));
}
