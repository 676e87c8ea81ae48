/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/undo/outbox.h"

#include "abi/kcall.h"
#include "lib/sys/asyn.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef.h"
#include "lib/undo/log.h"
#include "proto/vm.h"

/*
 * Kernel calls that a roll-back need not take back: they tell something; or copy between programs
 * and the service, and the request is done again or fails, where the contents of a program's buffer
 * are nobody's; or are made again after a restart anyway (alarm, table of grants).
 */
#define HARMLESS                                                                                  \
	(1ull << KCALL_statectl | 1ull << KCALL_vircopy | 1ull << KCALL_strcopy |                 \
		1ull << KCALL_vvircopy | 1ull << KCALL_memset | 1ull << KCALL_setgrant |          \
		1ull << KCALL_safecopyfrom | 1ull << KCALL_safecopyto | 1ull << KCALL_vsafecopy | \
		1ull << KCALL_safememset | 1ull << KCALL_umap | 1ull << KCALL_vumap |             \
		1ull << KCALL_setalarm | 1ull << KCALL_times | 1ull << KCALL_getinfo |            \
		1ull << KCALL_diagctl)

static void (*on_unsent)(endpoint_t dst, int error);

static bool is_harmless_request(endpoint_t dst, const struct message *m)
{
	return dst == EP_VM && m->type == VM_INFO;
}

void undo_before_trap(uint64_t nr, uint64_t a0, uint64_t a1)
{
	bool is_harmless;

	if (undo.state != UNDO_OPEN) {
		return;
	}
	if (nr >= KCALL_BASE && nr < KCALL_BASE + KCALL_COUNT) {
		is_harmless = (HARMLESS >> (nr - KCALL_BASE) & 1) != 0;
	} else {
		is_harmless = nr == TRAP_SENDREC &&
			is_harmless_request((endpoint_t)a0, (const struct message *)a1);
	}
	if (!is_harmless) {
		undo_close();
	}
}

/* Room for one more, or NULL: no window is open. */
static struct out *out_new(enum out_kind kind, endpoint_t dst)
{
	struct out *out = &undo.outbox[undo.out_count];

	if (undo.state == UNDO_OPEN && undo.out_count == UNDO_OUTBOX_MAX) {
		undo_close();
	}
	if (undo.state != UNDO_OPEN) {
		return NULL;
	}
	out->kind = kind;
	out->dst = dst;
	return out;
}

static void out_add(void)
{
	undo_barrier();
	undo.out_count++;
}

bool undo_reply_later(endpoint_t dst, const struct message *m)
{
	struct out *out = out_new(OUT_REPLY, dst);

	if (out) {
		out->m = *m;
		out_add();
	}
	return out != NULL;
}

bool undo_notify_later(endpoint_t dst)
{
	if (out_new(OUT_NOTIFY, dst)) {
		out_add();
		return true;
	}
	return false;
}

bool undo_asyn_later(endpoint_t dst, uint32_t index)
{
	struct out *out = out_new(OUT_ASYN, dst);

	if (out) {
		out->index = index;
		out_add();
	}
	return out != NULL;
}

void undo_on_unsent(void (*fn)(endpoint_t dst, int error))
{
	on_unsent = fn;
}

static void send_one(const struct out *out)
{
	int r = 0;

	switch (out->kind) {
	case OUT_REPLY:
		(void)ipc_sendnb(out->dst, &out->m);
		break;
	case OUT_NOTIFY:
		(void)ipc_notify(out->dst);
		break;
	case OUT_ASYN:
		r = asyn_release(out->index);
		break;
	}
	if (r < 0 && on_unsent) {
		on_unsent(out->dst, r);
	}
}

/* Who is killed in the middle of this goes on behind the last that was certainly sent: a reply that
 * goes out twice finds nobody who waits, and an asynchronous message is released once. */
void undo_send_all(void)
{
	while (undo.out_sent < undo.out_count) {
		send_one(&undo.outbox[undo.out_sent]);
		undo_barrier();
		undo.out_sent++;
	}
	undo.out_count = 0;
	undo_barrier();
	undo.out_sent = 0;
}

void undo_start(void)
{
	sef_on_inherited(undo_inherited);
	sef_on_fault(undo_strike_after);
}
