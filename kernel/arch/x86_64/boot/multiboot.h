/* SPDX-License-Identifier: BSD-2-Clause */
/* The multiboot (version 0.6.96) structures that the kernel reads; sections 3.2 and 3.3 of the
 * specification. */
#pragma once

#include <stdint.h>

#define MULTIBOOT_LOADER_MAGIC 0x2badb002

#define MULTIBOOT_INFO_MEMORY  0x01
#define MULTIBOOT_INFO_CMDLINE 0x04
#define MULTIBOOT_INFO_MODULES 0x08
#define MULTIBOOT_INFO_MMAP    0x40

#define MULTIBOOT_AVAILABLE 1

struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower; /* KiB from 0 */
	uint32_t mem_upper; /* KiB from 1 MiB */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count;
	uint32_t mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length;
	uint32_t mmap_addr;
};

struct multiboot_module {
	uint32_t start;
	uint32_t end;
	uint32_t cmdline;
	uint32_t reserved;
};

struct multiboot_mmap {
	uint32_t size; /* of the rest of the entry */
	uint64_t base;
	uint64_t length;
	uint32_t type;
} __attribute__((packed));
