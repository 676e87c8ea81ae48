/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the portable kernel asks of an architecture. Implemented in kernel/arch/NAME, and by a fake
 * for host tests. The architecture also provides arch_proc.h: struct arch_proc and the accessors of
 * calls in saved registers.
 */
#pragma once

#include "abi/kcall.h"
#include "abi/message.h"
#include "abi/types.h"
#include "kernel/arch/x86_64/arch_proc.h"

struct cpu;
struct proc;
struct sigsend_spec;
struct sigreturn_info;
struct linux_user_regs;

/* ---- Memory of a process ---- */

/* Kernel address of physical memory (all RAM is mapped). */
void *arch_phys(paddr_t paddr);
/*
 * Physical address of vaddr in the address space `root`, as user mode may access it (write: for
 * writing). *bytes: in: how many are wanted; out: how many are contiguous there. False: absent, or
 * not permitted. Marks the page accessed, and dirty for writing, as an access would.
 */
bool arch_translate(paddr_t root, vaddr_t vaddr, bool write, paddr_t *paddr, uint64_t *bytes);
/* Copies from and to the address space that is loaded now. False: a fault, *fault is the address.
 */
bool arch_copy_from_user(void *to, vaddr_t from, size_t bytes, vaddr_t *fault);
bool arch_copy_to_user(vaddr_t to, const void *from, size_t bytes, vaddr_t *fault);
bool arch_message_from_user(struct message *to, vaddr_t from, vaddr_t *fault);
bool arch_message_to_user(vaddr_t to, const struct message *from, vaddr_t *fault);
void arch_load_address_space(paddr_t root);
/* Forget cached translations of the loaded address space: one page, or all. */
void arch_flush_page(vaddr_t vaddr);
void arch_flush_all(void);
/* Boot only, for VM's own address space: a page of it, and its window onto all physical memory. */
void arch_boot_map(paddr_t root, vaddr_t vaddr, paddr_t paddr, bool write, bool execute);
void arch_boot_map_window(paddr_t root);

/* ---- Registers of a process ---- */

/* An empty process: no registers, no FPU state. */
void arch_proc_reset(struct arch_proc *arch);
/* A new program image: starts at ip with stack pointer sp. */
void arch_proc_exec(struct arch_proc *arch, vaddr_t ip, vaddr_t sp);
/* The child's registers are the parent's; its call returns 0. */
void arch_proc_fork(struct arch_proc *child, struct arch_proc *parent);
void arch_proc_set_stack(struct arch_proc *arch, vaddr_t sp);
void arch_proc_set_tls(struct arch_proc *arch, vaddr_t tls);
/* The slot is not used any more: nothing of it may stay in a processor. */
void arch_proc_release(struct arch_proc *arch);
/* Swap the contents of two processes (live update). */
void arch_proc_swap(struct arch_proc *a, struct arch_proc *b);
/* About to run the process in user mode: FPU, TLS, kernel entry stack. */
void arch_proc_load(struct cpu *cpu, struct arch_proc *arch);
/* arch_prctl(code, address): 0 or negative errno; a result to store goes to *value, *stored true.
 */
int arch_prctl(
	struct arch_proc *arch, uint64_t code, uint64_t address, uint64_t *value, bool *stored);

/* What debuggers see and change; `call`: number of the call it is in. set: -EIO: a segment or base
 * that user mode cannot have. */
void arch_get_registers(
	const struct arch_proc *arch, int32_t call, bool steps, struct linux_user_regs *regs);
int arch_set_registers(struct arch_proc *arch, const struct linux_user_regs *regs);
/* Trap after one instruction. */
void arch_step(struct arch_proc *arch, bool on);
/* The FPU image, arch_xsave_bytes() long, up to date; valid until the process runs. */
const void *arch_fpu_image(struct arch_proc *arch);
/* -EINVAL: neither 512 bytes nor a whole image. */
int arch_fpu_set(struct arch_proc *arch, const void *image, uint32_t bytes);

/* Signal frames: abi/linux/signal.h. Errors: -EFAULT; KCALL_SUSPENDED while memory is brought in.
 */
int64_t arch_signal_send(struct proc *caller, struct proc *target, const struct sigsend_spec *spec);
int64_t arch_signal_return(struct proc *caller, struct proc *target, struct sigreturn_info *info);

/* ---- Machine ---- */

uint64_t arch_now(void);               /* monotonic clock: ns since boot */
uint64_t arch_now_at(uint64_t cycles); /* the same at a reading of arch_cycles() */
uint64_t arch_cycles(void);            /* raw cycle counter, for trace records */
uint64_t arch_ns_from_cycles(uint64_t cycles);
uint64_t arch_realtime_at_boot(void); /* ns since the epoch when arch_now() was 0 */
void arch_timer_arm(uint64_t deadline_ns);
void arch_idle(void); /* wait for an interrupt, handle it, return */
void arch_irq_mask(unsigned line);
bool arch_irq_is_edge(unsigned line); /* edge-triggered: an edge while it is masked is lost */
void arch_irq_unmask(unsigned line);
uint32_t arch_port_in(uint16_t port, unsigned width);
void arch_port_out(uint16_t port, unsigned width, uint32_t value);
_Noreturn void arch_poweroff(void);
_Noreturn void arch_reboot(void);
_Noreturn void arch_halt(void);
void arch_log_putc(char c);   /* to the log port, polled */
void arch_panic_putc(char c); /* to whatever a person may look at */
void arch_panic_state(
	const struct trap_frame *frame); /* registers and the stack, by arch_panic_putc */
void arch_system_info(struct system_info *info);
uint32_t arch_xsave_bytes(void);
bool arch_has_no_execute(void);
bool arch_has_1g_pages(void);
