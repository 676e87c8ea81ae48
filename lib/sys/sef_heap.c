/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live update with the whole heap. The old version leaves a record of where all is; the new one
 * reads it, gets the memory, and goes on with malloc()'s arena, the grants and the root as it finds
 * them. Nobody but the two has seen anything of it when that fails.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/errno.h"
#include "lib/sys/arena.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef_impl.h"
#include "proto/vm.h"

#define RECORD_VERSION 1

/* In static memory, where the successor looks first. */
struct record {
	char name[16];
	uint32_t version, layout;
	uint64_t root;
	uint64_t arena; /* 0: nothing was allocated */
	uint64_t args;  /* a piece of the heap that nobody wants any more, or 0 */
	struct grant_state grants;
	struct asyn_state asyn;
};

static struct record record;
static const struct sef_kept *kept;

static void save(void)
{
	record = (struct record){
		.version = kept->version,
		.layout = kept->layout,
		.root = (uint64_t)*kept->root,
		.arena = (uint64_t)malloc_arena(),
		.args = sef.info.args[0] != '\0' ? (uint64_t)sef.info.args : 0,
	};
	strncpy(record.name, kept->name, sizeof(record.name) - 1);
	grant_get_state(&record.grants);
	asyn_get_state(&record.asyn);
}

/* The predecessor's record; -EPROTO: this one cannot go on from it. */
static int find_record(struct record *old)
{
	struct state_entry entry;
	int r = sef_state_find(SEF_HEAP_RECORD, &entry);

	if (r == -ESRCH ||
		(r == 0 && (entry.version != RECORD_VERSION || entry.bytes != sizeof(*old)))) {
		diag_printf("the version before does not hand on its heap");
		return -EPROTO;
	}
	if (r == 0) {
		r = sef_state_fetch(entry.address, old, sizeof(*old));
	}
	if (r < 0) {
		return r;
	}
	if (strncmp(old->name, kept->name, sizeof(old->name)) != 0) {
		diag_printf("its state is not that of %s", kept->name);
		return -EPROTO;
	}
	if (old->version != kept->version ? !kept->upgrade : old->layout != kept->layout) {
		diag_printf(
			"state %s, version %u layout %#x: cannot take over version %u layout %#x",
			kept->name, kept->version, kept->layout, old->version, old->layout);
		return -EPROTO;
	}
	return 0;
}

static int inherit(const struct record *old)
{
	struct message m = {.type = VM_INHERIT};
	int r;

	if (malloc_arena()) {
		diag_printf("memory was allocated before sef_start");
		return -EBUSY;
	}
	MSG(&m, vm_inherit_req)->how = VM_INHERIT_COPY;
	r = ipc_call(EP_VM, &m);
	if (r < 0 || old->arena == 0) {
		return r;
	}
	if (!arena_is_known((const struct arena *)old->arena)) {
		diag_printf("its heap has another format");
		return -EPROTO;
	}
	malloc_adopt((struct arena *)old->arena);
	return 0;
}

/* A table in the predecessor's static memory is copied. */
static int take_grants(const struct grant_state *old)
{
	struct grant *table = (struct grant *)old->table;

	if (!table) {
		return 0;
	}
	if (old->is_static) {
		int r;

		table = calloc(old->count, sizeof(*table));
		if (!table) {
			return -ENOMEM;
		}
		r = sef_state_fetch(old->table, table, old->count * sizeof(*table));
		if (r < 0) {
			return r;
		}
	}
	return grant_adopt(old, table);
}

static int take_over(void)
{
	struct record old;
	int r = find_record(&old);

	if (r == 0) {
		r = inherit(&old);
	}
	if (r == 0) {
		r = take_grants(&old.grants);
	}
	if (r < 0) {
		return r;
	}
	if (old.asyn.table != 0) {
		asyn_adopt(&old.asyn);
	}
	free((void *)old.args);
	*kept->root = (void *)old.root;
	return old.version == kept->version ? 0 : kept->upgrade(kept->root, old.version);
}

static const struct sef_heap_ops ops = {.save = save, .take_over = take_over};

void sef_hand_on_heap(const struct sef_kept *how)
{
	kept = how;
	sef_state(SEF_HEAP_RECORD, &record, sizeof(record), RECORD_VERSION, NULL);
}

void sef_keep_heap(const struct sef_kept *how)
{
	sef_hand_on_heap(how);
	sef.heap = &ops;
	sef_keep_memory();
}

int sef_rest(void)
{
	if (!asyn_flush()) {
		return -ENOTREADY;
	}
	save();
	return sef_state_announce();
}

int sef_go_on(void)
{
	return take_over();
}
