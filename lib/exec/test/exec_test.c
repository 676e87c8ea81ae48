/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of the loader (EXE-01, EXE-03, EXE-04) and of the stack builder. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/util.h"
#include "lib/exec/elf64.h"
#include "lib/exec/stack.h"
#include "lib/exec/test/fake_target.h"

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

static uint8_t file[0x4000];
static struct elf64_header header;
static struct elf64_phdr phdr[8];
static struct fake_target target;

/* A sound program: headers and text, a read-only part, data with a bss tail over several pages. */
static void make_file(void)
{
	for (size_t i = 0; i < sizeof(file); i++) {
		file[i] = (uint8_t)hash_u64(i);
	}
	memset(phdr, 0, sizeof(phdr));
	header = (struct elf64_header){
		.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
		.type = ELF64_TYPE_EXEC,
		.machine = ELF64_MACHINE_X86_64,
		.version = 1,
		.entry = 0x20100,
		.phoff = 64,
		.phentsize = 56,
		.phnum = 5,
	};
	phdr[0] = (struct elf64_phdr){.type = ELF64_PT_LOAD,
		.flags = 5,
		.offset = 0,
		.vaddr = 0x20000,
		.filesz = 0x1234,
		.memsz = 0x1234,
		.align = 0x1000};
	phdr[1] = (struct elf64_phdr){.type = ELF64_PT_LOAD,
		.flags = 4,
		.offset = 0x1234,
		.vaddr = 0x22234,
		.filesz = 0x100,
		.memsz = 0x100};
	phdr[2] = (struct elf64_phdr){.type = ELF64_PT_LOAD,
		.flags = 6,
		.offset = 0x1800,
		.vaddr = 0x23800,
		.filesz = 0x1900,
		.memsz = 0x5000};
	phdr[3] = (struct elf64_phdr){.type = ELF64_PT_GNU_STACK, .flags = 6};
	phdr[4] = (struct elf64_phdr){.type = ELF64_PT_INTERP, .offset = 0x3000, .filesz = 12};
}

static struct exec_image image_of_file(void)
{
	memcpy(file, &header, sizeof(header));
	memcpy(file + 64, phdr, sizeof(phdr));
	return (struct exec_image){.header = file,
		.header_len = 4096,
		.file_size = sizeof(file),
		.low = FAKE_LOW,
		.high = FAKE_HIGH};
}

static int parse_file(void)
{
	struct exec_image image = image_of_file();

	return exec_parse(&image);
}

/* Every byte that the headers promise is there, tails are zero, protections are as asked. */
static void check_loaded(const struct exec_image *image)
{
	for (unsigned i = 0; i < 3; i++) {
		const uint8_t *memory = target.memory + (phdr[i].vaddr + image->bias - FAKE_LOW);

		CHECK(memcmp(memory, file + phdr[i].offset, phdr[i].filesz) == 0);
		for (uint64_t j = phdr[i].filesz; j < phdr[i].memsz; j++) {
			CHECK(memory[j] == 0);
		}
		for (uint64_t j = 0; j < phdr[i].memsz; j++) {
			size_t page = (phdr[i].vaddr + image->bias + j - FAKE_LOW) / AXO_PAGE_SIZE;
			int prot = ((phdr[i].flags & 4) ? 1 : 0) | (phdr[i].flags & 2) |
				((phdr[i].flags & 1) ? 4 : 0);

			CHECK(target.is_mapped[page] && (target.prot[page] & prot) == prot);
			CHECK(!(target.prot[page] & 2) || (prot & 2));
		}
	}
}

static void test_load(bool can_map, uint16_t type)
{
	struct exec_image image;

	make_file();
	header.type = type;
	image = image_of_file();
	CHECK(exec_parse(&image) == 0);
	CHECK(image.has_interp && image.interp_offset == 0x3000 && image.interp_len == 12);
	CHECK(!image.is_stack_executable && image.is_dyn == (type == ELF64_TYPE_DYN));
	CHECK(image.start == 0x20000 && image.end == 0x29000);
	CHECK(exec_place(&image, 0x40000) == 0);
	CHECK(image.bias == (type == ELF64_TYPE_DYN ? 0x20000 : 0));
	CHECK(image.entry == 0x20100 + image.bias && image.phdr_addr == 0x20040 + image.bias);
	CHECK(image.brk == 0x29000 + image.bias);
	fake_init(&target, file, sizeof(file));
	target.can_map_file = can_map;
	CHECK(exec_load(&image, &fake_ops, &target) == 0);
	CHECK(target.was_cleared);
	check_loaded(&image);
}

/* Each callback failing once in turn ends the load with an error. */
static void test_failures(bool can_map)
{
	struct exec_image image;
	int fail_at = 0;

	make_file();
	image = image_of_file();
	CHECK(exec_parse(&image) == 0 && exec_place(&image, 0) == 0);
	for (;; fail_at++) {
		fake_init(&target, file, sizeof(file));
		target.can_map_file = can_map;
		target.fail_at = fail_at;
		if (exec_load(&image, &fake_ops, &target) == 0) {
			break;
		}
	}
	CHECK(fail_at >= 6 && target.calls == fail_at);
}

/* Segments that share a page: the page holds the bytes of both, with the protections of both. */
static void test_shared_page(void)
{
	struct exec_image image;
	size_t page;

	make_file();
	phdr[1].vaddr = 0x21234;
	phdr[1].flags = 6;
	phdr[1].memsz = 0x200;
	image = image_of_file();
	CHECK(exec_parse(&image) == 0 && exec_place(&image, 0) == 0);
	fake_init(&target, file, sizeof(file));
	CHECK(exec_load(&image, &fake_ops, &target) == 0);
	CHECK(memcmp(target.memory + 0x20000 - FAKE_LOW, file, 0x1334) == 0);
	page = (0x21000 - FAKE_LOW) / AXO_PAGE_SIZE;
	CHECK(target.prot[page] == 7 && target.prot[page - 1] == 5);
}

#define REFUSED(change)                          \
	do {                                     \
		make_file();                     \
		change;                          \
		CHECK(parse_file() == -ENOEXEC); \
	} while (0)

static void test_refusals(void)
{
	make_file();
	CHECK(parse_file() == 0);
	REFUSED(header.ident[0] = 0);
	REFUSED(header.ident[4] = 1);
	REFUSED(header.ident[5] = 2);
	REFUSED(header.ident[6] = 0);
	REFUSED(header.machine = 3);
	REFUSED(header.type = 1);
	REFUSED(header.type = 4);
	REFUSED(header.version = 2);
	REFUSED(header.phnum = 0);
	REFUSED(header.phnum = 73);
	REFUSED(header.phnum = 0xffff);
	REFUSED(header.phentsize = 32);
	REFUSED(header.phoff = UINT64_MAX - 100);
	REFUSED(header.phoff = 4090);
	REFUSED(header.entry = 0x1000);
	REFUSED(header.entry = 0x29000);
	REFUSED(phdr[0].filesz = 0x1235);
	REFUSED(phdr[2].offset = UINT64_MAX);
	REFUSED(phdr[2].offset = 0x3000);
	REFUSED(phdr[2].vaddr = UINT64_MAX - 0x100);
	REFUSED(phdr[2].memsz = UINT64_MAX);
	REFUSED(phdr[2].memsz = 1ull << 62);
	REFUSED(phdr[2].vaddr = 0x22000);
	REFUSED(phdr[0].vaddr = 0x1000);
	REFUSED(phdr[2].align = 3);
	REFUSED(phdr[2].align = 1ull << 40);
	REFUSED(phdr[4].filesz = 1);
	REFUSED(phdr[4].filesz = 4097);
	REFUSED(phdr[4].offset = 0x3ff8);
	REFUSED(memset(phdr, 0, sizeof(phdr)));
}

static void test_placement(void)
{
	struct exec_image image;

	make_file();
	header.type = ELF64_TYPE_DYN;
	phdr[0].align = 0x4000;
	image = image_of_file();
	CHECK(exec_parse(&image) == 0 && image.align == 0x4000);
	CHECK(exec_place(&image, FAKE_HIGH - 0x8000) == -ENOMEM);
	CHECK(exec_place(&image, 0x20001) == -ENOMEM);
	CHECK(exec_place_random(&image, 0x30000, 0x38000, 1) == -ENOMEM);
	CHECK(exec_place_random(&image, 0x30000, 0x39000, 99) == 0 && image.base == 0x30000);
	for (uint64_t random = 0; random < 1000; random++) {
		CHECK(exec_place_random(&image, FAKE_LOW, FAKE_HIGH, hash_u64(random)) == 0);
		CHECK(image.bias % 0x4000 == 0);
		CHECK(image.base >= FAKE_LOW && image.brk <= FAKE_HIGH);
	}
	CHECK(exec_is_interp_path("/lib/ld.so", 11));
	CHECK(!exec_is_interp_path("/lib/ld.so", 10));
	CHECK(!exec_is_interp_path("/li\0/ld.so", 11));
	CHECK(!exec_is_interp_path("", 1));
}

/* The byte of the buffer at an address of the target. */
#define AT(addr) ((const char *)buf + ((addr)-low))

static void test_stack(void)
{
	static _Alignas(16) uint8_t buf[2048];
	static const char strings[] = "prog\0-x\0\0HOME=/\0A=b";
	static const uint8_t random[EXEC_RANDOM_LEN] = "0123456789abcde";
	struct exec_auxv auxv[EXEC_AUXV_MAX];
	struct exec_image image = {.phdr_addr = 0x400040, .phnum = 5, .entry = 0x401000};
	struct exec_auxv_info info = {.image = &image, .uid = 7, .hwcap2 = 2};
	struct exec_stack stack = {
		.top = 0x7ffffffff000,
		.strings = strings,
		.strings_len = sizeof(strings),
		.argc = 3,
		.envc = 2,
		.execfn = "/bin/prog",
		.platform = "x86_64",
		.random = random,
		.auxv = auxv,
		.auxv_len = exec_auxv_fill(auxv, &info),
	};
	const vaddr_t low = stack.top - sizeof(buf);
	const uint64_t *word;
	int seen = 0;

	CHECK(exec_stack_build(&stack, buf, exec_stack_size(&stack) - 16) == -E2BIG);
	CHECK(exec_stack_build(&stack, buf, sizeof(buf)) == 0);
	CHECK(stack.sp % 16 == 0 && stack.top - stack.sp == exec_stack_size(&stack));
	word = (const uint64_t *)(const void *)AT(stack.sp);
	CHECK(word[0] == 3 && word[4] == 0 && word[7] == 0);
	CHECK(strcmp(AT(word[1]), "prog") == 0 && word[1] == stack.arg_start);
	CHECK(strcmp(AT(word[2]), "-x") == 0 && strcmp(AT(word[3]), "") == 0);
	CHECK(strcmp(AT(word[5]), "HOME=/") == 0 && word[5] == stack.env_start);
	CHECK(strcmp(AT(word[6]), "A=b") == 0 && stack.env_end == word[6] + 4);
	for (word += 8; word[0] != EXEC_AT_NULL; word += 2) {
		if (word[0] == EXEC_AT_RANDOM) {
			CHECK(memcmp(AT(word[1]), random, sizeof(random)) == 0);
			seen |= 1;
		} else if (word[0] == EXEC_AT_EXECFN) {
			CHECK(strcmp(AT(word[1]), "/bin/prog") == 0);
			seen |= 2;
		} else if (word[0] == EXEC_AT_PLATFORM) {
			CHECK(strcmp(AT(word[1]), "x86_64") == 0);
			seen |= 4;
		} else if (word[0] == EXEC_AT_ENTRY) {
			CHECK(word[1] == 0x401000);
			seen |= 8;
		}
	}
	CHECK(seen == 15);
	stack.envc = 3;
	CHECK(exec_stack_build(&stack, buf, sizeof(buf)) == -EINVAL);
	stack.envc = 1;
	CHECK(exec_stack_build(&stack, buf, sizeof(buf)) == -EINVAL);
	stack = (struct exec_stack){.top = 4096,
		.strings = NULL,
		.execfn = "",
		.platform = "",
		.random = random,
		.auxv = auxv};
	CHECK(exec_stack_build(&stack, buf, sizeof(buf)) == 0);
}

int main(void)
{
	test_load(true, ELF64_TYPE_EXEC);
	test_load(false, ELF64_TYPE_EXEC);
	test_load(true, ELF64_TYPE_DYN);
	test_load(false, ELF64_TYPE_DYN);
	test_failures(true);
	test_failures(false);
	test_shared_page();
	test_refusals();
	test_placement();
	test_stack();
	puts("exec: ok");
	return 0;
}
