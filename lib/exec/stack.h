/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The initial stack of a program, in Linux's layout. From the top address downward: eight zero
 * bytes, the file name, the environment strings, the argument strings, the platform name and the
 * random bytes, then (16-byte aligned, where the stack pointer starts) argc, argv pointers, NULL,
 * envp pointers, NULL, auxiliary vector, AT_NULL.
 */
#pragma once

#include "abi/types.h"
#include "lib/exec/exec.h"

/* Types of auxiliary vector entries (Linux's numbers). */
enum exec_aux {
	EXEC_AT_NULL = 0,
	EXEC_AT_PHDR = 3,
	EXEC_AT_PHENT = 4,
	EXEC_AT_PHNUM = 5,
	EXEC_AT_PAGESZ = 6,
	EXEC_AT_BASE = 7,
	EXEC_AT_FLAGS = 8,
	EXEC_AT_ENTRY = 9,
	EXEC_AT_UID = 11,
	EXEC_AT_EUID = 12,
	EXEC_AT_GID = 13,
	EXEC_AT_EGID = 14,
	EXEC_AT_PLATFORM = 15,
	EXEC_AT_HWCAP = 16,
	EXEC_AT_CLKTCK = 17,
	EXEC_AT_SECURE = 23,
	EXEC_AT_RANDOM = 25,
	EXEC_AT_HWCAP2 = 26,
	EXEC_AT_EXECFN = 31,
	EXEC_AT_SYSINFO_EHDR = 33,
	EXEC_AT_MINSIGSTKSZ = 51,
};

#define EXEC_AUXV_MAX   24 /* entries that exec_auxv_fill() makes at most */
#define EXEC_RANDOM_LEN 16

struct exec_auxv {
	uint64_t type;
	uint64_t value;
};

/* What the program is told about itself and its machine; 0 leaves out the entries marked (o). */
struct exec_auxv_info {
	const struct exec_image *image; /* the program itself, placed */
	vaddr_t interp_base;            /* where its interpreter is loaded; 0: none */
	uint32_t uid, euid, gid, egid;
	uint64_t hwcap;       /* CPUID.1:EDX on x86-64 */
	uint64_t hwcap2;      /* (o) bit 1: FSGSBASE on x86-64 */
	uint64_t minsigstksz; /* (o) bytes of a signal frame with all register state */
	vaddr_t vdso;         /* (o) address of the vDSO's ELF header */
	bool is_secure;       /* set-id or the like: libc distrusts the environment */
};

/*
 * Fill a vector of EXEC_AUXV_MAX entries; returns how many. The entries that point into the stack
 * (platform, random, file name) are put in by exec_stack_build(), as is AT_NULL.
 */
size_t exec_auxv_fill(struct exec_auxv *auxv, const struct exec_auxv_info *info);

struct exec_stack {
	/* In: */
	vaddr_t top;         /* end of the stack area; 16-byte aligned */
	const char *strings; /* argc argument strings, then envc environment strings, each with its
				NUL */
	uint64_t strings_len;
	uint32_t argc;
	uint32_t envc;
	const char *execfn;    /* AT_EXECFN */
	const char *platform;  /* AT_PLATFORM */
	const uint8_t *random; /* EXEC_RANDOM_LEN bytes for AT_RANDOM */
	const struct exec_auxv *auxv;
	size_t auxv_len;

	/* Out, by exec_stack_build(): */
	vaddr_t sp; /* initial stack pointer: points to argc */
	vaddr_t arg_start, arg_end;
	vaddr_t env_start, env_end;
};

/* Bytes that the stack takes, a multiple of 16, or 0 when that overflows. */
uint64_t exec_stack_size(const struct exec_stack *stack);

/*
 * Write the stack into `buf` of `len` bytes (8-byte aligned, a multiple of 16), whose end is the
 * stack's top. -E2BIG: len is below exec_stack_size(); -EINVAL: strings does not hold argc + envc
 * strings.
 */
int exec_stack_build(struct exec_stack *stack, void *buf, uint64_t len);
