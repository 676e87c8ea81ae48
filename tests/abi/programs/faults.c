/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults as signals, and what a handler sees and changes of the interrupted program. */
#include "case.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile sig_atomic_t handled;
static volatile siginfo_t last;
static sigjmp_buf resume;

static void count_handler(int signo)
{
	handled++;
	(void)signo;
}

static void info_handler(int signo, siginfo_t *info, void *context)
{
	handled++;
	last = *info;
	(void)signo;
	(void)context;
}

static void jump_handler(int signo, siginfo_t *info, void *context)
{
	last = *info;
	(void)context;
	siglongjmp(resume, signo);
}

static void install(int signo, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	sigaction(signo, &action, NULL);
}

static void install_info(int signo, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
	sigaction(signo, &action, NULL);
}

static void try_fault(const char *what, void (*function)(void))
{
	int signo = sigsetjmp(resume, 1);
	if (signo == 0) {
		function();
		printf("%s: no fault\n", what);
	} else {
		printf("%s: signal %d code %d address %lx\n", what, signo, last.si_code,
			(unsigned long)last.si_addr & 0xfff);
	}
}

static char *guarded;

static void read_null(void)
{
	(void)*(volatile char *)8;
}

static void write_read_only(void)
{
	guarded[5] = 1;
}

static void divide(void)
{
	int zero = 0, low = 1;
	__asm__ volatile("cltd; idivl %1" : "+a"(low) : "r"(zero) : "edx", "cc");
}

static void undefined(void)
{
	__asm__ volatile("ud2");
}

static void trap_instruction(void)
{
	__asm__ volatile("int3");
}

CASE(faults)
{
	guarded = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int signals[] = {SIGSEGV, SIGFPE, SIGILL, SIGBUS};
	for (int i = 0; i < 4; i++) {
		install_info(signals[i], jump_handler, 0);
	}
	try_fault("null", read_null);
	try_fault("read-only", write_read_only);
	int signo = sigsetjmp(resume, 1);
	if (signo == 0) {
		divide();
	}
	printf("divide: signal %d code %d\n", signo, last.si_code);
	signo = sigsetjmp(resume, 1);
	if (signo == 0) {
		undefined();
	}
	printf("undefined: signal %d code %d\n", signo, last.si_code);
	install_info(SIGTRAP, info_handler, 0);
	handled = 0;
	trap_instruction();
	printf("trap: %d code %d\n", handled, last.si_code);
}

static void repair_handler(int signo, siginfo_t *info, void *context)
{
	handled++;
	mprotect((void *)((uintptr_t)info->si_addr & ~4095ul), 4096, PROT_READ | PROT_WRITE);
	(void)signo;
	(void)context;
}

CASE(repair_by_mprotect)
{
	char *area = mmap(NULL, 16 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	install_info(SIGSEGV, repair_handler, 0);
	for (int i = 0; i < 16; i++) {
		area[i * 4096 + i] = (char)i;
	}
	int sum = 0;
	for (int i = 0; i < 16; i++) {
		sum += area[i * 4096 + i];
	}
	printf("faults %d sum %d\n", handled, sum);
}

static void block_and_fault(void)
{
	sigset_t set;
	sigfillset(&set);
	install(SIGSEGV, count_handler, 0);
	sigprocmask(SIG_BLOCK, &set, NULL);
	*(volatile int *)0 = 1;
}

static void ignore_and_fault(void)
{
	signal(SIGSEGV, SIG_IGN);
	*(volatile int *)0 = 1;
}

__attribute__((noinline)) static int recurse(volatile char *above)
{
	volatile char frame[2048];
	frame[0] = above ? above[0] : 0;
	return recurse(frame) + frame[0];
}

static void overflow_stack(void)
{
	struct sigaction action = {.sa_handler = count_handler};
	sigaction(SIGSEGV, &action, NULL);
	recurse(NULL);
}

CASE(fatal_faults)
{
	in_child("blocked", block_and_fault);
	in_child("ignored", ignore_and_fault);
	in_child("stack overflow with no other stack", overflow_stack);
}

static volatile uintptr_t handler_stack;

static void where_handler(int signo)
{
	handler_stack = (uintptr_t)__builtin_frame_address(0);
	stack_t now;
	sigaltstack(NULL, &now);
	printf("on the other stack: %d\n", now.ss_flags == SS_ONSTACK);
	(void)signo;
}

static void overflow_jump(int signo)
{
	siglongjmp(resume, signo);
}

CASE(alternate_stack)
{
	stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536}, old;
	SHOW(sigaltstack(&stack, &old));
	printf("disabled before %d\n", old.ss_flags == SS_DISABLE);
	install(SIGUSR1, where_handler, SA_ONSTACK);
	raise(SIGUSR1);
	uintptr_t low = (uintptr_t)stack.ss_sp;
	printf("inside %d\n", handler_stack > low && handler_stack <= low + 65536);
	stack.ss_size = 100;
	SHOW(sigaltstack(&stack, NULL));
	install(SIGSEGV, overflow_jump, SA_ONSTACK);
	if (sigsetjmp(resume, 1) == 0) {
		recurse(NULL);
	}
	puts("survived a stack overflow");
}

static void clobber_handler(int signo)
{
	__asm__ volatile("pxor %%xmm0,%%xmm0; pxor %%xmm7,%%xmm7; pxor %%xmm15,%%xmm15; xor "
			 "%%r12d,%%r12d; fldz; fstp %%st(0)" ::
				 : "xmm0", "xmm7", "xmm15", "r12");
	handled++;
	(void)signo;
}

CASE(registers_survive)
{
	install(SIGALRM, clobber_handler, SA_RESTART);
	struct itimerval tick = {.it_value = {.tv_usec = 5000}, .it_interval = {.tv_usec = 5000}};
	setitimer(ITIMER_REAL, &tick, NULL);
	int wrong = 0;
	while (handled < 10) {
		uint64_t in[2] = {0x1122334455667788, 0x99aabbccddeeff00}, out[2] = {0}, r12 = 0;
		__asm__ volatile("movdqu %2,%%xmm7; mov $0x5a5a,%%r12; mov $200000,%%ecx; 1: dec "
				 "%%ecx; jnz 1b; "
				 "movdqu %%xmm7,%0; mov %%r12,%1"
				 : "=m"(out), "=r"(r12)
				 : "m"(in)
				 : "xmm7", "r12", "rcx");
		wrong += out[0] != in[0] || out[1] != in[1] || r12 != 0x5a5a;
	}
	printf("wrong %d\n", wrong);
}

static void change_handler(int signo, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	uc->uc_mcontext.gregs[REG_RAX] = 77;
	sigaddset(&uc->uc_sigmask, SIGUSR2);
	(void)signo;
	(void)info;
}

CASE(context_is_writable)
{
	install_info(SIGILL, change_handler, 0);
	long result = 0;
	__asm__ volatile("ud2" : "=a"(result));
	printf("rax %ld\n", result);
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	printf("mask %d\n", sigismember(&now, SIGUSR2));
}
