/* SPDX-License-Identifier: BSD-2-Clause */
/* What a mount repairs after a crash. */
#pragma once

#include "fs/ext2/ext2.h"

/*
 * Make the free counts of all groups and of the super block those of the bitmaps. Called at a mount for
 * writing of a file system that was not unmounted cleanly. -EIO, -ENOMEM.
 */
int ext2_recount(struct ext2 *ext2);
