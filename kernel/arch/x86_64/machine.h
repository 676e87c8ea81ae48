/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of the x86-64 part: its state, and what its files offer one another. The rest of the
 * kernel sees kernel/arch.h.
 */
#pragma once

#include "kernel/arch.h"
#include "kernel/arch/x86_64/boot/handoff.h"

#define IO_APIC_MAX   8
#define IRQ_OVERRIDES 16

struct io_apic {
	volatile uint32_t *registers;
	uint32_t first_line; /* global system interrupt of its pin 0 */
	uint32_t pins;
};

struct irq_override {
	uint8_t source; /* ISA line */
	uint32_t line;  /* global system interrupt */
	uint16_t flags; /* MPS INTI flags: polarity, trigger mode */
};

/* All mutable state of this architecture. */
struct machine {
	/* Processor features; fixed after boot. */
	bool has_xsave, has_xsaveopt, has_smap, fpu_eager, has_1g;
	uint64_t no_execute; /* PTE_NO_EXECUTE or 0 */
	uint64_t xsave_features;
	uint32_t xsave_bytes;
	void *fpu_initial; /* XSAVE area with the state a program starts with */

	/* Clocks; fixed after boot. */
	uint64_t tsc_hz, tsc_boot;
	uint64_t tsc_to_ns;    /* ns = (cycles * this) >> 32 */
	uint64_t timer_per_ns; /* local APIC timer ticks = (ns * this) >> 32 */
	uint64_t realtime_at_boot_ns;

	/* Memory. */
	uint64_t direct_end; /* the direct map covers physical 0 to here */
	paddr_t boot_root;
	unsigned mmio_used;

	/* Interrupt controllers; fixed after boot but for `masked`. */
	volatile uint32_t *local_apic;
	paddr_t local_apic_base;
	struct io_apic io_apics[IO_APIC_MAX];
	unsigned io_apic_count;
	struct irq_override overrides[IRQ_OVERRIDES];
	unsigned override_count;
	bool use_pic;
	uint16_t pic_mask;
	uint64_t level_lines; /* bit: line is level-triggered */

	/* ACPI; fixed after boot. */
	bool has_acpi;
	uint32_t pm1a_control, pm1b_control; /* ports, 0: none */
	uint32_t smi_command;
	uint8_t acpi_enable;
	uint16_t sleep5_a, sleep5_b;
	bool has_sleep5;
	uint64_t reset_port;
	uint8_t reset_value;
	bool has_reset;

	vaddr_t fault_address;         /* of the last user copy that failed */
	uint64_t loaded_fs, loaded_gs; /* what the base registers hold */
};

#define XSTATE_MAX 4096 /* larger than any FPU state the kernel switches on */

extern struct machine machine;

void arch_main(paddr_t handoff_paddr) __attribute__((noreturn));

void cpu_features_init(void);
/* GDT, TSS, IDT, SYSCALL registers of this processor. */
void cpu_tables_init(struct cpu *cpu);
void cpu_set_frame_end(struct cpu *cpu, void *end);
void fpu_init(void);
/* The area holds the process' FPU state, even if it was only in the registers. */
void fpu_save(struct arch_proc *arch);
/* The state is in the area alone: the registers are forgotten. */
void fpu_discard(struct arch_proc *arch);
/* Make an FPU image from outside one that XRSTOR takes without a fault; not `extended`: only its
 * first 512 bytes are meant. */
void fpu_tame(uint8_t *area, bool extended);
/* si_code of the floating-point exception that the process has just met, in the x87 or in the
 * vector unit. */
int fpu_error_code(struct arch_proc *arch, bool vector);
/* #NM: give the FPU to the process. */
void fpu_claim(struct cpu *cpu, struct arch_proc *arch);

/* Map a page of device registers, uncached. */
volatile void *mmio_map(paddr_t paddr);
/* Boot only: read firmware tables wherever they lie; NULL if they are out of reach. */
const void *boot_phys(paddr_t paddr, uint64_t bytes);

void acpi_init(void);
void apic_init(void);
void apic_end_of_interrupt(void);
void apic_timer_set(uint64_t ticks);
uint32_t apic_timer_count(void);
void irq_controller_init(void);
void irq_controller_end(unsigned line);
void clock_init(void);
void serial_init(uint16_t port);
void serial_putc(uint16_t port, char c);

/* Called by entry.S. */
struct trap_frame;
struct proc *trap_syscall(struct proc *proc);
struct proc *trap_user(struct proc *proc);
void trap_kernel(struct trap_frame *frame);
_Noreturn void trap_fatal(struct trap_frame *frame);
_Noreturn void arch_resume(struct proc *proc);

/* In entry.S. */
extern char interrupt_stubs[], user_copy_fault_start[], user_copy_fault_end[], user_copy_failed[];
extern char boot_stack_top[];
void syscall_entry(void);
int user_copy(void *to, const void *from, size_t bytes);
int user_message_in(struct message *to, const struct message *from);
int user_message_out(struct message *to, const struct message *from);
