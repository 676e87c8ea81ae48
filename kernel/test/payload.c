/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest test of the kernel alone: this program takes VM's place in the boot archive and plays all
 * parts itself. VM makes processes that share its address space (RS, a service, a program), which
 * try the kernel calls, the IPC primitives and their errors. Each check is a line of the
 * diagnostics buffer ("ok ..." or "not ok ..."); with log=com2 they are read there. At the end the
 * machine is switched off.
 */
#include "abi/bootinfo.h"
#include "abi/errno.h"
#include "abi/kcall.h"
#include "abi/linux/calls.h"
#include "abi/linux/errno.h"
#include "abi/linux/signal.h"
#include "lib/sys/trap.h"
#include "proto/vm.h"

#define KERNEL_CALL(name, a, b, c, d, e, f)                                              \
	sys_trap(KCALL_BASE + KCALL_##name, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), \
		(uint64_t)(d), (uint64_t)(e), (uint64_t)(f))
#define STACK_BYTES 16384
#define UNMAPPED    0x10000000ul
#define PAGE_WORD   0x5a5a5a5a5a5a5a5aul

enum message_type { MSG_PING = 0x7000, MSG_NEW_PROGRAM, MSG_NEW_SERVICE, MSG_DONE, MSG_SEND };

void _start(void);

static struct kinfo kinfo;
static char stacks[6][STACK_BYTES] __attribute__((aligned(16)));
static char spare_page[4096] __attribute__((aligned(4096)));
static endpoint_t service_ep, program_ep;
static struct asyn_entry async_table[2] __attribute__((aligned(16)));
static volatile int failures, checks;

static void print(const char *text)
{
	uint64_t len = 0;

	while (text[len] != '\0') {
		len++;
	}
	KERNEL_CALL(diagctl, DIAG_WRITE, text, len, 0, 0, 0);
}

static void check(bool good, const char *text)
{
	char line[128];
	const char *head = good ? "ok " : "not ok ";
	int at = 0;

	checks++;
	failures += good ? 0 : 1;
	while (*head != '\0') {
		line[at++] = *head++;
	}
	while (*text != '\0' && at < 120) {
		line[at++] = *text++;
	}
	KERNEL_CALL(diagctl, DIAG_WRITE, line, at, 0, 0, 0);
}

static void exec_at(endpoint_t ep, const char *name, void (*entry)(void), int stack)
{
	struct exec_spec spec = {
		.ip = (uint64_t)entry, .sp = (uint64_t)stacks[stack] + STACK_BYTES - 8};
	int i;

	for (i = 0; i < 15 && name[i] != '\0'; i++) {
		spec.name[i] = name[i];
	}
	check(KERNEL_CALL(exec, ep, &spec, 0, 0, 0, 0) == 0, "exec");
}

/* ---- the program: ordinary privileges, Linux calls only ---- */

static void program_main(void)
{
	volatile uint64_t *absent = (volatile uint64_t *)UNMAPPED;
	double x = 1.5;

	/* A program cannot print: it reports by the value it passes to brk, which VM checks. */
	__asm__ volatile("addsd %0, %0" : "+x"(x));
	if (sys_trap(LINUX_NR_getpid, 0, 0, 0, 0, 0, 0) != 42) {
		sys_trap(LINUX_NR_brk, 1, 0, 0, 0, 0, 0);
	}
	if (sys_trap(TRAP_SENDNB, EP_VM, 0, 0, 0, 0, 0) != -ENOSYS ||
		sys_trap(700, 0, 0, 0, 0, 0, 0) != -ENOSYS) {
		sys_trap(LINUX_NR_brk, 2, 0, 0, 0, 0, 0);
	}
	if (*absent != PAGE_WORD || x != 3.0) {
		sys_trap(LINUX_NR_brk, 3, 0, 0, 0, 0, 0);
	}
	if (sys_trap(LINUX_NR_brk, 0x1234, 7, 0, 0, 0, 0) != 0x4321) {
		sys_trap(LINUX_NR_brk, 4, 0, 0, 0, 0, 0);
	}
	sys_trap(LINUX_NR_brk, 0x9999, 0, 0, 0, 0, 0);
	for (;;) {
	}
}

/* ---- the service: receives, replies, dies ---- */

static void service_main(void)
{
	struct message m;
	endpoint_t to = EP_NONE;

	for (;;) {
		int64_t status =
			sys_trap(TRAP_REPLY_RECEIVE, (uint64_t)to, (uint64_t)&m, 0, 0, 0, 0);

		to = EP_NONE;
		if (status >= 0 && (status & IPC_STATUS_SENDREC) != 0) {
			to = m.source;
			m.u64[0]++;
		}
	}
}

/* ---- PM, and a program that is sent signals ---- */

#define REPORT 0x900d
static volatile uint32_t futex_word, handler_runs;

static int64_t call2(uint64_t number, uint64_t a, uint64_t b)
{
	return sys_trap(number, a, b, 0, 0, 0, 0);
}

static void handler_main(int signo, struct linux_siginfo *info, struct linux_ucontext *uc)
{
	double clobber = 7.0;

	__asm__ volatile("movsd %0, %%xmm5" : : "m"(clobber) : "xmm5");
	handler_runs++;
	if (signo == LSIGILL && info->signo == LSIGILL && uc->mcontext.trapno == 6) {
		uc->mcontext.rip += 2; /* over the ud2 */
	}
}

__attribute__((naked)) static void restorer(void)
{
	__asm__ volatile("movl $15, %eax\n\tsyscall");
}

static void signalled_main(void)
{
	double before = 2.5, after = 0;
	uint64_t r12 = 0x1212, r11 = 0x1111;
	int64_t result;

	__asm__ volatile("movsd %2, %%xmm5\n\t"
			 "movq $0x1212, %%r12\n\tmovq $0x1111, %%r11\n\t"
			 "ud2\n\t"
			 "movsd %%xmm5, %0\n\tmovq %%r11, %1"
			 : "=m"(after), "=r"(r11)
			 : "m"(before)
			 : "xmm5", "r12", "r11", "memory");
	__asm__ volatile("movq %%r12, %0" : "=r"(r12));
	call2(LINUX_NR_kill, REPORT, after == before && r11 == 0x1111 && handler_runs == 1);
	result = call2(LINUX_NR_pause, 0, 0);
	call2(LINUX_NR_kill, REPORT, result == -EINTR && handler_runs == 2);
	result = call2(LINUX_NR_futex, (uint64_t)&futex_word, 0);
	call2(LINUX_NR_kill, REPORT, result == 0 && handler_runs == 2);
	for (;;) {
	}
}

static void pm_report(struct message *m, const char *what)
{
	check(sys_trap(TRAP_RECEIVE, (uint64_t)m->source, (uint64_t)m, 0, 0, 0, 0) >= 0 &&
			m->type == LINUX_CALL(LINUX_NR_kill) && m->call.arg[0] == REPORT &&
			m->call.arg[1] == 1,
		what);
}

static void pm_answer(struct message *m, int64_t result)
{
	m->reply.result = result;
	sys_trap(TRAP_SENDNB, (uint64_t)m->source, (uint64_t)m, 0, 0, 0, 0);
}

static void pm_sleep(uint64_t ns)
{
	struct proc_times times = {0};
	struct message m;

	KERNEL_CALL(times, EP_SELF, &times, 0, 0, 0, 0);
	KERNEL_CALL(setalarm, times.uptime_ns + ns, 0, 0, 0, 0, 0);
	sys_trap(TRAP_RECEIVE, EP_CLOCK, (uint64_t)&m, 0, 0, 0, 0);
}

static int64_t pm_sigsend(endpoint_t ep, int signo, const struct ksig *ksig)
{
	static struct sigsend_spec spec;

	spec = (struct sigsend_spec){.signo = signo,
		.sa_flags = LSA_RESTORER,
		.handler = (uint64_t)handler_main,
		.restorer = (uint64_t)restorer,
		.trapno = ksig->trapno};
	spec.siginfo[0] = (uint8_t)signo;
	return KERNEL_CALL(sigsend, ep, &spec, 0, 0, 0, 0);
}

static void pm_main(void)
{
	struct sigreturn_info back = {0};
	struct stop_info stop = {0};
	struct ksig ksig = {0};
	struct message m;
	endpoint_t program;

	sys_trap(TRAP_RECEIVE, EP_ANY, (uint64_t)&m, 0, 0, 0, 0);
	check(m.source == EP_KERNEL && (m.notify.signals & KSIG_SIGNAL) != 0,
		"PM hears of a signal");
	check(KERNEL_CALL(getksig, &ksig, 0, 0, 0, 0, 0) == 1 && ksig.signals == 1ull << LSIGILL &&
			ksig.trapno == 6,
		"getksig");
	program = ksig.endpoint;
	check(KERNEL_CALL(stop, program, &stop, 0, 0, 0, 0) == 0 && stop.where == STOP_USER,
		"stop at user mode");
	check(pm_sigsend(program, LSIGILL, &ksig) == 0, "sigsend");
	check(KERNEL_CALL(endksig, program, 0, 0, 0, 0, 0) == 0, "endksig");
	sys_trap(TRAP_RECEIVE, EP_ANY, (uint64_t)&m, 0, 0, 0, 0);
	check(m.type == LINUX_CALL(LINUX_NR_rt_sigreturn) &&
			KERNEL_CALL(sigreturn, program, &back, 0, 0, 0, 0) == 0,
		"sigreturn");
	pm_report(&m, "registers and vectors survive the handler");
	pm_answer(&m, 0);

	sys_trap(TRAP_RECEIVE, EP_ANY, (uint64_t)&m, 0, 0, 0, 0);
	check(m.type == LINUX_CALL(LINUX_NR_pause), "pause");
	check(KERNEL_CALL(stop, program, &stop, 0, 0, 0, 0) == 0 && stop.where == STOP_IN_CALL &&
			stop.server == EP_PM && stop.call == LINUX_NR_pause,
		"stop in a call");
	check(pm_sigsend(program, LSIGUSR1, &ksig) == -EBUSY, "sigsend in a call");
	pm_answer(&m, -ERESTARTNOHAND);
	check(pm_sigsend(program, LSIGUSR1, &ksig) == 0, "sigsend after it");
	sys_trap(TRAP_RECEIVE, EP_ANY, (uint64_t)&m, 0, 0, 0, 0);
	check(KERNEL_CALL(sigreturn, program, &back, 0, 0, 0, 0) == 0, "sigreturn again");
	pm_report(&m, "the call was interrupted");
	pm_answer(&m, 0);

	pm_sleep(5000000);
	check(KERNEL_CALL(stop, program, &stop, 0, 0, 0, 0) == 0 && stop.where == STOP_USER,
		"stop in a futex");
	check(KERNEL_CALL(resume, program, 0, 0, 0, 0, 0) == 0, "resume");
	pm_sleep(5000000);
	check(sys_trap(LINUX_NR_futex, (uint64_t)&futex_word, 1, 1, 0, 0, 0) == 1, "futex wake");
	pm_report(&m, "the futex wait was restarted and woken");
	check(KERNEL_CALL(clear, program, 0, 0, 0, 0, 0) == 0, "clear in a call");
	m.type = MSG_DONE;
	sys_trap(TRAP_SENDREC, EP_VM, (uint64_t)&m, 0, 0, 0, 0);
}

/* ---- RS: has all rights, gives the others theirs ---- */

static int64_t give_service_rights(endpoint_t ep)
{
	static struct priv_spec spec;

	spec.trap_mask = UINT32_MAX;
	spec.kcall_mask = UINT64_MAX;
	spec.sig_mgr = EP_RS;
	spec.backup_mgr = EP_NONE;
	spec.send_mask[0] = 0xff;
	return KERNEL_CALL(privctl, PRIV_SET, ep, &spec, 0, 0, 0);
}

static void test_service_ipc(endpoint_t ep)
{
	struct message m = {.type = MSG_PING};
	int i;
	int64_t result = 0;

	m.u64[0] = 10;
	check(sys_trap(TRAP_SENDREC, (uint64_t)ep, (uint64_t)&m, 0, 0, 0, 0) == 0 &&
			m.u64[0] == 11 && m.source == ep,
		"sendrec is answered");
	for (i = 0; i < 1000 && result == 0; i++) {
		m.type = MSG_PING;
		result = sys_trap(TRAP_SENDREC, (uint64_t)ep, (uint64_t)&m, 0, 0, 0, 0);
	}
	check(result == 0 && m.u64[0] == 1011, "a thousand times");
	async_table[0] =
		(struct asyn_entry){.flags = ASYN_VALID, .dst = ep, .msg = {.type = MSG_SEND}};
	async_table[1] = (struct asyn_entry){
		.flags = ASYN_VALID, .dst = EP_MAKE(77, 300), .msg = {.type = MSG_SEND}};
	check(sys_trap(TRAP_SENDA, (uint64_t)async_table, 2, 0, 0, 0, 0) == 0 &&
			async_table[0].flags == 3 && async_table[1].result == -EDEADSRCDST,
		"senda delivers, and marks what it cannot");
}

static void test_errors(endpoint_t ep)
{
	struct message m = {.type = MSG_PING};

	check(sys_trap(TRAP_SEND, EP_ANY, (uint64_t)&m, 0, 0, 0, 0) == -EINVAL,
		"send to ANY is EINVAL");
	check(sys_trap(TRAP_SEND, EP_MAKE(5, 400), (uint64_t)&m, 0, 0, 0, 0) == -EDEADSRCDST,
		"send to a dead endpoint");
	check(sys_trap(TRAP_RECEIVE, EP_MAKE(5, 400), (uint64_t)&m, 0, 0, 0, 0) == -EDEADSRCDST,
		"receive from a dead one");
	check(sys_trap(TRAP_SEND, EP_RS, (uint64_t)&m, 0, 0, 0, 0) == -ELOCKED, "send to oneself");
	check(sys_trap(TRAP_LAST + 3, 0, 0, 0, 0, 0, 0) == -EBADCALL, "no such primitive");
	check(sys_trap(KCALL_BASE + 63, 0, 0, 0, 0, 0, 0) == -EBADREQUEST, "no such kernel call");
	check(sys_trap(TRAP_SENDNB, (uint64_t)program_ep, (uint64_t)&m, 0, 0, 0, 0) == -ENOTREADY,
		"a program that does not wait gets nothing");
	check(KERNEL_CALL(vmctl, VMCTL_FLUSH, EP_NONE, 0, 0, 0, 0) == -EPERM, "vmctl is VM's");
	check(KERNEL_CALL(vircopy, EP_SELF, &m, ep, UNMAPPED + 0x100000, 8, COPY_TRY) == -EFAULT,
		"copy to nowhere, trying");
	check(KERNEL_CALL(vircopy, EP_SELF, KERNEL_BASE, EP_SELF, &m, 8, 0) == -EFAULT,
		"copy from the kernel");
	check(KERNEL_CALL(devio, 0x80, DEVIO_8, 0, 0, 0, 0) == -EPERM, "a port that is not ours");
}

static void rs_main(void)
{
	struct message m = {.type = MSG_NEW_SERVICE};
	struct proc_ids ids = {.pid = 42, .tid = 42};

	check(sys_trap(TRAP_SENDREC, EP_VM, (uint64_t)&m, 0, 0, 0, 0) == 0, "RS talks to VM");
	service_ep = (endpoint_t)m.u64[0];
	check(give_service_rights(service_ep) > 0, "privctl set");
	exec_at(service_ep, "service", service_main, 1);
	check(KERNEL_CALL(privctl, PRIV_ALLOW, service_ep, 0, 0, 0, 0) == 0, "privctl allow");
	check(KERNEL_CALL(privctl, PRIV_ALLOW, service_ep, 0, 0, 0, 0) == -EPERM,
		"privctl allow twice");

	m.type = MSG_NEW_PROGRAM;
	check(sys_trap(TRAP_SENDREC, EP_VM, (uint64_t)&m, 0, 0, 0, 0) == 0, "another process");
	program_ep = (endpoint_t)m.u64[0];
	test_errors(service_ep);
	test_service_ipc(service_ep);

	check(KERNEL_CALL(setids, program_ep, &ids, 0, 0, 0, 0) == 0, "setids");
	exec_at(program_ep, "program", program_main, 2);
	check(KERNEL_CALL(privctl, PRIV_SET_USER, program_ep, 0, 0, 0, 0) == 0, "privctl set user");
	check(KERNEL_CALL(privctl, PRIV_ALLOW, program_ep, 0, 0, 0, 0) == 0,
		"privctl allow the program");
	m.type = MSG_DONE; /* VM answers when the program is through */
	check(sys_trap(TRAP_SENDREC, EP_VM, (uint64_t)&m, 0, 0, 0, 0) == 0,
		"the first part is over");

	check(give_service_rights(EP_PM) > 0 &&
			KERNEL_CALL(privctl, PRIV_ALLOW, EP_PM, 0, 0, 0, 0) == 0,
		"PM's rights");
	m.type = MSG_NEW_PROGRAM;
	sys_trap(TRAP_SENDREC, EP_VM, (uint64_t)&m, 0, 0, 0, 0);
	exec_at((endpoint_t)m.u64[0], "signalled", signalled_main, 4);
	KERNEL_CALL(privctl, PRIV_SET_USER, m.u64[0], 0, 0, 0, 0);
	KERNEL_CALL(privctl, PRIV_ALLOW, m.u64[0], 0, 0, 0, 0);
	sys_trap(TRAP_RECEIVE, EP_PM, (uint64_t)&m, 0, 0, 0, 0);
	print("RS should not be here");
}

/* ---- VM ---- */

static uint64_t *entry_of(paddr_t root, vaddr_t vaddr)
{
	uint64_t *table = (uint64_t *)(VM_WINDOW_BASE + root);
	int shift;

	for (shift = 39; shift > 12; shift -= 9) {
		uint64_t *entry = &table[vaddr >> shift & 511];

		if ((*entry & 1) == 0) {
			static char tables[4][4096] __attribute__((aligned(4096)));
			static int used;
			uint64_t paddr = 0;

			KERNEL_CALL(umap, tables[used++], 4096, &paddr, 0, 0, 0);
			*entry = paddr | 7;
		}
		table = (uint64_t *)(VM_WINDOW_BASE + (*entry & 0x000ffffffffff000ul));
	}
	return &table[vaddr >> 12 & 511];
}

static void handle_fault(const struct message *m)
{
	const struct vm_pagefault *fault = (const struct vm_pagefault *)(const void *)m->raw;
	uint64_t paddr = 0;

	check(m->source == program_ep && fault->address == UNMAPPED && (fault->error & 5) == 4,
		"page fault as a message");
	*(uint64_t *)(void *)spare_page = PAGE_WORD;
	check(KERNEL_CALL(umap, spare_page, 4096, &paddr, 0, 0, 0) == 0, "umap");
	*entry_of(kinfo.boot_root, fault->address) = paddr | 7;
	check(KERNEL_CALL(vmctl, VMCTL_CLEAR_PAGEFAULT, m->source, 0, 0, 0, 0) == 0,
		"the fault is cleared");
}

/* What is left when the program has said that it is content. */
static void test_alarm(void)
{
	struct message m;
	uint64_t now;
	struct proc_times times = {0};

	/* An alarm, while the program spins: it is preempted. */
	KERNEL_CALL(times, EP_SELF, &times, 0, 0, 0, 0);
	now = times.uptime_ns;
	KERNEL_CALL(setalarm, now + 20000000, 0, 0, 0, 0, 0);
	sys_trap(TRAP_RECEIVE, EP_CLOCK, (uint64_t)&m, 0, 0, 0, 0);
	check(m.source == EP_CLOCK && m.notify.timestamp_ns >= now + 20000000 &&
			m.notify.timestamp_ns < now + 200000000,
		"an alarm comes in time");
	check(KERNEL_CALL(clear, program_ep, 0, 0, 0, 0, 0) == 0, "clear");
	check(KERNEL_CALL(clear, program_ep, 0, 0, 0, 0, 0) == -EINVAL, "clear twice");
	check(KERNEL_CALL(vmctl, VMCTL_SETADDRSPACE, EP_PM, 2, kinfo.boot_root, 0, 0) == 0,
		"PM gets an address space");
	exec_at(EP_PM, "pm", pm_main, 3);
	KERNEL_CALL(vmctl, VMCTL_BOOTINHIBIT_CLEAR, EP_PM, 0, 0, 0, 0);
	m.type = 0;
	sys_trap(TRAP_SENDNB, EP_RS, (uint64_t)&m, 0, 0, 0, 0);
}

static _Noreturn void finish(void)
{
	print(failures == 0 ? "KERNEL TEST PASSED" : "KERNEL TEST FAILED");
	KERNEL_CALL(abort, ABORT_POWEROFF, 0, 0, 0, 0, 0);
	for (;;) {
	}
}

static bool handle_call(struct message *m)
{
	if (m->call.arg[0] == 0x1234) {
		check(m->type == LINUX_CALL(LINUX_NR_brk) && m->call.arg[1] == 7,
			"a program's call as a message");
		m->reply.result = 0x4321;
		sys_trap(TRAP_SENDNB, (uint64_t)m->source, (uint64_t)m, 0, 0, 0, 0);
		return false;
	}
	check(m->call.arg[0] == 0x9999, "the program is content");
	m->reply.result = 0;
	sys_trap(TRAP_SENDNB, (uint64_t)m->source, (uint64_t)m, 0, 0, 0, 0);
	return true;
}

/* Every byte that the loader called memory is somewhere. */
static void test_accounting(void)
{
	uint64_t usable = 0, found;
	uint32_t i;

	found = kinfo.module.bytes + kinfo.kernel_image_bytes + kinfo.kernel_boot_bytes +
		kinfo.vm_boot_bytes;
	for (i = 0; i < kinfo.usable_count; i++) {
		usable += kinfo.usable[i].bytes;
	}
	for (i = 0; i < kinfo.free_count; i++) {
		found += kinfo.free[i].bytes;
	}
	check(usable == found, "memory adds up");
}

static void vm_main(void)
{
	struct message m;
	int64_t status;

	check(KERNEL_CALL(getinfo, GETINFO_KINFO, &kinfo, sizeof(kinfo), 0, 0, 0) == sizeof(kinfo),
		"kinfo");
	check(kinfo.vm_window == VM_WINDOW_BASE && kinfo.free_count > 0 && kinfo.boot_root != 0,
		"kinfo is filled in");
	test_accounting();
	check(KERNEL_CALL(vmctl, VMCTL_SETADDRSPACE, EP_RS, 2, kinfo.boot_root, 0, 0) == 0,
		"RS gets an address space");
	check(KERNEL_CALL(newproc, 2, kinfo.boot_root, EP_RS, 0, 0, 0) == -EAGAIN,
		"newproc of a taken slot");
	exec_at(EP_RS, "rs", rs_main, 0);
	check(KERNEL_CALL(vmctl, VMCTL_BOOTINHIBIT_CLEAR, EP_RS, 0, 0, 0, 0) == 0, "RS may run");
	for (;;) {
		status = sys_trap(TRAP_RECEIVE, EP_ANY, (uint64_t)&m, 0, 0, 0, 0);
		if (status < 0) {
			check(false, "VM receives");
			finish();
		}
		if (m.type == VM_PAGEFAULT && (status & IPC_STATUS_FROM_KERNEL) != 0) {
			handle_fault(&m);
		} else if (IS_LINUX_CALL(m.type)) {
			if (handle_call(&m)) {
				test_alarm();
			}
		} else if (m.type == MSG_DONE && m.source == EP_PM) {
			finish();
		} else if (m.type == MSG_NEW_SERVICE || m.type == MSG_NEW_PROGRAM) {
			m.u64[0] = (uint64_t)KERNEL_CALL(newproc, 2, kinfo.boot_root, -1, 0, 0, 0);
			m.type = 0;
			sys_trap(TRAP_SENDNB, (uint64_t)m.source, (uint64_t)&m, 0, 0, 0, 0);
		}
	}
}

__attribute__((naked)) void _start(void)
{
	__asm__ volatile("andq $-16, %rsp\n\tcall payload_main");
}

void payload_main(void);
void payload_main(void)
{
	vm_main();
}
