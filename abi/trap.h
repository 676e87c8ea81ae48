/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The native traps: what a service asks the kernel by the SYSCALL instruction.
 *
 * rax holds the number; rdi, rsi, rdx, r10, r8, r9 the arguments; the result (0 or positive, or a
 * negative error) comes back in rax; rcx and r11 are lost. Numbers below TRAP_BASE are Linux's. A
 * program that uses a native trap gets ENOSYS.
 */
#pragma once

#define TRAP_BASE 0x1000

enum trap {
	TRAP_SEND = TRAP_BASE + 1, /* (dst, message *): waits until dst takes it */
	TRAP_RECEIVE,              /* (src or EP_ANY, message *): returns IPC_STATUS_* */
	TRAP_SENDREC, /* (dst, message *): send, then receive the answer of dst in the same message
		       */
	TRAP_NOTIFY,  /* (dst): never waits; repeated ones before delivery merge */
	TRAP_SENDNB,  /* (dst, message *): -ENOTREADY unless dst waits */
	TRAP_SENDA,   /* (struct asyn_entry *, count): see below */
	TRAP_REPLY_RECEIVE, /* (dst, message *): as SENDNB to dst, its error dropped, then RECEIVE
			       from EP_ANY */
	TRAP_LAST
};

/* Kernel call n is trap number KCALL_BASE + n (abi/kcall.h). */
#define KCALL_BASE 0x1100

/* Flags in the result of RECEIVE and REPLY_RECEIVE. */
#define IPC_STATUS_FROM_KERNEL \
	1                    /* made by the kernel on behalf of the source (call, fault, quantum) */
#define IPC_STATUS_SENDREC 2 /* the source waits for an answer */
#define IPC_STATUS_NOTIFY  4
#define IPC_STATUS_ASYNC   8

/*
 * The table of asynchronous messages lies in the sender's memory. SENDA tells the kernel where; it
 * delivers what it can at once and the rest when the receivers receive, marking each entry done. An
 * entry belongs to the kernel while ASYN_VALID is set and ASYN_DONE is not. SENDA with count 0
 * forgets the table. The table must be aligned to 16 bytes. At most ASYN_MAX entries.
 */
#define ASYN_VALID 1
#define ASYN_DONE  2 /* set by the kernel, with `result` */
#define ASYN_NOTIFY \
	4 /* notify the sender (from EP_KERNEL, KSIG_ASYNC) when done later than in the call */
#define ASYN_MAX 1024

#include "abi/message.h"

struct asyn_entry {
	uint32_t flags;
	endpoint_t dst;
	int32_t result; /* 0 or negative error, valid with ASYN_DONE */
	uint32_t pad;
	struct message msg;
};
