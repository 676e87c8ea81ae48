/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes as the kernel sees them: one schedulable thread each. All state of a blocked one is in
 * its struct proc.
 *
 * Invariants:
 *  1. A process is in a run queue if and only if its `rts` is 0.
 *  2. SENDING: it is linked in the `senders` list of the process that `send_to` names, and
 * `send_msg` is its message.
 *  3. RECEIVING and SENDING are never set together: a sendrec receives when its message has been
 * taken.
 *  4. PROC_CALL: a program's system call waits for its answer (RECEIVING), or to be taken
 * (SENDING).
 *  5. FUTEX: it is linked in a futex bucket.
 *  6. VMREQUEST: it is linked in the list of memory requests, or VM has fetched the request.
 */
#pragma once

#include "abi/endpoint.h"
#include "abi/kcall.h"
#include "abi/message.h"
#include "kernel/arch/x86_64/arch_proc.h"
#include "kernel/time/timer.h"
#include "lib/core/list.h"

struct priv;

/* proc.flags */
#define PROC_SENDREC \
	0x01 /* sendrec: after the send comes the receive; the result is 0, not a status */
#define PROC_CALL \
	0x02 /* the sendrec is a program's system call: the answer goes to its result register */
#define PROC_FROM_KERNEL 0x04 /* send_msg was made by the kernel */
#define PROC_DELIVER     0x08 /* deliver_msg must be stored at deliver_to before it runs */
#define PROC_RESTART     0x10 /* its result is a restart code that has not been looked at */
#define PROC_STOP_NOTICE 0x20 /* stopped in a call: tell the manager when the call has ended */
#define PROC_EMPTY       0x40 /* has no program image yet */
#define PROC_SWAPPED_OUT \
	0x80 /* its contents have been replaced (update): nothing is sent from its tables */
#define PROC_PLAIN_COPY    0x200 /* its safecopy cannot share pages */
#define PROC_STALE_ANSWERS 0x100 /* priv->stale_answers is not empty */

/* Of a traced thread: linux/traced.h. */
#define PROC_TRACE_CALLS 0x400  /* its tracer wants to see its calls */
#define PROC_TRACE_STEP  0x800  /* one instruction, then SIGTRAP */
#define PROC_CALL_BEGINS 0x1000 /* P_STOP: its call is to be made by TRACEE_GO */
#define PROC_CALL_ENDS   0x2000 /* the end of its call is to be told before it runs on */
#define PROC_CALL_AGAIN  0x4000 /* its call is to be made before it runs on */
#define PROC_TRACE_WORK  (PROC_CALL_ENDS | PROC_CALL_AGAIN)

#define PRIORITY_COUNT     16
#define PRIORITY_DEFAULT   8 /* programs before their scheduler says otherwise */
#define PRIORITY_BOOT      2 /* the boot image until SCHED has it; SCHED keeps its own */
#define QUANTUM_DEFAULT_NS 50000000ull

struct proc {
	struct arch_proc arch; /* first: entry.S and the CPU push into it */

	/* Who it is. */
	endpoint_t endpoint;
	uint32_t rts;   /* RTS_*: why it cannot run */
	uint32_t flags; /* PROC_* */
	int32_t call;   /* number of the program's last system call, for restarting it */
	struct priv *priv;
	paddr_t root;   /* page table */
	uint32_t as_id; /* VM's number of the address space */
	uint32_t cpu;
	char name[16];
	struct proc_ids ids;

	/* Scheduling. */
	struct list run_link;
	int32_t priority;
	endpoint_t scheduler; /* EP_KERNEL: none, quanta are renewed by the kernel */
	int64_t quantum_left_ns;
	bool is_young; /* has not been in a queue yet: it begins behind its equals */
	uint64_t quantum_ns;
	uint64_t user_cycles, system_cycles;
	uint64_t start_ns;
	uint64_t messages;
	endpoint_t predecessor; /* who holds the contents that this endpoint had before; EP_NONE */

	/* IPC. */
	struct list senders; /* processes that send to this one, oldest first */
	struct list send_link;
	endpoint_t send_to;
	endpoint_t receive_from;
	vaddr_t deliver_to;
	struct message send_msg;
	struct message deliver_msg;

	/* Memory it waits for (RTS_VMREQUEST). */
	struct list memreq_link;
	struct memreq memreq;

	/* Signals for its manager. */
	struct list signal_link; /* linked while `signals` is not 0 */
	uint64_t signals;        /* bit signo; bit 0: a stop notice */
	endpoint_t signal_to;    /* the manager that the newest of them is for */
	struct ksig fault;       /* code, address, ... of the newest fault signal */

	/* Threads. */
	vaddr_t clear_tid;
	vaddr_t robust_list;
	uint64_t robust_bytes;
	struct list futex_link;
	vaddr_t futex_address;
	uint32_t futex_bits;
	bool futex_shared;
	uint64_t futex_deadline_ns; /* 0: none; kept for restart_syscall */

	struct timer alarm;       /* KCALL_setalarm */
	struct timer timeout;     /* futex */
	struct list slot_link;    /* free slots */
} __attribute__((aligned(1024))); /* never across a page */

_Static_assert(offsetof(struct proc, arch) == 0, "the trap frame is at the start");

/* Table and endpoints. */

/* Takes memory for `count` slots; called once at boot. */
void proc_init(void);
struct proc *proc_slot(unsigned slot);
/* The process with this endpoint, or NULL: dead, never lived, or not a process. */
struct proc *proc_find(endpoint_t endpoint);
/* A free slot (number `slot`, or any for -1), reset, with a new endpoint and RTS_PROC_STOP |
 * RTS_NO_PRIV; NULL: none. */
struct proc *proc_alloc(int slot);
/* Back to the free slots; everything that refers to it must have been undone. */
void proc_free(struct proc *proc);
bool proc_is_service(const struct proc *proc);
void proc_set_name(struct proc *proc, const char *name);

/* By eight words: the compiler's own copy is a string instruction, which is dear for so little. */
static inline void message_copy(struct message *to, const struct message *from)
{
	uint64_t *t = (uint64_t *)(void *)to;
	const uint64_t *f = (const uint64_t *)(const void *)from;
	uint64_t a = f[0], b = f[1], c = f[2], d = f[3];

	t[0] = a;
	t[1] = b;
	t[2] = c;
	t[3] = d;
	a = f[4];
	b = f[5];
	c = f[6];
	d = f[7];
	t[4] = a;
	t[5] = b;
	t[6] = c;
	t[7] = d;
}

/* Run-time flags: the only way to change them (invariant 1). */
void rts_set(struct proc *proc, uint32_t flags);
void rts_clear(struct proc *proc, uint32_t flags);

static inline bool rts_is_set(const struct proc *proc, uint32_t flags)
{
	return (proc->rts & flags) != 0;
}
