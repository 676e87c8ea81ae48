/* SPDX-License-Identifier: BSD-2-Clause */
/* Names: looking up, making and removing them (operations of lib/fs/ops.h). */
#pragma once

#include "fs/ext2/inode.h"

int ext2_lookup(struct fs *fs, uint64_t dir, struct fs_name name, struct fs_attr *attr);
int ext2_create(struct fs *fs, uint64_t dir, struct fs_name name, const struct fs_new *what,
	struct fs_attr *attr);
int ext2_symlink(struct fs *fs, uint64_t dir, struct fs_name name, const struct fs_new *what,
	const char *target, size_t len, struct fs_attr *attr);
int ext2_readlink(struct fs *fs, uint64_t ino, char *buf, size_t size, size_t *len);
int ext2_link(struct fs *fs, uint64_t ino, uint64_t dir, struct fs_name name);
int ext2_unlink(struct fs *fs, uint64_t dir, struct fs_name name);
int ext2_rmdir(struct fs *fs, uint64_t dir, struct fs_name name);

/* The node that an entry names, with a reference; an entry that names none is damage: -EIO. */
int ext2_entry_node(struct ext2 *ext2, uint32_t ino, struct ext2_node **node);

/* rename.c */
int ext2_rename(struct fs *fs, uint64_t old_dir, struct fs_name old_name, uint64_t new_dir,
	struct fs_name new_name, unsigned flags);
