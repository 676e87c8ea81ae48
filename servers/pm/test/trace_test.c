/* SPDX-License-Identifier: BSD-2-Clause */
/* Tracers and tracees that end at the wrong moment, and what a tracer may not do (PM-09): scenarios
 * against the real PM over a fake kernel, VM and VFS. */
#include "abi/linux/ptrace.h"
#include "servers/pm/test/scenario.h"

#define EXITKILL               ((uint64_t)LPTRACE_O_EXITKILL)
#define PR_SET_CHILD_SUBREAPER 36ul

static int64_t ptrace_(endpoint_t ep, enum linux_ptrace request, int32_t tid, uint64_t data)
{
	return call(ep, ptrace, (uint64_t)request, (uint64_t)(int64_t)tid, 0ul, data);
}

static void seize(endpoint_t tracer, int32_t tid, uint64_t options)
{
	assert(ptrace_(tracer, LPTRACE_SEIZE, tid, options) == 0);
}

static int32_t tid_of(endpoint_t ep)
{
	return thread_by_ep(&fake_pm, ep)->tid;
}

/* It ends as soon as PM sends it a SIGCHLD. */
static endpoint_t fragile_tracer(endpoint_t shell)
{
	endpoint_t tracer = fake_fork(shell);

	set_handler(tracer, LSIGCHLD, HANDLER, 0);
	fake_proc(tracer)->no_stack = true;
	return tracer;
}

static endpoint_t thread_of(endpoint_t ep)
{
	int64_t result;

	return fake_clone(ep, THREAD_FLAGS, &result);
}

/* A parent that waits for any child gets the tracer, and then what the tracer had not waited for.
 */
static void test_tracer_ends_without_wait(void)
{
	endpoint_t shell = start(), tracer = fake_fork(shell), child = fake_fork(shell);
	int32_t tracer_pid = fake_pid(tracer), child_pid = fake_pid(child), status = -1;
	int64_t first;

	seize(tracer, child_pid, 0);
	assert(kill_(shell, child_pid, LSIGKILL) == 0);
	(void)fake_vfs_run();
	assert(call(shell, wait4, NOBODY, P(&status), 0ul, 0ul) == PENDING); /* its tracer first */
	(void)call(tracer, exit_group, 3ul);
	(void)fake_vfs_run();
	first = fake_proc(shell)->result;
	assert((first == child_pid && status == LSIGKILL) ||
		(first == tracer_pid && status == 3 << 8));
	if (first == child_pid) {
		expect_wait(shell, tracer_pid, 3 << 8);
	} else {
		expect_wait(shell, child_pid, LSIGKILL);
	}
	assert(call(shell, wait4, NOBODY, 0ul, 0ul, 0ul) == -ECHILD);
}

/* A zombie that its tracer waits for first is not freed by a reaper that wants no zombies. */
static void test_hidden_zombie_is_adopted(void)
{
	endpoint_t shell = start(), tracer = fake_fork(shell), parent = fake_fork(shell);
	endpoint_t child = fake_fork(parent);
	int32_t pid = fake_pid(child);

	assert(call(shell, prctl, PR_SET_CHILD_SUBREAPER, 1ul) == 0);
	set_handler(shell, LSIGCHLD, SIGNAL_IGNORE, 0);
	seize(tracer, pid, 0);
	(void)call(child, exit_group, 5ul);
	(void)fake_vfs_run();
	(void)call(parent, exit_group, 0ul);
	(void)fake_vfs_run();
	expect_wait(tracer, pid, 5 << 8);
	assert(!process_by_pid(&fake_pm, pid));
}

/* What a tracer makes of the siginfo is no signal's number. */
static void test_siginfo_with_bad_number(void)
{
	static const int32_t numbers[] = {1000, -1, 0, LINUX_NSIG + 1};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		endpoint_t shell = start(), tracer = fake_fork(shell), child = fake_fork(shell);
		struct linux_siginfo info;
		int32_t pid = fake_pid(child), status;

		assert(ptrace_(tracer, LPTRACE_ATTACH, pid, 0) == 0);
		assert(ptrace_(tracer, LPTRACE_GETSIGINFO, pid, P(&info)) == 0);
		assert(info.signo == LSIGSTOP);
		info.signo = numbers[i];
		assert(ptrace_(tracer, LPTRACE_SETSIGINFO, pid, P(&info)) == 0);
		assert(ptrace_(tracer, LPTRACE_CONT, pid, LINUX_NSIG + 1) == -EIO);
		(void)call(tracer, exit_group, 0ul);
		assert(call(shell, wait4, (uint64_t)pid, P(&status), (uint64_t)LWUNTRACED, 0ul) ==
			pid);
		assert(status == (LSIGSTOP << 8 | 0x7f) && fake_proc(child)->stopped);
		(void)fake_vfs_run();
	}
}

/* The word of a thread's end kills the tracer, and that the tracee with all its threads. */
static void test_thread_ends_with_tracer(void)
{
	endpoint_t shell = start(), tracer = fragile_tracer(shell), leader = fake_fork(shell);
	endpoint_t thread = thread_of(leader);
	int32_t pid = fake_pid(leader), tracer_pid = fake_pid(tracer);

	seize(tracer, tid_of(thread), EXITKILL);
	seize(tracer, pid, EXITKILL);
	assert(call(thread, exit, 0ul) == PENDING);
	(void)fake_vfs_run();
	assert(!alive(thread) && !alive(leader) && !alive(tracer));
	assert(call(shell, wait4, (uint64_t)pid, 0ul, 0ul, 0ul) == pid);
	assert(call(shell, wait4, NOBODY, 0ul, 0ul, 0ul) == tracer_pid);
}

static void test_exec_ends_with_tracer(void)
{
	endpoint_t shell = start(), tracer = fragile_tracer(shell), leader = fake_fork(shell);
	endpoint_t a = thread_of(leader), b = thread_of(leader);
	int32_t pid = fake_pid(leader);

	seize(tracer, pid, EXITKILL);
	seize(tracer, tid_of(a), EXITKILL);
	seize(tracer, tid_of(b), EXITKILL);
	assert(call(a, execve, 0ul, 0ul, 0ul) == PENDING);
	assert(alive(a) && !alive(b) && !alive(leader));
	(void)fake_vfs_run();
	fake_exec_done(a, 0); /* the death waited for VFS */
	(void)fake_vfs_run();
	assert(!alive(a));
	assert(call(shell, wait4, (uint64_t)pid, 0ul, 0ul, 0ul) == pid);
}

static void test_clone_ends_with_tracer(void)
{
	endpoint_t shell = start(), tracer = fragile_tracer(shell), leader = fake_fork(shell);
	endpoint_t thread = thread_of(leader);
	int32_t pid = fake_pid(leader);

	seize(tracer, tid_of(thread), EXITKILL | LPTRACE_O_EVENT(LPTRACE_EVENT_CLONE));
	assert(call(thread, clone, (uint64_t)THREAD_FLAGS) == PENDING);
	(void)fake_vfs_run();
	assert(!alive(thread) && !alive(leader));
	assert(call(shell, wait4, (uint64_t)pid, 0ul, 0ul, 0ul) == pid);
}

/* The leader's number lives on in the thread that calls exec. */
static void test_traced_leader_execs_away(void)
{
	endpoint_t shell = start(), tracer = fake_fork(shell), leader = fake_fork(shell);
	endpoint_t thread = thread_of(leader);
	int32_t pid = fake_pid(leader);

	seize(tracer, pid, 0);
	assert(call(tracer, wait4, (uint64_t)pid, 0ul, 0ul, 0ul) == PENDING);
	assert(call(thread, execve, 0ul, 0ul, 0ul) == PENDING);
	assert(fake_proc(tracer)->result == -ECHILD);
	fake_exec_done(thread, 0);
	assert(alive(thread) && tid_of(thread) == pid);
}

/* A program with capabilities is not controlled by one without, even if it asks for it. */
static void test_capabilities(void)
{
	endpoint_t shell = start(), child = fake_fork(shell), same;

	assert(call(shell, setuid, 1000ul) == 0);
	assert(ptrace_(child, LPTRACE_TRACEME, 0, 0) == -EPERM);
	assert(ptrace_(shell, LPTRACE_ATTACH, fake_pid(child), 0) == -EPERM);
	same = fake_fork(shell);
	assert(ptrace_(shell, LPTRACE_ATTACH, fake_pid(same), 0) == -EPERM); /* not dumpable */
	assert(ptrace_(same, LPTRACE_TRACEME, 0, 0) == 0);
	assert(ptrace_(same, LPTRACE_TRACEME, 0, 0) == -EPERM);
	assert(ptrace_(shell, LPTRACE_ATTACH, 1, 0) == -EPERM);
	assert(ptrace_(shell, LPTRACE_ATTACH, fake_pid(shell), 0) == -EPERM);
	assert(ptrace_(child, LPTRACE_ATTACH, fake_pid(shell), 0) == 0); /* root */
}

/* A program that its caller may not read is not read by the caller's tracer. */
static void test_unreadable_program(void)
{
	struct message m = {.type = PM_VFS_EXEC_REPLY};
	endpoint_t shell = start(), child;
	uint64_t word = 0, here = 4711; /* in the program, as far as the fake goes */

	assert(call(shell, setuid, 1000ul) == 0);
	for (int unreadable = 0; unreadable < 2; unreadable++) {
		int32_t pid;

		child = fake_fork(shell);
		pid = fake_pid(child);
		assert(ptrace_(child, LPTRACE_TRACEME, 0, 0) == 0);
		assert(call(child, execve, 0ul, 0ul, 0ul) == PENDING);
		MSG(&m, pm_vfs_exec_reply)->ep = child;
		MSG(&m, pm_vfs_exec_reply)->seq = thread_by_ep(&fake_pm, child)->process->exec_seq;
		MSG(&m, pm_vfs_exec_reply)->unreadable = (uint8_t)unreadable;
		fake_from_vfs(&m);
		assert(call(shell, wait4, (uint64_t)pid, 0ul, 0ul, 0ul) == pid);
		assert(call(shell, ptrace, (uint64_t)LPTRACE_PEEKDATA, (uint64_t)pid, P(&here),
			       P(&word)) == (unreadable ? -EIO : 0));
		assert(call(shell, ptrace, (uint64_t)LPTRACE_POKEDATA, (uint64_t)pid, P(&here),
			       4712ul + (uint64_t)unreadable) == (unreadable ? -EIO : 0));
		assert(word == 4711 && here == 4712);
		assert(ptrace_(shell, LPTRACE_DETACH, pid, 0) == 0);
		assert(ptrace_(shell, LPTRACE_ATTACH, pid, 0) == (unreadable ? -EPERM : 0));
	}
}

int main(void)
{
	static void (*const tests[])(void) = {test_tracer_ends_without_wait,
		test_hidden_zombie_is_adopted, test_siginfo_with_bad_number,
		test_thread_ends_with_tracer, test_exec_ends_with_tracer,
		test_clone_ends_with_tracer, test_traced_leader_execs_away, test_capabilities,
		test_unreadable_program};

	return scenarios_run(tests, ARRAY_LEN(tests));
}
