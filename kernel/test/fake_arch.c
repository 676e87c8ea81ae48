/* SPDX-License-Identifier: BSD-2-Clause */
/* See fake_arch.h. */
#include "kernel/test/fake_arch.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/linux/errno.h"
#include "abi/linux/ptrace.h"
#include "kernel/arch.h"
#include "kernel/debug/check.h"
#include "kernel/linux/futex.h"
#include "kernel/main.h"
#include "kernel/proc/sched.h"
#include "kernel/trap.h"

struct kernel_state kernel;
uint64_t fake_now_ns;
uint64_t fake_unmasked;

static uint8_t memory[FAKE_PAGES * AXO_PAGE_SIZE] __attribute__((aligned(4096)));
static struct {
	unsigned page; /* 0: not mapped */
	bool write;
} spaces[FAKE_SPACES][FAKE_SPACE_PAGES];
static unsigned space_count, next_page, loaded;
static jmp_buf idle_exit;

struct cpu *this_cpu(void)
{
	return &kernel.cpus[0];
}

void fake_boot(uint32_t procs)
{
	memset(&kernel, 0, sizeof(kernel));
	memset(spaces, 0, sizeof(spaces));
	memset(memory, 0, sizeof(memory));
	space_count = 1;
	next_page = 1;
	loaded = 0;
	fake_now_ns = 1000;
	fake_unmasked = 0;
	kernel.cpus[0].self = &kernel.cpus[0];
	kernel.cpu_count = 1;
	kernel.proc_count = procs;
	list_init(&kernel.timers);
	kernel.timer_next_ns = UINT64_MAX;
	list_init(&kernel.memreqs);
	list_init(&kernel.signalled);
	kernel.share_min_bytes = 32 * AXO_PAGE_SIZE;
	sched_init(&kernel.cpus[0]);
	kernel.kinfo.highest = sizeof(memory);
	kernel.kinfo.free_count = 1;
	kernel.kinfo.free[0] = (struct mem_range){sizeof(memory) / 2, sizeof(memory) / 2};
	priv_init();
	futex_init();
	proc_init();
}

paddr_t fake_root(unsigned space)
{
	return space * AXO_PAGE_SIZE;
}

void *fake_page(unsigned page)
{
	return memory + page * AXO_PAGE_SIZE;
}

void fake_map(unsigned space, vaddr_t vaddr, unsigned page, bool write)
{
	spaces[space][(vaddr - FAKE_BASE) / AXO_PAGE_SIZE].page = page;
	spaces[space][(vaddr - FAKE_BASE) / AXO_PAGE_SIZE].write = write;
}

unsigned fake_space_of(const struct proc *proc)
{
	return (unsigned)(proc->root / AXO_PAGE_SIZE);
}

void *fake_memory(const struct proc *proc, vaddr_t vaddr)
{
	uint64_t bytes = 1;
	paddr_t paddr;

	return arch_translate(proc->root, vaddr, false, &paddr, &bytes) ? arch_phys(paddr) : NULL;
}

static struct proc *make_proc(int slot, bool service)
{
	struct proc *proc = proc_alloc(slot);
	unsigned space = space_count++, i;

	proc->root = fake_root(space);
	proc->as_id = space;
	for (i = 0; i < FAKE_SPACE_PAGES; i++) {
		fake_map(space, FAKE_BASE + i * AXO_PAGE_SIZE, next_page++, true);
	}
	if (service) {
		struct priv_spec spec = {.trap_mask = UINT32_MAX,
			.kcall_mask = UINT64_MAX,
			.sig_mgr = EP_RS,
			.backup_mgr = EP_NONE,
			.flags = PRIV_FLAG_ROOT | (slot == EP_VM ? PRIV_FLAG_VM : 0)};

		memset(spec.send_mask, 0xff, sizeof(spec.send_mask));
		proc->priv = priv_alloc(proc);
		priv_apply(proc->priv, &spec);
	}
	rts_clear(proc, RTS_NO_PRIV | RTS_PROC_STOP);
	return proc;
}

struct proc *fake_trap(struct proc *proc, uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2,
	uint64_t a3, uint64_t a4, uint64_t a5)
{
	const uint64_t args[6] = {a0, a1, a2, a3, a4, a5};
	struct proc *volatile next = NULL;

	proc->arch.frame.rax = number;
	proc->arch.frame.rip = 1002;
	kernel.cpus[0].current = proc;
	arch_load_address_space(proc->root);
	if (setjmp(idle_exit) == 0) {
		trap_call(proc, number, args);
		kernel_check();
		next = sched_leave();
	}
	kernel_check();
	return next;
}

struct proc *fake_proc(bool service)
{
	/* VM first, so that faults have somebody to go to. */
	return make_proc(space_count == 1 ? EP_VM : -1, service);
}

struct proc *fake_rs(void)
{
	struct proc *rs = make_proc(EP_RS, true);

	rs->priv->spec.sig_mgr = EP_SELF;
	return rs;
}

int64_t fake_result(const struct proc *proc)
{
	return arch_result(&proc->arch);
}

void *arch_phys(paddr_t paddr)
{
	return memory + paddr;
}

bool arch_translate(paddr_t root, vaddr_t vaddr, bool write, paddr_t *paddr, uint64_t *bytes)
{
	uint64_t space = root / AXO_PAGE_SIZE, index = (vaddr - FAKE_BASE) / AXO_PAGE_SIZE;
	uint64_t rest = AXO_PAGE_SIZE - (vaddr & AXO_PAGE_MASK);

	if (space >= FAKE_SPACES || vaddr < FAKE_BASE || index >= FAKE_SPACE_PAGES ||
		spaces[space][index].page == 0 || (write && !spaces[space][index].write)) {
		return false;
	}
	*paddr = spaces[space][index].page * AXO_PAGE_SIZE + (vaddr & AXO_PAGE_MASK);
	*bytes = *bytes < rest ? *bytes : rest;
	return true;
}

static bool user_copy(
	uint8_t *to, const uint8_t *from, vaddr_t address, size_t bytes, bool write, vaddr_t *fault)
{
	while (bytes > 0) {
		uint64_t chunk = bytes;
		paddr_t paddr;

		if (!arch_translate(fake_root(loaded), address, write, &paddr, &chunk)) {
			*fault = address < USER_END ? address : USER_END;
			return false;
		}
		if (write) {
			memcpy(arch_phys(paddr), from, chunk);
			from += chunk;
		} else {
			memcpy(to, arch_phys(paddr), chunk);
			to += chunk;
		}
		address += chunk;
		bytes -= chunk;
	}
	return true;
}

bool arch_copy_from_user(void *to, vaddr_t from, size_t bytes, vaddr_t *fault)
{
	return user_copy(to, NULL, from, bytes, false, fault);
}

bool arch_copy_to_user(vaddr_t to, const void *from, size_t bytes, vaddr_t *fault)
{
	return user_copy(NULL, from, to, bytes, true, fault);
}

bool arch_message_from_user(struct message *to, vaddr_t from, vaddr_t *fault)
{
	return arch_copy_from_user(to, from, sizeof(*to), fault);
}

bool arch_message_to_user(vaddr_t to, const struct message *from, vaddr_t *fault)
{
	return arch_copy_to_user(to, from, sizeof(*from), fault);
}

void arch_load_address_space(paddr_t root)
{
	loaded = (unsigned)(root / AXO_PAGE_SIZE);
}

void arch_flush_page(vaddr_t vaddr)
{
}

void arch_flush_all(void)
{
}

void arch_proc_reset(struct arch_proc *arch)
{
	memset(&arch->frame, 0, sizeof(arch->frame));
}

void arch_proc_exec(struct arch_proc *arch, vaddr_t ip, vaddr_t sp)
{
	arch_proc_reset(arch);
	arch->frame.rip = ip;
	arch->frame.rsp = sp;
}

void arch_proc_fork(struct arch_proc *child, struct arch_proc *parent)
{
	child->frame = parent->frame;
	child->frame.rax = 0;
}

void arch_proc_set_stack(struct arch_proc *arch, vaddr_t sp)
{
	arch->frame.rsp = sp;
}

void arch_proc_set_tls(struct arch_proc *arch, vaddr_t tls)
{
	arch->fs_base = tls;
}

void arch_proc_release(struct arch_proc *arch)
{
}

void arch_proc_swap(struct arch_proc *a, struct arch_proc *b)
{
	struct arch_proc kept = *a;

	*a = *b;
	*b = kept;
}

void arch_proc_load(struct cpu *cpu, struct arch_proc *arch)
{
}

int arch_prctl(
	struct arch_proc *arch, uint64_t code, uint64_t address, uint64_t *value, bool *stored)
{
	*stored = false;
	return -EINVAL;
}

void arch_get_registers(
	const struct arch_proc *arch, int32_t call, bool steps, struct linux_user_regs *regs)
{
	*regs = (struct linux_user_regs){.rax = arch->frame.rax,
		.rip = arch->frame.rip,
		.rdi = arch->frame.rdi,
		.orig_rax = (uint64_t)call};
}

int arch_set_registers(struct arch_proc *arch, const struct linux_user_regs *regs)
{
	arch->frame.rax = regs->rax;
	arch->frame.rip = regs->rip;
	arch->frame.rdi = regs->rdi;
	return 0;
}

void arch_step(struct arch_proc *arch, bool on)
{
	arch->frame.rflags = on;
}

const void *arch_fpu_image(struct arch_proc *arch)
{
	static const uint8_t image[64];

	return image;
}

int arch_fpu_set(struct arch_proc *arch, const void *image, uint32_t bytes)
{
	return bytes == 64 ? 0 : -EINVAL;
}

int64_t arch_signal_send(struct proc *caller, struct proc *target, const struct sigsend_spec *spec)
{
	return 0;
}

int64_t arch_signal_return(struct proc *caller, struct proc *target, struct sigreturn_info *info)
{
	return 0;
}

uint64_t arch_now(void)
{
	return fake_now_ns;
}

uint64_t arch_now_at(uint64_t cycles)
{
	return cycles;
}

uint64_t arch_cycles(void)
{
	return fake_now_ns;
}

uint64_t arch_ns_from_cycles(uint64_t cycles)
{
	return cycles;
}

uint64_t arch_realtime_at_boot(void)
{
	return 0;
}

void arch_timer_arm(uint64_t deadline_ns)
{
}

void arch_idle(void)
{
	longjmp(idle_exit, 1); /* nothing can run: back to the test */
}

bool arch_irq_is_edge(unsigned line)
{
	return line < 8;
}

void arch_irq_mask(unsigned line)
{
	fake_unmasked &= ~(1ull << line);
}

void arch_irq_unmask(unsigned line)
{
	fake_unmasked |= 1ull << line;
}

uint32_t arch_port_in(uint16_t port, unsigned width)
{
	return port;
}

void arch_port_out(uint16_t port, unsigned width, uint32_t value)
{
}

void arch_poweroff(void)
{
	abort();
}

void arch_reboot(void)
{
	abort();
}

void arch_halt(void)
{
	abort();
}

void arch_log_putc(char c)
{
}

void arch_panic_putc(char c)
{
	fputc(c, stderr);
}

void arch_panic_state(const struct trap_frame *frame)
{
}

void arch_system_info(struct system_info *info)
{
}

uint32_t arch_xsave_bytes(void)
{
	return 64;
}

bool arch_has_no_execute(void)
{
	return true;
}

bool arch_has_1g_pages(void)
{
	return false;
}
