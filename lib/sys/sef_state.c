/* SPDX-License-Identifier: BSD-2-Clause */
/* Registered state: its table, and how a successor takes it over. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/diag.h"
#include "lib/sys/sef_impl.h"

#define STATE_BYTES_MAX (64ul << 20) /* of a piece that a converter gets */

int sef_statectl(enum statectl_op op, const void *a, uint64_t b, uint64_t c)
{
	return (int)SYS_KCALL(statectl, op, a, b, c, 0, 0);
}

void sef_state(
	const char *name, void *addr, size_t bytes, uint32_t version, sef_convert_fn *convert)
{
	struct state_entry *e = &sef.states[sef.state_count];

	if (sef.state_count == SEF_STATES_MAX || strlen(name) >= sizeof(e->name)) {
		diag_panic("state %s cannot be registered", name);
	}
	*e = (struct state_entry){.address = (uint64_t)addr, .bytes = bytes, .version = version};
	memcpy(e->name, name, strlen(name) + 1);
	sef.converters[sef.state_count++] = convert;
}

int sef_state_announce(void)
{
	return sef.state_count ? sef_statectl(STATE_SET_TABLE, sef.states, sef.state_count, 0) : 0;
}

int sef_state_fetch(uint64_t address, void *to, size_t bytes)
{
	int r = bytes ? sef_statectl(STATE_READ, (void *)address, (uint64_t)to, bytes) : 0;

	return r < 0 ? r : 0;
}

/* The predecessor's table; how many pieces, or a negative error. */
static int fetch_table(struct state_entry entries[SEF_STATES_MAX])
{
	struct state_table table = {0};
	int r = sef_statectl(STATE_GET_TABLE, &table, 0, 0);

	if (r < 0) {
		return r;
	}
	if (table.count > SEF_STATES_MAX) {
		return -EINVAL;
	}
	r = sef_state_fetch(table.address, entries, table.count * sizeof(entries[0]));
	return r < 0 ? r : (int)table.count;
}

static const struct state_entry *find(
	const struct state_entry *entries, int count, const char *name)
{
	for (int i = 0; i < count; i++) {
		if (strncmp(entries[i].name, name, sizeof(entries[i].name)) == 0) {
			return &entries[i];
		}
	}
	return NULL;
}

int sef_state_find(const char *name, struct state_entry *entry)
{
	struct state_entry old[SEF_STATES_MAX];
	int count = fetch_table(old);
	const struct state_entry *found = count < 0 ? NULL : find(old, count, name);

	if (!found) {
		return count < 0 ? count : -ESRCH;
	}
	*entry = *found;
	return 0;
}

static int convert(
	const struct state_entry *mine, sef_convert_fn *converter, const struct state_entry *old)
{
	void *from;
	int r;

	if (!converter) {
		return -EPROTO;
	}
	if (old->bytes > STATE_BYTES_MAX) {
		return -E2BIG;
	}
	from = malloc(old->bytes + 1);
	if (!from) {
		return -ENOMEM;
	}
	r = sef_state_fetch(old->address, from, old->bytes);
	if (r == 0) {
		r = converter((void *)mine->address, mine->bytes, from, old->bytes, old->version);
	}
	free(from);
	return r;
}

/*
 * What is new here keeps its initial value; what only the predecessor had is dropped. After a crash
 * so is what the dead one damaged so far that it cannot be had: without it the service is there.
 */
int sef_state_transfer(void)
{
	struct state_entry old[SEF_STATES_MAX];
	bool is_crash = sef.info.type == SEF_INIT_RESTART;
	int count = fetch_table(old);
	int r = count < 0 ? count : 0;

	if (is_crash && r < 0) {
		return 0; /* the dead one is gone already, or its table is damaged */
	}
	if (r == 0 && sef.info.type == SEF_INIT_LU && !sef.heap &&
		find(old, count, SEF_HEAP_RECORD)) {
		diag_printf("takes no heap over");
		r = -EPROTO; /* this is another service's program */
	}
	for (uint32_t i = 0; i < sef.state_count && r == 0; i++) {
		const struct state_entry *mine = &sef.states[i];
		const struct state_entry *from = find(old, count, mine->name);

		if (!from) {
			continue;
		}
		if (from->version == mine->version && from->bytes == mine->bytes) {
			r = sef_state_fetch(from->address, (void *)mine->address, mine->bytes);
		} else {
			r = convert(mine, sef.converters[i], from);
		}
		if (r < 0) {
			diag_printf("state %s, version %u: cannot take over version %u: error %d",
				mine->name, mine->version, from->version, -r);
			r = is_crash && r != -ENOMEM ? 0 : r;
		}
	}
	return r;
}
