/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/ds/range.h"

#include <errno.h>
#include <sys/mman.h>

#include "lib/sys/grant.h"
#include "lib/sys/kcall.h"

int range_map(endpoint_t granter, grant_t grant, uint32_t bytes, uint8_t **data)
{
	int r;

	*data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (*data == MAP_FAILED) {
		return -ENOMEM;
	}
	r = (int)SYS_KCALL(safemap, granter, grant, 0, *data, bytes, 0);
	if (r < 0) {
		(void)munmap(*data, bytes);
	}
	return r;
}

void range_unmap(uint8_t *data, uint32_t bytes)
{
	(void)SYS_KCALL(safeunmap, data, 0, 0, 0, 0, 0);
	(void)munmap(data, bytes);
}

/* One for all; of a private range for its owner alone. */
grant_t range_grant(const struct store *store, struct store_entry *entry)
{
	bool is_private = (entry->flags & DS_FLAG_PRIVATE_RETRIEVE) != 0;

	if (entry->live == 0) {
		endpoint_t to = is_private ? store_owner(store, entry) : EP_ANY;
		grant_t grant = grant_direct(to, entry->data, entry->len, GRANT_READ | GRANT_MAP);

		if (grant == GRANT_INVALID) {
			return grant;
		}
		entry->live = grant;
	}
	return entry->live;
}

void range_revoke(struct store_entry *entry)
{
	if (entry->live != 0) {
		(void)SYS_KCALL(saferevmap, SAFEREV_GRANT, entry->live, 0, 0, 0, 0);
		(void)grant_revoke(entry->live);
		entry->live = 0;
	}
}
