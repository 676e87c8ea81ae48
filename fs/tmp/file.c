/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations on contents of regular files. */
#include <errno.h>
#include <sys/stat.h>

#include "fs/tmp/tmp.h"
#include "proto/fs.h"

/* A regular file's node: -EISDIR, -EINVAL for others. */
static int file_find(struct fs *fs, uint64_t ino, struct tmp_node **node)
{
	*node = tmp_node_find(tmp_of(fs), ino);
	if (!*node) {
		return -ESTALE;
	}
	return S_ISREG((*node)->attr.mode) ? 0 : (S_ISDIR((*node)->attr.mode) ? -EISDIR : -EINVAL);
}

int tmp_op_read(struct fs *fs, uint64_t ino, uint64_t position, size_t len, struct fs_data *data,
	size_t *done)
{
	struct tmp_node *node;
	int r = file_find(fs, ino, &node);

	if (r == 0) {
		node->attr.atime = fs->now();
		r = tmp_data_read(tmp_of(fs), node, position, len, data, done);
	}
	return r;
}

int tmp_op_write(struct fs *fs, uint64_t ino, uint64_t position, size_t len, struct fs_data *data,
	size_t *done)
{
	struct tmp_node *node;
	int r = file_find(fs, ino, &node);

	if (r < 0) {
		return r;
	}
	r = tmp_data_write(tmp_of(fs), node, position, len, data, done);
	if (*done > 0) {
		tmp_touch(tmp_of(fs), node);
	}
	return r;
}

int tmp_op_truncate(struct fs *fs, uint64_t ino, uint64_t size)
{
	struct tmp_node *node;
	int r = file_find(fs, ino, &node);

	if (r < 0) {
		return r;
	}
	if (size > TMP_FILE_MAX) {
		return -EFBIG;
	}
	tmp_data_truncate(tmp_of(fs), node, size, false);
	tmp_touch(tmp_of(fs), node);
	return 0;
}

int tmp_op_allocate(struct fs *fs, uint64_t ino, uint32_t mode, uint64_t offset, uint64_t len)
{
	struct tmp_fs *tmp = tmp_of(fs);
	struct tmp_node *node;
	int r = file_find(fs, ino, &node);

	if (r < 0) {
		return r;
	}
	switch (mode) {
	case 0:
	case FS_ALLOCATE_KEEP_SIZE:
		r = tmp_data_allocate(tmp, node, offset, len, mode == FS_ALLOCATE_KEEP_SIZE);
		break;
	case FS_ALLOCATE_KEEP_SIZE | FS_ALLOCATE_PUNCH_HOLE:
		tmp_data_punch(tmp, node, offset, len);
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (r == 0) {
		tmp_touch(tmp, node);
	}
	return r;
}

int tmp_op_peek(struct fs *fs, uint64_t ino, uint64_t position, size_t len, size_t *done)
{
	struct tmp_node *node;
	int r = file_find(fs, ino, &node);

	return r < 0 ? r : tmp_data_peek(tmp_of(fs), node, position, len, done);
}

int tmp_op_mkwrite(struct fs *fs, uint64_t ino, uint64_t position, size_t len, size_t *done)
{
	struct tmp_node *node;
	int r = file_find(fs, ino, &node);

	if (r == 0) {
		r = tmp_data_mkwrite(tmp_of(fs), node, position, len, done);
	}
	if (r == 0) {
		tmp_touch(tmp_of(fs), node);
	}
	return r;
}
