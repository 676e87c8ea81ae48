/* SPDX-License-Identifier: BSD-2-Clause */
/* ptrace(2): a tracer sees and changes what another process does (KRN-18's part for programs). */
#include "case.h"

#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#define TRACE(REQUEST, PID, ADDR, DATA) \
	ptrace(REQUEST, PID, (void *)(uintptr_t)(ADDR), (void *)(uintptr_t)(DATA))

static volatile long marker = 1111;
static volatile sig_atomic_t handled;

static void count_handler(int signo)
{
	handled++;
	(void)signo;
}

/* Waits for one child and tells how it stands. */
static int await(const char *what, pid_t pid)
{
	int status = 0;
	pid_t got = waitpid(pid, &status, __WALL);

	if (got != pid) {
		printf("%s: no stop: %s\n", what, error_name(errno));
	} else if (WIFSTOPPED(status)) {
		printf("%s: stopped by %d, event %d\n", what, WSTOPSIG(status), status >> 16);
	} else {
		show_status(what, status);
	}
	return status;
}

/* A child that is traced and stands at its SIGSTOP. */
static pid_t start(void (*function)(void), long options)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		function();
		_exit(0);
	}
	await("start", pid);
	if (options) {
		OUTCOME(TRACE(PTRACE_SETOPTIONS, pid, 0, options));
	}
	return pid;
}

static void exit_7(void)
{
	_exit(7);
}

static void make_calls(void)
{
	syscall(SYS_getppid);
	syscall(SYS_close, 999);
	syscall(SYS_nanosleep, &(struct timespec){0, 1000}, NULL);
	syscall(SYS_alarm, 0);
	_exit(3);
}

static void show_call(pid_t pid, const char *what)
{
	struct user_regs_struct regs;

	TRACE(PTRACE_GETREGS, pid, 0, &regs);
	if (regs.orig_rax == SYS_getppid && (long)regs.rax > 0) {
		regs.rax = 1; /* a number that differs */
	}
	printf("%s: number %ld result %ld first %ld\n", what, (long)regs.orig_rax, (long)regs.rax,
		regs.orig_rax == SYS_close ? (long)regs.rdi : 0);
}

CASE(calls)
{
	pid_t pid = start(make_calls, PTRACE_O_TRACESYSGOOD);

	for (;;) {
		TRACE(PTRACE_SYSCALL, pid, 0, 0);
		if (!WIFSTOPPED(await("entry", pid))) {
			return;
		}
		show_call(pid, "entry");
		TRACE(PTRACE_SYSCALL, pid, 0, 0);
		if (!WIFSTOPPED(await("exit", pid))) {
			return;
		}
		show_call(pid, "exit");
	}
}

static void call_close(void)
{
	_exit(syscall(SYS_close, 999) == 42 ? 42 : errno);
}

/* Runs to the entry and the exit of close. */
static void to_close(pid_t pid)
{
	struct user_regs_struct regs;

	do {
		TRACE(PTRACE_SYSCALL, pid, 0, 0);
		await("call", pid);
		TRACE(PTRACE_GETREGS, pid, 0, &regs);
	} while (regs.orig_rax != SYS_close);
}

CASE(skip_call)
{
	pid_t pid = start(call_close, PTRACE_O_TRACESYSGOOD);

	to_close(pid);
	OUTCOME(TRACE(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), -1));
	TRACE(PTRACE_SYSCALL, pid, 0, 0);
	await("exit", pid);
	OUTCOME(TRACE(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), 42));
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("end", pid);
}

CASE(change_call)
{
	pid_t pid = start(call_close, 0);
	struct user_regs_struct regs;

	to_close(pid);
	TRACE(PTRACE_GETREGS, pid, 0, &regs);
	regs.orig_rax = SYS_exit_group;
	regs.rdi = 9;
	OUTCOME(TRACE(PTRACE_SETREGS, pid, 0, &regs));
	TRACE(PTRACE_SYSCALL, pid, 0, 0);
	await("end", pid);
}

static void use_marker(void)
{
	_exit(marker == 2222 ? 22 : 1);
}

CASE(memory)
{
	pid_t pid = start(use_marker, 0);
	long word;

	errno = 0;
	word = TRACE(PTRACE_PEEKDATA, pid, &marker, 0);
	printf("peek %ld %s\n", word, error_name(errno));
	OUTCOME(TRACE(PTRACE_POKEDATA, pid, &marker, 2222));
	printf("mine %ld\n", marker);
	OUTCOME(TRACE(PTRACE_PEEKDATA, pid, 8, 0));
	OUTCOME(TRACE(PTRACE_POKEDATA, pid, 8, 0));
	OUTCOME(TRACE(PTRACE_PEEKUSER, pid, 3, 0));
	OUTCOME(TRACE(PTRACE_PEEKUSER, pid, 4096, 0));
	OUTCOME(TRACE(PTRACE_CONT, pid, 0, 99));
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("end", pid);
}

__attribute__((noinline)) static long answer(long x)
{
	__asm__ volatile("" : "+r"(x));
	return x * 2;
}

static void use_answer(void)
{
	_exit((int)answer(10));
}

/* A breakpoint in text that both processes share: only the tracee has it. */
CASE(breakpoint)
{
	pid_t pid = start(use_answer, 0);
	struct user_regs_struct regs;
	siginfo_t info;
	long text = TRACE(PTRACE_PEEKTEXT, pid, (uintptr_t)answer, 0);

	OUTCOME(TRACE(PTRACE_POKETEXT, pid, (uintptr_t)answer, (text & ~0xffl) | 0xcc));
	printf("mine %ld\n", answer(4));
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("breakpoint", pid);
	TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
	TRACE(PTRACE_GETREGS, pid, 0, &regs);
	printf("signo %d code %d at +%ld\n", info.si_signo, info.si_code,
		(long)(regs.rip - (uintptr_t)answer));
	OUTCOME(TRACE(PTRACE_POKETEXT, pid, (uintptr_t)answer, text));
	regs.rip--;
	regs.rdi = 30;
	OUTCOME(TRACE(PTRACE_SETREGS, pid, 0, &regs));
	TRACE(PTRACE_SINGLESTEP, pid, 0, 0);
	await("step", pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("end", pid);
}

/* Each step is one instruction, a system call too. */
CASE(steps)
{
	pid_t pid = start(exit_7, 0);
	struct user_regs_struct before, after;
	int good = 0;

	for (int i = 0; i < 20; i++) {
		int status;

		TRACE(PTRACE_GETREGS, pid, 0, &before);
		TRACE(PTRACE_SINGLESTEP, pid, 0, 0);
		if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
			break;
		}
		TRACE(PTRACE_GETREGS, pid, 0, &after);
		good += WSTOPSIG(status) == SIGTRAP && after.rip != before.rip &&
			!(after.eflags & 0x100);
	}
	printf("good %d\n", good);
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("end", pid);
}

static void take_signal(void)
{
	signal(SIGUSR1, count_handler);
	raise(SIGUSR1);
	raise(SIGUSR2);
	_exit(handled);
}

CASE(signals)
{
	pid_t pid = start(take_signal, 0);
	siginfo_t info;

	TRACE(PTRACE_CONT, pid, 0, 0);
	await("usr1", pid);
	OUTCOME(TRACE(PTRACE_GETSIGINFO, pid, 0, &info));
	printf("code %d from itself %d\n", info.si_code, info.si_pid == pid);
	TRACE(PTRACE_CONT, pid, 0, SIGUSR1);
	await("usr2", pid);
	TRACE(PTRACE_CONT, pid, 0, 0); /* would kill */
	await("end", pid);
}

CASE(kills)
{
	pid_t pid = start(exit_7, 0);

	TRACE(PTRACE_CONT, pid, 0, SIGTERM);
	await("term", pid);
	pid = start(exit_7, 0);
	OUTCOME(TRACE(PTRACE_KILL, pid, 0, 0));
	await("kill", pid);
	pid = start(exit_7, 0);
	kill(pid, SIGKILL);
	await("sigkill", pid);
}

static void crash(void)
{
	*(volatile int *)8 = 1;
}

CASE(faults)
{
	pid_t pid = start(crash, 0);
	siginfo_t info;

	TRACE(PTRACE_CONT, pid, 0, 0);
	await("fault", pid);
	TRACE(PTRACE_GETSIGINFO, pid, 0, &info);
	printf("code %d address %ld\n", info.si_code, (long)info.si_addr);
	TRACE(PTRACE_CONT, pid, 0, SIGSEGV);
	await("end", pid);
}

static void sleep_long(void)
{
	pause();
	_exit(5);
}

/* Another process' child is attached to, read, and left alone. */
CASE(attach)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		sleep_long();
	}
	OUTCOME(TRACE(PTRACE_PEEKDATA, pid, &marker, 0));
	OUTCOME(TRACE(PTRACE_ATTACH, pid, 0, 0));
	OUTCOME(TRACE(PTRACE_ATTACH, pid, 0, 0));
	await("attach", pid);
	errno = 0;
	printf("peek %ld\n", TRACE(PTRACE_PEEKDATA, pid, &marker, 0));
	OUTCOME(TRACE(PTRACE_DETACH, pid, 0, 0));
	OUTCOME(TRACE(PTRACE_PEEKDATA, pid, &marker, 0));
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	show_status("end", status);
	OUTCOME(TRACE(PTRACE_ATTACH, getpid(), 0, 0));
	OUTCOME(TRACE(PTRACE_ATTACH, 99999, 0, 0));
	OUTCOME(TRACE(PTRACE_CONT, getppid(), 0, 0));
}

static void forks(void)
{
	pid_t child = fork();

	if (child == 0) {
		_exit(6);
	}
	waitpid(child, NULL, 0);
	_exit(4);
}

CASE(follow_fork)
{
	pid_t pid = start(forks, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT);
	unsigned long child = 0, code = 0;

	TRACE(PTRACE_CONT, pid, 0, 0);
	await("fork", pid);
	OUTCOME(TRACE(PTRACE_GETEVENTMSG, pid, 0, &child));
	await("child", (pid_t)child);
	TRACE(PTRACE_CONT, child, 0, 0);
	await("child exits", (pid_t)child);
	TRACE(PTRACE_GETEVENTMSG, child, 0, &code);
	printf("code %lx\n", code);
	TRACE(PTRACE_CONT, child, 0, 0);
	await("child end", (pid_t)child);
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("sigchld", pid);
	TRACE(PTRACE_CONT, pid, 0, SIGCHLD);
	await("exits", pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("end", pid);
}

static void execs(void)
{
	char *const arguments[] = {"/proc/self/exe", "nothing", NULL};

	execv(arguments[0], arguments);
	_exit(1);
}

CASE(follow_exec)
{
	pid_t pid = start(execs, 0);

	TRACE(PTRACE_CONT, pid, 0, 0);
	await("trap", pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("end", pid);
	pid = start(execs, PTRACE_O_TRACEEXEC);
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("event", pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("end", pid);
}

/* SEIZE does not stop; INTERRUPT does; a group stop is listened to. */
CASE(seize)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		for (;;) {
			pause();
		}
	}
	OUTCOME(TRACE(PTRACE_SEIZE, pid, 1, 0));
	OUTCOME(TRACE(PTRACE_SEIZE, pid, 0, 0));
	OUTCOME(TRACE(PTRACE_GETSIGINFO, pid, 0, 0));
	OUTCOME(TRACE(PTRACE_INTERRUPT, pid, 0, 0));
	await("interrupt", pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	kill(pid, SIGSTOP);
	await("signal", pid);
	TRACE(PTRACE_CONT, pid, 0, SIGSTOP);
	await("group stop", pid);
	OUTCOME(TRACE(PTRACE_LISTEN, pid, 0, 0));
	OUTCOME(TRACE(PTRACE_CONT, pid, 0, 0));
	kill(pid, SIGCONT);
	await("continued", pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("sigcont", pid);
	OUTCOME(TRACE(PTRACE_DETACH, pid, 0, 0));
	kill(pid, SIGTERM);
	await("end", pid);
}

/* The tracer ends, and its tracee with it. */
CASE(tracer_dies_killing)
{
	int ends[2];
	char byte = 0;
	pid_t tracer;

	fflush(stdout);
	if (pipe(ends) != 0) {
		return;
	}
	tracer = fork();
	if (tracer == 0) {
		pid_t pid = fork();

		if (pid == 0) {
			close(ends[0]);
			ptrace(PTRACE_TRACEME, 0, NULL, NULL);
			raise(SIGSTOP);
			(void)!write(ends[1], "x", 1);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		TRACE(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL);
		_exit(0);
	}
	close(ends[1]);
	waitpid(tracer, NULL, 0);
	printf("read %d\n", (int)read(ends[0], &byte, 1));
	close(ends[0]);
}

/* The tracer ends: its tracee goes on. */
CASE(tracer_dies)
{
	int ends[2];
	char byte = 0;
	pid_t tracer;

	fflush(stdout);
	if (pipe(ends) != 0) {
		return;
	}
	tracer = fork();
	if (tracer == 0) {
		pid_t pid = fork();

		if (pid == 0) {
			ptrace(PTRACE_TRACEME, 0, NULL, NULL);
			raise(SIGUSR1);
			(void)!write(ends[1], "x", 1);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		TRACE(PTRACE_SYSCALL, pid, 0, 0);
		waitpid(pid, NULL, 0);
		_exit(0);
	}
	close(ends[1]);
	waitpid(tracer, NULL, 0);
	printf("read %d\n", (int)read(ends[0], &byte, 1));
	close(ends[0]);
}

static void *thread_main(void *argument)
{
	return argument;
}

static void threads(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_main, NULL);
	pthread_join(thread, NULL);
	raise(SIGUSR1); /* stands until the thread's end has been told */
	_exit(8);
}

CASE(follow_thread)
{
	pid_t pid = start(threads, PTRACE_O_TRACECLONE);
	unsigned long thread = 0;

	TRACE(PTRACE_CONT, pid, 0, 0);
	await("clone", pid);
	TRACE(PTRACE_GETEVENTMSG, pid, 0, &thread);
	await("thread", (pid_t)thread);
	TRACE(PTRACE_CONT, thread, 0, 0);
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("thread end", (pid_t)thread);
	await("signal", pid);
	TRACE(PTRACE_CONT, pid, 0, 0);
	await("end", pid);
}

static void vforks(void)
{
	pid_t child = vfork();

	if (child == 0) {
		_exit(2);
	}
	waitpid(child, NULL, 0);
	_exit(1);
}

CASE(follow_vfork)
{
	pid_t pid = start(vforks, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE);
	unsigned long child = 0, done = 0;

	TRACE(PTRACE_CONT, pid, 0, 0);
	await("vfork", pid);
	TRACE(PTRACE_GETEVENTMSG, pid, 0, &child);
	await("child", (pid_t)child);
	TRACE(PTRACE_CONT, pid, 0, 0);
	TRACE(PTRACE_CONT, child, 0, 0);
	await("child end", (pid_t)child);
	await("done", pid);
	TRACE(PTRACE_GETEVENTMSG, pid, 0, &done);
	printf("same %d\n", child == done);
	TRACE(PTRACE_CONT, pid, 0, 0);
	if (WIFSTOPPED(await("sigchld", pid))) {
		TRACE(PTRACE_CONT, pid, 0, SIGCHLD);
		await("end", pid);
	}
}

CASE(register_sets)
{
	pid_t pid = start(exit_7, 0);
	struct user_regs_struct regs, set;
	struct user_fpregs_struct fpu;
	struct iovec area = {&set, sizeof(set) + 64};

	OUTCOME(TRACE(PTRACE_GETREGS, pid, 0, &regs));
	OUTCOME(TRACE(PTRACE_GETREGSET, pid, 1, &area));
	printf("bytes %zu same %d\n", area.iov_len, memcmp(&regs, &set, sizeof(set)) == 0);
	OUTCOME(TRACE(PTRACE_SETREGSET, pid, 1, &area));
	area.iov_len = 7;
	OUTCOME(TRACE(PTRACE_GETREGSET, pid, 1, &area));
	OUTCOME(TRACE(PTRACE_GETREGSET, pid, 12345, &area));
	OUTCOME(TRACE(PTRACE_GETFPREGS, pid, 0, &fpu));
	printf("mxcsr %x cwd %x\n", fpu.mxcsr, fpu.cwd);
	fpu.mxcsr = 0x1f00;
	OUTCOME(TRACE(PTRACE_SETFPREGS, pid, 0, &fpu));
	memset(&fpu, 0, sizeof(fpu));
	OUTCOME(TRACE(PTRACE_GETFPREGS, pid, 0, &fpu));
	printf("mxcsr %x\n", fpu.mxcsr);
	regs.fs_base = ~0ul;
	OUTCOME(TRACE(PTRACE_SETREGS, pid, 0, &regs));
	OUTCOME(TRACE(PTRACE_SETOPTIONS, pid, 0, 0x40000000));
	OUTCOME(TRACE(0x7777, pid, 0, 0));
	OUTCOME(TRACE(PTRACE_CONT, pid, 0, 0));
	await("end", pid);
}
