/* SPDX-License-Identifier: BSD-2-Clause */
/* The scheduler's protocol. A thread without a scheduler of its own is rotated by the kernel with
 * its last quantum. */
#pragma once

#include "abi/message.h"

enum sched_op {
	SCHED_NO_QUANTUM = SCHED_BASE, /* kernel only, on behalf of the thread that used its quantum
					  up: sched_no_quantum */
	SCHED_START,                   /* PM (asynchronous), RS: sched_start */
	SCHED_STOP,                    /* PM (asynchronous), RS: sched_ep */
	SCHED_NICE,                    /* PM (asynchronous): sched_nice */
};

/* 0 is the highest. Threads run in order of priority, equal ones in turn. */
#define SCHED_PRIORITIES    16
#define SCHED_PRIO_SERVER   2 /* VM, PM, VFS, RS, DS, SCHED */
#define SCHED_PRIO_DRIVER   1
#define SCHED_PRIO_FS       3
#define SCHED_PRIO_USER_MAX 6 /* programs move between these */
#define SCHED_PRIO_USER     8
#define SCHED_PRIO_USER_MIN 14

struct sched_no_quantum {
	uint64_t used_ns;    /* of the quantum, processor time */
	uint64_t blocked_ns; /* unused */
	uint32_t preemptions, ipc_calls;
};
struct sched_start {
	endpoint_t ep;
	endpoint_t parent; /* whose priority is inherited, EP_NONE: take `priority` */
	int32_t priority;
	int32_t nice;
	uint64_t quantum_ns; /* 0: the default */
};
struct sched_ep {
	endpoint_t ep;
};
struct sched_nice {
	endpoint_t ep;
	int32_t nice; /* -20..19 */
};
