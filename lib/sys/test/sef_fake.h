/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel, a VM and an RS for tests of SEF. Messages come from a script; when that is at its end
 * whoever receives stops with SCRIPT_ENDED. */
#pragma once

#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/sys/sef_impl.h"

#define CHECK(condition)                                                                        \
	do {                                                                                    \
		if (!(condition)) {                                                             \
			fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1);                                                               \
		}                                                                               \
	} while (0)

#define SELF    20
#define CLIENT  30
#define PROGRAM 31
#define MAX     16
#define WAITERS 600

enum outcome { RETURNED, EXITED, PANICKED, SCRIPT_ENDED };

struct fake {
	struct message script[MAX]; /* what is received next */
	uint32_t status[MAX];
	int count, next;
	const char *args;
	jmp_buf end;

	/* seen */
	int init_result; /* of SEF_INIT_REPLY; 1: none */
	int init_reply_type;
	struct sef_lu_reply lu[MAX];
	int lu_count;
	struct message replies[WAITERS]; /* by sendnb; source: to whom */
	int reply_count;
	int pings, cleared, inherits, grant_tables;

	/* the predecessor */
	bool has_predecessor;
	struct state_entry *table;
	uint64_t table_count;
	struct sef memory; /* VM_INHERIT_MOVE: what SEF's memory becomes */
	int copy_result;   /* of VM_INHERIT_COPY */
	endpoint_t waiters[WAITERS];
	int waiter_count;
	endpoint_t program; /* is one with a call in progress */

	struct ksig ksigs[MAX]; /* what getksig gives */
	int ksig_count, ksig_next;
	endpoint_t ended[MAX]; /* by endksig */
	int ended_count;
};
extern struct fake fake;

/* The next message of the script; the payload is the caller's to fill. */
struct message *comes(endpoint_t source, int type, uint32_t status);
/* RS's init; args may be NULL. */
void init_comes(enum sef_init_type type, const char *args);
void prepare_comes(int state);

/* sef_start and sef_receive, and how they ended. */
enum outcome start(void);
enum outcome receive(struct message *m, uint32_t *status, int *result);
