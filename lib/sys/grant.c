/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel wants one array. The first one is there from the start; growth allocates a larger one,
 * copies, tells the kernel, and only then frees the old one. Without memory the table stays as it
 * is.
 *
 * Invariant: free entries form a list through `who_from`; an entry is in the list exactly when
 * GRANT_VALID is not set.
 */
#include "lib/sys/grant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/kcall.h"
#include "lib/undo/undo.h"

#define GRANT_TABLE_FIRST 32
#define GRANT_TABLE_MAX   (1 << 16)
#define LIST_END          (-1)
#define GRANT_PAGE        4096

static struct grant first_table[GRANT_TABLE_FIRST];

static struct {
	struct grant *table; /* NULL: the kernel has none yet */
	uint32_t count;
	int32_t free_head;
	uint32_t first_seq; /* of entries that were never used */
} grants UNDO_STATIC = {.free_head = LIST_END};

/*
 * A restarted service must not give out the ids that its predecessor's partners still hold:
 * sequences start anywhere, by the clock.
 */
static uint32_t sequence_start(void)
{
	return 1 + (uint32_t)(sys_monotonic_ns() >> 12) % GRANT_SEQ_MAX;
}

/* The table is `table` from now on, with entries from grants.count to `count` free. */
static int table_install(struct grant *table, uint32_t count)
{
	for (uint32_t i = count; i-- > grants.count;) {
		table[i].flags = 0;
		table[i].who_from = i + 1 < count ? (int32_t)i + 1 : grants.free_head;
		table[i].seq = grants.first_seq;
	}
	if (sys_setgrant(table, count) < 0) {
		return -ENOMEM;
	}
	grants.free_head = (int32_t)grants.count;
	grants.table = table;
	grants.count = count;
	return 0;
}

static int table_grow(uint32_t count)
{
	struct grant *old = grants.table, *table;
	int r;

	if (!old) {
		grants.first_seq = sequence_start();
		r = table_install(first_table, GRANT_TABLE_FIRST);
		if (r < 0 || count <= GRANT_TABLE_FIRST) {
			return r;
		}
		old = grants.table;
	}
	if (count > GRANT_TABLE_MAX) {
		return -ENOSPC;
	}
	table = calloc(count, sizeof(*table));
	if (!table) {
		return -ENOSPC;
	}
	memcpy(table, old, grants.count * sizeof(*table));
	r = table_install(table, count);
	if (r < 0) {
		free(table);
		return r;
	}
	if (old != first_table) {
		free(old);
	}
	return 0;
}

int grant_reserve(uint32_t count)
{
	uint32_t size = GRANT_TABLE_FIRST;

	while (size < count && size < GRANT_TABLE_MAX) {
		size *= 2;
	}
	return count > size ? -ENOSPC : grants.count >= size ? 0 : table_grow(size);
}

static void entry_fill(struct grant *g, uint32_t flags, endpoint_t grantee, endpoint_t from,
	uint64_t start, uint64_t len)
{
	g->who_to = grantee;
	g->who_from = from;
	g->start = start;
	g->len = len;
	__atomic_store_n(&g->flags, flags | GRANT_USED | GRANT_VALID, __ATOMIC_RELEASE);
}

static grant_t entry_take(
	uint32_t flags, endpoint_t grantee, endpoint_t from, uint64_t start, uint64_t len)
{
	struct grant *g;
	int32_t index;

	if (grants.free_head == LIST_END && table_grow(grants.count * 2) < 0) {
		errno = ENOSPC;
		return GRANT_INVALID;
	}
	index = grants.free_head;
	g = &grants.table[index];
	grants.free_head = g->who_from;
	entry_fill(g, flags, grantee, from, start, len);
	return GRANT_ID((grant_t)g->seq, index);
}

static bool is_good_access(uint64_t start, uint64_t bytes, uint32_t access)
{
	if ((access & ~(uint32_t)(GRANT_READ | GRANT_WRITE | GRANT_MAP | GRANT_TRY)) != 0 ||
		(access & (GRANT_READ | GRANT_WRITE)) == 0) {
		return false;
	}
	return (access & GRANT_MAP) == 0 || ((start | bytes) & (GRANT_PAGE - 1)) == 0;
}

static grant_t memory_take(uint32_t kind, endpoint_t grantee, endpoint_t owner, uint64_t start,
	uint64_t bytes, uint32_t access)
{
	if (!is_good_access(start, bytes, access)) {
		errno = EINVAL;
		return GRANT_INVALID;
	}
	return entry_take(access | kind, grantee, owner, start, bytes);
}

grant_t grant_direct(endpoint_t grantee, const void *addr, size_t bytes, uint32_t access)
{
	return memory_take(GRANT_DIRECT, grantee, EP_NONE, (uint64_t)addr, bytes, access);
}

grant_t grant_indirect(endpoint_t grantee, endpoint_t granter, grant_t grant)
{
	return entry_take(GRANT_INDIRECT, grantee, granter, (uint64_t)grant, 0);
}

grant_t grant_magic(
	endpoint_t grantee, endpoint_t owner, vaddr_t addr, size_t bytes, uint32_t access)
{
	return memory_take(GRANT_MAGIC, grantee, owner, addr, bytes, access);
}

/* The caller's entry of that id, or NULL. */
static struct grant *entry_find(grant_t grant)
{
	struct grant *g;

	if (grant < 0 || (uint32_t)GRANT_INDEX(grant) >= grants.count) {
		return NULL;
	}
	g = &grants.table[GRANT_INDEX(grant)];
	return (g->flags & GRANT_VALID) && (int32_t)g->seq == GRANT_SEQ(grant) ? g : NULL;
}

/* What was mapped by the grant is undone before it means something else or nothing. If it cannot be
 * the grant stays as it is, and the error is the result. */
static int entry_close(struct grant *g, grant_t grant)
{
	int r = g->flags & GRANT_MAP ? sys_saferevmap_grant(grant) : 0;

	if (r >= 0) {
		__atomic_store_n(&g->flags, GRANT_USED, __ATOMIC_RELEASE);
	}
	return r < 0 ? r : 0;
}

static int entry_set(grant_t grant, uint32_t flags, endpoint_t grantee, endpoint_t from,
	uint64_t start, uint64_t len)
{
	struct grant *g = entry_find(grant);
	int r = g ? entry_close(g, grant) : -EINVAL;

	if (r == 0) {
		entry_fill(g, flags, grantee, from, start, len);
	}
	return r;
}

int grant_set_direct(
	grant_t grant, endpoint_t grantee, const void *addr, size_t bytes, uint32_t access)
{
	return is_good_access((uint64_t)addr, bytes, access)
		? entry_set(grant, access | GRANT_DIRECT, grantee, EP_NONE, (uint64_t)addr, bytes)
		: -EINVAL;
}

int grant_set_indirect(grant_t grant, endpoint_t grantee, endpoint_t granter, grant_t passed)
{
	return entry_set(grant, GRANT_INDIRECT, grantee, granter, (uint64_t)passed, 0);
}

int grant_set_magic(grant_t grant, endpoint_t grantee, endpoint_t owner, vaddr_t addr, size_t bytes,
	uint32_t access)
{
	return is_good_access(addr, bytes, access)
		? entry_set(grant, access | GRANT_MAGIC, grantee, owner, addr, bytes)
		: -EINVAL;
}

int grant_revoke(grant_t grant)
{
	struct grant *g = entry_find(grant);
	int faulted, r;

	if (!g) {
		return -EINVAL;
	}
	faulted = (int)(g->flags & GRANT_FAULTED);
	r = entry_close(g, grant);
	if (r < 0) {
		return r;
	}
	g->seq = g->seq == GRANT_SEQ_MAX ? 1 : g->seq + 1;
	g->who_from = grants.free_head;
	grants.free_head = GRANT_INDEX(grant);
	return faulted;
}

int grant_reregister(void)
{
	return grants.table ? sys_setgrant(grants.table, grants.count) : 0;
}

void grant_get_state(struct grant_state *state)
{
	*state = (struct grant_state){
		.table = (uint64_t)grants.table,
		.count = grants.count,
		.free_head = grants.free_head,
		.first_seq = grants.first_seq,
		.is_static = grants.table == first_table,
	};
}

int grant_adopt(const struct grant_state *state, struct grant *table)
{
	if (grants.table) {
		return -EBUSY;
	}
	grants.table = table;
	grants.count = state->count;
	grants.free_head = state->free_head;
	grants.first_seq = state->first_seq;
	return grant_reregister();
}
