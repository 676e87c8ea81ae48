/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes (thread groups) and threads, and how they are found.
 *
 * Invariants:
 *  1. Every process is in pm.processes, in the pid hash, and (but for init and services) among its
 * parent's children.
 *  2. An ALIVE process has a leader, whose tid is the pid and whose kernel slot is live. A leader
 * that ended before its other threads keeps its slot, stopped, and is `gone`.
 *  3. An EXITING process has only its leader; services owe answers to its event (exit_seq is 0), or
 * VFS the one to VFS_PM_EXIT. A ZOMBIE has no
 * thread.
 *  4. A thread is in its process's list, in the tid hash and in pm.by_slot[EP_SLOT(ep)].
 *  5. Pending signals of an ALIVE process that no thread blocks: some thread that does not block
 * them is on its way to a boundary (see deliver.h), or the process is stopped.
 */
#pragma once

#include "abi/kcall.h"
#include "abi/linux/signal.h"
#include "lib/core/list.h"
#include "servers/pm/linux.h"
#include "servers/pm/sigqueue.h"
#include "servers/pm/timerq.h"

/* Of the structures that struct pm leads to; raised with each change of them (upgrade.h). Tests are
 * built with the next one. */
#ifndef PM_STATE_VERSION
#define PM_STATE_VERSION 1
#endif

struct pm;

struct credentials {
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	uint32_t group_count;
	uint32_t groups[PM_GROUPS_MAX];
	uint64_t cap_permitted, cap_effective, cap_inheritable, cap_bounding;
	uint32_t securebits;
	bool keep_caps;
};

/* Signal actions; shared by processes made with CLONE_SIGHAND. */
struct sighand {
	uint32_t references;
	struct linux_sigaction action[LINUX_NSIG + 1]; /* by signal number */
};

struct cpu_time {
	uint64_t user_ns, system_ns;
};

struct usage {
	struct cpu_time time;
	uint64_t minor_faults, major_faults, max_resident_pages;
};

/* Where a thread stands with regard to user mode; see deliver.h. */
enum thread_run { RUN_FREE, RUN_STOPPED, RUN_CANCELLING, RUN_IN_CALL };

/* What a thread waits for inside a call to PM. */
enum wait_kind {
	WAIT_NONE,
	WAIT_CHILD,   /* wait4, waitid */
	WAIT_PAUSE,   /* pause */
	WAIT_SUSPEND, /* rt_sigsuspend */
	WAIT_SIGNAL,  /* rt_sigtimedwait */
	WAIT_SLEEP,   /* nanosleep, clock_nanosleep */
	WAIT_VFORK,   /* until the child execs or ends; only SIGKILL ends it */
	WAIT_EXEC,    /* VFS_PM_EXEC is out; nothing ends it */
	WAIT_TRACER,  /* stands for its tracer within a call; only that and SIGKILL end it */
	WAIT_REBOOT   /* nothing ends it */
};

struct wait_child {
	int32_t idtype; /* LP_ALL, LP_PID, LP_PGID */
	int32_t id;
	uint32_t options;
	bool is_waitid;
	uint64_t status, info, rusage; /* addresses or 0 */
};

struct wait_sleep {
	int32_t clock;
	bool absolute;
	uint64_t deadline_ns; /* of the monotonic clock, of the real time if `absolute` and clock 0
				 or 11, of processor time */
	uint64_t remaining;   /* address or 0 */
};

struct wait {
	enum wait_kind kind;
	union {
		struct wait_child child;
		struct {
			uint64_t set, info;
		} signal;
		struct wait_sleep sleep;
	};
};

/* Where a traced thread stands for its tracer; see trace.h. */
enum trace_stop {
	TRACE_RUNS,
	TRACE_AT_SIGNAL, /* that it is about to take */
	TRACE_AT_CALL,   /* at the beginning of a call */
	TRACE_AT_RESULT, /* at the end of a call */
	TRACE_AT_EVENT,
	TRACE_IN_GROUP_STOP, /* job control, PTRACE_INTERRUPT */
	TRACE_LISTENS        /* the same, but only the end of the group stop is of interest */
};

/* What a thread does when it goes on from an event. */
enum trace_then { THEN_GO_ON, THEN_REPLY, THEN_WAIT_VFORK, THEN_EXIT, THEN_TERMINATE };

struct tracee {
	struct process *tracer; /* NULL: not traced, and nothing of the rest counts */
	struct list link;       /* tracer's tracees */
	bool seized;
	uint32_t options; /* LPTRACE_O_* */
	uint32_t mode;    /* TRACEE_* that it runs with */

	enum trace_stop stop;
	int32_t code;    /* of the stop: wait4's status >> 8 */
	bool unreported; /* wait4 has not told it */
	bool has_info;
	struct linux_siginfo info;
	uint64_t message; /* PTRACE_GETEVENTMSG */
	enum trace_then then;
	int64_t result; /* of the call, status or exit code for `then` */

	/* What it has to stop for at the boundary of user mode. */
	enum stop_traced call_at; /* said by the kernel, not yet told */
	bool exec_due, group_due, trap_due, step_due;
	int32_t signo; /* to take without another stop: `info`; 0: none */
};

/* A thread that has ended, until its tracer has waited for it. */
struct trace_ended {
	struct list link; /* tracer's trace_ended */
	int32_t tid, pgid, status;
	uint32_t uid;
	struct process *process; /* its process, which ended with it and is hidden from its parent
				    until then; NULL: it was not the leader */
};

struct thread {
	struct list process_link;
	struct list tid_link;
	struct process *process;
	endpoint_t ep;
	int32_t tid;
	char name[16];

	enum thread_run run;
	bool in_call;        /* PM owes it an answer */
	bool gone;           /* leader that has ended (invariant 2) */
	int32_t call;        /* number of the call it is in */
	uint32_t cancel_seq; /* RUN_CANCELLING: the request to VFS */

	uint64_t mask;       /* blocked signals */
	uint64_t saved_mask; /* to come back, while restore_mask */
	bool restore_mask;
	struct sigqueue pending;
	uint64_t altstack_sp, altstack_size;
	uint32_t altstack_flags; /* LSS_DISABLE, LSS_AUTODISARM */

	int32_t fault_signo; /* last fault, for the signal frame */
	int32_t fault_trapno;
	uint64_t fault_error, fault_address;

	struct tracee trace;
	struct wait wait;
	struct cpu_timer timer; /* of the wait; its plain part for the other clocks */
	bool has_restart;       /* restart_syscall goes on with this sleep */
	struct wait_sleep restart;

	int32_t policy, rt_priority; /* sched_setscheduler */
	uint64_t start_ns;
	uint64_t timer_slack_ns;
};

struct posix_timer {
	struct list link;
	int32_t id;
	int32_t clock;
	int32_t notify, signo; /* LSIGEV_* */
	int32_t target_tid;    /* LSIGEV_THREAD_ID */
	uint64_t value;        /* sigval */
	struct process *process;
	struct cpu_timer timer;
	uint64_t expires_ns; /* of its clock; 0: not armed */
	bool absolute_realtime;
	uint64_t interval_ns;
	int32_t overrun; /* of the last delivery */
};

enum process_state { PROCESS_ALIVE, PROCESS_EXITING, PROCESS_ZOMBIE };

struct process {
	struct list all_link;
	struct list pid_link;
	struct process *parent;
	struct list children;
	struct list sibling;
	struct list threads;
	uint32_t thread_count; /* that have not ended */
	struct thread *leader;
	int32_t pid, pgid, sid;
	enum process_state state;
	bool is_service;
	bool did_exec; /* setpgid refuses */
	char name[16];
	uint64_t start_ns;

	struct credentials cred;
	bool no_new_privs;
	bool subreaper;
	uint32_t dumpable;
	uint32_t personality;
	int32_t parent_death_signal;
	int32_t nice;
	uint64_t rlimit[LRLIM_COUNT][2]; /* soft, hard */

	struct sighand *sighand;
	struct sigqueue pending;
	bool stopped;         /* job control */
	bool stop_complete;   /* all threads stand; the parent may know */
	bool stop_unreported; /* for wait: WUNTRACED */
	bool continue_unreported;
	int32_t stop_signo;

	struct pm_timer real_timer; /* ITIMER_REAL */
	uint64_t real_interval_ns;
	bool real_queued; /* SIGALRM is pending; armed again when it is taken */
	uint64_t real_expired_ns;
	struct cpu_timer virtual_timer, prof_timer, cpu_limit_timer;
	uint64_t virtual_interval_ns, prof_interval_ns;
	struct list posix_timers;
	int32_t next_timer_id;

	struct usage ended;          /* of ended threads; of all when the process has ended */
	struct usage children_usage; /* of children waited for */

	struct list tracees;     /* struct thread, by trace.link: traced by this process */
	struct list trace_ended; /* struct trace_ended */
	struct list watches;     /* struct watch: services that want to hear events (event.c) */
	uint32_t unanswered;     /* events that they have not answered */
	bool hidden;             /* a zombie that its tracer waits for first */

	struct thread *vfork_parent; /* waits for exec or end of this one */
	uint32_t exec_seq;           /* VFS_PM_EXEC is out, 0: not */
	int32_t exec_tid;            /* of the thread that called exec */
	bool doomed;                 /* to end with doom_status when exec is answered */
	int32_t doom_status;
	int32_t exit_status; /* as wait4 stores it */
	int32_t exit_signal; /* to the parent; 0: none */
	uint32_t exit_seq;   /* EXITING: VFS_PM_EXIT */
#if PM_STATE_VERSION > 1
	uint64_t upgraded_ns; /* when it came over from version 1; 0: it is younger */
#endif
};

/* The thread with this endpoint, or NULL. */
struct thread *thread_by_ep(struct pm *pm, endpoint_t ep);
/* The thread with this tid, or NULL; processes that are not ALIVE have none. */
struct thread *thread_by_tid(struct pm *pm, int32_t tid);
/* The process with this pid (zombies too), or NULL. */
struct process *process_by_pid(struct pm *pm, int32_t pid);

/* A process with a new pid (or `pid` if not 0), a child of parent (NULL: nobody's); without
 * threads. NULL: no memory. */
struct process *process_new(struct pm *pm, struct process *parent, int32_t pid);
/* Frees a process without threads and children. */
void process_free(struct pm *pm, struct process *process);
/* A thread of process with this endpoint; tid 0: a new one. The first becomes the leader. NULL: no
   memory, or the slot is out of range. */
struct thread *thread_new(struct pm *pm, struct process *process, endpoint_t ep, int32_t tid);
/* Frees the structure only. */
void thread_free(struct pm *pm, struct thread *thread);
/* Make a thread's tid its process's pid, and the thread leader; the old leader must be gone from
 * the lists. */
void thread_become_leader(struct pm *pm, struct thread *thread);
void process_set_parent(struct pm *pm, struct process *process, struct process *parent);
/* Actions of its own, not shared (exec). -ENOMEM. */
int process_unshare_sighand(struct process *process);

/* Tell the kernel what getpid and its like answer; of one thread, and of all. */
void thread_push_ids(struct thread *thread);
void process_push_ids(struct process *process);

#define pm_for_each_process(var, pm) list_for_each(var, &(pm)->processes, struct process, all_link)
#define process_for_each_thread(var, process) \
	list_for_each(var, &(process)->threads, struct thread, process_link)
