/* SPDX-License-Identifier: BSD-2-Clause */
/* What the ext2 host tests share: images by mke2fs, mounting, checking by e2fsck. */
#pragma once

#include "fs/ext2/ext2.h"
#include "lib/fs/test/hostdev.h"
#include "lib/fs/test/hostmem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                        \
		}                                                                       \
	} while (0)

/* Expect an error number. */
#define CHECK_ERROR(expected, call)                                                           \
	do {                                                                                  \
		int check_result = (call);                                                    \
		if (check_result != (expected)) {                                             \
			fprintf(stderr, "%s:%d: %s: %d, not %d\n", __FILE__, __LINE__, #call, \
				check_result, (expected));                                    \
			abort();                                                              \
		}                                                                             \
	} while (0)

struct harness {
	struct hostdev dev;
	struct hostmem mem;
	struct fs *fs;
	char path[64]; /* of the image file */
};

/* Make an image of `size` bytes with mke2fs and the given options, and load it. */
void harness_make(struct harness *harness, uint64_t size, const char *options);

/* Mount with so many pages of memory (0: few). harness_remount: as a process that takes over. */
int harness_remount(struct harness *harness);
int harness_mount(struct harness *harness, size_t pages, bool read_only);
void harness_unmount(struct harness *harness);

/* e2fsck -fn must find nothing. Call when unmounted. */
void harness_fsck(struct harness *harness);

/* Run e2fsck with other flags on the image, load the result; returns its exit status. */
int harness_fsck_with(struct harness *harness, const char *flags);

/* The output of a debugfs command; to be freed. */
char *harness_debugfs(struct harness *harness, const char *command);

void harness_free(struct harness *harness);

/* Whether the log of the file system is printed. */
extern bool harness_is_verbose;

/* Memory as a caller's buffer; fails with -EFAULT beyond `size`. */
struct memory_data {
	struct fs_data data;
	uint8_t *bytes;
	size_t size;
};

void memory_data_init(struct memory_data *data, void *bytes, size_t size);

static inline struct fs_name name_of(const char *text)
{
	return (struct fs_name){text, strlen(text)};
}

uint32_t random_next(uint64_t *seed);
