/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/undo/outbox.h"

#include "abi/kcall.h"
#include "lib/sys/asyn.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "lib/undo/log.h"
#include "proto/vm.h"

/*
 * Kernel calls that a roll-back need not take back: they tell something; or copy between programs
 * and the service, and the request is done again or fails, where the contents of a program's buffer
 * are nobody's; or are made again after a restart anyway (alarm, table of grants, which threads are
 * stopped).
 */
#define HARMLESS                                                                                   \
	(1ull << KCALL_statectl | 1ull << KCALL_vircopy | 1ull << KCALL_strcopy |                  \
		1ull << KCALL_vvircopy | 1ull << KCALL_memset | 1ull << KCALL_setgrant |           \
		1ull << KCALL_safecopyfrom | 1ull << KCALL_safecopyto | 1ull << KCALL_safememset | \
		1ull << KCALL_umap | 1ull << KCALL_vumap | 1ull << KCALL_setalarm |                \
		1ull << KCALL_times | 1ull << KCALL_getinfo | 1ull << KCALL_diagctl |              \
		1ull << KCALL_stop)

/* Those that can wait: nobody looks at their results. */
#define CAN_WAIT                                                               \
	(1ull << KCALL_resume | 1ull << KCALL_clear | 1ull << KCALL_cleartid | \
		1ull << KCALL_setids | 1ull << KCALL_kill)

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

static bool is_kcall(uint64_t nr, uint64_t set)
{
	return nr >= KCALL_BASE && nr < KCALL_BASE + KCALL_COUNT && (set >> (nr - KCALL_BASE) & 1);
}

/* Something about this process waits: what happens to it now would come too early. */
static bool is_awaited(endpoint_t ep)
{
	for (uint32_t i = 0; i < undo.out_count; i++) {
		if (undo.outbox[i].dst == ep && undo.outbox[i].kind != OUT_ASYN) {
			return true;
		}
	}
	return false;
}

static bool kcall_later(uint64_t nr, const uint64_t a[5])
{
	struct out *out = out_new(OUT_KCALL, (endpoint_t)a[0]);

	if (!out) {
		return false;
	}
	out->index = (uint32_t)nr;
	__real_memcpy(out->m.u64, a, 3 * sizeof(a[0]));
	if (nr == KCALL_BASE + KCALL_setids) {
		__real_memcpy(&out->m.u64[1], (const void *)a[1], sizeof(struct proc_ids));
	}
	out_add();
	return true;
}

/* What the kernel is going to store in the service's own memory is no store that the compiler knows
 * of. */
static void save_target(uint64_t nr, const uint64_t a[5])
{
	switch (nr - KCALL_BASE) {
	case KCALL_vircopy:
		if ((endpoint_t)a[2] == EP_SELF) {
			undo_store((const void *)a[3], a[4]);
		}
		break;
	case KCALL_vvircopy:
		for (uint64_t i = 0; i < a[1]; i++) {
			const struct vircopy_vec *v = (const struct vircopy_vec *)a[0] + i;

			if (v->dst_ep == EP_SELF) {
				undo_store((const void *)v->dst, v->bytes);
			}
		}
		break;
	case KCALL_strcopy:
		undo_store((const void *)a[2], a[3]);
		break;
	case KCALL_safecopyfrom:
		undo_store((const void *)a[3], a[4]);
		break;
	case KCALL_getinfo:
		undo_store((const void *)a[1], a[2]);
		break;
	case KCALL_times:
		undo_store((const void *)a[1], sizeof(struct proc_times));
		break;
	default:
		break;
	}
}

static bool call_later(struct message *m)
{
	struct out *out = out_new(OUT_CALL, EP_VM);

	if (out) {
		out->m = *m;
		out_add();
		m->type = 0;
	}
	return out != NULL;
}

/* PM's requests to VM. A fork says by undo_by() how it is taken back. */
static bool request_later(struct message *m, bool *is_harmless)
{
	switch (m->type) {
	case VM_WILLEXIT:
	case VM_EXIT:
	case VM_THREAD_EXIT:
	case VM_SETLIMIT:
		return call_later(m);
	case VM_INFO:
	case VM_FORK:
		*is_harmless = true;
		return false;
	default:
		return false;
	}
}

bool undo_takes_trap(uint64_t nr, const uint64_t a[5])
{
	bool is_taken = false, is_harmless = is_kcall(nr, HARMLESS);

	if (undo.state != UNDO_OPEN) {
		return false;
	}
	if (is_kcall(nr, CAN_WAIT)) {
		is_taken = kcall_later(nr, a);
	} else if (nr == KCALL_BASE + KCALL_stop) {
		is_harmless = !is_awaited((endpoint_t)a[0]);
	} else if (nr == TRAP_SENDREC && (endpoint_t)a[0] == EP_VM) {
		is_taken = request_later((struct message *)a[1], &is_harmless);
	}
	if (is_harmless) {
		save_target(nr, a);
	} else if (!is_taken) {
		undo_close();
	}
	return is_taken;
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

static void kcall_send(struct out *out)
{
	uint64_t a1 = out->m.u64[1];

	if (out->index == KCALL_BASE + KCALL_setids) {
		a1 = (uint64_t)&out->m.u64[1];
	}
	(void)sys_trap(out->index, out->m.u64[0], a1, out->m.u64[2], 0, 0, 0);
}

static void send_one(struct out *out)
{
	struct message m;
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
	case OUT_KCALL:
		kcall_send(out);
		break;
	case OUT_CALL:
		m = out->m;
		(void)ipc_call(out->dst, &m);
		break;
	}
	if (r < 0 && undo.on_unsent) {
		undo.on_unsent(out->dst, r);
	}
}

/* Who is killed in the middle of this goes on behind the last that was certainly sent: a reply that
 * goes out twice finds nobody who waits, an asynchronous message is released once, and the kernel
 * calls and VM's requests may be made twice. */
/* A signal may be the service's own end: the successor must not send it again. */
static bool may_end_here(const struct out *out)
{
	return out->kind == OUT_KCALL && out->index == KCALL_BASE + KCALL_kill;
}

void undo_send_all(void)
{
	while (undo.out_sent < undo.out_count) {
		struct out *out = &undo.outbox[undo.out_sent];

		if (may_end_here(out)) {
			undo.out_sent++;
			undo_barrier();
			send_one(out);
		} else {
			send_one(out);
			undo_barrier();
			undo.out_sent++;
		}
	}
	undo.out_count = 0;
	undo_barrier();
	undo.out_sent = 0;
}

void undo_start(void (*on_unsent)(endpoint_t dst, int error))
{
	undo.on_unsent = on_unsent;
	sef_on_inherited(undo_inherited);
	sef_on_fault(undo_strike_after);
}
