/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service event framework: start, pings, signals, restart and live update of a service, handled
 * beneath its own main loop.
 *
 *   int main(void)
 *   {
 *           sef_on_init(my_init);
 *           sef_state("counter", &counter, sizeof(counter), 1, NULL);
 *           sef_start();
 *           for (;;) {
 *                   struct message m;
 *                   uint32_t status;
 *                   if (sef_receive(EP_ANY, &m, &status) == 0) { ... }
 *           }
 *   }
 *
 * What a service keeps over a crash or a live update is one of:
 * - nothing: whoever waits for its answer gets -EDEADSRCDST, as if it had died;
 * - registered state (sef_state): flat pieces of memory, copied before the init function runs;
 * - its whole memory (sef_keep_memory): for servers full of pointers; restart by the same binary
 *   only;
 * - its whole memory, and over a live update its heap (sef_keep_heap): another binary goes on with
 *   the same objects at the same addresses.
 */
#pragma once

#include "abi/message.h"
#include "proto/sef.h"

struct sef_info {
	enum sef_init_type type;
	endpoint_t self;
	endpoint_t old;
	uint32_t restarts;
	char label[32];
	const char *args; /* "" when none; lives as long as the service */
	/* Kept memory, RESTART: the message that was being served at the crash; NULL: none, nothing
	 * is half done. */
	const struct message *interrupted;
};

/* 0, or a negative error: RS gives up on the service, and says why. -ERESTART: the state that came
 * over is of no use, start it as new. */
typedef int sef_init_fn(const struct sef_info *info);
/* A signal for the service. Without a handler SIGTERM ends it and others are ignored. */
typedef void sef_signal_fn(int signo);
/* For signal managers (PM, RS): called for each bit of a process's pending signals.
   Nonzero: the target is gone or will be cleared: no endksig. */
struct ksig;
typedef int sef_ksig_fn(const struct ksig *ksig);
/* RS asks whether the service is alive; the usual answer is a notification to RS. */
typedef void sef_ping_fn(void);
/* Sees to it that strike() is called n stores from now on; is_undone: and that the crash is rolled
 * back, if it can be. */
typedef void sef_arm_fn(uint64_t n, bool is_undone, void (*strike)(void));
/* Whether the service knows a request of ep that it will answer. */
typedef bool sef_waiter_fn(endpoint_t ep);
/* Makes state of another version or size into that of this one: from_bytes at `from`, of version
   from_version, into `bytes` at `to`, which hold their initial values. 0 or a negative error. */
typedef int sef_convert_fn(
	void *to, size_t bytes, const void *from, size_t from_bytes, uint32_t from_version);

/* ---- before sef_start ---- */

/* For all types of init (with kept memory: not for SEF_INIT_RESTART, nor SEF_INIT_LU). */
void sef_on_init(sef_init_fn *fn);
/* For one type. */
void sef_on_init_type(enum sef_init_type type, sef_init_fn *fn);
void sef_on_signal(sef_signal_fn *fn);
void sef_on_ksig(sef_ksig_fn *fn);
void sef_on_ping(sef_ping_fn *fn);

/* Registers `bytes` at addr as state that a successor takes over. Flat: pointers within mean memory
   of the predecessor, to be had by sef_state_fetch. name: at most 23 characters. convert may be
   NULL: then another version or size fails the init. */
void sef_state(
	const char *name, void *addr, size_t bytes, uint32_t version, sef_convert_fn *convert);

/* The whole memory outlives a crash. Only the function of sef_on_init_type(SEF_INIT_RESTART) is
   called then: it sets what the kernel holds (alarm, interrupts), sees to the interrupted message,
   and checks what it has. */
void sef_keep_memory(void);

/* Brings what *root leads to from the layout of version from_version to this binary's; objects may
 * be allocated anew. 0 or a negative error: the predecessor goes on with its own copy. */
typedef int sef_upgrade_fn(void **root, uint32_t from_version);

/*
 * A server whose state is a structure full of pointers: all of it hangs on one root.
 *
 * Over a crash its whole memory is kept. Over a live update it gets what its predecessor mapped
 * (malloc() of heap_dep, mmap(), windows of the page cache) at the same addresses, private memory
 * copy-on-write; registered state (sef_state) beside it by copy, and the table of grants. So:
 * 1. it links heap_dep, and allocates nothing before sef_start();
 * 2. nothing that the root leads to points into the binary (functions, tables of operations,
 *    constant strings, static variables) or to a stack, and what it grants lies there too;
 * 3. at rest nothing is half done but what the root knows of (coroutines: sef_on_busy). Who waits
 *    for its answer goes on waiting; sef_on_waiter is asked about each as after a crash;
 * 4. its function for SEF_INIT_LU is called when all is there: it sets what the binary must set,
 *    and what the kernel holds (alarm).
 * The version is raised with each change of a structure that the root leads to. The layout is a
 * number made of their members (tools/layout.py): the same version with another layout fails the
 * update, as does another version without `upgrade`.
 */
struct sef_kept {
	const char *name; /* at most 15 characters */
	void **root;      /* the binary's one pointer to all of it */
	uint32_t version;
	uint32_t layout;
	sef_upgrade_fn *upgrade; /* may be NULL */
};
/* kept must live as long as the service. */
void sef_keep_heap(const struct sef_kept *kept);

/* Called when the predecessor's memory has come over by a restart, before anything is done with it:
 * it may put it back to where it was (lib/undo). */
void sef_on_inherited(void (*fn)(void));
/* What was received is done, though the answers may still be on their way: a crash from here to the
 * next sef_receive interrupts nothing. */
void sef_served(void);
/* Asked of everybody that waits for an answer after a crash: who is not known is told to ask again.
 */
void sef_on_waiter(sef_waiter_fn *fn);

/* ---- start ---- */

/* Waits for RS's init message, takes over state, calls the init function, reports its result. */
void sef_start(void);
/* VM and RS start themselves: they hand later SEF messages to sef_handle through sef_receive all
 * the same. */
void sef_start_self(endpoint_t self, const char *label);
/* RS's standby, when it has become RS: takes over the predecessor's memory as a restart of a
   service with kept memory does; fn may be NULL. 0 or a negative error. */
int sef_take_over(sef_init_fn *fn);

/* ---- the live update of RS, which has no RS to see to it ---- */

/* Before anything else: as sef_keep_heap, but a crash is no matter of it. */
void sef_hand_on_heap(const struct sef_kept *kept);
/* Between two messages: the heap can be taken over as it is now. -ENOTREADY: messages are on their
 * way, a notification comes. */
int sef_rest(void);
/* The successor's side: it has the heap, and *root. 0 or a negative error. */
int sef_go_on(void);
/* The function of sef_on_init_type(SEF_INIT_LU), or what the arguments choose instead. */
int sef_init_self(const char *args);
/* The predecessor's side, when it is back: whatever the successor may have taken of what was told
 * to RS is made good, signals and requests. */
void sef_come_back(void);

/* ---- in an init function ---- */

/* `bytes` at address of the predecessor. 0, -ESRCH: there is none, -EFAULT. */
int sef_state_fetch(uint64_t address, void *to, size_t bytes);
/* The interrupted message is handed out once more by sef_receive, instead of being answered with
 * -EINTR (programs) or -ERESTARTED (services). False: not so, for it had been handed out again
 * before. */
bool sef_redo(void);

/* ---- live update ---- */

struct sef_update {
	/* Is the state reached? 0, -ENOTREADY: asked again after the next message; another error is
	   reported. NULL: WORK_FREE always, others when nothing is half done (sef_on_busy) and
	   nobody waits, whom sef_keep_heap lets wait on. */
	int (*prepare)(int state, uint32_t flags);
	/* NULL: the standard states are valid. */
	bool (*is_valid)(int state, uint32_t flags);
	/* The state asked for has changed; SEF_LU_NULL: none is. May be NULL. */
	void (*changed)(int from, int to);
	/* The service stops now: brings what is registered up to date. 0 or a negative error. May
	 * be NULL. */
	int (*save)(int state, uint32_t flags);
};
/* The callbacks must live as long as the service. */
void sef_on_update(const struct sef_update *update);
/* How many requests are half done: for the usual prepare. */
void sef_on_busy(unsigned (*fn)(void));

/* Predefined: always ready, never ready. */
int sef_prepare_ready(int state, uint32_t flags);
int sef_prepare_never(int state, uint32_t flags);
bool sef_valid_any(int state, uint32_t flags);
bool sef_valid_standard(int state, uint32_t flags);
void sef_signal_none(int signo);
void sef_signal_term(int signo);  /* ends at SIGTERM */
void sef_signal_posix(int signo); /* ends at all that end a program */
void sef_ping_none(void);
void sef_ping_pong(void);

/* ---- running ---- */

/* SEF_FAULT within a request: instead of at the beginning of the next one. */
void sef_on_fault(sef_arm_fn *arm);

/* As ipc_receive; pings, signals and RS's messages to SEF are handled inside and not returned.
   Notifications of EP_KERNEL with KSIG_SIGNAL are worked off through sef_on_ksig; if they carry
   other bits they are returned too. -EINTR: sef_cancel was called. */
int sef_receive(endpoint_t src, struct message *m, uint32_t *status);

/* sef_receive returns -EINTR when it has next handled something itself. */
void sef_cancel(void);

_Noreturn void sef_exit(void);

const struct sef_info *sef_self(void);
