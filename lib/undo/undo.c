/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/undo/undo.h"

#include "lib/undo/log.h"

struct undo undo;

/* All that is UNDO_STATIC, by the linker. */
extern char __start_undo_statics[], __stop_undo_statics[];

static inline uintptr_t stack_pointer(void)
{
	return (uintptr_t)__builtin_frame_address(0);
}

static bool is_on_stack(const void *p)
{
	uintptr_t sp = stack_pointer();

	return (uintptr_t)p - sp < undo.stack_top - sp;
}

/* The slow way is taken by the store that is to fail. */
static void limit_set(void)
{
	uint64_t *end = undo.log + UNDO_LOG_WORDS - UNDO_SLACK_WORDS;

	if (undo.strike_after != 0 && undo.strike_after < (uint64_t)(end - undo.at) / 2) {
		end = undo.at + 2 * undo.strike_after;
	}
	undo.limit = end;
}

/* How much of the way to the fault has been gone. */
static void strike_count(void)
{
	uint64_t stores = (uint64_t)(undo.at - undo.first) / 2;

	if (undo.strike_after != 0) {
		undo.strike_after -= stores < undo.strike_after ? stores : undo.strike_after - 1;
	}
}

void undo_strike_after(uint64_t n, bool is_undone, void (*strike)(void))
{
	undo.strike = strike;
	undo.strike_is_undone = is_undone;
	undo.strike_after = n;
	if (undo.state == UNDO_OPEN) {
		limit_set();
	}
}

static void strike(void)
{
	undo.strike_after = 0;
	if (!undo.strike_is_undone) {
		undo_close();
	}
	if (undo.state == UNDO_OPEN) {
		limit_set();
	}
	undo.strike();
}

/* A piece of at most UNDO_PIECE_MAX bytes; false: no room. */
static bool piece_save(const void *p, size_t bytes)
{
	size_t words = (bytes + 7) / 8;
	uint64_t *at = undo.at;

	if (at + words + 1 > undo.log + UNDO_LOG_WORDS) {
		return false;
	}
	__real_memcpy(at, p, bytes);
	at[words] = (uintptr_t)p | (uint64_t)bytes << UNDO_KIND_SHIFT;
	undo_barrier();
	undo.at = at + words + 1;
	return true;
}

void undo_open(const void *stack_top, void (*on_end)(void))
{
	undo.stack_top = (uintptr_t)stack_top;
	undo.on_end = on_end;
	undo.fresh = undo.fresh_end = 0;
	undo.at = undo.log;
	(void)piece_save(
		__start_undo_statics, (size_t)(__stop_undo_statics - __start_undo_statics));
	undo.first = undo.at;
	undo.action_count = 0;
	undo.stats.windows++;
	undo_barrier();
	undo.state = UNDO_OPEN;
	undo_barrier();
	limit_set();
}

void undo_on_stack(const void *stack_top)
{
	undo.stack_top = (uintptr_t)stack_top;
}

/* Nothing is logged any more; what waited is sent and freed. */
static void finish(enum undo_state through, enum undo_state to)
{
	undo.limit = NULL;
	undo_barrier();
	undo.state = through;
	undo_barrier();
	strike_count();
	undo.at = undo.first = undo.log;
	if (through == UNDO_COMMITTING && undo.on_end) {
		undo.on_end();
	}
	undo_send_all();
	while (undo.free_count > 0) {
		void *p = undo.frees[--undo.free_count];

		undo_barrier();
		__real_free(p);
	}
	undo_barrier();
	undo.state = to;
}

void undo_close(void)
{
	if (undo.state == UNDO_OPEN) {
		undo.stats.closed++;
		finish(UNDO_CLOSING, UNDO_CLOSED);
	}
}

static void close_full(void)
{
	undo.stats.full++;
	undo.stats.closed--;
	undo_close();
}

void undo_commit(void)
{
	finish(UNDO_COMMITTING, UNDO_IDLE);
}

bool undo_is_open(void)
{
	return undo.state == UNDO_OPEN;
}

const struct undo_stats *undo_stats(void)
{
	return &undo.stats;
}

void undo_by(void (*fn)(uint64_t arg), uint64_t arg)
{
	if (undo.state == UNDO_OPEN && undo.action_count == UNDO_ACTIONS_MAX) {
		close_full();
	}
	if (undo.state == UNDO_OPEN) {
		undo.actions[undo.action_count] = (struct undo_action){fn, arg};
		undo_barrier();
		undo.action_count++;
	}
}

void undo_save(const void *p, size_t bytes)
{
	const char *from = p;

	if ((uintptr_t)p >= undo.fresh && (uintptr_t)p + bytes <= undo.fresh_end) {
		return;
	}
	while (bytes > 0 && undo.state == UNDO_OPEN) {
		size_t piece = bytes < UNDO_PIECE_MAX ? bytes : UNDO_PIECE_MAX;

		if (!piece_save(from, piece)) {
			close_full();
		}
		from += piece;
		bytes -= piece;
	}
}

void undo_store(const void *p, size_t bytes)
{
	if (undo.limit == NULL) {
		undo_store_slow(p, bytes);
	} else if (!is_on_stack(p)) {
		undo_save(p, bytes);
	}
}

void undo_store_slow(const void *p, size_t bytes)
{
	if (undo.strike_after != 0 && (undo.state == UNDO_OPEN || undo.state == UNDO_CLOSED)) {
		uint64_t stores = (uint64_t)(undo.at - undo.first) / 2;

		if (undo.state == UNDO_CLOSED) {
			undo.strike_after--;
		}
		if (undo.strike_after <= stores) {
			strike();
		}
	}
	if (undo.state == UNDO_OPEN && !is_on_stack(p)) {
		undo_save(p, bytes);
	}
}

void undo_allocated(void *p, size_t bytes)
{
	uint64_t *at = undo.at;

	if (undo.state != UNDO_OPEN) {
		return;
	}
	if (at == undo.log + UNDO_LOG_WORDS) {
		close_full();
		return;
	}
	*at = (uintptr_t)p | UNDO_ALLOCATED << UNDO_KIND_SHIFT;
	undo_barrier();
	undo.at = at + 1;
	undo.fresh = (uintptr_t)p;
	undo.fresh_end = undo.fresh + bytes;
}

bool undo_defer_free(void *p)
{
	if (undo.state == UNDO_OPEN && undo.free_count == UNDO_FREES_MAX) {
		close_full();
	}
	if (undo.state != UNDO_OPEN) {
		return false;
	}
	undo.frees[undo.free_count] = p;
	undo_barrier();
	undo.free_count++;
	return true;
}

/* The newest entry is undone. Doing so twice is the same as once. */
static void entry_undo(void)
{
	uint64_t word = undo.at[-1];
	void *p = (void *)(uintptr_t)(word & UNDO_ADDRESS);
	uint64_t kind = word >> UNDO_KIND_SHIFT;

	if (kind == UNDO_ALLOCATED) {
		undo.at--;
		undo_barrier();
		__real_free(p);
	} else {
		uint64_t *old = undo.at - 1 - (kind + 7) / 8;

		__real_memcpy(p, old, kind);
		undo_barrier();
		undo.at = old;
	}
}

static void roll_back(void)
{
	undo.limit = NULL;
	undo.out_count = undo.out_sent = 0;
	undo.free_count = 0;
	while (undo.at > undo.log) {
		entry_undo();
	}
	undo.stats.rolled_back++;
	undo.outcome = UNDO_ROLLED_BACK;
	undo_barrier();
	undo.state = UNDO_IDLE;
}

/* The memory has come over, and the kernel knows nothing of it yet. */
void undo_inherited(void)
{
	undo.strike_after = 0;
	undo.outcome = UNDO_NOTHING;
	if (undo.state == UNDO_OPEN) {
		roll_back();
	} else if (undo.state == UNDO_COMMITTING && undo.on_end) {
		undo.on_end();
	}
}

enum undo_outcome undo_settle(void)
{
	if (undo.state == UNDO_CLOSING || undo.state == UNDO_CLOSED) {
		finish(UNDO_CLOSING, UNDO_IDLE);
		undo.outcome = UNDO_STANDS;
	} else if (undo.state == UNDO_COMMITTING) {
		finish(UNDO_COMMITTING, UNDO_IDLE);
	}
	while (undo.outcome == UNDO_ROLLED_BACK && undo.action_count > 0) {
		const struct undo_action *action = &undo.actions[--undo.action_count];

		action->fn(action->arg);
	}
	return undo.outcome;
}
