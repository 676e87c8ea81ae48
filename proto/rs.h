/* SPDX-License-Identifier: BSD-2-Clause */
/* The reincarnation server: programs' control call, and what VFS asks of it. */
#pragma once

#include "abi/message.h"

enum rs_op {
	RS_FS_START = RS_BASE, /* VFS, asynchronous: rs_fs_start, answered by VFS_RS_FS_REPLY */
	RS_FS_STOP,            /* VFS, asynchronous: rs_ep: unmounted, let it go */
	RS_GETINFO, /* proc file system, asynchronous: rs_getinfo: the table of services as text;
		       answered by an asynchronous message of type RS_GETINFO | PROTO_REPLY:
		       rs_getinfo_rep */
	RS_ENDED /* PM, asynchronous: rs_ended: a service whose signals PM manages has got one that
		    ends it; PM has stopped it */
};

struct rs_fs_start {
	uint32_t seq;
	char type[16];  /* "ext2", "tmp", "proc" */
	char label[24]; /* wanted label, e.g. "ext2.vda" */
};
struct rs_ep {
	endpoint_t ep;
};
struct rs_ended {
	endpoint_t ep;
	int32_t signo;
};
struct rs_getinfo {
	grant_t to; /* to RS, writable */
	uint32_t bytes;
	uint32_t seq;
};
struct rs_getinfo_rep {
	int32_t result; /* bytes stored, or negative errno */
	uint32_t seq;
};

/*
 * System call LINUX_NR_axo_service(struct axo_service_req *): root, and whom a
 * declaration's `control` names for its service, else -EPERM. The caller is a Linux program
 * (commands/service, commands/init). Returns what the command says, or a negative
 * errno.
 */
enum axo_service_cmd {
	AXO_SERVICE_UP = 1,  /* name, conf, binary, args: starts it; 0 when its init succeeded, else
				its error */
	AXO_SERVICE_DOWN,    /* name */
	AXO_SERVICE_RESTART, /* name */
	AXO_SERVICE_STATUS,  /* name or "" for all: text lines into out -> bytes */
	AXO_SERVICE_TEMPLATE, /* as UP: registers a file-system type, started at each mount */
	AXO_SERVICE_BOOTED,   /* init: the system is up (RS may log, start heartbeats) */
	AXO_SERVICE_REFRESH,  /* name: stops it and starts it as new */
	AXO_SERVICE_UPDATE,   /* name, binary (none: the one RS keeps), conf: live update; several:
				 flag BATCH with all but the last */
	AXO_SERVICE_ROLLBACK, /* name: back to the binary before the last update, by live update */
	AXO_SERVICE_CLONE,    /* name: keeps a replica ready from now on */
	AXO_SERVICE_UNCLONE,  /* name */
	AXO_SERVICE_EDIT,     /* name, conf: new declaration for a running service */
	AXO_SERVICE_PING,     /* name: 0 when it answers; nanoseconds it took */
	AXO_SERVICE_FAULT,    /* name: arg = enum sef_fault_kind, or 0: SIGKILL; seed, count */
	AXO_SERVICE_LOOKUP,   /* name -> endpoint */
	AXO_SERVICE_STATS,    /* name: struct axo_service_stats into out */
	AXO_SERVICE_SHUTDOWN, /* no more restarts */
	AXO_SERVICE_SCRIPT,   /* init only: the next recovery script to run as four lines (path,
				label,   reason, incarnation) into out -> bytes; 0: none. RS sends
				init   SIGHUP   when there is one */
	AXO_SERVICE_RIGHTS,   /* name: the declaration in force as text into out -> bytes */
	AXO_SERVICE_DEVICES   /* a line "chr|blk NUMBER LABEL" for each device number -> bytes */
};
#define AXO_SERVICE_REPLICA    1  /* UP: keep a replica */
#define AXO_SERVICE_BATCH      2  /* UPDATE: hold back until one comes without it */
#define AXO_SERVICE_NO_BACKOFF 4  /* UP: restart at once each time; FAULT: so after this one */
#define AXO_SERVICE_NO_WAIT    8  /* UP: do not wait for its init */
#define AXO_SERVICE_BOUNDARY   16 /* FAULT: between two requests */
#define AXO_SERVICE_STANDS     32 /* FAULT: within a request, which is not rolled back (lib/undo) */

/* What RS counts of a service. Times in ns. */
struct axo_service_stats {
	uint32_t restarts; /* that are complete */
	uint32_t updates, rollbacks, replicas_used;
	uint64_t last_recovery_ns; /* from the crash to the new instance's init reply */
	uint64_t max_recovery_ns, total_recovery_ns;
	int32_t endpoint, state;
	int32_t last_signal, pid;
};
struct axo_service_req {
	uint32_t cmd;
	uint32_t flags;
	char name[24];
	uint64_t conf, conf_len;     /* text of the declaration */
	uint64_t binary, binary_len; /* ELF file in memory */
	uint64_t args, args_len;     /* string for the service */
	uint64_t out, out_len;
	int32_t arg;        /* UPDATE: enum sef_lu_state; FAULT: enum sef_fault_kind */
	uint32_t count;     /* FAULT */
	uint64_t seed;      /* FAULT */
	uint64_t limit_ns;  /* UPDATE: how long to wait for the state; 0: 2 s */
	uint64_t period_ns; /* UP, EDIT: heartbeat; 0: as declared */
};
