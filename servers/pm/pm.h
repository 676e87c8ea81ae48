/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process manager's state, one structure handed to every function, and the life of the server.
 *
 * State at restart: all memory is kept (recover.h); over a live update the heap: all that struct pm
 * leads to lies there, and points nowhere else (lib/sys/sef.h, sef_keep_heap).
 */
#pragma once

#include "lib/core/list.h"
#include "servers/pm/process.h"
#include "servers/pm/random.h"
#include "servers/pm/timerq.h"

#define PM_HASH            256
#define PM_PID_MAX         32768
#define PM_PID_FIRST_AGAIN 300 /* where pids go on after the last one */
#define PM_ROOT_RESERVE    8   /* slots that only root may take */
#define PM_SERVICE_RESERVE 8   /* slots that no program may take: RS restarts services in them */
#define PM_SLOTS_FALLBACK  256 /* when the kernel does not say how many there are */

struct pm {
	struct list processes;         /* all, by creation */
	struct list pid_hash[PM_HASH]; /* struct process by pid */
	struct list tid_hash[PM_HASH]; /* struct thread by tid */
	struct thread **by_slot;       /* threads by endpoint slot */
	uint32_t slots;                /* entries of by_slot */
	uint32_t slots_used;           /* threads and services */
	uint32_t process_count;        /* programs, zombies included */
	int32_t last_pid;
	bool pids_wrapped;
	struct process *init;

	struct timer_queue timers;
	struct pm_timer event_timer; /* the next service that is late with its answer */
	struct random_pool random;

	uint32_t seq;        /* of requests to VFS; never 0 */
	struct list backlog; /* asynchronous messages that found no room: struct backlog_entry */
	uint32_t backlog_len;

	char release[64], version[64]; /* uname */
	char hostname[65], domainname[65];
	uint64_t log_clear; /* position in the diagnostics buffer up to which `dmesg -c` cleared */
	uint64_t boot_ns;   /* monotonic time of PM's start */
	bool ctrl_alt_del;

	int32_t shutdown_how; /* enum abort_how once reboot was asked for, else 0 */
	uint32_t shutdown_seq;
	struct pm_timer shutdown_timer;
};

/* A fresh, empty state. slots: size of the kernel's process table. 0 or -ENOMEM. */
int pm_init(struct pm *pm, uint32_t slots);
/* One received message: a program's call, a notification, or another server's message. status:
 * IPC_STATUS_*. */
void pm_handle(struct pm *pm, const struct message *m, uint32_t status);
/* What the kernel tells of a process (faults, delayed stops). Nonzero: unknown or gone. */
int pm_handle_ksig(struct pm *pm, const struct ksig *ksig);
/* Take the boot processes over from the kernel's table. */
void pm_adopt_boot_processes(struct pm *pm);
