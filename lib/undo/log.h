/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: a stack of words in kept memory. An entry is its old bytes, padded to words, below a
 * word with address and kind, so that it is read from the end.
 *
 * Invariant: an entry counts from the moment that `at` stands behind it; the store it is for comes
 * later. So a process may be killed between any two instructions.
 */
#pragma once

#include "lib/undo/undo.h"

#define UNDO_LOG_WORDS   (1u << 16)
#define UNDO_SLACK_WORDS 4 /* what a store takes without looking again, and a bit */
#define UNDO_PIECE_MAX   0x4000u
#define UNDO_OUTBOX_MAX  128
#define UNDO_FREES_MAX   512
#define UNDO_ACTIONS_MAX 16

#define UNDO_KIND_SHIFT 48
#define UNDO_ADDRESS    ((1ull << UNDO_KIND_SHIFT) - 1)
#define UNDO_ALLOCATED                                                             \
	0xffffull /* kind: a block to be freed; smaller ones: bytes to be restored \
		   */

enum undo_state { UNDO_IDLE, UNDO_OPEN, UNDO_CLOSING, UNDO_CLOSED, UNDO_COMMITTING };

enum out_kind { OUT_REPLY, OUT_NOTIFY, OUT_ASYN, OUT_KCALL, OUT_CALL };
struct out {
	enum out_kind kind;
	endpoint_t dst; /* OUT_KCALL: the process that it is about */
	/* OUT_ASYN: the place in the ring of lib/sys/asyn.c, which has the message; OUT_KCALL: the
	 * trap. */
	uint32_t index;
	struct message m; /* OUT_KCALL: u64 are the arguments */
};

struct undo_action {
	void (*fn)(uint64_t arg);
	uint64_t arg;
};

struct undo {
	/* The stores' part: at >= limit sends them the slow way. */
	uint64_t *at, *limit;
	uint64_t *first; /* behind the static variables */
	uintptr_t stack_top;
	/* The block that was allocated last in this window: nobody needs its old contents. */
	uintptr_t fresh, fresh_end;

	enum undo_state state;
	enum undo_outcome outcome;
	void (*on_end)(void);
	void (*on_unsent)(endpoint_t dst, int error);
	uint32_t out_count, out_sent;
	uint32_t free_count;
	uint32_t action_count;
	struct undo_stats stats;

	uint64_t strike_after; /* stores; 0: none */
	bool strike_is_undone;
	void (*strike)(void);

	struct undo_action actions[UNDO_ACTIONS_MAX];
	struct out outbox[UNDO_OUTBOX_MAX];
	void *frees[UNDO_FREES_MAX];
	uint64_t log[UNDO_LOG_WORDS];
};

extern struct undo undo;

/* Keeps the compiler from moving the entry's words behind `at`, or the other way round. */
#define undo_barrier() __asm__ volatile("" ::: "memory")

/* A store of any length; one that the fast way does not take. */
void undo_store(const void *p, size_t bytes);
void undo_store_slow(const void *p, size_t bytes);

/* A block of `bytes` has been allocated; one is to be freed: false, now. */
void undo_allocated(void *p, size_t bytes);
bool undo_defer_free(void *p);

/* The memory has come over, and the kernel knows nothing of it yet: SEF calls this first. */
void undo_inherited(void);

/* outbox.c: sends what waits. */
void undo_send_all(void);

/* As the C library's, without the log. */
void *__real_malloc(size_t bytes);
void __real_free(void *p);
void *__real_memcpy(void *to, const void *from, size_t bytes);
