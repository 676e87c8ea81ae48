/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of SEF share. */
#pragma once

#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"

#define SEF_STATES_MAX 32
#define SEF_INIT_TYPES 3

/* Where the service stands; looked at by a successor that took over its memory. */
enum sef_phase {
	SEF_OUTSIDE,   /* between two messages, in SEF's own hands, or before the first */
	SEF_RECEIVING, /* inbox is filled when a message comes */
	SEF_SERVING    /* inbox holds what is being served */
};

#define SEF_HEAP_RECORD "sef.heap" /* the state by which it is known */

/* What a service with sef_keep_heap has besides; of others nothing of it is linked. */
struct sef_heap_ops {
	/* The service rests: what its successor looks at is brought up to date. */
	void (*save)(void);
	/* The successor's side: 0 or a negative error. */
	int (*take_over)(void);
};

struct sef {
	sef_init_fn *init[SEF_INIT_TYPES];
	sef_signal_fn *signal;
	sef_ksig_fn *ksig;
	sef_ping_fn *ping;
	sef_waiter_fn *waiter;
	const struct sef_update *update;
	const struct sef_heap_ops *heap; /* NULL: without sef_keep_heap */
	unsigned (*busy)(void);
	struct sef_info info;
	bool is_started;
	bool is_self_started;
	bool keeps_memory;
	bool is_cancelled;
	bool is_verbose;
	bool answers_nonsense; /* to SEF_INIT: a test of RS */

	struct state_entry states[SEF_STATES_MAX];
	sef_convert_fn *converters[SEF_STATES_MAX];
	uint32_t state_count;

	/* kept memory */
	void (*inherited)(void);
	enum sef_phase phase;
	struct message inbox;
	uint32_t inbox_status;
	bool is_redo;    /* inbox is handed out once more */
	bool was_redone; /* it has been: what crashes the service twice is not tried again */

	int32_t lu_state; /* SEF_LU_NULL: no update is asked for */
	uint32_t lu_flags;

	sef_arm_fn *arm_fault;
	struct sef_fault fault; /* kind 0: none; for the next request */
};

extern struct sef sef;

/* sef_state.c: the registered pieces from the predecessor; 0 or a negative error. */
int sef_state_transfer(void);
/* The predecessor's piece of that name: 0, -ESRCH: none. */
int sef_state_find(const char *name, struct state_entry *entry);
/* Tells the kernel where the table is. */
int sef_state_announce(void);
int sef_statectl(enum statectl_op op, const void *a, uint64_t b, uint64_t c);

/* sef_keep.c */
/* The predecessor's memory becomes this one's; says where it stood in sef.info.interrupted. */
int sef_inherit(void);
/* After the init: whoever waits for an answer that will not come is told. */
void sef_settle(void);

/* sef_update.c */
void sef_update_request(const struct sef_lu_prepare *request);
/* Between two messages. */
void sef_update_check(void);

/* sef_fault.c */
void sef_fault_request(const struct sef_fault *fault);
/* A request has been received. */
void sef_fault_strike(void);

/* sef_debug.c: callbacks that the arguments choose. */
void sef_debug_options(const char *args);
