/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel calls around grants: setgrant, safecopyfrom, safecopyto, vsafecopy, safememset, vumap.
 * Errors: mem/grant.h. */
#include "kernel/kcall/kcall.h"
#include "kernel/mem/fault.h"
#include "kernel/mem/grant.h"
#include "kernel/proc/priv.h"
#include "kernel/state.h"

#define GRANTS_MAX (1u << GRANT_INDEX_BITS)

/* setgrant(table, count). -EINVAL: more than an id can name; -ENOSPC: more than the caller may
 * have. */
int64_t kcall_setgrant(struct proc *caller, const uint64_t args[6])
{
	uint32_t quota = caller->priv->spec.grants_max;

	if (args[1] > GRANTS_MAX) {
		return -EINVAL;
	}
	if (quota != 0 && args[1] > quota) {
		return -ENOSPC;
	}
	caller->priv->grant_table = args[1] == 0 ? 0 : args[0];
	caller->priv->grant_count = (uint32_t)args[1];
	return 0;
}

/* The plain way. What a GRANT_TRY grant covers is not waited for. */
static int64_t copy_all(struct proc *caller, const struct grant_use *use, struct copy_side src,
	struct copy_side dst, uint64_t bytes, bool write)
{
	unsigned flags = (use->flags & GRANT_TRY) == 0 ? 0 : write ? COPY_TRY_DST : COPY_TRY_SRC;
	int64_t error = copy_between(caller, src, dst, bytes, flags);

	if (error == -EFAULT && flags != 0) {
		grant_mark_faulted(use);
	}
	return error;
}

/* Whether VM may be asked to share the pages: it pays where they are many. */
static bool can_share(const struct proc *caller, const struct grant_use *use, struct copy_side src,
	struct copy_side dst, uint64_t bytes)
{
	return bytes >= kernel.share_min_bytes &&
		((src.address ^ dst.address) & AXO_PAGE_MASK) == 0 &&
		(caller->flags & PROC_PLAIN_COPY) == 0 && (use->flags & GRANT_TRY) == 0 &&
		src.proc != dst.proc && src.proc->endpoint != EP_VM && dst.proc->endpoint != EP_VM;
}

/*
 * GRT-07: head and tail are copied, then VM makes the pages between them appear on the other side
 * copy-on-write. Its answer ends the call (kernel/mem/fault.c), or has it run again, to copy.
 */
static int64_t copy_shared(
	struct proc *caller, struct copy_side src, struct copy_side dst, uint64_t bytes)
{
	uint64_t head = -src.address & AXO_PAGE_MASK;
	uint64_t middle = (bytes - head) & ~(uint64_t)AXO_PAGE_MASK;
	uint64_t done = head + middle;
	struct copy_side src_tail = {src.proc, src.address + done};
	struct copy_side dst_tail = {dst.proc, dst.address + done};
	const struct memreq request = {
		.kind = MEMREQ_COW,
		.target = dst.proc->endpoint,
		.address = dst.address + head,
		.bytes = middle,
		.write = 1,
		.source = src.proc->endpoint,
		.source_address = src.address + head,
	};
	int64_t error = copy_between(caller, src, dst, head, 0);

	if (error == 0) {
		error = copy_between(caller, src_tail, dst_tail, bytes - done, 0);
	}
	return error != 0 ? error : memreq_post(caller, &request);
}

static int64_t safecopy(struct proc *caller, const struct safecopy_vec *copy, bool may_share)
{
	bool write = copy->write != 0;
	struct copy_side own = {caller, copy->address};
	struct grant_use use;
	struct copy_side src, dst;
	int64_t error = grant_resolve(caller, caller, copy->granter, copy->grant, copy->offset,
		copy->bytes, write ? GRANT_WRITE : GRANT_READ, &use);

	if (error != 0) {
		return error;
	}
	src = write ? own : use.side;
	dst = write ? use.side : own;
	if (may_share && can_share(caller, &use, src, dst, copy->bytes)) {
		error = copy_shared(caller, src, dst, copy->bytes);
	} else {
		error = copy_all(caller, &use, src, dst, copy->bytes, write);
	}
	if (error != KCALL_SUSPENDED) {
		caller->flags &= ~(uint32_t)PROC_PLAIN_COPY;
	}
	return error;
}

static struct safecopy_vec from_args(const uint64_t args[6], uint32_t write)
{
	return (struct safecopy_vec){
		.granter = (endpoint_t)args[0],
		.grant = (grant_t)args[1],
		.offset = args[2],
		.address = args[3],
		.bytes = args[4],
		.write = write,
	};
}

/* safecopyfrom(granter, grant, offset, to, bytes). */
int64_t kcall_safecopyfrom(struct proc *caller, const uint64_t args[6])
{
	struct safecopy_vec copy = from_args(args, 0);

	return safecopy(caller, &copy, true);
}

/* safecopyto(granter, grant, offset, from, bytes). */
int64_t kcall_safecopyto(struct proc *caller, const uint64_t args[6])
{
	struct safecopy_vec copy = from_args(args, 1);

	return safecopy(caller, &copy, true);
}

/* vsafecopy(struct safecopy_vec *, count): in order, up to the first error. -EINVAL: too many. */
int64_t kcall_vsafecopy(struct proc *caller, const uint64_t args[6])
{
	struct safecopy_vec vec[VCOPY_MAX];
	uint64_t i;
	int64_t error;

	if (args[1] > VCOPY_MAX) {
		return -EINVAL;
	}
	error = copy_in(caller, vec, args[0], args[1] * sizeof(vec[0]));
	for (i = 0; error == 0 && i < args[1]; i++) {
		error = safecopy(caller, &vec[i], false);
	}
	return error;
}

/* safememset(granter, grant, offset, byte, bytes). */
int64_t kcall_safememset(struct proc *caller, const uint64_t args[6])
{
	struct grant_use use;
	int64_t error = grant_resolve(caller, caller, (endpoint_t)args[0], (grant_t)args[1],
		args[2], args[4], GRANT_WRITE, &use);

	return error != 0 ? error : copy_set(caller, use.side, (uint8_t)args[3], args[4]);
}

/* vumap(struct vumap_spec *) -> number of physical pieces. -EINVAL: they do not fit. */
int64_t kcall_vumap(struct proc *caller, const uint64_t args[6])
{
	struct copy_side side = {caller, 0};
	struct phys_piece piece = {0, 0};
	struct vumap_spec spec;
	struct grant_use use;
	uint32_t count = 0;
	uint64_t done, bytes;
	int64_t error = copy_in(caller, &spec, args[0], sizeof(spec));

	if (error != 0) {
		return error;
	}
	side.address = spec.offset;
	if (spec.granter != EP_SELF || spec.grant != GRANT_INVALID) {
		error = grant_resolve(caller, caller, spec.granter, spec.grant, spec.offset,
			spec.bytes, spec.write != 0 ? GRANT_WRITE : GRANT_READ, &use);
		if (error != 0) {
			return error;
		}
		side = use.side;
	}
	for (done = 0; done < spec.bytes; done += bytes) {
		struct copy_side at = {side.proc, side.address + done};
		paddr_t paddr;

		error = copy_translate(
			caller, at, spec.write != 0, spec.bytes - done, &paddr, &bytes);
		if (error != 0) {
			return error;
		}
		if (count > 0 && piece.paddr + piece.bytes == paddr) {
			piece.bytes += bytes;
		} else {
			if (count == spec.max) {
				return -EINVAL;
			}
			piece = (struct phys_piece){paddr, bytes};
			count++;
		}
		error = copy_out(caller, (vaddr_t)&spec.pieces[count - 1], &piece, sizeof(piece));
		if (error != 0) {
			return error;
		}
	}
	return count;
}
