/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot archive: the one boot module, made by tools/mkbootarchive.
 *
 * All numbers little-endian. Header, then `count` entries, then the files, each starting at a page
 * boundary of the archive and padded with zeros to one. The loader puts modules at page boundaries,
 * so each file is whole pages. Readers check: magic, version, total, that each file lies inside, is
 * aligned, and overlaps no other.
 */
#pragma once

#include "abi/types.h"

#define BOOTARCH_MAGIC       0x5241544f4c4f5841ull /* "AXOLOTAR" */
#define BOOTARCH_VERSION     1
#define BOOTARCH_ENTRIES_MAX 64

struct bootarch_entry {
	char name[32]; /* NUL-terminated: vm, pm, vfs, rs, memory, sched, tty, ds, fs, init, ramdisk
			*/
	uint64_t offset; /* bytes from the archive's start, multiple of the page size */
	uint64_t bytes;  /* exact length */
};

struct bootarch_header {
	uint64_t magic;
	uint32_t version;
	uint32_t count;
	uint64_t total_bytes; /* of the archive with padding */
	uint64_t pad[5];
};

_Static_assert(sizeof(struct bootarch_header) == 64, "boot archive header");
_Static_assert(sizeof(struct bootarch_entry) == 48, "boot archive entry");
