/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot ramdisk as block device (1, 0): an image in memory that VM mapped into the driver. */
#pragma once

#include "lib/drv/blk.h"

struct ramdisk {
	uint8_t *memory; /* NULL: there is none, or it was freed */
	uint64_t bytes;
	uint32_t opens;
};

extern const struct blk_driver ramdisk_driver; /* its ctx is a struct ramdisk */

/* Asks VM for the image. */
void ramdisk_init(struct ramdisk *disk);
