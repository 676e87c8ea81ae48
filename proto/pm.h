/* SPDX-License-Identifier: BSD-2-Clause */
/* The PM protocol, beside programs' LINUX_CALL messages. All of it arrives asynchronously unless
 * said. */
#pragma once

#include "abi/message.h"

enum pm_op {
	/* VFS -> PM: answers to proto/vfs.h VFS_PM_* and requests of its own, asynchronous */
	PM_VFS_REPLY = PM_BASE, /* pm_vfs_reply */
	PM_VFS_EXEC_REPLY,      /* pm_vfs_exec_reply */
	PM_JOBCTL,              /* pm_jobctl: answered by VFS_PM_JOBCTL_REPLY */
	PM_KILL_PGRP,           /* pm_kill_pgrp: hang-up of a terminal */
	PM_SIGNAL_PROC, /* pm_signal_proc: SIGPIPE for a thread: pending before its call is answered
			 */
	/* tty -> PM, asynchronous */
	PM_TTY_SIGNAL, /* pm_kill_pgrp: ^C and its like, window size */
	/* RS -> PM, asynchronous */
	PM_SERVICE_NEW,  /* pm_service: PM gives it a pid, ps and kill see it */
	PM_SERVICE_GONE, /* pm_service */
	/* proc file system -> PM, asynchronous, answered by an asynchronous message of type (op |
	   PROTO_REPLY) */
	PM_GETPROC, /* pm_getproc -> pm_getproc_rep */
	/* VFS -> PM, asynchronous, not answered */
	PM_SIGMASK, /* pm_sigmask: pselect6, ppoll, epoll_pwait: a mask for the time of the call */
	/* proc file system -> PM, asynchronous, answered as PM_GETPROC: pm_getnames ->
	   pm_getproc_rep */
	PM_GETNAMES,
	/* any service whose declaration has `ipc pm` -> PM, asynchronous: process events */
	PM_WATCH, /* pm_watch, answered as PM_GETPROC: pm_getproc_rep: -ESRCH, -EINVAL, -ENOMEM */
	PM_EVENT_DONE, /* pm_event as it came: PM may go on */
	/* PM -> the service, asynchronous */
	PM_EVENT /* pm_event: answered by PM_EVENT_DONE within two seconds, or PM goes on, and the
		    service hears no more of any process */
};

enum pm_event_kind {
	PM_EVENT_SIGNAL = 1, /* it has a signal to take, and is stopped; a call of it that the
				service holds is to be broken off */
	PM_EVENT_EXIT = 2    /* it has ended; the last event of the process */
};

/* Interest in one process; kinds 0: none any more. One that is started again asks again. */
struct pm_watch {
	endpoint_t ep; /* any thread of it; EP_NONE: by pid */
	int32_t pid;
	uint32_t kinds; /* PM_EVENT_* */
	uint32_t seq;
};

struct pm_event {
	endpoint_t ep; /* main thread */
	int32_t pid;
	uint32_t kind; /* PM_EVENT_* */
	uint32_t seq;
};

struct pm_vfs_reply {
	int32_t op;    /* the VFS_PM_* operation answered */
	endpoint_t ep; /* whom it was about */
	int32_t result;
	uint32_t seq;
};

struct pm_vfs_exec_reply {
	endpoint_t ep;
	int32_t result;  /* 0: image in place; negative: failed */
	uint8_t fatal;   /* 1: failed past the point of no return: kill with SIGKILL (or SIGSEGV) */
	uint8_t set_uid; /* 1: euid = uid below */
	uint8_t set_gid;
	uint8_t secure : 1;
	uint8_t unreadable : 1; /* the caller may not read what it executes; nor may its tracer */
	uint32_t uid, gid;
	uint32_t seq;
	uint64_t ip, sp;
	char name[16];
};
PROTO_FITS(pm_vfs_exec_reply);

/* A background process wants to use its controlling terminal. */
struct pm_jobctl {
	endpoint_t ep; /* thread */
	int32_t signo; /* SIGTTIN or SIGTTOU */
	uint32_t seq;
};

struct pm_kill_pgrp {
	int32_t pgid; /* PM_TTY_SIGNAL, PM_KILL_PGRP: group */
	int32_t signo;
	int32_t sid;       /* PM_KILL_PGRP: if not 0, only within this session */
	uint32_t and_cont; /* send SIGCONT too (hang-up) */
};

struct pm_signal_proc {
	endpoint_t ep; /* thread */
	int32_t signo;
};

/* Sent with set 1 before the call waits and, if it was not ended by VFS_PM_CANCEL, with set 0
   before its answer. PM gives a cancelled call's thread its old mask back itself. */
struct pm_sigmask {
	endpoint_t ep; /* thread */
	uint32_t set;
	uint64_t mask;
};

struct pm_service {
	endpoint_t ep;
	uint32_t uid;
	char label[32];
};
PROTO_FITS(pm_service);

struct pm_getproc {
	int32_t pid; /* this one, or with next 1 the first with a pid of at least this */
	uint32_t next;
	uint64_t to; /* grant id (granted to PM, writable) for struct pm_proc_info */
	uint32_t seq;
};
struct pm_getproc_rep {
	int32_t result; /* 0, -ESRCH */
	uint32_t seq;
};

/* What is one for the whole system. */
struct pm_getnames {
	grant_t to; /* to PM, writable, for struct pm_names */
	uint32_t seq;
};
struct pm_names {
	char host[65], domain[65];
	uint16_t pad;
	int32_t pid_max;
};

/* What PM tells of a process. */
struct pm_proc_info {
	int32_t pid, ppid, pgid, sid;
	endpoint_t ep; /* main thread */
	uint32_t uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
	char name[16];
	char state; /* R S D T t Z as in ps */
	uint8_t is_service;
	uint16_t threads;
	int32_t nice;
	int32_t exit_signal, exit_code;
	uint64_t sig_pending, sig_blocked, sig_ignored, sig_caught, shared_pending;
	uint64_t user_ns, system_ns, child_user_ns, child_system_ns;
	uint64_t start_ns; /* monotonic */
	uint64_t minor_faults, major_faults, child_minor_faults, child_major_faults;
	uint32_t ngroups;
	uint32_t groups[32];
	int32_t tids[64]; /* thread ids */
	endpoint_t eps[64];
	uint64_t rlimits[16][2];
	int32_t tracer_pid; /* of the main thread; 0: none */
	uint32_t dumpable;
};
