/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/caller.h"

#include <string.h>

#include "lib/sys/kcall.h"

int caller_uid(endpoint_t program, uint32_t *uid)
{
	struct proc_ids ids;
	int r = sys_getinfo(GETINFO_IDS, &ids, sizeof(ids), program);

	if (r < 0) {
		return r;
	}
	*uid = ids.euid;
	return 0;
}

int caller_copy_in(endpoint_t program, vaddr_t from, void *to, size_t bytes)
{
	memset(to, 0, bytes); /* RS's own pages must be present, too */
	return bytes == 0 ? 0 : sys_vircopy_try(program, from, EP_SELF, (vaddr_t)to, bytes);
}

int caller_copy_out(endpoint_t program, vaddr_t to, const void *from, size_t bytes)
{
	return bytes == 0 ? 0 : sys_vircopy_try(EP_SELF, (vaddr_t)from, program, to, bytes);
}
