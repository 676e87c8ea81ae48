/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Message passing. All errors are those of abi/errno.h and docs/ipc.md.
 *
 * Delivery order at a receive: notifications (kernel signals, interrupts, alarm, then services by
 * privilege number), asynchronous messages, then senders in the order in which they came.
 */
#pragma once

#include "abi/errno.h"
#include "abi/linux/errno.h"
#include "abi/trap.h"
#include "kernel/proc/proc.h"

/* A primitive changed the caller's state itself: there is no result to store now. */
#define IPC_BLOCKED INT64_MIN

/* The native traps; `args` are the caller's registers. Result for rax, or IPC_BLOCKED. */
int64_t ipc_trap(struct proc *caller, unsigned trap, const uint64_t args[6]);

/* Kernel-made messages on behalf of `proc`, which must be runnable but for flags that say why:
 * proc->send_msg. */
void ipc_send_for(struct proc *proc, struct proc *dst);
/* The same as a sendrec whose answer goes to the result register: a program's system call. */
void ipc_call_for(struct proc *proc, struct proc *dst);
/* Take the call back that `dst` has not yet taken, or whose answer is outstanding. */
void ipc_cancel_call(struct proc *proc);

/* The service has something new among its pending sets: deliver it if it waits for that. */
void ipc_notify_pending(struct proc *proc);
/* Set KSIG_* bits for a service. */
void ipc_ksig(struct proc *proc, uint32_t bits);

/* A program waits for an answer from `server`: give it. -ENOTREADY: it does not. */
int ipc_answer_call(struct proc *program, endpoint_t server, int64_t result);
/* Store the delivered message in the receiver's memory, whose address space is loaded. False: it
 * faulted. */
bool ipc_deliver(struct proc *proc);
/* The receiver's contents have just come to this endpoint: what waits for it there may reach it. */
void ipc_receive_again(struct proc *proc);
/* The service has forgotten what it was asked: whoever waits for an answer hears -EDEADSRCDST. */
void ipc_forget_requests(struct proc *proc);
/* Nobody waits for an answer of `server` any more that its asker's successor must not get. */
void ipc_forget_stale(const struct proc *server);
/* The service's asynchronous messages: drop all that are not delivered; try again to deliver. */
void async_forget(struct proc *sender);
void async_retry(struct proc *sender);
/* The process is going away: whoever waits for it hears -EDEADSRCDST; it waits for nobody. */
void ipc_release(struct proc *proc);

/* Used between the files of this folder. */
bool ipc_is_waiting_for(const struct proc *dst, endpoint_t from);
void ipc_hand_over(struct proc *dst, const struct message *message, uint32_t status);
void ipc_wake_with(struct proc *proc, int64_t result);
bool ipc_would_deadlock(const struct proc *caller, const struct proc *peer);
/* Notifications: deliver one to `proc`, which is about to receive from `from`; false: none fits. */
bool notify_take(struct proc *proc, endpoint_t from);
int64_t notify_send(struct proc *caller, struct proc *dst);
/* Asynchronous messages: the same. */
bool async_take(struct proc *proc, endpoint_t from);
int64_t async_send(struct proc *caller, vaddr_t table, uint64_t count);
void async_release(struct proc *proc);
