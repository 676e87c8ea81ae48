/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer target: any bytes as a program file. The fake target aborts when the loader leaves its
 * window, writes to unmapped pages or reads beyond the file.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/core/util.h"
#include "lib/exec/stack.h"
#include "lib/exec/test/fake_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_stack(const uint8_t *data, size_t size)
{
	static _Alignas(16) uint8_t buf[1 << 16];
	struct exec_auxv auxv[EXEC_AUXV_MAX];
	static const struct exec_image image;
	const struct exec_auxv_info info = {.image = &image};
	struct exec_stack stack = {
		.top = 0x7ffffffff000,
		.strings = (const char *)data,
		.strings_len = size,
		.argc = size > 0 ? data[0] : 0,
		.envc = size > 1 ? data[1] : 0,
		.execfn = "file",
		.platform = "x86_64",
		.random = (const uint8_t *)"0123456789abcdef",
		.auxv = auxv,
		.auxv_len = exec_auxv_fill(auxv, &info),
	};

	if (exec_stack_build(&stack, buf, sizeof(buf)) == 0 &&
		(stack.sp % 16 != 0 || stack.top - stack.sp != exec_stack_size(&stack))) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake_target target;
	struct exec_image image = {.header = data,
		.header_len = u64_min(size, AXO_PAGE_SIZE),
		.file_size = size,
		.low = FAKE_LOW,
		.high = FAKE_HIGH};

	check_stack(data, size);
	if (exec_parse(&image) != 0 ||
		exec_place_random(&image, FAKE_LOW, FAKE_HIGH, size > 100 ? data[99] : 0) != 0) {
		return 0;
	}
	for (int can_map = 0; can_map < 2; can_map++) {
		fake_init(&target, data, size);
		target.can_map_file = can_map;
		if (exec_load(&image, &fake_ops, &target) != 0) {
			abort();
		}
	}
	return 0;
}

#ifdef AXO_FUZZ_STANDALONE
/* Without libFuzzer: seeded mutations of a valid file, for the ordinary test run. */
#include "lib/exec/elf64.h"

static size_t make_seed(uint8_t *file)
{
	struct elf64_header header = {
		.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
		.type = ELF64_TYPE_DYN,
		.machine = ELF64_MACHINE_X86_64,
		.version = 1,
		.entry = 0x1010,
		.phoff = 64,
		.phentsize = 56,
		.phnum = 3,
	};
	struct elf64_phdr phdr[3] = {
		{.type = ELF64_PT_LOAD,
			.flags = 5,
			.filesz = 0x1800,
			.memsz = 0x1800,
			.align = 0x1000},
		{.type = ELF64_PT_LOAD,
			.flags = 6,
			.offset = 0x1800,
			.vaddr = 0x2800,
			.filesz = 0x500,
			.memsz = 0x3000,
			.align = 0x1000},
		{.type = ELF64_PT_INTERP, .offset = 0x200, .filesz = 10},
	};

	memcpy(file, &header, sizeof(header));
	memcpy(file + 64, phdr, sizeof(phdr));
	return 0x2000;
}

int main(void)
{
	static uint8_t file[0x2000];
	uint64_t seed = 42;

	for (int round = 0; round < 20000; round++) {
		size_t size = make_seed(file);

		for (int i = 0; i < 1 + round % 4; i++) {
			uint64_t random = hash_u64(++seed);

			file[random % 232] = (uint8_t)(random >> 40) >> (random % 3 * 3);
		}
		LLVMFuzzerTestOneInput(file, round % 3 == 0 ? hash_u64(seed) % size : size);
	}
	return 0;
}
#endif
