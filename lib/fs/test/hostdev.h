/* SPDX-License-Identifier: BSD-2-Clause */
/* A device in memory for host tests, which can be made to fail. */
#pragma once

#include "lib/fs/cache.h"

struct hostdev {
	struct fs_device device;
	uint8_t *bytes;
	/* Faults: the transfer with this number (from 1, counting down) fails; 0: none. */
	uint64_t fail_read;
	uint64_t fail_write;
	bool fails_on; /* all after it fail as well */
	uint64_t reads, writes, flushes;
	/* Writes that begin after this one (0: never) are lost silently: the power is gone. */
	uint64_t lose_after;
};

void hostdev_init(struct hostdev *dev, uint64_t size);
void hostdev_free(struct hostdev *dev);
/* Load from, store to a file; exits the test when that fails. */
void hostdev_load(struct hostdev *dev, const char *path);
void hostdev_save(const struct hostdev *dev, const char *path);
