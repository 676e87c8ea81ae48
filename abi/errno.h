/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors are Linux's numbers (negative inside the system) plus these, which never reach a program.
 * The Linux numbers come from <errno.h>; the kernel, which has no libc, takes them from
 * abi/linux/errno.h.
 */
#pragma once

/* Restart codes in the result of a program's call; turned into EINTR or a restart by the kernel
 * (values as on Linux). */
#define ERESTARTSYS                                                                              \
	512 /* restart if the handler has SA_RESTART, else EINTR; restart if there is no handler \
	     */
#define ERESTARTNOINTR 513 /* always restart */
#define ERESTARTNOHAND 514 /* EINTR if a handler runs, else restart */
#define ERESTART_RESTARTBLOCK                                              \
	516 /* as ERESTARTNOHAND, the restart goes through restart_syscall \
	     */

/* IPC and kernel-call errors. */
#define EDEADSRCDST 1001 /* the peer is dead, or the endpoint stale */
#define ECALLDENIED 1002 /* not in the caller's IPC or call mask */
#define ETRAPDENIED 1003 /* this primitive is not for the caller */
#define ENOTREADY   1004 /* non-blocking, and the peer does not wait */
#define ELOCKED     1005 /* would deadlock */
#define EBADCALL    1006 /* no such primitive */
#define EBADREQUEST 1007 /* no such request */
#define EDONTREPLY  1008 /* inside servers: the answer comes later */
#define ERESTARTED  1009 /* the peer was restarted with the call in flight */
