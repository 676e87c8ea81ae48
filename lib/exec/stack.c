/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/exec/stack.h"

#include "abi/linux/errno.h"
#include "lib/core/util.h"
#include "lib/exec/elf64.h"

#define CLOCK_TICKS_PER_SECOND 100

/* Entries that exec_stack_build() adds: AT_PLATFORM, AT_RANDOM, AT_EXECFN, AT_NULL. */
#define AUXV_OWN 4

static size_t put_aux(struct exec_auxv *auxv, size_t count, uint64_t type, uint64_t value)
{
	auxv[count] = (struct exec_auxv){type, value};
	return count + 1;
}

size_t exec_auxv_fill(struct exec_auxv *auxv, const struct exec_auxv_info *info)
{
	const struct exec_image *image = info->image;
	size_t n = 0;

	if (info->vdso != 0) {
		n = put_aux(auxv, n, EXEC_AT_SYSINFO_EHDR, info->vdso);
	}
	if (info->minsigstksz != 0) {
		n = put_aux(auxv, n, EXEC_AT_MINSIGSTKSZ, info->minsigstksz);
	}
	n = put_aux(auxv, n, EXEC_AT_HWCAP, info->hwcap);
	n = put_aux(auxv, n, EXEC_AT_PAGESZ, AXO_PAGE_SIZE);
	n = put_aux(auxv, n, EXEC_AT_CLKTCK, CLOCK_TICKS_PER_SECOND);
	n = put_aux(auxv, n, EXEC_AT_PHDR, image->phdr_addr);
	n = put_aux(auxv, n, EXEC_AT_PHENT, sizeof(struct elf64_phdr));
	n = put_aux(auxv, n, EXEC_AT_PHNUM, image->phnum);
	n = put_aux(auxv, n, EXEC_AT_BASE, info->interp_base);
	n = put_aux(auxv, n, EXEC_AT_FLAGS, 0);
	n = put_aux(auxv, n, EXEC_AT_ENTRY, image->entry);
	n = put_aux(auxv, n, EXEC_AT_UID, info->uid);
	n = put_aux(auxv, n, EXEC_AT_EUID, info->euid);
	n = put_aux(auxv, n, EXEC_AT_GID, info->gid);
	n = put_aux(auxv, n, EXEC_AT_EGID, info->egid);
	n = put_aux(auxv, n, EXEC_AT_SECURE, info->is_secure);
	if (info->hwcap2 != 0) {
		n = put_aux(auxv, n, EXEC_AT_HWCAP2, info->hwcap2);
	}
	return n;
}

/* Sizes of the two parts of the stack; false when they overflow. */
static bool layout(const struct exec_stack *stack, uint64_t *strings_part, uint64_t *vectors_part)
{
	uint64_t words, pointers;

	if (!checked_add(stack->strings_len,
		    8 + EXEC_RANDOM_LEN + __builtin_strlen(stack->execfn) + 1 +
			    __builtin_strlen(stack->platform) + 1,
		    strings_part) ||
		!checked_align_up(*strings_part, 16, strings_part)) {
		return false;
	}
	/* argc, two terminating NULLs, and two words an auxiliary entry. */
	pointers = (uint64_t)stack->argc + stack->envc + 3;
	words = pointers + 2 * ((uint64_t)stack->auxv_len + AUXV_OWN);
	*vectors_part = align_up(words * 8, 16);
	return *strings_part < UINT64_MAX - *vectors_part;
}

uint64_t exec_stack_size(const struct exec_stack *stack)
{
	uint64_t strings_part, vectors_part;

	if (!layout(stack, &strings_part, &vectors_part)) {
		return 0;
	}
	return strings_part + vectors_part;
}

/* Put `count` pointers to the strings from *next on, and a NULL; false when they run out. */
static bool put_pointers(const struct exec_stack *stack, uint64_t *vector, uint32_t count,
	uint64_t *next, vaddr_t strings_addr)
{
	for (uint32_t i = 0; i < count; i++) {
		if (*next >= stack->strings_len) {
			return false;
		}
		vector[i] = strings_addr + *next;
		while (stack->strings[*next] != '\0') {
			if (++*next >= stack->strings_len) {
				return false;
			}
		}
		++*next;
	}
	vector[count] = 0;
	return true;
}

/* Copy bytes so that they end at *end of the buffer, and move *end below them. */
static void push_bytes(char *buf, uint64_t *end, const void *bytes, uint64_t len)
{
	*end -= len;
	if (len > 0) {
		__builtin_memcpy(buf + *end, bytes, len);
	}
}

int exec_stack_build(struct exec_stack *stack, void *buf, uint64_t len)
{
	uint64_t strings_part, vectors_part, end, next = 0, split;
	vaddr_t buf_addr = stack->top - len; /* address of the buffer's first byte in the target */
	vaddr_t strings_addr, execfn, platform, random;
	struct exec_auxv *auxv;
	uint64_t *vector;

	if (!layout(stack, &strings_part, &vectors_part) || strings_part + vectors_part > len) {
		return -E2BIG;
	}
	__builtin_memset((char *)buf + len - strings_part, 0, strings_part);
	end = len - 8;
	push_bytes(buf, &end, stack->execfn, __builtin_strlen(stack->execfn) + 1);
	execfn = buf_addr + end;
	push_bytes(buf, &end, stack->strings, stack->strings_len);
	strings_addr = buf_addr + end;
	push_bytes(buf, &end, stack->platform, __builtin_strlen(stack->platform) + 1);
	platform = buf_addr + end;
	push_bytes(buf, &end, stack->random, EXEC_RANDOM_LEN);
	random = buf_addr + end;

	vector = (uint64_t *)(void *)((char *)buf + len - strings_part - vectors_part);
	__builtin_memset(vector, 0, vectors_part);
	stack->sp = stack->top - strings_part - vectors_part;
	*vector++ = stack->argc;
	if (!put_pointers(stack, vector, stack->argc, &next, strings_addr)) {
		return -EINVAL;
	}
	vector += stack->argc + 1;
	split = next;
	if (!put_pointers(stack, vector, stack->envc, &next, strings_addr) ||
		next != stack->strings_len) {
		return -EINVAL;
	}
	vector += stack->envc + 1;
	auxv = (struct exec_auxv *)(void *)vector;
	if (stack->auxv_len > 0) {
		__builtin_memcpy(auxv, stack->auxv, stack->auxv_len * sizeof(*auxv));
		auxv += stack->auxv_len;
	}
	*auxv++ = (struct exec_auxv){EXEC_AT_RANDOM, random};
	*auxv++ = (struct exec_auxv){EXEC_AT_PLATFORM, platform};
	*auxv++ = (struct exec_auxv){EXEC_AT_EXECFN, execfn};
	*auxv = (struct exec_auxv){EXEC_AT_NULL, 0};
	stack->arg_start = strings_addr;
	stack->arg_end = strings_addr + split;
	stack->env_start = strings_addr + split;
	stack->env_end = strings_addr + stack->strings_len;
	return 0;
}
