/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot ramdisk as block device (1, 0): an image in memory that VM mapped into the driver. */
#pragma once

#include "lib/drv/blk.h"

#define RAMDISK_OPENERS_MAX 8u

struct ramdisk {
	uint8_t *memory; /* NULL: there is none, or it was freed */
	uint64_t bytes;
	struct {
		endpoint_t client;
		uint32_t count; /* 0: free entry */
	} openers[RAMDISK_OPENERS_MAX];
};

extern const struct blk_driver ramdisk_driver; /* its ctx is a struct ramdisk */

/* Asks VM for the image. */
void ramdisk_init(struct ramdisk *disk);
