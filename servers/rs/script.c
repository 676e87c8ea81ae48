/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/script.h"

#include <errno.h>
#include <stdio.h>

#include "servers/rs/peers.h"

static const char *const reasons[] = {
	[DEATH_CRASH] = "terminated",
	[DEATH_NO_HEARTBEAT] = "no-heartbeat",
	[DEATH_TIMEOUT] = "terminated",
	[DEATH_WANTED] = "restart",
};

void script_request(struct service *s)
{
	s->script_pending = true;
	peers_signal_init();
}

int script_fetch(struct rs *rs, char *text, size_t size)
{
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];
		int len;

		if (s->state != SERVICE_SCRIPT || !s->script_pending) {
			continue;
		}
		len = snprintf(text, size, "%s\n%s\n%s\n%u\n", s->conf.script, s->label,
			reasons[s->death], s->counts.restarts);
		if (len < 0 || (size_t)len >= size) {
			return -ENOSPC;
		}
		s->script_pending = false;
		return len;
	}
	return 0;
}
