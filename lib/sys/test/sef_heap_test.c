/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host tests of the heap that goes on in another version (SEF-05, RS-16, RS-17): the old version
 * rests and leaves its record, a child process is the new one, with the same memory and fresh
 * static data.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/errno.h"
#include "lib/sys/arena.h"
#include "lib/sys/asyn.h"
#include "lib/sys/ipc.h"
#include "lib/sys/test/sef_fake.h"

struct state {
	uint64_t count;
};
struct next_state {
	uint64_t count;
	uint64_t added;
};

static void *root;
static int inits, upgrades;
static struct sef_kept kept = {.name = "test", .root = &root, .version = 3, .layout = 0x1234};

/* The tests' malloc(); that of malloc.c would be this program's too. */
static struct arena *test_arena;

struct arena *malloc_arena(void)
{
	return test_arena;
}

void malloc_adopt(struct arena *arena)
{
	test_arena = arena;
}

static int count_init(const struct sef_info *info)
{
	inits++;
	return 0;
}

/* Version 3 to 4: the object is made anew. */
static int upgrade(void **at, uint32_t from)
{
	const struct state *old = *at;
	struct next_state *next = arena_alloc(test_arena, sizeof(*next));

	upgrades++;
	if (from != 3 || kept.version != 4) {
		return -EPROTO;
	}
	*next = (struct next_state){.count = old->count, .added = 1};
	*at = next;
	return 0;
}

/* The old version runs, and rests. */
static void old_version(void)
{
	struct state *state;
	struct message m;
	uint32_t status;
	int r;

	sef_on_init_type(SEF_INIT_FRESH, count_init);
	sef_keep_heap(&kept);
	init_comes(SEF_INIT_FRESH, NULL);
	CHECK(start() == RETURNED && inits == 1);
	test_arena = arena_create();
	state = arena_alloc(test_arena, sizeof(*state));
	state->count = 41;
	root = state;
	/* Who waits does not keep it from being updated. */
	fake.waiters[fake.waiter_count++] = CLIENT;
	prepare_comes(SEF_LU_REQUEST_FREE);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED);
	CHECK(fake.lu_count == 1 && fake.lu[0].result == 0 && sef.lu_state == SEF_LU_NULL);
}

/* Static data of a new process, and what the old one left. */
static void become_new(void)
{
	static struct state_entry entry;
	static uint8_t record[1024];

	entry = sef.states[0];
	CHECK(strcmp(entry.name, "sef.heap") == 0 && entry.bytes <= sizeof(record));
	memcpy(record, (void *)entry.address, entry.bytes);
	memset((void *)entry.address, 0, entry.bytes);
	entry.address = (uint64_t)record;
	memset(&sef, 0, sizeof(sef));
	sef.signal = sef_signal_term;
	memset(&fake, 0, sizeof(fake));
	fake.program = EP_NONE;
	fake.init_result = 1;
	fake.has_predecessor = true;
	fake.table = &entry;
	fake.table_count = 1;
	root = NULL;
	test_arena = NULL;
	inits = 0;
	sef_on_init_type(SEF_INIT_LU, count_init);
	sef_keep_heap(&kept);
	init_comes(SEF_INIT_LU, NULL);
}

static void same_version(void)
{
	become_new();
	CHECK(start() == RETURNED && inits == 1 && fake.init_result == 0 && fake.inherits == 1);
	CHECK(((struct state *)root)->count == 41 && upgrades == 0);
	CHECK(arena_check(test_arena) && fake.cleared == 0);
}

static void next_version(void)
{
	kept.version = 4;
	kept.layout = 0x5678;
	kept.upgrade = upgrade;
	become_new();
	CHECK(start() == RETURNED && inits == 1 && upgrades == 1);
	CHECK(((struct next_state *)root)->count == 41 && ((struct next_state *)root)->added == 1);
	CHECK(arena_check(test_arena));
}

static void refused(int result)
{
	become_new();
	CHECK(start() == EXITED && inits == 0 && fake.init_result == result);
}

static void without_upgrade(void)
{
	kept.version = 4;
	refused(-EPROTO);
	CHECK(fake.inherits == 0);
}

static void unknown_version(void)
{
	kept.version = 2;
	kept.upgrade = upgrade;
	refused(-EPROTO);
	CHECK(upgrades == 1);
}

static void other_layout(void)
{
	kept.layout = 0x5678;
	kept.upgrade = upgrade;
	refused(-EPROTO);
	CHECK(fake.inherits == 0 && upgrades == 0);
}

static void other_service(void)
{
	kept.name = "other";
	refused(-EPROTO);
}

static void without_record(void)
{
	become_new();
	fake.table_count = 0;
	CHECK(start() == EXITED && fake.init_result == -EPROTO);
}

/* A program that knows nothing of heaps is no next version. */
static void without_heap(void)
{
	become_new();
	sef.heap = NULL;
	sef.keeps_memory = false;
	CHECK(start() == EXITED && fake.init_result == -EPROTO && inits == 0);
}

static void memory_refused(void)
{
	become_new();
	fake.copy_result = -EEXIST;
	CHECK(start() == EXITED && fake.init_result == -EEXIST && !root);
}

static void allocated_too_early(void)
{
	become_new();
	test_arena = arena_create();
	CHECK(start() == EXITED && fake.init_result == -EBUSY && fake.inherits == 0);
}

static void run(const char *name, void (*test)(void))
{
	int status;
	pid_t pid;

	printf("%s\n", name);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fake.init_result = 1;
		fake.program = EP_NONE;
		old_version();
		test();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		exit(1);
	}
}

#define RUN(test) run(#test, test)

int main(void)
{
	RUN(same_version);
	RUN(next_version);
	RUN(without_upgrade);
	RUN(unknown_version);
	RUN(other_layout);
	RUN(other_service);
	RUN(without_record);
	RUN(without_heap);
	RUN(memory_refused);
	RUN(allocated_too_early);
	return 0;
}
