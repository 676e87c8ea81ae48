/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzer of ext2: a small image with damaged metadata is mounted, walked, read and written. Nothing
 * may crash or hang; errors are fine. The input is a list of changes to a base image: 3 bytes of
 * position and 1 of value each, after one byte that says how it is used. Positions are folded onto
 * the metadata, which lies in front.
 *
 * With AXO_FUZZ_STANDALONE it is a program of its own that makes seeded inputs: ext2_mutations
 * [COUNT [SEED]].
 */
#include "fs/ext2/ext2.h"
#include "lib/fs/test/hostdev.h"
#include "lib/fs/test/hostmem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_BYTES (256u << 10)
#define NODES_MAX   200 /* visited in one walk */
#define ENTRIES_MAX 400 /* of one directory */

static uint8_t *base_image[2]; /* 1 KiB and 4 KiB blocks */

static struct fs_time fixed_now(void)
{
	return (struct fs_time){.sec = 1700000000};
}

__attribute__((format(printf, 1, 2))) static void no_log(const char *format, ...)
{
	(void)format;
}

static int swallow(struct fs_data *data, uint64_t offset, const struct fs_iovec *vec, size_t count,
	bool to_caller)
{
	(void)data;
	(void)offset;
	for (size_t i = 0; i < count; i++) {
		if (!to_caller) {
			memset(vec[i].base, 0x5a, vec[i].len);
		}
	}
	return 0;
}

static struct fs_data blackhole = {.copy = swallow};

struct walk {
	struct fs *fs;
	uint64_t queue[NODES_MAX];
	char name[NODES_MAX][256]; /* of the entries of the directory being walked */
	size_t name_len[NODES_MAX];
	size_t queued, names, entries;
};

static bool take_entry(void *ctx, const struct fs_entry *entry)
{
	struct walk *walk = ctx;

	if (walk->names < NODES_MAX) {
		memcpy(walk->name[walk->names], entry->name.text, entry->name.len);
		walk->name_len[walk->names++] = entry->name.len;
	}
	return ++walk->entries < ENTRIES_MAX;
}

/* Read a node as its type wants it. */
static void visit(struct walk *walk, const struct fs_attr *attr)
{
	const struct fs_ops *ops = walk->fs->ops;
	char target[4096];
	size_t done;

	if (S_ISLNK(attr->mode)) {
		ops->readlink(walk->fs, attr->ino, target, sizeof(target), &done);
	} else if (S_ISREG(attr->mode)) {
		ops->read(walk->fs, attr->ino, 0, 32 << 10, &blackhole, &done);
		ops->read(walk->fs, attr->ino, attr->size > 5000 ? attr->size - 5000 : 0, 8192,
			&blackhole, &done);
	}
}

static void walk_tree(struct walk *walk)
{
	const struct fs_ops *ops = walk->fs->ops;

	walk->queue[walk->queued++] = walk->fs->root;
	for (size_t i = 0; i < walk->queued; i++) {
		uint64_t dir = walk->queue[i];

		walk->names = walk->entries = 0;
		ops->readdir(walk->fs, dir, 0, take_entry, walk);
		for (size_t j = 0; j < walk->names; j++) {
			struct fs_name name = {walk->name[j], walk->name_len[j]};
			struct fs_attr attr;

			if (ops->lookup(walk->fs, dir, name, &attr) != 0) {
				continue;
			}
			visit(walk, &attr);
			if (S_ISDIR(attr.mode) && walk->queued < NODES_MAX &&
				!(name.len <= 2 && name.text[0] == '.')) {
				walk->queue[walk->queued++] = attr.ino;
			}
			ops->put(walk->fs, attr.ino, 1);
		}
	}
}

/* Change things everywhere the walk has been. */
static void change_tree(struct walk *walk, unsigned how)
{
	const struct fs_ops *ops = walk->fs->ops;
	struct fs *fs = walk->fs;

	for (size_t i = 0; i < walk->queued && i < 20; i++) {
		static const char *const old_names[] = {
			"hello", "large", "link", "deep", "sub", "made", "f7", "fast", "slow"};
		uint64_t dir = walk->queue[i];
		struct fs_new file = {.mode = S_IFREG | 0600}, sub = {.mode = S_IFDIR | 0700};
		struct fs_attr attr;
		size_t done;

		if (ops->create(fs, dir, (struct fs_name){"made", 4}, &file, &attr) == 0) {
			ops->write(fs, attr.ino, how * 3000u, 20000, &blackhole, &done);
			ops->truncate(fs, attr.ino, 5);
			ops->put(fs, attr.ino, 1);
		}
		if (ops->create(fs, dir, (struct fs_name){"made.d", 6}, &sub, &attr) == 0) {
			ops->rename(fs, walk->fs->root, (struct fs_name){"sub", 3}, attr.ino,
				(struct fs_name){"moved", 5}, 0);
			ops->put(fs, attr.ino, 1);
		}
		for (size_t j = 0; j < sizeof(old_names) / sizeof(old_names[0]); j++) {
			struct fs_name name = {old_names[j], strlen(old_names[j])};

			if (ops->lookup(fs, dir, name, &attr) == 0) {
				ops->write(fs, attr.ino, attr.size, 3000, &blackhole, &done);
				if ((how + j) % 3 == 0) {
					ops->truncate(fs, attr.ino, attr.size / 2);
				}
				ops->unlink(fs, dir, name);
				ops->rmdir(fs, dir, name);
				ops->put(fs, attr.ino, 1);
			}
		}
	}
	ops->sync(fs);
}

/* Where the metadata lies: the first blocks, by far. */
static uint32_t fold(uint32_t position, unsigned how)
{
	switch (how % 4) {
	case 0:
		return 1024 + position % 512; /* super block and, near it, descriptors */
	case 1:
		return 1024 + position % 8192;
	case 2:
		return position % (48 << 10);
	default:
		return position % IMAGE_BYTES;
	}
}

static void try_image(const uint8_t *changes, size_t size)
{
	struct hostdev dev;
	struct hostmem mem;
	struct walk *walk = calloc(1, sizeof(*walk));
	unsigned how = changes[0];
	struct ext2_options options = {
		.device = &dev.device, .read_only = how % 8 == 7, .now = fixed_now, .log = no_log};

	hostdev_init(&dev, IMAGE_BYTES);
	hostmem_init(&mem, 128);
	mem.evict = how % 16;
	options.memory = &mem.memory;
	memcpy(dev.bytes, base_image[(how >> 4) & 1], IMAGE_BYTES);
	for (size_t i = 1; i + 4 <= size; i += 4) {
		uint32_t position = changes[i] | changes[i + 1] << 8 | changes[i + 2] << 16;

		dev.bytes[fold(position, how)] = changes[i + 3];
	}
	if (walk != NULL && ext2_mount(&options, &walk->fs) == 0) {
		struct fs_stat stat;

		walk->fs->ops->statfs(walk->fs, &stat);
		walk_tree(walk);
		change_tree(walk, how);
		walk->queued = 0;
		walk_tree(walk);
		if (!fs_cache_check(ext2_of(walk->fs)->cache, 0)) {
			abort();
		}
		walk->fs->ops->unmount(walk->fs);
	}
	hostdev_free(&dev);
	hostmem_free(&mem);
	free(walk);
}

/* Base images with something of everything. */
static void make_base(int which, const char *block_size)
{
	char path[] = "/tmp/ext2_fuzz.XXXXXX", command[1024];
	int fd = mkstemp(path);
	FILE *file;

	if (fd < 0 || ftruncate(fd, IMAGE_BYTES) != 0) {
		exit(2);
	}
	close(fd);
	snprintf(command, sizeof(command),
		"set -e; export PATH=$PATH:/sbin:/usr/sbin; d=$(mktemp -d); cd $d; echo hi >hello; "
		"head -c 60000 /dev/zero | tr '\\0' x >large; ln -s hello fast; "
		"ln -s $(head -c 200 /dev/zero | tr '\\0' y) slow; ln hello link; "
		"mkdir -p sub/deep/deeper; for i in 1 2 3 4 5 6 7 8 9; do echo $i >sub/f$i; done; "
		"mkfifo pipe; "
		"mke2fs -q -F -t ext2 -b %s -N 64 -d $d %s >/dev/null 2>&1; cd /; rm -r $d",
		block_size, path);
	base_image[which] = malloc(IMAGE_BYTES);
	if (system(command) != 0 || base_image[which] == NULL) {
		fprintf(stderr, "no base image\n");
		exit(2);
	}
	file = fopen(path, "rb");
	if (file == NULL || fread(base_image[which], 1, IMAGE_BYTES, file) != IMAGE_BYTES) {
		exit(2);
	}
	fclose(file);
	unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (base_image[0] == NULL) {
		make_base(0, "1024");
		make_base(1, "4096");
	}
	if (size > 0) {
		try_image(bytes, size);
	}
	return 0;
}

#ifdef AXO_FUZZ_STANDALONE
int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 3000;
	uint64_t state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

	for (long i = 0; i < count; i++) {
		uint8_t input[1 + 4 * 32];
		size_t size;

		for (size_t j = 0; j < sizeof(input); j++) {
			state = state * 6364136223846793005ull + 1442695040888963407ull;
			input[j] = (uint8_t)(state >> 56);
		}
		/* Values that numbers like to have at their edges. */
		for (size_t j = 4; j < sizeof(input); j += 8) {
			input[j] = (uint8_t)(input[j] % 2 ? 0xff : 0);
		}
		size = 1 + 4 * (1 + input[1] % 32);
		LLVMFuzzerTestOneInput(input, size);
	}
	free(base_image[0]);
	free(base_image[1]);
	return 0;
}
#endif
