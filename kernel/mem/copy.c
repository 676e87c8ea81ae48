/* SPDX-License-Identifier: BSD-2-Clause */
/* See copy.h. */
#include "kernel/mem/copy.h"

#include <string.h>

#include "kernel/arch.h"
#include "kernel/mem/fault.h"
#include "kernel/state.h"
#include "lib/core/util.h"

static bool is_user_range(uint64_t start, uint64_t bytes)
{
	return start < USER_END && bytes <= USER_END - start;
}

static bool is_usable_phys(uint64_t start, uint64_t bytes)
{
	return start < kernel.kinfo.highest && bytes <= kernel.kinfo.highest - start;
}

static bool side_is_valid(struct copy_side side, uint64_t bytes)
{
	return side.proc == NULL ? is_usable_phys(side.address, bytes)
				 : is_user_range(side.address, bytes);
}

/* Kernel address of the first part of a side; *bytes is shortened to what is contiguous. NULL:
 * absent. */
static char *side_window(struct copy_side side, bool write, uint64_t *bytes)
{
	paddr_t paddr = side.address;

	if (side.proc != NULL && side.proc->root == 0) {
		return NULL; /* its address space has been taken down already */
	}
	if (side.proc != NULL &&
		!arch_translate(side.proc->root, side.address, write, &paddr, bytes)) {
		return NULL;
	}
	return arch_phys(paddr);
}

static int64_t side_absent(
	struct proc *caller, struct copy_side side, uint64_t bytes, bool write, unsigned flags)
{
	if ((flags & (COPY_TRY | (write ? COPY_TRY_DST : COPY_TRY_SRC))) != 0) {
		return -EFAULT;
	}
	return memreq_suspend(caller, side.proc, side.address, bytes, write);
}

/*
 * The next piece of a copy, at most *bytes; *bytes becomes what was copied. The caller's own memory
 * is loaded and needs no walk of its page table, each step of which touches another page. NULL, or
 * the side that is absent.
 */
static const struct copy_side *copy_piece(struct proc *caller, const struct copy_side *src,
	const struct copy_side *dst, uint64_t *bytes)
{
	bool from_own = src->proc == caller && dst->proc != caller;
	bool to_own = dst->proc == caller && src->proc != caller;
	char *from = NULL, *to = NULL;
	vaddr_t fault;

	if (!from_own) {
		from = side_window(*src, false, bytes);
		if (from == NULL) {
			return src;
		}
	}
	if (!to_own) {
		to = side_window(*dst, true, bytes);
		if (to == NULL) {
			return dst;
		}
	}
	if (from_own) {
		return arch_copy_from_user(to, src->address, *bytes, &fault) ? NULL : src;
	}
	if (to_own) {
		return arch_copy_to_user(dst->address, from, *bytes, &fault) ? NULL : dst;
	}
	memmove(to, from, *bytes);
	return NULL;
}

int64_t copy_between(struct proc *caller, struct copy_side src, struct copy_side dst,
	uint64_t bytes, unsigned flags)
{
	if (!side_is_valid(src, bytes) || !side_is_valid(dst, bytes)) {
		return bytes == 0 ? 0 : -EFAULT;
	}
	while (bytes > 0) {
		uint64_t chunk = bytes;
		const struct copy_side *absent = copy_piece(caller, &src, &dst, &chunk);

		if (absent != NULL) {
			return side_absent(caller, *absent, bytes, absent == &dst, flags);
		}
		src.address += chunk;
		dst.address += chunk;
		bytes -= chunk;
	}
	return 0;
}

int64_t copy_set(struct proc *caller, struct copy_side dst, uint8_t byte, uint64_t bytes)
{
	if (!side_is_valid(dst, bytes)) {
		return bytes == 0 ? 0 : -EFAULT;
	}
	while (bytes > 0) {
		uint64_t chunk = bytes;
		char *to = side_window(dst, true, &chunk);

		if (to == NULL) {
			return side_absent(caller, dst, bytes, true, 0);
		}
		memset(to, byte, chunk);
		dst.address += chunk;
		bytes -= chunk;
	}
	return 0;
}

int64_t copy_in(struct proc *caller, void *to, vaddr_t from, size_t bytes)
{
	vaddr_t fault;

	if (!is_user_range(from, bytes)) {
		return -EFAULT;
	}
	if (!arch_copy_from_user(to, from, bytes, &fault)) {
		return memreq_suspend(caller, caller, from, bytes, false);
	}
	return 0;
}

int64_t copy_out(struct proc *caller, vaddr_t to, const void *from, size_t bytes)
{
	vaddr_t fault;

	if (!is_user_range(to, bytes)) {
		return -EFAULT;
	}
	if (!arch_copy_to_user(to, from, bytes, &fault)) {
		return memreq_suspend(caller, caller, to, bytes, true);
	}
	return 0;
}

static int64_t copy_kernel(struct proc *caller, struct proc *proc, uint64_t address,
	char *kernel_side, uint64_t bytes, bool write, unsigned flags)
{
	struct copy_side side = {proc, address};

	if (!is_user_range(address, bytes)) {
		return -EFAULT;
	}
	while (bytes > 0) {
		uint64_t chunk = bytes;
		char *window = side_window(side, write, &chunk);

		if (window == NULL) {
			return side_absent(caller, side, bytes, write, flags);
		}
		if (write) {
			memcpy(window, kernel_side, chunk);
		} else {
			memcpy(kernel_side, window, chunk);
		}
		side.address += chunk;
		kernel_side += chunk;
		bytes -= chunk;
	}
	return 0;
}

int64_t copy_from(struct proc *caller, struct proc *src, vaddr_t from, void *to, uint64_t bytes)
{
	return copy_kernel(caller, src, from, to, bytes, false, 0);
}

int64_t copy_to(struct proc *caller, struct proc *dst, vaddr_t to, const void *from, uint64_t bytes)
{
	return copy_kernel(caller, dst, to, (char *)(uintptr_t)from, bytes, true, 0);
}

int copy_peek(struct proc *src, vaddr_t from, void *to, uint64_t bytes)
{
	return (int)copy_kernel(NULL, src, from, to, bytes, false, COPY_TRY);
}

int copy_poke(struct proc *dst, vaddr_t to, const void *from, uint64_t bytes)
{
	return (int)copy_kernel(NULL, dst, to, (char *)(uintptr_t)from, bytes, true, COPY_TRY);
}

int64_t copy_translate(struct proc *caller, struct copy_side side, bool write, uint64_t wanted,
	paddr_t *paddr, uint64_t *bytes)
{
	if (!side_is_valid(side, wanted)) {
		return -EFAULT;
	}
	*bytes = wanted;
	if (side.proc->root == 0 ||
		!arch_translate(side.proc->root, side.address, write, paddr, bytes)) {
		return side_absent(caller, side, wanted, write, 0);
	}
	return 0;
}
