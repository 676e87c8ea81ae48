/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device of a file system as a file: node FS_NODE_DEVICE. Its bytes are those that the file
 * system has or will write there: each block is looked for in the pages of files, then among those
 * of the device. Whole pages of it are found in VM by readers and mappings of the device when
 * blocks are pages.
 *
 * Only a file system without files (fs/block) lets it be written: what another one has in its own
 * memory would not follow.
 */
#pragma once

#include "lib/fs/cache.h"
#include "lib/fs/ops.h"

#define FS_NODE_DEVICE 0ull

/* Bytes in the device, as the file's size: as far as blocks have numbers. */
uint64_t fs_device_size(const struct fs_cache *cache);

/* Read: *done bytes, short at the end of the device or after an error; 0, or -EIO, -ENOMEM, or what
 * copying said when none was done. */
int fs_device_read(
	struct fs_cache *cache, uint64_t position, size_t len, struct fs_data *data, size_t *done);

/* Write likewise; -ENOSPC: behind the end. */
int fs_device_write(
	struct fs_cache *cache, uint64_t position, size_t len, struct fs_data *data, size_t *done);

/* Have pages in VM's cache under their places; *done: bytes from position on that are there.
 * -ENOSYS: blocks are smaller than pages. */
int fs_device_peek(struct fs_cache *cache, uint64_t position, size_t len, size_t *done);

/* The same, and they are dirty: about to be written through a mapping. -EFAULT: behind the end. */
int fs_device_mkwrite(struct fs_cache *cache, uint64_t position, size_t len, size_t *done);
