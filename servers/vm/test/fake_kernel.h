/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel, a VFS and a machine for host tests of VM. */
#pragma once

#include "servers/vm/call.h"
#include "servers/vm/space.h"

#define FAKE_PROCS 1024

struct fake_kernel {
	uint8_t *memory; /* the machine's RAM */
	uint64_t bytes;
	int32_t next_slot;
	int fork_error; /* what sys_fork answers, if not 0 */

	/* What VM did last: */
	bool has_reply;
	endpoint_t reply_to;
	int64_t reply;      /* result of a program's call */
	int32_t reply_type; /* result of a service's request */
	int signal, signal_code;
	uint64_t signal_address;
	endpoint_t signal_to;
	bool fault_cleared;
	int memreq_result; /* 1: not answered */
	endpoint_t notified;
	unsigned dropped_handles;
	struct message vfs_request; /* last one that wants an answer; type 0: none */
	int asyn_error;             /* what asyn_send answers, if not 0 */
	unsigned present_answers;   /* replies to VM_MAKE_PRESENT */
	struct memreq memreq;       /* to be fetched; bytes 0: none */
	struct ksig ksig;           /* to be fetched; signals 0: none */
	int update_error;           /* what sys_update answers */
	int query_mem_error;        /* what privctl says about a range of memory */
	endpoint_t allowed;         /* whom privctl let run last */
	unsigned aborts;
};

extern struct fake_kernel fake;

/* A machine with so many pages of RAM, and a VM that has taken it over. */
void fake_boot(struct vm *vm, uint64_t pages);
void fake_shutdown(struct vm *vm);

/* A process with an empty space. */
endpoint_t fake_process(struct vm *vm);

/* A program's call; the result, or INT64_MIN when VM has not answered yet. */
int64_t fake_call(struct vm *vm, endpoint_t ep, int nr, uint64_t a, uint64_t b, uint64_t c,
	uint64_t d, uint64_t e, uint64_t f);

/* fork() by PM: the child or an error. */
int64_t fake_fork(struct vm *vm, endpoint_t parent, uint32_t flags);

void fake_exit(struct vm *vm, endpoint_t ep);

/*
 * Touch a byte as the processor does: faults go to VM. The byte's place, or NULL when a signal came
 * instead (fake.signal, fake.signal_code), or when the thread waits (fake.fault_cleared is false).
 */
uint8_t *fake_touch(struct vm *vm, endpoint_t ep, vaddr_t addr, bool write);

/* VFS answers its last request. */
void fake_vfs_answer(
	struct vm *vm, int32_t result, uint64_t size, int32_t handle, uint64_t ino, uint32_t mode);

/* VFS answers a look-up: the file is on device `dev`. */
void fake_vfs_looked_up(
	struct vm *vm, uint64_t size, int32_t handle, uint64_t dev, uint64_t ino, uint32_t mode);
