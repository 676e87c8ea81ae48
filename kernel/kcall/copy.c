/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel calls that copy by address: vircopy, physcopy, strcopy, vvircopy, memset, reply_copy,
 * umap. */
#include <string.h>

#include "abi/bootinfo.h"
#include "kernel/arch.h"
#include "kernel/ipc/ipc.h"
#include "kernel/kcall/kcall.h"

#define STRING_CHUNK 256

/* An endpoint and an address as a side; EP_NONE is physical memory where that is allowed. */
static bool make_side(
	struct proc *caller, uint64_t endpoint, uint64_t address, bool phys, struct copy_side *side)
{
	side->address = address;
	side->proc = NULL;
	if ((endpoint_t)endpoint == EP_NONE) {
		return phys;
	}
	side->proc = kcall_proc(caller, endpoint);
	return side->proc != NULL;
}

static int64_t copy_call(struct proc *caller, const uint64_t args[6], bool phys)
{
	struct copy_side src, dst;

	if (!make_side(caller, args[0], args[1], phys, &src) ||
		!make_side(caller, args[2], args[3], phys, &dst)) {
		return -EINVAL;
	}
	return copy_between(caller, src, dst, args[4], (unsigned)args[5] & COPY_TRY);
}

/* KRN-10: a copy of nothing, or of more than there can be, is a mistake of the caller's. */
static int check_size(uint64_t bytes)
{
	return bytes == 0 ? -EDOM : bytes > USER_END ? -E2BIG : 0;
}

/* vircopy(src ep, src, dst ep, dst, bytes, COPY_*). -EINVAL: bad endpoint, EP_NONE too; -EDOM: no
 * bytes; -E2BIG: more than an address space; -EFAULT. */
int64_t kcall_vircopy(struct proc *caller, const uint64_t args[6])
{
	int error = check_size(args[4]);

	return error != 0 ? error : copy_call(caller, args, false);
}

/* physcopy: the same, EP_NONE being physical memory. */
int64_t kcall_physcopy(struct proc *caller, const uint64_t args[6])
{
	int error = check_size(args[4]);

	return error != 0 ? error : copy_call(caller, args, true);
}

/* strcopy(src ep, src, dst, max) -> length. -ENAMETOOLONG: no NUL within max. */
int64_t kcall_strcopy(struct proc *caller, const uint64_t args[6])
{
	struct proc *src = kcall_proc(caller, args[0]);
	uint64_t at = args[1], to = args[2], max = args[3];

	if (src == NULL) {
		return -EINVAL;
	}
	while (max > 0) {
		char chunk[STRING_CHUNK];
		/* Never beyond the page that is known to be needed. */
		uint64_t bytes = AXO_PAGE_SIZE - (at & AXO_PAGE_MASK);
		const char *end;
		int64_t error;

		bytes = bytes < sizeof(chunk) ? bytes : sizeof(chunk);
		bytes = bytes < max ? bytes : max;
		error = copy_from(caller, src, at, chunk, bytes);
		if (error != 0) {
			return error;
		}
		for (end = chunk; end < chunk + bytes && *end != '\0'; end++) {
		}
		if (end < chunk + bytes) {
			bytes = (uint64_t)(end - chunk) + 1;
		}
		error = copy_out(caller, to, chunk, bytes);
		if (error != 0) {
			return error;
		}
		at += bytes;
		to += bytes;
		if (chunk[bytes - 1] == '\0') {
			return (int64_t)(at - args[1] - 1);
		}
		max -= bytes;
	}
	return -ENAMETOOLONG;
}

/* vvircopy(struct vircopy_vec *, count): in order, up to the first error. -EINVAL: too many. */
int64_t kcall_vvircopy(struct proc *caller, const uint64_t args[6])
{
	struct vircopy_vec vec[VCOPY_MAX];
	uint64_t count = args[1], i;
	int64_t error;

	if (count > VCOPY_MAX) {
		return -EINVAL;
	}
	error = copy_in(caller, vec, args[0], count * sizeof(vec[0]));
	for (i = 0; error == 0 && i < count; i++) {
		uint64_t one[6] = {(uint64_t)vec[i].src_ep, vec[i].src, (uint64_t)vec[i].dst_ep,
			vec[i].dst, vec[i].bytes, 0};

		error = copy_call(caller, one, false);
	}
	return error;
}

/* memset(ep, address, byte, bytes); EP_NONE: physical memory. */
int64_t kcall_memset(struct proc *caller, const uint64_t args[6])
{
	struct copy_side dst;

	if (!make_side(caller, args[0], args[1], true, &dst)) {
		return -EINVAL;
	}
	return copy_set(caller, dst, (uint8_t)args[2], args[3]);
}

/* reply_copy(ep, to, from, bytes, result): copy to a program that waits for the caller, and answer
   it. -ENOTREADY: it does not wait; -EFAULT: nothing has happened. */
int64_t kcall_reply_copy(struct proc *caller, const uint64_t args[6])
{
	struct proc *program = kcall_proc(caller, args[0]);
	struct copy_side src = {caller, args[2]};
	struct copy_side dst = {program, args[1]};
	int64_t error;

	if (program == NULL) {
		return -EINVAL;
	}
	if ((program->flags & PROC_CALL) == 0 || !rts_is_set(program, RTS_RECEIVING) ||
		program->receive_from != caller->endpoint) {
		return -ENOTREADY;
	}
	error = copy_between(caller, src, dst, args[3], 0);
	return error != 0 ? error : ipc_answer_call(program, caller->endpoint, (int64_t)args[4]);
}

/* umap(address, bytes, paddr_t *): -EFAULT: not there, or not in one piece. */
int64_t kcall_umap(struct proc *caller, const uint64_t args[6])
{
	struct copy_side side = {caller, args[0]};
	paddr_t first, next;
	uint64_t done, bytes;
	int64_t error = copy_translate(caller, side, false, args[1], &first, &bytes);

	for (done = bytes; error == 0 && done < args[1]; done += bytes) {
		side.address = args[0] + done;
		error = copy_translate(caller, side, false, args[1] - done, &next, &bytes);
		if (error == 0 && next != first + done) {
			return -EFAULT;
		}
	}
	return error != 0 ? error : copy_out(caller, args[2], &first, sizeof(first));
}
