/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jobs: what VM has to do for somebody that may have to wait for a file or for memory.
 *
 *           job_start                 the read is answered, memory was freed: tried again
 *   (new) -----------> tried ---wait---> in vm->jobs ------------+
 *                        ^---------------------------------------+
 *                        +--done/failed--> the waiting thread is answered
 */
#pragma once

#include "proto/vm.h"
#include "servers/vm/space.h"

enum job_kind {
	JOB_FAULT,    /* a thread's page fault */
	JOB_MEMREQ,   /* the kernel needs memory of `target` present for `ep` */
	JOB_PRESENT,  /* the same for VFS, answered asynchronously */
	JOB_LOOKUP,   /* mmap waits for VFS to look the descriptor up */
	JOB_POPULATE, /* a program's call has done its work and brings the pages in */
	JOB_SYNC      /* msync waits for files to be written back */
};

struct job {
	struct list link; /* in vm->jobs while it waits */
	enum job_kind kind;
	endpoint_t ep;     /* who waits */
	endpoint_t target; /* whose memory */
	uint32_t wait_for; /* id of a request at VFS; 0: for memory */
	uint32_t id;       /* JOB_PRESENT, JOB_MEMREQ: given back */
	bool is_major;
	bool write;
	bool execute;
	uint64_t addr, bytes;
	uint64_t stuck_at;      /* where it waited last, ... */
	uint32_t rounds;        /* ... and how often */
	bool is_strict;         /* JOB_POPULATE: errors are the call's */
	int64_t value;          /* JOB_POPULATE, JOB_SYNC: what the call returns if all is well */
	struct linux_call call; /* JOB_LOOKUP */
	bool is_done;           /* only its answer, `result`, waits for memory */
	int result;
};

/* Try a job, and keep a copy of it if it has to wait. */
void job_start(struct vm *vm, const struct job *job);

/*
 * Bring in start ... end - 1 for a program's call, which is then answered with `value`; if
 * `is_strict`, with the error of a page that cannot be had. `write`: as for a store.
 */
void job_populate(struct vm *vm, endpoint_t ep, vaddr_t start, vaddr_t end, int64_t value,
	bool is_strict, bool write);

/* Write back the files mapped shared in start ... end - 1, then answer msync. */
void job_sync(struct vm *vm, endpoint_t ep, vaddr_t start, vaddr_t end);

/* VFS has answered request `id`: try those who wait for it again, or with result < 0 fail them;
 * -ENOMEM: they wait for memory. */
void job_answer(struct vm *vm, uint32_t id, int result);

/* Take the job that waits for a look-up at VFS; NULL: nobody does (any more). The caller frees it.
 */
struct job *job_take_lookup(struct vm *vm, uint32_t id);

/* Let a look-up wait. -ENOMEM. */
int job_wait_lookup(struct vm *vm, const struct job *job);

/* Memory was freed: try those who wait for it again. */
void job_retry_memory(struct vm *vm);

/* Forget what a thread that dies waits for. */
void job_drop(struct vm *vm, endpoint_t ep);

/* A service has other contents: nothing of what the former ones were stopped at goes on. Answers
 * that come as messages of their own (JOB_PRESENT) are for whoever has its memory. */
void job_forget_contents(struct vm *vm, endpoint_t ep);
