/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RS's state. One struct rs holds all of it; handlers get it as an argument.
 *
 * State at a restart of RS: services and templates are to be registered with SEF; binaries are
 * reached from them.
 */
#pragma once

#include "abi/grant.h"
#include "abi/types.h"
#include "proto/sef.h"
#include "servers/rs/conf.h"

#define RS_SERVICES_MAX  64
#define RS_TEMPLATES_MAX 16
#define RS_BINARY_MAX    (32u << 20) /* bytes of an executable that RS keeps */
#define RS_ARGS_MAX      1024        /* bytes of a service's arguments */
#define RS_STATUS_MAX    8192        /* bytes of the table of services as text */

#define RS_INIT_LIMIT_NS   10000000000ull /* the start of a service may take this long */
#define RS_STOP_LIMIT_NS   2000000000ull  /* from SIGTERM to the end by force */
#define RS_CRASH_WINDOW_NS 60000000000ull
#define RS_CRASHES_MAX     5 /* so many in the window, and RS gives up */

/*
 *             up                     init succeeded
 *   FREE ----------> STARTING --------------------> RUNNING
 *    ^                |    ^                        |    |
 *    |  init failed,  |    | time is over           |    | down, restart
 *    +--- up only ----+    |                 crash  |    v
 *    |                     +--------- BACKOFF <-----+  STOPPING --> FREE, or STARTING again
 *    |                                   |
 *    +-- down ---- FAILED <--- too many -+
 *
 * up: service_up; init: service_started; crash: service_died; time: service_tick; down:
 * service_down.
 */
enum service_state {
	SERVICE_FREE,     /* the slot is unused */
	SERVICE_STARTING, /* has its process, is in its init */
	SERVICE_RUNNING,
	SERVICE_STOPPING, /* was sent SIGTERM */
	SERVICE_BACKOFF,  /* crashed; waits for its restart; has no process */
	SERVICE_FAILED    /* crashed too often; has no process */
};

/* An executable, shared by the instances started from it. */
struct binary {
	unsigned references;
	size_t len;
	uint8_t data[];
};

/* Who is told when the operation on a service has ended. */
enum waiter_kind { WAITER_NONE, WAITER_PROGRAM, WAITER_MOUNT };
struct waiter {
	enum waiter_kind kind;
	endpoint_t program; /* PROGRAM: waits in its system call */
	uint32_t seq;       /* MOUNT: VFS's number of the request */
};

struct service {
	enum service_state state;
	char label[CONF_NAME_MAX];
	struct conf_service conf;
	struct binary *binary; /* NULL: from the boot archive, cannot be started again */
	char *args;            /* never NULL while the slot is used */
	bool is_boot;
	bool is_mount;       /* an instance of a file system: lives as long as its mount */
	bool restart_wanted; /* STOPPING: start again when gone */
	bool is_restart;     /* STARTING: after a crash, not for the first time */
	endpoint_t ep;       /* EP_NONE: has no process */
	endpoint_t old_ep;   /* of the instance before, or EP_NONE */
	int priv_id;
	grant_t label_grant;   /* for DS; made once for a slot */
	grant_t args_grant;    /* for the running instance */
	time_ns_t since_ns;    /* of the present state */
	time_ns_t deadline_ns; /* 0: none: STARTING, STOPPING, BACKOFF: when service_tick acts */
	uint32_t restarts;     /* in all */
	uint32_t crashes;      /* in the present window */
	time_ns_t window_ns;   /* when the window began */
	int last_signal;       /* that ended an instance, 0: none */
	struct waiter waiter;
};

/* A type of file system: how an instance is made. */
struct template
{
	bool used;
	struct conf_service conf;
	struct binary *binary;
	char *args;
};

struct rs {
	struct service services[RS_SERVICES_MAX];
	struct template templates[RS_TEMPLATES_MAX];
	time_ns_t now_ns;    /* monotonic, read once for each message */
	time_ns_t alarm_ns;  /* what the kernel's alarm is set to; 0: none */
	unsigned boot_waits; /* boot services that have not reported yet */
	bool is_init_running;
	bool is_booted; /* init said so */
};
