/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel calls around grants: setgrant, safecopyfrom, safecopyto, vsafecopy, safememset, vumap.
 * Errors: mem/grant.h. */
#include "kernel/kcall/kcall.h"
#include "kernel/mem/grant.h"
#include "kernel/proc/priv.h"

#define GRANTS_MAX (1u << GRANT_INDEX_BITS)

/* setgrant(table, count). -EINVAL: too many. */
int64_t kcall_setgrant(struct proc *caller, const uint64_t args[6])
{
	if (args[1] > GRANTS_MAX) {
		return -EINVAL;
	}
	caller->priv->grant_table = args[1] == 0 ? 0 : args[0];
	caller->priv->grant_count = (uint32_t)args[1];
	return 0;
}

static int64_t safecopy(struct proc *caller, const struct safecopy_vec *copy)
{
	struct copy_side own = {caller, copy->address}, other;
	uint32_t flags;
	int64_t error;
	unsigned try;

	error = grant_resolve(caller, caller, copy->granter, copy->grant, copy->offset, copy->bytes,
		copy->write != 0 ? GRANT_WRITE : GRANT_READ, &other, &flags);
	if (error != 0) {
		return error;
	}
	try = (flags & GRANT_TRY) != 0 ? COPY_TRY : 0;
	return copy->write != 0 ? copy_between(caller, own, other, copy->bytes, try)
				: copy_between(caller, other, own, copy->bytes, try);
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

	return safecopy(caller, &copy);
}

/* safecopyto(granter, grant, offset, from, bytes). */
int64_t kcall_safecopyto(struct proc *caller, const uint64_t args[6])
{
	struct safecopy_vec copy = from_args(args, 1);

	return safecopy(caller, &copy);
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
		error = safecopy(caller, &vec[i]);
	}
	return error;
}

/* safememset(granter, grant, offset, byte, bytes). */
int64_t kcall_safememset(struct proc *caller, const uint64_t args[6])
{
	struct copy_side side;
	uint32_t flags;
	int64_t error = grant_resolve(caller, caller, (endpoint_t)args[0], (grant_t)args[1],
		args[2], args[4], GRANT_WRITE, &side, &flags);

	return error != 0 ? error : copy_set(caller, side, (uint8_t)args[3], args[4]);
}

/* vumap(struct vumap_spec *) -> number of physical pieces. -EINVAL: they do not fit. */
int64_t kcall_vumap(struct proc *caller, const uint64_t args[6])
{
	struct copy_side side = {caller, 0};
	struct phys_piece piece = {0, 0};
	struct vumap_spec spec;
	uint32_t flags, count = 0;
	uint64_t done, bytes;
	int64_t error = copy_in(caller, &spec, args[0], sizeof(spec));

	if (error != 0) {
		return error;
	}
	side.address = spec.offset;
	if (spec.granter != EP_SELF || spec.grant != GRANT_INVALID) {
		error = grant_resolve(caller, caller, spec.granter, spec.grant, spec.offset,
			spec.bytes, spec.write != 0 ? GRANT_WRITE : GRANT_READ, &side, &flags);
		if (error != 0) {
			return error;
		}
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
