/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel wants one array. Growth allocates
 * a larger one, copies, tells the kernel, and only then frees the old one.
 *
 * Invariant: free entries form a list through `who_from`; an entry is in the list exactly when
 * GRANT_VALID is not set.
 */
#include "lib/sys/grant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/kcall.h"

#define GRANT_TABLE_FIRST 64
#define GRANT_TABLE_MAX   (1 << 16)
#define LIST_END          (-1)

static struct {
	struct grant *table;
	uint32_t count;
	int32_t free_head;
} grants = {.free_head = LIST_END};

static int table_grow(void)
{
	uint32_t count = grants.count ? grants.count * 2 : GRANT_TABLE_FIRST;
	struct grant *table;

	if (count > GRANT_TABLE_MAX) {
		return -ENOSPC;
	}
	table = calloc(count, sizeof(*table));
	if (!table) {
		return -ENOMEM;
	}
	if (grants.table) {
		memcpy(table, grants.table, grants.count * sizeof(*table));
	}
	for (uint32_t i = count; i-- > grants.count;) {
		table[i].who_from = grants.free_head;
		table[i].seq = 1;
		grants.free_head = (int32_t)i;
	}
	if (sys_setgrant(table, count) < 0) {
		free(table);
		return -ENOMEM;
	}
	free(grants.table);
	grants.table = table;
	grants.count = count;
	return 0;
}

static grant_t entry_take(
	uint32_t flags, endpoint_t grantee, endpoint_t from, uint64_t start, uint64_t len)
{
	struct grant *g;
	int32_t index;

	if (grants.free_head == LIST_END && table_grow() < 0) {
		return GRANT_INVALID;
	}
	index = grants.free_head;
	g = &grants.table[index];
	grants.free_head = g->who_from;
	g->who_to = grantee;
	g->who_from = from;
	g->start = start;
	g->len = len;
	__atomic_store_n(&g->flags, flags | GRANT_USED | GRANT_VALID, __ATOMIC_RELEASE);
	return GRANT_ID((grant_t)g->seq, index);
}

grant_t grant_direct(endpoint_t grantee, const void *addr, size_t bytes, uint32_t access)
{
	return entry_take(access | GRANT_DIRECT, grantee, EP_NONE, (uint64_t)addr, bytes);
}

grant_t grant_indirect(endpoint_t grantee, endpoint_t granter, grant_t grant)
{
	return entry_take(GRANT_INDIRECT, grantee, granter, (uint64_t)grant, 0);
}

grant_t grant_magic(
	endpoint_t grantee, endpoint_t owner, vaddr_t addr, size_t bytes, uint32_t access)
{
	return entry_take(access | GRANT_MAGIC, grantee, owner, addr, bytes);
}

int grant_revoke(grant_t grant)
{
	int32_t index = GRANT_INDEX(grant);
	struct grant *g;

	if (grant < 0 || (uint32_t)index >= grants.count) {
		return -EINVAL;
	}
	g = &grants.table[index];
	if (!(g->flags & GRANT_VALID) || (int32_t)g->seq != GRANT_SEQ(grant)) {
		return -EINVAL;
	}
	__atomic_store_n(&g->flags, 0, __ATOMIC_RELEASE);
	g->seq = g->seq == GRANT_SEQ_MAX ? 1 : g->seq + 1;
	g->who_from = grants.free_head;
	grants.free_head = index;
	return 0;
}

int grant_reregister(void)
{
	return grants.table ? sys_setgrant(grants.table, grants.count) : 0;
}
