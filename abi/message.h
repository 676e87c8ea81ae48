/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The message: 64 bytes, one cache line.
 *
 * A request carries in `type` the operation of the receiver's protocol (proto/NAME.h); its payload
 * is that operation's request struct. A reply carries in `type` 0 or a negative errno; its payload
 * is the operation's reply struct. The kernel fills `source`, nobody else can.
 */
#pragma once

#include "abi/endpoint.h"
#include "abi/types.h"

#define MESSAGE_PAYLOAD 56

/* A program's system call as the kernel sends it on the program's behalf: type LINUX_CALL(nr). */
struct linux_call {
	uint64_t arg[6];
	uint64_t sp; /* the caller's stack pointer (clone, rt_sigreturn) */
};

/* The answer to a program's call: the value for rax. */
struct linux_reply {
	int64_t result;
};

/* A notification: from EP_CLOCK, EP_HARDWARE, EP_KERNEL or a service; type NOTIFY_MESSAGE. */
struct notify_payload {
	uint64_t timestamp_ns; /* monotonic time of delivery */
	uint64_t irqs;    /* from EP_HARDWARE: bit set of the caller's irq hook ids that fired */
	uint64_t signals; /* from EP_KERNEL: bit set of KSIG_* */
};

struct message {
	endpoint_t source;
	int32_t type;
	union {
		uint8_t raw[MESSAGE_PAYLOAD];
		uint32_t u32[MESSAGE_PAYLOAD / 4];
		uint64_t u64[MESSAGE_PAYLOAD / 8];
		struct linux_call call;
		struct linux_reply reply;
		struct notify_payload notify;
	};
} __attribute__((aligned(16)));

_Static_assert(sizeof(struct message) == 64, "a message is one cache line");

/* Message types: programs' calls, notifications, kernel-made requests, then 256 numbers a protocol.
 */
#define LINUX_CALL(nr)      (0x10000 + (nr))
#define LINUX_CALL_MAX      0x1000
#define IS_LINUX_CALL(type) ((type) >= 0x10000 && (type) < 0x10000 + LINUX_CALL_MAX)
#define LINUX_CALL_NR(type) ((type)-0x10000)
#define NOTIFY_MESSAGE      0x1000
#define IS_NOTIFY(m)        ((m)->type == NOTIFY_MESSAGE)

#define PROTO_BASE(n) (0x2000 + (n)*0x100)
#define VM_BASE       PROTO_BASE(0)
#define PM_BASE       PROTO_BASE(1)
#define VFS_BASE      PROTO_BASE(2)
#define RS_BASE       PROTO_BASE(3)
#define DS_BASE       PROTO_BASE(4)
#define SCHED_BASE    PROTO_BASE(5)
#define FS_BASE_OP    PROTO_BASE(6)
#define BLK_BASE      PROTO_BASE(7)
#define CHR_BASE      PROTO_BASE(8)
#define PCI_BASE      PROTO_BASE(9)
#define SEF_BASE      PROTO_BASE(10)
/* Replies that are messages of their own (asynchronous answers) have the request's number with this
 * bit. */
#define PROTO_REPLY 0x80
/*
 * PROTO_OP(SIZE_CHECKED_STRUCT): each protocol header asserts with it that the struct fits a
 * message.
 */
#define PROTO_FITS(s) _Static_assert(sizeof(struct s) <= MESSAGE_PAYLOAD, #s " fits a message")

/* The payload of message m as a struct s pointer. Every payload struct fits and needs at most
 * 8-byte alignment. */
#define MSG(m, s) ((struct s *)(void *)(m)->raw)
