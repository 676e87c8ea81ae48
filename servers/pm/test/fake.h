/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fake kernel, VM and VFS around the real PM, for scripted scenarios. Programs' memory is the
 * test's own: addresses are pointers; those below 4096 fault. VFS answers only when the test lets
 * it.
 */
#pragma once

#include "abi/kcall.h"
#include "abi/linux/calls.h"
#include "abi/trap.h"
#include "proto/pm.h"
#include "servers/pm/pm.h"

#define FAKE_SLOTS 64
#define PENDING    INT64_MIN /* no answer yet */

enum fake_where { FAKE_USER, FAKE_IN_PM, FAKE_IN_VFS, FAKE_IN_OTHER };

struct fake_proc {
	bool used;
	endpoint_t ep;
	bool stopped;
	enum fake_where where;
	int64_t result; /* of the last call; PENDING */
	struct proc_ids ids;
	int frames;                /* signal frames on it, since it was made */
	struct sigsend_spec frame; /* the newest */
	bool no_stack;             /* sigsend fails */
	uint64_t user_ns;
	int execs;
	uint64_t return_mask; /* what sigreturn finds */
	bool stop_notice;
};

extern struct pm fake_pm;
extern uint64_t fake_now_ns;
extern int fake_aborted; /* enum abort_how */
extern int fake_room;    /* forks that VM still grants */

/* A fresh PM with init (pid 1) alone. */
void fake_reset(void);
struct fake_proc *fake_proc(endpoint_t ep);
/* The thread makes a system call of PM; its result, or PENDING. */
int64_t fake_call(endpoint_t ep, int nr, ...);
#define call(ep, name, ...) \
	fake_call(ep, LINUX_NR_##name, ##__VA_ARGS__, 0ul, 0ul, 0ul, 0ul, 0ul, 0ul)
/* fork; the child's endpoint. */
endpoint_t fake_fork(endpoint_t parent);
/* clone with flags; the child's endpoint, and the call's result in *result. */
endpoint_t fake_clone(endpoint_t parent, uint64_t flags, int64_t *result);
int32_t fake_pid(endpoint_t ep);
/* The thread is in a call of VFS, or of another server, from now on. */
void fake_enter(endpoint_t ep, enum fake_where where);
/* VFS works off what PM sent: answers exits, cancellations (-ERESTARTSYS), not exec. The number of
 * messages. */
int fake_vfs_run(void);
/* VFS's answer to the exec that the thread is in. */
void fake_exec_done(endpoint_t ep, int result);
/* Time passes; the alarm rings if it is due. */
void fake_advance(uint64_t ns);
/* The other server's call has ended. */
void fake_other_call_ends(endpoint_t ep);
/* How many messages of this type PM has sent to VFS so far. */
int fake_sent(int32_t type);
/* A message of VFS to PM. */
void fake_from_vfs(const struct message *m);
