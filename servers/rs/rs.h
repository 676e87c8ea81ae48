/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RS's state. One struct rs holds all of it; handlers get it as an argument.
 *
 * State at a restart of RS: its whole memory is kept (standby.h). Over its update: all that struct
 * rs leads to, which points to nothing but the heap (renew.h).
 */
#pragma once

#include "abi/grant.h"
#include "abi/types.h"
#include "proto/sef.h"
#include "servers/rs/conf.h"

/* Of what struct rs leads to; upgrade.c. */
#ifndef RS_STATE_VERSION
#define RS_STATE_VERSION 1
#endif

#define RS_SERVICES_MAX  64
#define RS_TEMPLATES_MAX 16
#define RS_BINARY_MAX    (32u << 20) /* bytes of an executable that RS keeps */
#define RS_ARGS_MAX      1024        /* bytes of a service's arguments */
#define RS_STATUS_MAX    8192        /* bytes of the table of services as text */

#define RS_INIT_LIMIT_NS    10000000000ull /* the start of a service may take this long */
#define RS_STOP_LIMIT_NS    2000000000ull  /* from SIGTERM to the end by force */
#define RS_PREPARE_LIMIT_NS 2000000000ull  /* until a service is ready for its update */
#define RS_QUEUE_LIMIT_NS   10000000000ull /* until a batch of updates is complete */
#define RS_STABLE_NS        1000000000ull  /* a crash after so long a run is not one of a row */
#define RS_CRASHES_MAX      5              /* so many in a row, and RS gives up */
#define RS_REPLICA_DELAY_NS 100000000ull   /* from a start to the making of a replica */
#define RS_REPLICA_RETRY_NS 10000000000ull /* when there was no memory for one */
#define RS_PERIOD_NS        5000000000ull  /* of heartbeats, unless declared ... */
#define RS_DRIVER_PERIOD_NS 1000000000ull  /* ... or a driver's, which stops all programs */

/*
 *             up                     init succeeded
 *   FREE ----------> STARTING --------------------> RUNNING
 *    ^                |   ^ ^                       |     |
 *    |  init failed,  |   | |        crash          |     | down, restart, refresh
 *    +--- up only ----+   | +-----------------------+     v
 *    |                    |  time is over           |  STOPPING --> FREE, or STARTING again
 *    |                    +---------- BACKOFF <-----+
 *    |                    |  restart                |
 *    |                    +---------- SCRIPT <------+
 *    |                                   |
 *    +-- down ---- FAILED <--- too many -+
 *
 * up: service_up; init: service_started; crash: service_died; time: service_tick; down:
 * service_down.
 */
enum service_state {
	SERVICE_FREE,     /* the slot is unused */
	SERVICE_STARTING, /* is in its init */
	SERVICE_RUNNING,
	SERVICE_STOPPING, /* was sent SIGTERM */
	SERVICE_BACKOFF,  /* dead; its restart is due later */
	SERVICE_SCRIPT,   /* dead; its recovery script decides */
	SERVICE_FAILED    /* crashed too often, or cannot be started again; has no process */
};

/* How far a service is in the live update that goes on (update.h). */
enum update_step {
	UPDATE_NONE,
	UPDATE_QUEUED,    /* the new version is made; the batch is not complete */
	UPDATE_PREPARING, /* was asked to come to rest */
	UPDATE_READY,     /* rests: waits for RS's answer */
	UPDATE_STARTING,  /* the new version has the endpoint and is in its init */
	UPDATE_STARTED    /* the new version waits for RS's answer */
};

/* Why a service ended, for its script and for who waits. */
enum death {
	DEATH_CRASH,
	DEATH_NO_HEARTBEAT,
	DEATH_TIMEOUT, /* its init took too long */
	DEATH_WANTED   /* restart, refresh */
};

/* An executable, shared by the instances started from it and by services with the same one. */
struct binary {
	unsigned references;
	size_t len;
	const uint8_t *data;
};

/* Who is told when the operation on a service has ended. */
enum waiter_kind { WAITER_NONE, WAITER_PROGRAM, WAITER_MOUNT };
struct waiter {
	enum waiter_kind kind;
	endpoint_t program; /* PROGRAM: waits in its system call */
	uint32_t seq;       /* MOUNT: VFS's number of the request */
};

/* What is counted; times in ns. */
struct service_counts {
	uint32_t restarts, updates, rollbacks, replicas_used;
	uint64_t last_recovery_ns, max_recovery_ns, total_recovery_ns;
	uint32_t recoveries;
};

struct heartbeat {
	uint64_t period_ns; /* 0: none */
	time_ns_t due_ns;   /* of the next ping */
	bool is_waiting;    /* for the answer to the last one */
	unsigned missed;    /* periods without an answer */
	unsigned stuck;     /* periods in the same wait for a service that is well */
	uint64_t messages;  /* that it had sent at the last look */
	time_ns_t sent_ns;  /* of the ping that `program` waits for */
	endpoint_t program; /* waits in AXO_SERVICE_PING, or EP_NONE */
};

struct service {
	enum service_state state;
	char label[CONF_NAME_MAX];
	struct conf_service conf;
	struct binary *binary; /* NULL: RS could not get it, cannot be started again */
	char *args;            /* never NULL while the slot is used */
	bool is_boot;
	bool is_mount;         /* an instance of a file system: lives as long as its mount */
	bool has_replica;      /* a replica is wanted */
	bool no_backoff;       /* restarts at once each time */
	endpoint_t ep;         /* names the service as long as it is up; EP_NONE: it is not */
	endpoint_t last_ep;    /* what ep was at last */
	endpoint_t past_ep;    /* STARTING: names the dead instance; EP_NONE: there is none */
	endpoint_t replica_ep; /* a process that waits to take its place, or EP_NONE */
	int priv_id;
	grant_t label_grant;   /* for DS; made once for a slot */
	grant_t args_grant;    /* for the service at ep */
	time_ns_t since_ns;    /* of the present state */
	time_ns_t deadline_ns; /* 0: none: STARTING, STOPPING, BACKOFF: when service_tick acts */
	time_ns_t replica_ns;  /* when the next replica may be made */
	time_ns_t died_ns;     /* when the instance died that is being replaced */
	enum sef_init_type init_type;   /* STARTING: of what kind the start is */
	enum sef_init_type wanted_type; /* STOPPING with restart_wanted: how it starts again */
	bool restart_wanted;            /* STOPPING: start again when gone */
	bool is_commanded;              /* STARTING: somebody asked for it; not by a crash */
	bool script_pending;            /* SCRIPT: init has not fetched it yet */
	bool is_on_purpose;             /* its next death does not count as a crash */
	enum death death;               /* of the last instance that died */
	uint32_t crashes;               /* in a row */
	int last_signal;                /* that ended an instance, 0: none */
	struct service_counts counts;
	struct heartbeat heartbeat;
	struct waiter waiter;

	/* Live update. */
	enum update_step update;
	endpoint_t next_ep; /* the new version; from UPDATE_STARTING on names the old one */
	struct binary *next_binary;
	struct binary *previous_binary; /* what `rollback` goes back to, or NULL */
	/* The new version's; from UPDATE_STARTING on the old one's. NULL: the same. */
	struct conf_service *other_conf;
	char *other_args;
};

/* A type of file system: how an instance is made. */
struct template
{
	bool used;
	struct conf_service conf;
	struct binary *binary;
	char *args;
};

/* The live update that goes on, of one service or several. */
enum update_phase { PHASE_NONE, PHASE_QUEUED, PHASE_PREPARING, PHASE_STARTING };
struct update {
	enum update_phase phase;
	int state; /* enum sef_lu_state */
	uint64_t limit_ns;
	time_ns_t deadline_ns;
	time_ns_t switched_ns; /* when the endpoints changed hands */
	endpoint_t program;    /* QUEUED: whose batch it is */
	bool has_sched;        /* SCHED is a member: the kernel renews the quanta meanwhile */
	struct waiter waiter;
};

struct rs {
	struct service services[RS_SERVICES_MAX];
	struct template templates[RS_TEMPLATES_MAX];
	struct update update;
	time_ns_t now_ns;      /* monotonic, read once for each message */
	time_ns_t alarm_ns;    /* what the kernel's alarm is set to; 0: none */
	unsigned boot_waits;   /* boot services that have not reported yet */
	endpoint_t standby_ep; /* becomes RS when RS dies, or EP_NONE */
	bool is_init_running;
	bool is_booted;        /* init said so */
	bool is_shutting_down; /* nothing is restarted any more */
#if RS_STATE_VERSION > 1
	time_ns_t upgraded_ns; /* when it came from version 1; 0: it did not */
#endif
};
