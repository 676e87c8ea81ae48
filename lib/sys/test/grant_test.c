/* SPDX-License-Identifier: BSD-2-Clause */
/* Host test of making grants: GRT-04, GRT-05, GRT-06, GRT-10, NEG-24. The kernel is a look at the
 * table. */
#include "lib/sys/grant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/kcall.h"
#include "lib/sys/trap.h"

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

#define MANY 10000

static struct {
	struct grant *table;
	uint64_t count, now;
	int revoke_error;
	grant_t revoked; /* the last grant whose mappings were undone */
} fake = {.now = 5000000, .revoked = GRANT_INVALID};

int64_t sys_trap(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	switch (nr) {
	case KCALL_BASE + KCALL_setgrant:
		fake.table = (struct grant *)a0;
		fake.count = a1;
		return 0;
	case KCALL_BASE + KCALL_times:
		((struct proc_times *)a1)->uptime_ns = fake.now;
		return 0;
	case KCALL_BASE + KCALL_saferevmap:
		CHECK(a0 == SAFEREV_GRANT);
		fake.revoked = (grant_t)a1;
		return fake.revoke_error;
	default:
		CHECK(false);
		return -EINVAL;
	}
}

/* As the kernel sees it. */
static struct grant *look(grant_t id)
{
	struct grant *g = &fake.table[GRANT_INDEX(id)];

	CHECK((uint64_t)GRANT_INDEX(id) < fake.count);
	return (g->flags & GRANT_VALID) != 0 && (int32_t)g->seq == GRANT_SEQ(id) ? g : NULL;
}

static char memory[3 * 4096] __attribute__((aligned(4096)));

static void test_life(void)
{
	grant_t a = grant_direct(5, memory, 100, GRANT_READ), b;

	CHECK(a != GRANT_INVALID && look(a)->who_to == 5 && look(a)->len == 100);
	CHECK(look(a)->start == (uint64_t)memory);
	CHECK(look(a)->flags == (GRANT_USED | GRANT_VALID | GRANT_DIRECT | GRANT_READ));
	CHECK(grant_revoke(a) == 0 && look(a) == NULL);
	CHECK(grant_revoke(a) == -EINVAL && grant_revoke(GRANT_INVALID) == -EINVAL);
	b = grant_direct(6, memory, 8, GRANT_WRITE);
	CHECK(GRANT_INDEX(a) == GRANT_INDEX(b) && a != b); /* the slot again, never the id */
	CHECK(look(a) == NULL && look(b) != NULL);
	CHECK(grant_revoke(a) == -EINVAL && look(b) != NULL);
	CHECK(grant_set_direct(b, 7, memory + 1, 9, GRANT_READ) == 0);
	CHECK(look(b)->who_to == 7 && look(b)->start == (uint64_t)memory + 1 && look(b)->len == 9);
	CHECK(grant_set_indirect(b, 8, 9, a) == 0 && look(b)->who_from == 9);
	CHECK(look(b)->flags == (GRANT_USED | GRANT_VALID | GRANT_INDIRECT));
	CHECK(grant_set_magic(b, 8, 77, 4096, 4096, GRANT_READ) == 0 && look(b)->who_from == 77);
	CHECK(grant_set_direct(a, 7, memory, 9, GRANT_READ) == -EINVAL);
	CHECK(grant_set_direct(b, 7, memory, 9, 0x8000) == -EINVAL && look(b)->who_from == 77);
	CHECK(grant_revoke(b) == 0);
}

static void test_access(void)
{
	grant_t g;

	errno = 0;
	CHECK(grant_direct(5, memory, 100, 0) == GRANT_INVALID && errno == EINVAL);
	errno = 0;
	CHECK(grant_magic(5, 6, 0, 100, GRANT_USED) == GRANT_INVALID && errno == EINVAL);
	CHECK(grant_direct(5, memory + 8, 4096, GRANT_READ | GRANT_MAP) == GRANT_INVALID);
	CHECK(grant_direct(5, memory, 4000, GRANT_READ | GRANT_MAP) == GRANT_INVALID);
	g = grant_direct(5, memory, 8192, GRANT_READ | GRANT_MAP);
	CHECK(g != GRANT_INVALID && fake.revoked == GRANT_INVALID);
	CHECK(grant_revoke(g) == 0 && fake.revoked == g); /* what was mapped is undone first */
	g = grant_direct(5, memory, 8192, GRANT_READ | GRANT_MAP);
	fake.revoke_error = -ENOMEM; /* what is mapped stays mapped, and so the grant stays */
	CHECK(grant_revoke(g) == -ENOMEM && look(g) != NULL);
	CHECK(grant_set_direct(g, 7, memory, 4096, GRANT_READ) == -ENOMEM && look(g)->who_to == 5);
	fake.revoke_error = 0;
	CHECK(grant_revoke(g) == 0 && look(g) == NULL);
	g = grant_direct(5, memory, 8192, GRANT_READ | GRANT_TRY);
	look(g)->flags |= GRANT_FAULTED; /* the kernel does that */
	CHECK(grant_revoke(g) == GRANT_FAULTED);
	g = grant_direct(5, memory, 8192, GRANT_READ | GRANT_TRY);
	CHECK(grant_revoke(g) == 0);
}

/* A slot's sequence comes round only after all of them. */
static void test_sequence(void)
{
	grant_t first = grant_direct(5, memory, 1, GRANT_READ), g = first;
	int i;

	for (i = 1; i < GRANT_SEQ_MAX; i++) {
		CHECK(grant_revoke(g) == 0);
		g = grant_direct(5, memory, 1, GRANT_READ);
		CHECK(g >= 0 && g != first && GRANT_INDEX(g) == GRANT_INDEX(first));
	}
	CHECK(grant_revoke(g) == 0);
	CHECK(grant_direct(5, memory, 1, GRANT_READ) == first && grant_revoke(first) == 0);
}

static void test_many(void)
{
	static grant_t ids[MANY];
	int i;

	for (i = 0; i < MANY; i++) {
		ids[i] = grant_direct(5, memory, (size_t)i + 1, GRANT_READ);
		CHECK(ids[i] != GRANT_INVALID);
	}
	for (i = 0; i < MANY; i++) {
		CHECK(look(ids[i])->len == (uint64_t)i + 1);
	}
	for (i = 0; i < MANY; i += 2) {
		CHECK(grant_revoke(ids[i]) == 0);
	}
	for (i = 0; i < MANY; i++) {
		CHECK((look(ids[i]) == NULL) == (i % 2 == 0));
	}
	for (i = 1; i < MANY; i += 2) {
		CHECK(grant_revoke(ids[i]) == 0);
	}
	CHECK(grant_reserve(60000) == 0 && fake.count >= 60000);
	CHECK(grant_reserve(70000) == -ENOSPC);
	for (i = 0; i < 65536; i++) {
		CHECK(grant_direct(5, memory, 1, GRANT_READ) != GRANT_INVALID);
	}
	errno = 0;
	CHECK(grant_direct(5, memory, 1, GRANT_READ) == GRANT_INVALID && errno == ENOSPC);
}

int main(void)
{
	test_life();
	test_access();
	test_sequence();
	test_many();
	CHECK(grant_reregister() == 0);
	return 0;
}
