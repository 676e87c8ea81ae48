/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of the ELF-64 file format that a program loader needs (System V gABI, chapters 4 and 5).
 */
#pragma once

#include <stdint.h>

#define ELF64_IDENT_LEN   16
#define ELF64_CLASS_64    2
#define ELF64_DATA_LITTLE 1
#define ELF64_VERSION     1

#define ELF64_TYPE_EXEC 2
#define ELF64_TYPE_DYN  3

#define ELF64_MACHINE_X86_64  62
#define ELF64_MACHINE_AARCH64 183

#define ELF64_PT_LOAD      1
#define ELF64_PT_INTERP    3
#define ELF64_PT_GNU_STACK 0x6474e551

#define ELF64_PF_X 1
#define ELF64_PF_W 2
#define ELF64_PF_R 4

struct elf64_header {
	uint8_t ident[ELF64_IDENT_LEN];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t phoff;
	uint64_t shoff;
	uint32_t flags;
	uint16_t ehsize;
	uint16_t phentsize;
	uint16_t phnum;
	uint16_t shentsize;
	uint16_t shnum;
	uint16_t shstrndx;
};

struct elf64_phdr {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
};

_Static_assert(sizeof(struct elf64_header) == 64, "ELF-64 file header");
_Static_assert(sizeof(struct elf64_phdr) == 56, "ELF-64 program header");
