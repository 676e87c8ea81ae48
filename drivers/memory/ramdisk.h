/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ram disks (DRV-01 to DRV-03), block devices of major 1: minors 0 to 5 are /dev/ram0 to ram5,
 * whose size MIOCRAMSIZE sets; minor 6 is /dev/imgrd, the boot image in memory that VM mapped into
 * the driver. As long as it is there minor 0 is the image too.
 */
#pragma once

#include "lib/drv/blk.h"

#define RAMDISK_COUNT       6u
#define RAMDISK_IMAGE       6u /* minor and index of the boot image */
#define RAMDISK_OPENERS_MAX 32u

struct ramdisks {
	struct ramdisk {
		uint8_t *memory; /* NULL: there is none */
		uint64_t bytes;
	} disks[RAMDISK_COUNT + 1];
	struct {
		endpoint_t client;
		uint32_t disk;
		uint32_t count; /* 0: free entry */
	} openers[RAMDISK_OPENERS_MAX];
};

extern const struct blk_driver ramdisk_driver; /* its ctx is a struct ramdisks */

/* Asks VM for the image. */
void ramdisk_init(struct ramdisks *disks);
