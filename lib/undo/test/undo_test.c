/* SPDX-License-Identifier: BSD-2-Clause */
/* Random programs that crash at each of their stores: the memory is what it was when the window
 * opened. */
#include <assert.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/undo/log.h"
#include "lib/undo/test/victim.h"

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

/* All that the victim has. */
struct picture {
	struct victim victim;
	struct victim_block blocks[VICTIM_BLOCKS];
};

static jmp_buf crash;
static bool has_crashed;
static unsigned sent;

/* In the place of outbox.c. */
void undo_send_all(void)
{
	sent++;
}

static void take(struct picture *picture)
{
	memset(picture, 0, sizeof(*picture));
	picture->victim = victim;
	for (unsigned i = 0; i < VICTIM_BLOCKS; i++) {
		if (victim.blocks[i]) {
			picture->blocks[i] = *victim.blocks[i];
		}
	}
}

static bool is_same(const struct picture *before)
{
	static struct picture now;

	take(&now);
	return memcmp(&now, before, sizeof(now)) == 0;
}

static void strike(void)
{
	has_crashed = true;
	longjmp(crash, 1);
}

/* One window; the n-th store crashes. False: it had fewer. */
static bool run_to(uint64_t seed, unsigned steps, uint64_t n)
{
	has_crashed = false;
	undo_open(__builtin_frame_address(0), NULL);
	if (n > 0) {
		undo_strike_after(n, true, strike);
	}
	if (setjmp(crash) == 0) {
		victim_run(seed, steps);
		undo_strike_after(0, true, strike);
		undo_commit();
	}
	return has_crashed;
}

static void crashes_everywhere(void)
{
	static struct picture before;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		uint64_t n = 1;

		(void)run_to(seed * 1000, 60, 0);
		take(&before);
		while (run_to(seed, 30, n)) {
			undo_inherited();
			CHECK(is_same(&before));
			CHECK(undo_settle() == UNDO_ROLLED_BACK);
			n++;
		}
		CHECK(n > 30);
	}
}

static unsigned actions[3];
static unsigned action_count;

static void action(uint64_t arg)
{
	actions[action_count++] = (unsigned)arg;
}

/* What was done to others is taken back, the last first, and only by a roll-back. */
static void actions_are_taken_back(void)
{
	undo_open(__builtin_frame_address(0), NULL);
	undo_by(action, 1);
	undo_by(action, 2);
	undo_inherited();
	CHECK(undo_settle() == UNDO_ROLLED_BACK);
	CHECK(action_count == 2 && actions[0] == 2 && actions[1] == 1);
	undo_open(__builtin_frame_address(0), NULL);
	undo_by(action, 3);
	undo_commit();
	undo_inherited();
	CHECK(undo_settle() == UNDO_NOTHING && action_count == 2);
}

/* What was done before the window was closed stands. */
static void closed_stands(void)
{
	unsigned steps;

	undo_open(__builtin_frame_address(0), NULL);
	victim_run(7, 20);
	undo_close();
	victim_run(8, 20);
	steps = victim.steps;
	undo_inherited();
	CHECK(undo_settle() == UNDO_STANDS && victim.steps == steps);
}

/* More than the log takes: the window closes, and nothing is half undone. */
static void full_log_closes(void)
{
	uint64_t full = undo_stats()->full;

	undo_open(__builtin_frame_address(0), NULL);
	victim_run(9, 200000);
	CHECK(!undo_is_open() && undo_stats()->full == full + 1);
	undo_commit();
}

/* Killed while the frees and messages of a window that has ended go out: they go on. */
static void commit_goes_on(void)
{
	unsigned before = sent;

	undo_open(__builtin_frame_address(0), NULL);
	victim_run(10, 40);
	undo.state = UNDO_COMMITTING;
	undo_inherited();
	CHECK(undo_settle() == UNDO_NOTHING);
	CHECK(sent == before + 1 && undo.free_count == 0 && undo.state == UNDO_IDLE);
}

int main(void)
{
	crashes_everywhere();
	actions_are_taken_back();
	closed_stands();
	full_log_closes();
	commit_goes_on();
	for (unsigned i = 0; i < VICTIM_BLOCKS; i++) {
		free(victim.blocks[i]);
	}
	puts("undo: fine");
	return 0;
}
