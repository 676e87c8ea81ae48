/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of asynchronous messages (abi/trap.h), used as a ring: entries from `first` on, in
 * order of sending. The kernel scans the table in order, so messages to one receiver keep their
 * order as long as the live entries do not wrap around: when the end is reached the live ones are
 * moved to the front (the kernel is told to forget the table meanwhile).
 *
 * Within a window of lib/undo a message is in the table, but not yet the kernel's (ASYN_STAGED
 * instead of ASYN_VALID); asyn_release makes it so.
 *
 * Invariant: all entries outside [first, last) have flags 0.
 */
#include "lib/sys/asyn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/ipc.h"
#include "lib/undo/undo.h"

#define ASYN_TABLE_FIRST 64
#define ASYN_STAGED      0x100u

static struct {
	struct asyn_entry *table;
	uint32_t size, first, last;
} ring UNDO_STATIC;

static int table_tell(uint32_t count)
{
	return (int)sys_trap(TRAP_SENDA, (uint64_t)ring.table, count, 0, 0, 0, 0);
}

static bool entry_is_done(const struct asyn_entry *e)
{
	uint32_t flags = __atomic_load_n(&e->flags, __ATOMIC_ACQUIRE);

	return !(flags & (ASYN_VALID | ASYN_STAGED)) || (flags & ASYN_DONE);
}

/* Forgets delivered entries at the front. */
static void table_trim(void)
{
	while (ring.first < ring.last && entry_is_done(&ring.table[ring.first])) {
		ring.table[ring.first].flags = 0;
		ring.first++;
	}
	if (ring.first == ring.last) {
		ring.first = ring.last = 0;
	}
}

/* Room for one more at the end: moves the live entries to the front, into a larger table if they
 * fill half of it. */
static int table_make_room(void)
{
	struct asyn_entry *old = ring.table, *table = old;
	uint32_t live = 0, size = ring.size;

	undo_close(); /* entries keep their places within a window */
	(void)table_tell(0);
	for (uint32_t i = ring.first; i < ring.last; i++) {
		live += !entry_is_done(&old[i]);
	}
	if (live * 2 >= size) {
		size = size ? size * 2 : ASYN_TABLE_FIRST;
		if (size > ASYN_MAX) {
			size = ASYN_MAX;
		}
		if (live == size) {
			(void)table_tell(ring.last);
			return -ENOMEM;
		}
		table = aligned_alloc(16, size * sizeof(*table));
		if (!table) {
			(void)table_tell(ring.last);
			return -ENOMEM;
		}
	}
	live = 0;
	for (uint32_t i = ring.first; i < ring.last; i++) {
		if (!entry_is_done(&old[i])) {
			table[live++] = old[i];
		}
	}
	memset(&table[live], 0, (size - live) * sizeof(*table));
	ring.table = table;
	ring.size = size;
	ring.first = 0;
	ring.last = live;
	if (table != old) {
		free(old);
	}
	return 0;
}

/* The entry becomes the kernel's, if it is not. */
int asyn_release(uint32_t index)
{
	struct asyn_entry *e = &ring.table[index];
	uint32_t flags;

	if (!(e->flags & ASYN_VALID)) {
		__atomic_store_n(&e->flags, ASYN_VALID, __ATOMIC_RELEASE);
	}
	(void)table_tell(ring.last);
	flags = __atomic_load_n(&e->flags, __ATOMIC_ACQUIRE);
	return (flags & ASYN_DONE) ? e->result : 0;
}

int asyn_send(endpoint_t dst, const struct message *m)
{
	struct asyn_entry *e;

	table_trim();
	if (ring.last == ring.size) {
		int r = table_make_room();

		if (r < 0) {
			return r;
		}
	}
	e = &ring.table[ring.last++];
	e->dst = dst;
	e->result = 0;
	e->msg = *m;
	if (m->type & PROTO_REPLY) {
		ipc_spoil(&e->msg);
	}
	if (undo_is_open()) {
		e->flags = ASYN_STAGED;
		if (undo_asyn_later(dst, ring.last - 1)) {
			return 0;
		}
	}
	return asyn_release(ring.last - 1);
}

unsigned asyn_pending(endpoint_t dst)
{
	unsigned n = 0;

	for (uint32_t i = ring.first; i < ring.last; i++) {
		n += ring.table[i].dst == dst && !entry_is_done(&ring.table[i]);
	}
	return n;
}

bool asyn_flush(void)
{
	bool is_empty = true;

	for (uint32_t i = ring.first; i < ring.last; i++) {
		if (!entry_is_done(&ring.table[i])) {
			__atomic_fetch_or(&ring.table[i].flags, ASYN_NOTIFY, __ATOMIC_ACQ_REL);
			is_empty = is_empty && entry_is_done(&ring.table[i]);
		}
	}
	return is_empty;
}

int asyn_reregister(void)
{
	return ring.last > 0 ? table_tell(ring.last) : 0;
}

void asyn_get_state(struct asyn_state *state)
{
	*state = (struct asyn_state){.table = (uint64_t)ring.table, .size = ring.size};
}

void asyn_adopt(const struct asyn_state *state)
{
	ring.table = (struct asyn_entry *)state->table;
	ring.size = state->size;
	memset(ring.table, 0, ring.size * sizeof(*ring.table));
}
