/* SPDX-License-Identifier: BSD-2-Clause */
/* A boot binary's memory is VM's gift and is not malloc()ed: it has a reference that is never
 * given back. */
#include "servers/rs/binary.h"

#include <stdlib.h>
#include <string.h>

struct binary *binary_new(uint8_t *data, size_t len)
{
	struct binary *binary = malloc(sizeof(*binary));

	if (binary) {
		*binary = (struct binary){.references = 1, .len = len, .data = data};
	}
	return binary;
}

struct binary *binary_hold(struct binary *binary)
{
	if (binary) {
		binary->references++;
	}
	return binary;
}

void binary_release(struct binary *binary)
{
	if (binary && --binary->references == 0) {
		free((void *)(uintptr_t)binary->data);
		free(binary);
	}
}

static bool is_same(const struct binary *a, const struct binary *b)
{
	return a && a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

struct binary *binary_share(struct rs *rs, struct binary *binary)
{
	struct binary *same = NULL;

	for (int i = 0; i < RS_SERVICES_MAX && !same; i++) {
		const struct service *s = &rs->services[i];

		if (s->state != SERVICE_FREE && is_same(s->binary, binary)) {
			same = s->binary;
		} else if (s->state != SERVICE_FREE && is_same(s->previous_binary, binary)) {
			same = s->previous_binary;
		}
	}
	for (int i = 0; i < RS_TEMPLATES_MAX && !same; i++) {
		if (rs->templates[i].used && is_same(rs->templates[i].binary, binary)) {
			same = rs->templates[i].binary;
		}
	}
	if (!same) {
		return binary;
	}
	(void)binary_hold(same);
	binary_release(binary);
	return same;
}
