/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs against the real PM: forks, threads, signals, stops, waits, timers and answers of
 * VFS in any order; the invariants hold after each step, and when all has been killed and waited
 * for nothing is left. usage: random_test [SEED [ROUNDS]]
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "servers/pm/deliver.h"
#include "servers/pm/signal.h"
#include "servers/pm/test/fake.h"

#define P(x)   ((uint64_t)(uintptr_t)(x))
#define STEPS  3000
#define ROUNDS 20

static uint64_t state;

static uint32_t random_below(uint32_t n)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) % n;
}

static int random_signal(void)
{
	static const int common[] = {
		LSIGSTOP, LSIGCONT, LSIGTSTP, LSIGCHLD, LSIGTERM, LSIGUSR1, LSIGKILL, LSIGALRM, 40};

	return random_below(3) ? common[random_below(ARRAY_LEN(common))]
			       : (int)random_below(LINUX_NSIG) + 1;
}

/* A process that is there, or nearly always. */
static int32_t random_pid(void)
{
	uint32_t nth = random_below(fake_pm.process_count);

	list_for_each(process, &fake_pm.processes, struct process, all_link)
	{
		if (nth-- == 0) {
			return process->is_service ? 4711 : process->pid;
		}
	}
	return 4712;
}

static endpoint_t random_thread(void)
{
	for (int i = 0; i < 100; i++) {
		struct thread *thread = fake_pm.by_slot[random_below(FAKE_SLOTS)];

		if (thread && !thread->process->is_service) {
			return thread->ep;
		}
	}
	return EP_INIT;
}

static void call_of_signals(endpoint_t ep)
{
	struct linux_sigaction action = {
		.handler = random_below(4), .flags = random_below(2) ? LSA_NODEFER : 0};
	uint64_t mask =
		random_below(3) ? 0 : (uint64_t)random_below(UINT32_MAX) << random_below(32);
	struct linux_timespec time = {0, (int64_t)random_below(1000000)};
	struct linux_siginfo info;

	switch (random_below(8)) {
	case 0:
		(void)call(ep, rt_sigaction, (uint64_t)random_signal(), P(&action), 0ul, 8ul);
		break;
	case 1:
		(void)call(ep, rt_sigprocmask, (uint64_t)random_below(3), P(&mask), 0ul, 8ul);
		break;
	case 2:
		(void)call(ep, rt_sigsuspend, P(&mask), 8ul);
		break;
	case 3:
		/* No siginfo wanted: it would be stored after this frame has gone. */
		(void)call(
			ep, rt_sigtimedwait, P(&mask), 0ul, random_below(2) ? P(&time) : 0ul, 8ul);
		break;
	case 4:
		fake_proc(ep)->return_mask = mask;
		(void)call(ep, rt_sigreturn);
		break;
	case 5:
		info = (struct linux_siginfo){.code = LSI_QUEUE};
		(void)call(ep, rt_sigqueueinfo, (uint64_t)random_pid(), (uint64_t)random_signal(),
			P(&info));
		break;
	case 6:
		(void)call(ep, tkill, (uint64_t)random_pid(), (uint64_t)random_signal());
		break;
	default:
		(void)call(ep, kill,
			(uint64_t)(int64_t)(random_below(4) ? random_pid() : -random_pid()),
			(uint64_t)random_signal());
		break;
	}
}

static void call_of_processes(endpoint_t ep)
{
	static const uint64_t flags[] = {LSIGCHLD, LSIGCHLD | LCLONE_PARENT,
		LCLONE_VM | LCLONE_VFORK | LSIGCHLD, 0,
		LCLONE_VM | LCLONE_FILES | LCLONE_SIGHAND | LCLONE_THREAD,
		LCLONE_VM | LCLONE_SIGHAND | LSIGCHLD};
	static const uint32_t options[] = {
		0, LWNOHANG, LWUNTRACED, LWCONTINUED | LWUNTRACED, LWALL, LWCLONE};
	struct linux_timespec time = {0, (int64_t)random_below(1000000)};
	struct linux_itimerval timer = {
		{0, (int64_t)random_below(2000)}, {0, (int64_t)random_below(1000)}};
	int64_t pid = random_below(3) ? -1 : random_pid();

	switch (random_below(10)) {
	case 0:
	case 1:
	case 2:
		(void)call(ep, clone, flags[random_below(ARRAY_LEN(flags))]);
		break;
	case 3:
		if (ep != EP_INIT) {
			(void)(random_below(2) ? call(ep, exit, 1ul) : call(ep, exit_group, 2ul));
		}
		break;
	case 4:
	case 5:
		(void)call(ep, wait4, (uint64_t)pid, 0ul,
			(uint64_t)options[random_below(ARRAY_LEN(options))], 0ul);
		break;
	case 6:
		(void)(random_below(2) ? call(ep, nanosleep, P(&time), 0ul) : call(ep, pause));
		break;
	case 7:
		(void)call(ep, setitimer, (uint64_t)random_below(3), P(&timer), 0ul);
		break;
	case 8:
		(void)(random_below(2) ? call(ep, setsid)
				       : call(ep, setpgid, (uint64_t)random_pid(), 0ul));
		break;
	default:
		(void)call(ep, execve, 0ul, 0ul, 0ul);
		break;
	}
}

static void fault(endpoint_t ep)
{
	struct ksig ksig = {.endpoint = ep,
		.signals = 1ull << LSIGSEGV,
		.fault_sig = LSIGSEGV,
		.code = LSEGV_MAPERR};

	if (ep != EP_INIT) {
		(void)pm_handle_ksig(&fake_pm, &ksig);
	}
}

/* One thing happens. */
static void step(endpoint_t ep)
{
	struct fake_proc *proc = fake_proc(ep);
	struct thread *thread = thread_by_ep(&fake_pm, ep);

	assert(proc && thread);
	if (thread->wait.kind == WAIT_EXEC) {
		fake_exec_done(ep, random_below(2) ? 0 : -2);
	} else if (proc->where == FAKE_IN_OTHER) {
		fake_other_call_ends(ep);
	} else if (proc->where == FAKE_IN_VFS && random_below(2)) {
		proc->where = FAKE_USER; /* answered by itself */
	} else if (proc->where == FAKE_USER && !proc->stopped) {
		switch (random_below(12)) {
		case 0:
			fake_enter(ep, FAKE_IN_VFS);
			break;
		case 1:
			fake_enter(ep, FAKE_IN_OTHER);
			break;
		case 2:
			if (random_below(8) == 0) {
				fault(ep);
			}
			break;
		case 3:
		case 4:
		case 5:
			call_of_processes(ep);
			break;
		default:
			call_of_signals(ep);
			break;
		}
	}
	if (random_below(8) == 0) {
		proc = fake_proc(ep);
		if (proc) {
			proc->user_ns += random_below(2000000);
		}
		fake_advance(random_below(3000000));
	}
	if (random_below(6) == 0) {
		(void)fake_vfs_run();
	}
}

/* Kill all but init, let everything be answered, and let init wait for them. */
static void end_all(void)
{
	struct linux_sigaction action = {.handler = SIGNAL_DEFAULT};
	uint32_t left;

	for (int pass = 0; pass < 200; pass++) {
		left = 0;
		list_for_each_safe(process, &fake_pm.processes, struct process, all_link)
		{
			struct linux_siginfo info = siginfo_kernel(LSIGKILL);

			if (process->is_service || process == fake_pm.init) {
				continue;
			}
			left++;
			(void)signal_send(&fake_pm, process, NULL, &info, NULL);
			if (process->leader && process->leader->wait.kind == WAIT_EXEC) {
				fake_exec_done(process->leader->ep, 0);
			}
		}
		(void)fake_vfs_run();
		if (left == 0) {
			return;
		}
		/* init: back from whatever it does. */
		if (fake_proc(EP_INIT)->where == FAKE_USER && !fake_proc(EP_INIT)->stopped) {
			(void)call(EP_INIT, rt_sigaction, (uint64_t)LSIGCHLD, P(&action), 0ul, 8ul);
			(void)call(
				EP_INIT, wait4, UINT64_MAX, 0ul, (uint64_t)(LWALL | LWNOHANG), 0ul);
		} else {
			(void)fake_vfs_run();
			fake_advance(NS_PER_SECOND);
		}
	}
	fprintf(stderr, "%u processes do not go\n", left);
	abort();
}

/* init itself only forks, wakes, kills and waits, so that it is there at the end. */
static void init_forks(void)
{
	struct fake_proc *init = fake_proc(EP_INIT);

	if (init->where == FAKE_USER && !init->stopped) {
		if (random_below(2)) {
			(void)call(EP_INIT, fork);
		}
		for (int i = 0; i < 4; i++) {
			int32_t pid = random_pid();

			if (pid != 1) {
				(void)call(EP_INIT, kill, (uint64_t)pid,
					(uint64_t)(random_below(4) ? LSIGCONT : random_signal()));
			}
		}
		(void)call(EP_INIT, wait4, UINT64_MAX, 0ul, (uint64_t)LWNOHANG, 0ul);
	}
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	int rounds = argc > 2 ? atoi(argv[2]) : ROUNDS;

	for (int round = 0; round < rounds; round++, seed++) {
		uint32_t processes, slots;

		state = seed;
		fake_reset();
		processes = fake_pm.process_count;
		slots = fake_pm.slots_used;
		for (int i = 0; i < STEPS; i++) {
			endpoint_t ep;

			if (i % 16 == 0) {
				init_forks();
			}
			ep = random_thread();
			if (ep != EP_INIT) {
				step(ep);
			}
		}
		end_all();
		if (fake_pm.process_count != processes || fake_pm.slots_used != slots) {
			fprintf(stderr, "seed %llu: %u processes, %u slots left over\n",
				(unsigned long long)seed, fake_pm.process_count - processes,
				fake_pm.slots_used - slots);
			return 1;
		}
	}
	fake_reset();
	puts("ok");
	return 0;
}
