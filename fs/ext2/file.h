/* SPDX-License-Identifier: BSD-2-Clause */
/* The contents of regular files (operations of lib/fs/ops.h). */
#pragma once

#include "fs/ext2/inode.h"

int ext2_read(struct fs *fs, uint64_t ino, uint64_t position, size_t len, struct fs_data *data,
	size_t *done);
int ext2_write(struct fs *fs, uint64_t ino, uint64_t position, size_t len, struct fs_data *data,
	size_t *done);
int ext2_truncate(struct fs *fs, uint64_t ino, uint64_t size);
int ext2_peek(struct fs *fs, uint64_t ino, uint64_t position, size_t len, size_t *done);
int ext2_mkwrite(struct fs *fs, uint64_t ino, uint64_t position, size_t len, size_t *done);
int ext2_fsync(struct fs *fs, uint64_t ino, bool data_only);
