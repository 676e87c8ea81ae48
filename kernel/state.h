/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All mutable global state of the portable kernel. (An architecture keeps its own in one structure
 * of its folder.) One processor runs at a time, with interrupts off: no field needs a lock; with
 * more processors the one kernel lock covers all but the fields of struct cpu, which belong to
 * their processor.
 */
#pragma once

#include "abi/bootinfo.h"
#include "abi/trace.h"
#include "kernel/irq/irq.h"
#include "kernel/proc/priv.h"
#include "kernel/proc/proc.h"

#define CPU_MAX            8
#define KERNEL_STACK_BYTES 16384
#define TRACE_RECORDS      2048
#define DIAG_BYTES         131072
#define FUTEX_BUCKETS      256

/* Run queues by priority, 0 first. Invariant: bit p of `ready` is set if and only if queue p is not
 * empty. */
struct run_queue {
	struct list queue[PRIORITY_COUNT];
	uint32_t ready;
	uint32_t count;
};

struct cpu {
	/* Known to entry.S by offset. */
	struct cpu *self;
	void *frame_end; /* where interrupts and SYSCALL push: the end of current's frame */
	void *stack_top;
	uint64_t scratch;
	struct proc *current; /* runs in user mode, or made the kernel entry; NULL: idle */

	uint32_t number;
	bool resched; /* look for another process although current can run */
	struct run_queue run;
	uint64_t mark_cycles; /* up to here time has been accounted */
	uint64_t armed_ns;    /* the timer interrupt is set for then; UINT64_MAX: not */
	uint64_t idle_cycles;
	uint64_t program_cycles; /* in user mode, by programs; services' are the system's time */
	struct arch_proc *fpu_owner; /* whose state is in the FPU registers */
};

/*
 * In the order of use: what each kernel entry touches comes first and lies in one page with the
 * processor and the architecture's own (".bss.hot"), because each page that is touched after a
 * switch of address space costs a walk.
 */
struct kernel_state {
	/* Every entry. */
	struct proc *procs;
	uint32_t proc_count;
	uint32_t cpu_count;
	struct list timers;
	uint64_t timer_next_ns; /* deadline of the first; UINT64_MAX: none */
	uint64_t context_switches, interrupts, kernel_calls, messages;
	uint64_t trace_count;
	bool log_port;     /* every diagnostics line also goes to the log port */
	bool show_calls;   /* programs' system calls and their results go to the diagnostics */
	bool panic_screen; /* a panic is shown on the text screen, too */
	bool memory_taken; /* VM owns the free memory: the kernel may not allocate */
	uint64_t share_min_bytes;   /* smaller safecopies never share pages */
	int64_t realtime_offset_ns; /* realtime = monotonic + this */
	struct cpu cpus[CPU_MAX];

	/* Now and then. */
	uint32_t procs_used;
	uint32_t memreq_id; /* of the newest memory request */
	struct list free_slots;
	struct list memreqs;   /* procs whose request VM has not fetched */
	struct list signalled; /* procs with signals that their manager has not fetched */
	uint64_t forks;        /* processes and threads ever made */
	uint32_t load_avg[3];
	struct timer load_timer;
	struct priv privs[PRIV_MAX];
	struct list futexes[FUTEX_BUCKETS];
	struct irq_line irqs[IRQ_LINES];
	struct trace_record trace[TRACE_RECORDS];

	uint64_t diag_end; /* absolute position after the last byte written */
	bool diag_at_line_start;
	char diag[DIAG_BYTES];
	struct kinfo kinfo;
	char cmdline[KINFO_CMDLINE_MAX];
	char *boot_rest; /* of the page that bootmem_alloc took last */
	uint64_t boot_rest_bytes;
};

extern struct kernel_state kernel;

/* The processor this runs on. */
struct cpu *this_cpu(void);
