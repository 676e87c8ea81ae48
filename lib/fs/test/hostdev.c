/* SPDX-License-Identifier: BSD-2-Clause */
/* A device in memory for host tests. */
#include "lib/fs/test/hostdev.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool count_down(uint64_t *counter, bool fails_on)
{
	if (*counter == 0) {
		return false;
	}
	if (*counter == 1) {
		*counter = fails_on ? 1 : 0;
		return true;
	}
	*counter -= 1;
	return false;
}

static int transfer(struct fs_device *device, bool is_write, uint64_t position,
	const struct fs_iovec *vec, size_t count)
{
	struct hostdev *dev = (struct hostdev *)(void *)device;
	bool is_lost;

	if (is_write) {
		dev->writes++;
	} else {
		dev->reads++;
	}
	if (count == 0 || count > FS_IOVEC_MAX) {
		abort();
	}
	if (count_down(is_write ? &dev->fail_write : &dev->fail_read, dev->fails_on)) {
		return -EIO;
	}
	is_lost = dev->lose_after != 0 && dev->writes > dev->lose_after;
	for (size_t i = 0; i < count; i++) {
		if (vec[i].len % 512 != 0 || position > device->size_bytes ||
			vec[i].len > device->size_bytes - position) {
			abort();
		}
		if (!is_write) {
			memcpy(vec[i].base, dev->bytes + position, vec[i].len);
		} else if (!is_lost) {
			memcpy(dev->bytes + position, vec[i].base, vec[i].len);
		}
		position += vec[i].len;
	}
	return 0;
}

static int flush(struct fs_device *device)
{
	((struct hostdev *)(void *)device)->flushes++;
	return 0;
}

void hostdev_init(struct hostdev *dev, uint64_t size)
{
	memset(dev, 0, sizeof(*dev));
	dev->bytes = calloc(1, size);
	dev->device.size_bytes = size;
	dev->device.transfer = transfer;
	dev->device.flush = flush;
	if (dev->bytes == NULL) {
		exit(2);
	}
}

void hostdev_free(struct hostdev *dev)
{
	free(dev->bytes);
	dev->bytes = NULL;
}

void hostdev_load(struct hostdev *dev, const char *path)
{
	FILE *file = fopen(path, "rb");
	long size;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) {
		perror(path);
		exit(2);
	}
	hostdev_init(dev, (uint64_t)size);
	rewind(file);
	if (fread(dev->bytes, 1, (size_t)size, file) != (size_t)size) {
		exit(2);
	}
	fclose(file);
}

void hostdev_save(const struct hostdev *dev, const char *path)
{
	FILE *file = fopen(path, "wb");

	if (file == NULL ||
		fwrite(dev->bytes, 1, dev->device.size_bytes, file) != dev->device.size_bytes) {
		perror(path);
		exit(2);
	}
	fclose(file);
}
