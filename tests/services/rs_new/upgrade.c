/* SPDX-License-Identifier: BSD-2-Clause */
/* From version 1 to the tests' version 2, in which RS's own structure has one more member. */
#include "servers/rs/upgrade.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/sys/diag.h"
#include "lib/sys/grant.h"
#include "lib/sys/kcall.h"
#include "servers/rs/rs.h"

_Static_assert(RS_STATE_VERSION == 2, "for the program that tests update to");

int rs_upgrade(void **root, uint32_t from)
{
	struct rs *rs;

	if (from != 1) {
		return -EPROTO;
	}
	rs = realloc(*root, sizeof(*rs));
	if (!rs) {
		return -ENOMEM;
	}
	/* Nothing points into it but these grants. */
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		const struct service *s = &rs->services[i];

		if (s->label_grant > 0) {
			(void)grant_set_direct(
				s->label_grant, EP_DS, s->label, sizeof(s->label), GRANT_READ);
		}
	}
	rs->upgraded_ns = sys_monotonic_ns();
	*root = rs;
	diag_printf("its state comes from version 1");
	return 0;
}
