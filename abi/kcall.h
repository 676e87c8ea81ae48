/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel calls: numbers, arguments and structures. Stubs with prototypes: lib/sys/kcall.h.
 *
 * Each is a trap KCALL_BASE + n with at most six register arguments. Common errors: -EBADREQUEST
 * (no such call), -ECALLDENIED (not in the caller's mask), -EINVAL (bad endpoint or argument),
 * -EFAULT (bad address), -EPERM (not the caller's to do).
 */
#pragma once

#include "abi/endpoint.h"
#include "abi/types.h"

/* KCALL(number, name). B marks the basic set, which every service has. */
#define KCALL_TABLE(KCALL)                                                                         \
	/* processes */                                                                            \
	KCALL(0,                                                                                   \
		fork) /* VM: (thread ep, flags, as_id, root paddr, stack or 0, tls) -> child ep */ \
	KCALL(1, newproc) /* VM: (as_id, root paddr, slot or -1) -> ep: empty, stopped, NO_PRIV */ \
	KCALL(2, exec)    /* VFS, RS, VM, PM: (ep, struct exec_spec *) */                          \
	KCALL(3, clear)   /* PM, RS: (ep): the slot becomes free */                                \
	KCALL(4, exit)    /* B: never returns; the signal manager gets SIGABRT */                  \
	KCALL(5, setids)  /* PM: (ep, const struct proc_ids *) */                                  \
	KCALL(6, stop)    /* PM: (ep, struct stop_info *) */                                       \
	KCALL(7, resume)  /* PM: (ep) */                                                           \
	KCALL(8, schedule)  /* scheduler: (ep, priority, quantum ns) */                            \
	KCALL(9, schedctl)  /* PM, RS, SCHED: (ep, scheduler ep or EP_KERNEL) */                   \
	KCALL(10, privctl)  /* RS: (op, ep, struct priv_spec * or op's argument) */                \
	KCALL(11, update)   /* VM: (ep, ep, UPDATE_*): swap two slots */                           \
	KCALL(12, statectl) /* B: (STATE_*, a, b, c): a service's state for its successor */       \
	/* signals */                                                                              \
	KCALL(13, kill)      /* PM, RS, VM: (ep, signo, code, address): to the signal manager */   \
	KCALL(14, getksig)   /* managers: (struct ksig *) -> 1, or 0 when there is none */         \
	KCALL(15, endksig)   /* managers: (ep) */                                                  \
	KCALL(16, sigsend)   /* PM: (ep, const struct sigsend_spec *) */                           \
	KCALL(17, sigreturn) /* PM: (ep, struct sigreturn_info *) */                               \
	KCALL(18, cleartid)  /* PM: (ep, CLEARTID_*, address): the clear_child_tid of a thread */  \
	KCALL(19, trace)     /* PM: (TRACEE_*, ep, address or flags, bytes): a traced thread */    \
	/* copying */                                                                              \
	KCALL(20, vircopy)  /* (src ep, src, dst ep, dst, bytes, COPY_* flags) */                  \
	KCALL(21, physcopy) /* as vircopy, EP_NONE: physical */                                    \
	KCALL(22, strcopy)  /* (src ep, src, dst, max): up to and with NUL -> length without it */ \
	KCALL(23, vvircopy) /* (struct vircopy_vec *, count) */                                    \
	KCALL(24, memset)   /* (ep, address, byte, bytes) */                                       \
	KCALL(25,                                                                                  \
		reply_copy) /* (ep, to, from, bytes, result): copy to the program and answer it */ \
	KCALL(26, setgrant) /* B: (table, count) */                                                \
	KCALL(27, safecopyfrom) /* B: (granter, grant, offset, to, bytes) */                       \
	KCALL(28, safecopyto)   /* B: (granter, grant, offset, from, bytes) */                     \
	KCALL(29, vsafecopy)    /* B: (struct safecopy_vec *, count) */                            \
	KCALL(30, safememset)   /* B: (granter, grant, offset, byte, bytes) */                     \
	KCALL(31, umap)         /* (address, bytes) own memory -> paddr in *arg 2 */               \
	KCALL(32, vumap)        /* (struct vumap_spec *) -> count of pieces */                     \
	KCALL(33, safemap)      /* B: (granter, grant, offset, address, bytes, writable) */        \
	KCALL(34, safeunmap)    /* B: (address): undo by who mapped it */                          \
	KCALL(36, saferevmap)   /* B: (SAFEREV_*, grant or address): undo by who granted it */     \
	/* memory */                                                                               \
	KCALL(35, vmctl) /* VM: (op, ep, a, b, c) */                                               \
	/* devices */                                                                              \
	KCALL(40, devio)  /* (port, DEVIO_* , value) -> value read */                              \
	KCALL(41, vdevio) /* (struct devio_vec *, count) */                                        \
	KCALL(42, sdevio) /* (port, DEVIO_*, address, count) */                                    \
	KCALL(43, irqctl) /* (op, irq, hook id) */                                                 \
	/* time */                                                                                 \
	KCALL(45, setalarm) /* B: (monotonic ns, 0: none): one an owner; notification from         \
			       EP_CLOCK */                                                         \
	KCALL(46, times)    /* B: (ep, struct proc_times *) */                                     \
	KCALL(47, settime)  /* PM: (realtime ns) */                                                \
	/* information and control */                                                              \
	KCALL(50, getinfo) /* B: (GETINFO_*, to, bytes, argument) -> bytes stored */               \
	KCALL(51, diagctl) /* B: (DIAG_*, address, bytes, argument) */                             \
	KCALL(52, abort)   /* PM, RS: (ABORT_*) */

#define KCALL(n, name) KCALL_##name = n,
enum kcall { KCALL_TABLE(KCALL) KCALL_COUNT = 64 };
#undef KCALL

/* What each service may call without its declaration saying so. */
#define KCALL_BASIC                                                                               \
	(1ull << KCALL_exit | 1ull << KCALL_statectl | 1ull << KCALL_setgrant |                   \
		1ull << KCALL_safecopyfrom | 1ull << KCALL_safecopyto | 1ull << KCALL_vsafecopy | \
		1ull << KCALL_safememset | 1ull << KCALL_safemap | 1ull << KCALL_safeunmap |      \
		1ull << KCALL_saferevmap | 1ull << KCALL_setalarm | 1ull << KCALL_times |         \
		1ull << KCALL_getinfo | 1ull << KCALL_diagctl)

/* ---- processes ---- */

/*
 * update(old, successor, flags): afterwards `old` names what `successor` was. With UPDATE_ROLLBACK
 * back again. The contents now under `old` may read those under `successor`, its predecessor, by
 * statectl until `successor` is cleared.
 *
 * `old` is at rest (receiving, or the first half of its sendrec taken), or has a signal pending:
 * then whatever it was about is given up. With UPDATE_ROLLBACK it is given up in any case, and the
 * failed contents never run again. NO_PRIV goes with the contents: a successor that has not run yet
 * wants PRIV_ALLOW on `old` afterwards. Privileges, interrupt hooks, the alarm, pending
 * notifications, queued senders and waiting clients stay with the endpoint; grant, state and
 * asynchronous tables go with the contents, and nothing is delivered from those under `successor`.
 * -EBUSY: not at rest; -EPERM: not both services.
 */
#define UPDATE_ROLLBACK 1

enum statectl_op {
	STATE_SET_TABLE = 1,  /* (table, count): where the caller's registered state is described
				 (struct state_entry) */
	STATE_GET_TABLE,      /* (struct state_table *): the predecessor's; -ESRCH: there is none */
	STATE_READ,           /* (predecessor's address, to, bytes) */
	STATE_CLEAR_IPC_REFS, /* (): whoever waits for an answer of the caller gets -EDEADSRCDST, as
				 if it had died: for services that forgot what they were asked */
	STATE_WAITERS /* (endpoint_t *, max, first slot) -> count: who waits for the caller's answer
			 to a request that it has received, in order of their slots */
};
struct state_table {
	uint64_t address, count;
};
/* One piece of registered state, in the memory of the service that registered it. */
struct state_entry {
	char name[24];
	uint64_t address;
	uint64_t bytes;
	uint32_t version;
	uint32_t pad;
};

/* saferevmap */
#define SAFEREV_GRANT   1
#define SAFEREV_ADDRESS 2

/* fork flags */
#define FORK_THREAD \
	1 /* shares the address space of the first argument (as_id and root are its own) */
#define FORK_SETTLS   2 /* FS base of the child = tls */
#define FORK_SETSTACK 4 /* stack pointer of the child = stack */
/* The child is a copy of the thread as its system call began, rax = 0, PROC_STOPped until `resume`.
 */

/* The program image is in place: sets registers, forgets FPU state, FS base, robust list, any call
 * in progress. */
struct exec_spec {
	char name[16]; /* for ps; NUL-terminated */
	uint64_t ip;
	uint64_t sp;
};

/* What the kernel answers getpid and its like from; PM keeps it true. */
struct proc_ids {
	int32_t pid, tid, ppid, pgid, sid;
	uint32_t uid, euid, suid, gid, egid, sgid;
	uint32_t pad;
};

/*
 * stop: from now on the thread does not run in user mode until `resume` (or `sigsend`, which
 * resumes). Says where it stands. Stopping a stopped thread is fine and answers the same.
 */
enum stop_where {
	STOP_USER = 0, /* at a user-mode boundary: sigsend or resume may follow. A call not yet
			  taken by its server and a wait in the kernel (futex, ...) have been taken
			  back: `result` in rax is then a restart code or EINTR */
	STOP_IN_CALL =
		1, /* waits for the answer of `server`; if that is neither PM nor VFS the kernel
		      raises KSIG_STOPPED (ksig with signals bit 0) when the call has ended */
	STOP_DEAD = 2
};

struct stop_info {
	int32_t where;     /* enum stop_where */
	endpoint_t server; /* STOP_IN_CALL */
	int32_t call;      /* STOP_IN_CALL: number of the program's system call, or -1 */
	int32_t traced;    /* STOP_USER: enum stop_traced */
};

/*
 * trace: what a tracer may see of a thread and do to it. A thread whose calls are traced stands
 * (P_STOP) at the beginning and at the end of each, and its manager gets a ksig with bit 0: `stop`
 * says where it stands. It goes on by TRACEE_GO.
 */
enum tracee_op {
	TRACEE_GO = 1,   /* (ep, flags): a call at its beginning is made now; -EINVAL */
	TRACEE_GET_REGS, /* (ep, struct linux_user_regs *) */
	TRACEE_SET_REGS, /* (ep, const struct linux_user_regs *): -EIO: no such segment or base */
	TRACEE_GET_FPU,  /* (ep, to, bytes) -> bytes stored of the FPU image (XSAVE's layout) */
	TRACEE_SET_FPU   /* (ep, from, bytes): FXSAVE's 512 bytes or the whole image; -EINVAL */
};
#define TRACEE_CALLS 1 /* from now on, until the next TRACEE_GO: stand at calls */
#define TRACEE_STEP  2 /* SIGTRAP after one instruction */

enum stop_traced {
	STOP_NO_CALL = 0,
	STOP_CALL_BEGINS, /* said until TRACEE_GO */
	STOP_CALL_ENDS    /* said once */
};

/* privctl */
enum privctl_op {
	PRIV_SET = 1,   /* (ep, struct priv_spec *): give a NO_PRIV service its privileges ->
			   privilege id */
	PRIV_ALLOW,     /* (ep): may run */
	PRIV_DISALLOW,  /* (ep): stops running (NO_PRIV) */
	PRIV_UPDATE,    /* (ep, struct priv_spec *): replace masks of a service that has privileges,
			   and its bit in those of others -> id. What PRIV_ADD_* gave stays */
	PRIV_ADD_IO,    /* (ep, struct priv_range *) */
	PRIV_ADD_MEM,   /* (ep, struct priv_range *) */
	PRIV_ADD_IRQ,   /* (ep, irq number by value) */
	PRIV_QUERY_MEM, /* VM asks: (ep, struct priv_range *): 0 or -EPERM */
	PRIV_SET_USER   /* (ep): ordinary program's privileges */
};

#define PRIV_MAX     128 /* privilege structures; id 0 is shared by all programs */
#define PRIV_ID_USER 0
#define PRIV_RANGES  16
#define PRIV_IRQS    16

struct priv_range {
	uint64_t start; /* first port, or physical address */
	uint64_t end;   /* last one, inclusive */
};

#define PRIV_FLAG_MAGIC  1 /* may make magic grants (VFS) */
#define PRIV_FLAG_ROOT   2 /* RS: privctl and update */
#define PRIV_FLAG_VM     4 /* VM */
#define PRIV_FLAG_ALL_IO 8 /* no check of ports (pci) */
#define PRIV_FLAG_DEVICES                                                                        \
	16 /* bus driver: PRIV_ADD_IO, PRIV_ADD_MEM, PRIV_ADD_IRQ for the drivers of its devices \
	    */

struct priv_spec {
	uint32_t flags;
	uint32_t trap_mask;  /* bit (trap - TRAP_BASE) */
	uint64_t kcall_mask; /* bit n: kernel call n; KCALL_BASIC is added */
	uint64_t send_mask[PRIV_MAX /
		64]; /* bit: privilege id it may send to; symmetry for replies is the kernel's */
	endpoint_t sig_mgr;    /* EP_SELF: itself */
	endpoint_t backup_mgr; /* EP_NONE: none */
	int32_t uid;           /* what getuid says */
	uint16_t io_count, mem_count, irq_count,
		linux_mem; /* linux_mem 1: may use brk, mmap, munmap (VM) */
	struct priv_range io[PRIV_RANGES];
	struct priv_range mem[PRIV_RANGES];
	int32_t irq[PRIV_IRQS];
	uint32_t grants_max; /* entries of its grant table; 0: as many as there can be */
	char label[32];
};

/* ---- signals ---- */

/* Bits of notify.signals in a notification from EP_KERNEL. */
#define KSIG_MEMREQ 1 /* VM: vmctl MEMREQ_GET */
#define KSIG_SIGNAL 2 /* manager: getksig */
#define KSIG_ASYNC  4 /* asynchronous messages were delivered */
#define KSIG_SELF   8 /* signals for the service itself, bit mask in u64[3] of the payload */

struct ksig {
	endpoint_t endpoint;
	int32_t code;      /* si_code of the fault that is in signals */
	uint64_t signals;  /* bit signo; bit 0: a delayed stop has happened */
	uint64_t address;  /* si_addr of the fault */
	int32_t fault_sig; /* which signal code and address are for, or 0 */
	int32_t trapno;
	uint64_t error; /* hardware error code, for the frame */
};

/* Builds the rt_sigframe (see abi/linux/signal.h) on the thread's stack and resumes it in the
 * handler. */
struct sigsend_spec {
	int32_t signo;
	uint32_t sa_flags; /* SA_* of Linux */
	uint64_t handler;
	uint64_t restorer;                   /* pushed as return address; needs SA_RESTORER */
	uint64_t mask;                       /* what sigreturn shall restore */
	uint64_t altstack_sp, altstack_size; /* alternate stack, size 0: none */
	uint32_t altstack_flags;             /* SS_* to be stored in uc_stack */
	uint32_t use_altstack; /* PM found SA_ONSTACK and a usable stack; the kernel checks whether
				  sp is on it already */
	int32_t trapno;
	int32_t pad;
	uint64_t error, fault_address; /* sigcontext err, cr2 */
	uint8_t siginfo[128];
};
/* -EFAULT: the stack is not writable: PM kills with SIGSEGV. */

struct sigreturn_info {
	uint64_t mask; /* uc_sigmask of the frame */
	uint64_t altstack_sp, altstack_size;
	uint32_t altstack_flags;
	uint32_t pad;
};

/* cleartid: what set_tid_address and CLONE_CHILD_CLEARTID name; the kernel forgets it at exec. */
enum cleartid_op {
	CLEARTID_SET = 1, /* (ep, op, address) */
	CLEARTID_RUN /* (ep, op): the thread ends: 32-bit 0 is stored there (memory is brought in as
			for copies) and one futex waiter is woken; its robust list is walked; then
			both are forgotten. 0 also when there is none */
};

/* ---- copying ---- */

#define COPY_TRY 1 /* -EFAULT at an absent page instead of waiting for VM */

struct vircopy_vec {
	endpoint_t src_ep, dst_ep;
	uint64_t src, dst, bytes;
};

struct safecopy_vec {
	endpoint_t granter; /* the other side */
	grant_t grant;
	uint64_t offset;  /* bytes into the grant */
	uint64_t address; /* own memory */
	uint64_t bytes;
	uint32_t write; /* 1: safecopyto, 0: safecopyfrom */
	int32_t pad;
};
#define VCOPY_MAX 64

struct phys_piece {
	paddr_t paddr;
	uint64_t bytes;
};

/* vumap: physical pieces behind a grant (or the caller's own memory: granter EP_SELF, grant
   GRANT_INVALID, address in offset). Absent pages are brought in; with `write` they are writable
   and no longer shared copy-on-write. */
struct vumap_spec {
	endpoint_t granter;
	grant_t grant;
	uint64_t offset, bytes;
	struct phys_piece *pieces; /* out */
	uint32_t max;              /* pieces there is room for */
	uint32_t write;            /* the device writes to the memory */
};

/* ---- vmctl ---- */

enum vmctl_op {
	VMCTL_CLEAR_PAGEFAULT = 1, /* (ep): the faulting thread goes on */
	VMCTL_MEMREQ_GET,          /* (EP_NONE, struct memreq *) -> 1, 0 when none */
	VMCTL_MEMREQ_REPLY,        /* (requestor ep, result, id or 0): see struct memreq */
	VMCTL_SETADDRSPACE,        /* (ep, as_id, root paddr) */
	VMCTL_VMINHIBIT_SET,       /* (ep) */
	VMCTL_VMINHIBIT_CLEAR,     /* (ep) */
	VMCTL_BOOTINHIBIT_CLEAR,   /* (ep) */
	VMCTL_FLUSH,  /* (EP_NONE, root paddr): all of an address space, where it is loaded; 0: the
			 current one */
	VMCTL_INVLPG, /* (EP_NONE, root paddr, address, pages) */
	VMCTL_MEMORY_TAKEN, /* (): VM owns the free list now; the kernel may not allocate any more
			     */
	VMCTL_RESTART_CALL  /* (ep): a program's call that VM was serving: wake without result, run
			       it again */
};

/*
 * What the kernel wants of VM on behalf of a call that waits.
 *
 * CHECK: the range of `target` is to be made present (writable with `write`): answer 0 has the call
 * run again, else it ends with -EFAULT. The other kinds end the call with the answer.
 *
 * MAP: `source`'s pages at source_address appear in `target` at `address`, shared from now on,
 * read-only without `write`. UNMAP: `target` undoes what it has mapped at `address` (with bytes 0:
 * the whole mapping that was made there). REVOKE: `target` undoes what others mapped of its
 * memory in address ... address + bytes. After both each side has the last contents for itself.
 * COW: as a copy from `source`, page by page copy-on-write; all is page-aligned. -EAGAIN: copy.
 */
enum memreq_kind { MEMREQ_CHECK, MEMREQ_MAP, MEMREQ_UNMAP, MEMREQ_REVOKE, MEMREQ_COW };
struct memreq {
	endpoint_t requestor; /* who waits; name it in MEMREQ_REPLY */
	endpoint_t target;    /* whose memory */
	uint64_t address, bytes;
	uint32_t write;
	uint32_t kind;     /* enum memreq_kind */
	endpoint_t source; /* MAP, COW */
	uint32_t id; /* given back in MEMREQ_REPLY: an answer to an older request is ignored */
	uint64_t source_address;
};

/* ---- devices ---- */

#define DEVIO_8     1
#define DEVIO_16    2
#define DEVIO_32    4
#define DEVIO_WIDTH 7
#define DEVIO_OUT   8 /* else in */

struct devio_vec {
	uint16_t port;
	uint16_t flags; /* DEVIO_* */
	uint32_t value; /* in or out */
};
#define DEVIO_VEC_MAX 64

enum irqctl_op {
	IRQ_SET = 1, /* (irq, hook id 0..63): notifications from EP_HARDWARE with bit (hook id); the
			line is masked at delivery until IRQ_ENABLE. Starts disabled.
			Level-triggered lines may be shared. */
	IRQ_REMOVE,  /* (irq, hook id) */
	IRQ_ENABLE,  /* (irq, hook id) */
	IRQ_DISABLE  /* (irq, hook id) */
};

/* ---- time ---- */

struct proc_times {
	uint64_t user_ns, system_ns; /* of the thread */
	uint64_t uptime_ns;          /* monotonic clock */
	uint64_t realtime_ns;        /* since the epoch */
	uint64_t idle_ns;            /* all processors */
};

/* ---- information ---- */

enum getinfo_what {
	GETINFO_WHOAMI = 1, /* struct whoami */
	GETINFO_KINFO,      /* struct kinfo (abi/bootinfo.h) */
	GETINFO_PROCTAB,    /* struct proc_info[] from slot `argument` on */
	GETINFO_PROC,       /* struct proc_info of endpoint `argument` */
	GETINFO_IDS,        /* struct proc_ids of endpoint `argument` */
	GETINFO_CMDLINE,    /* the kernel command line with NUL */
	GETINFO_SYSTEM,     /* struct system_info */
	GETINFO_TRACE,      /* struct trace_record[], newest last (abi/trace.h) */
	GETINFO_PRIV,       /* struct priv_spec of endpoint `argument` */
	GETINFO_KCALLS /* uint64_t: the kernel calls that endpoint `argument` has made so far */
};

struct whoami {
	endpoint_t endpoint;
	uint32_t flags;
	int32_t priv_id;
	char label[32];
};

/* Run-time flags: a thread runs only when it has none. */
#define RTS_SLOT_FREE   0x1
#define RTS_PROC_STOP   0x2 /* stopped by PM, or new and not yet started */
#define RTS_SENDING     0x4
#define RTS_RECEIVING   0x8
#define RTS_SIGNALED    0x10 /* the manager has not yet got its signals */
#define RTS_SIG_PENDING 0x20 /* the manager works on them */
#define RTS_P_STOP      0x40 /* traced and stopped */
#define RTS_NO_PRIV     0x80
#define RTS_NO_ENDPOINT 0x100
#define RTS_VMINHIBIT   0x200
#define RTS_PAGEFAULT   0x400
#define RTS_VMREQUEST   0x800
#define RTS_NO_QUANTUM  0x8000
#define RTS_BOOTINHIBIT 0x10000
#define RTS_FUTEX       0x20000

struct proc_info {
	endpoint_t endpoint;
	uint32_t rts_flags;
	char name[16];
	struct proc_ids ids;
	int32_t priv_id;
	int32_t priority;
	endpoint_t blocked_on; /* SENDING, RECEIVING: peer */
	int32_t call;          /* system call in progress or -1 */
	uint64_t user_ns, system_ns, start_ns;
	uint64_t ip, sp;
	uint32_t as_id;
	uint32_t cpu;
	uint64_t messages; /* sent so far */
};

struct system_info {
	uint64_t uptime_ns, idle_ns, boot_realtime_ns;
	uint64_t context_switches, interrupts, kernel_calls, messages;
	uint32_t procs, procs_max, cpus, runnable;
	uint64_t tsc_hz;
	char cpu_vendor[16], cpu_model[52];
	uint32_t cpu_family, cpu_modelnr, cpu_stepping, xsave_bytes;
	uint32_t cpuid1_ecx, cpuid1_edx, cpuid7_ebx, cpuid7_ecx;
	uint32_t load_avg[3]; /* fixed point, 1 << 11 is 1.0: 1, 5, 15 minutes */
	uint32_t hwcap2;
	uint64_t user_ns; /* processor time of programs in user mode, all processors */
	uint64_t forks;   /* processes and threads ever made */
};

enum diag_op {
	DIAG_WRITE = 1, /* (text, bytes): appended to the diagnostics buffer as the caller's line */
	DIAG_READ,  /* (to, bytes, position): from absolute position on -> bytes; position too old:
		       from the oldest */
	DIAG_END,   /* () -> absolute position of the end */
	DIAG_PANIC, /* (text, bytes): the caller dies: line to the buffer, then as exit */
	DIAG_RAW    /* (text, bytes): a line without prefix (kmsg) */
};

enum abort_how { ABORT_POWEROFF = 1, ABORT_REBOOT, ABORT_HALT, ABORT_PANIC };
