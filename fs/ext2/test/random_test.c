/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations on ext2 and on a model, for all block sizes and revisions: each result, each
 * file's contents and each directory must be the same, in memory, after a remount, and as debugfs
 * reads them back; e2fsck must find nothing. Usage: random_test [SEED [ROUNDS]]
 */
#include "fs/ext2/test/steps.h"
#include "lib/fs/devnode.h"

#include <sys/stat.h>

/* debugfs must see every file of the root directory with the same contents. */
static void check_by_debugfs(struct test *test)
{
	char command[256], path[160], dir[80];

	snprintf(dir, sizeof(dir), "%s.dump", test->harness.path);
	snprintf(command, sizeof(command), "rm -rf %s && mkdir %s", dir, dir);
	CHECK(system(command) == 0);
	snprintf(command, sizeof(command), "rdump / %s", dir);
	free(harness_debugfs(&test->harness, command));
	for (int i = 0; i < MODEL_ENTRIES; i++) {
		const struct model_entry *entry = &test->model.entry[i];
		const struct model_node *node = &test->model.node[entry->node];
		uint8_t *bytes;
		FILE *file;

		if (!entry->is_used || entry->dir != 0 || !S_ISREG(node->mode)) {
			continue;
		}
		snprintf(path, sizeof(path), "%s/%s", dir, entry->name);
		file = fopen(path, "rb");
		CHECK(file != NULL);
		bytes = malloc(node->size + 1);
		CHECK(fread(bytes, 1, node->size + 1, file) == node->size);
		CHECK(node->size == 0 || memcmp(bytes, node->bytes, node->size) == 0);
		free(bytes);
		fclose(file);
	}
	snprintf(command, sizeof(command), "chmod -R u+rwx %s; rm -rf %s", dir, dir);
	CHECK(system(command) == 0);
}

/*
 * The device as a file: whatever of it is cached under its place is what a reader must see, and
 * reading brings in or finds the rest, from pages of files and of metadata (VM-34, VM-37).
 */
static void check_device(struct test *test)
{
	const struct hostdev *dev = &test->harness.dev;
	uint8_t bytes[70000];
	struct memory_data data;
	uint64_t position = test_pick(test, (uint32_t)dev->device.size_bytes);
	size_t len = test_pick(test, sizeof(bytes)), done = 0;

	CHECK(hostmem_shows_device(&test->harness.mem, dev->bytes, dev->device.size_bytes));
	if (test_pick(test, 4) == 0) {
		(void)fs_device_peek(test->fs->device, position, len, &done);
		test->fs->ops->idle(test->fs);
		CHECK(hostmem_shows_device(&test->harness.mem, dev->bytes, dev->device.size_bytes));
		return;
	}
	memory_data_init(&data, bytes, sizeof(bytes));
	CHECK_ERROR(0, fs_device_read(test->fs->device, position, len, &data.data, &done));
	CHECK(done == u64_min(len, dev->device.size_bytes - position));
	CHECK_ERROR(0, fs_cache_flush(test->fs->device, FS_FLUSH_ALL));
	CHECK(memcmp(bytes, dev->bytes + position, done) == 0);
}

static void run(const char *options, uint64_t size, size_t pages, uint64_t seed, int rounds)
{
	struct test *test = calloc(1, sizeof(*test));

	test->seed = seed;
	test->max_offset = 400000;
	test->pending_node = test->pending_entry = test->releasing = -1;
	harness_make(&test->harness, size, options);
	test->harness.mem.evict = seed % 2 ? 8 : 0;
	CHECK_ERROR(0, harness_mount(&test->harness, pages, false));
	test->fs = test->harness.fs;
	model_init(&test->model, test->fs->root);
	test->model.node[0].nlink = 3; /* lost+found */
	for (int mounts = 0; mounts < 3; mounts++) {
		for (int i = 0; i < rounds; i++) {
			test_step(test);
			if (i % 128 == 0) {
				check_device(test);
			}
			if (i % 256 == 0) {
				CHECK(fs_cache_check(ext2_of(test->fs)->cache, 0));
			}
		}
		test_check_all(test);
		test_release_all(test);
		harness_unmount(&test->harness);
		harness_fsck(&test->harness);
		CHECK_ERROR(0, harness_mount(&test->harness, pages, false));
		test->fs = test->harness.fs;
		test_check_all(test);
	}
	harness_unmount(&test->harness);
	harness_fsck(&test->harness);
	check_by_debugfs(test);
	model_free(&test->model);
	harness_free(&test->harness);
	free(test);
}

static void start(struct test *test, const char *options, size_t pages, uint64_t seed)
{
	memset(test, 0, sizeof(*test));
	test->seed = seed;
	test->max_offset = 400000;
	test->pending_node = test->pending_entry = test->releasing = -1;
	harness_make(&test->harness, 4 << 20, options);
	CHECK_ERROR(0, harness_mount(&test->harness, pages, false));
	test->fs = test->harness.fs;
	model_init(&test->model, test->fs->root);
	test->model.node[0].nlink = 3;
}

/*
 * Errors of the device, single ones and runs of them, and cache memory that is refused: each
 * operation fails or is done, never half. Only where freed blocks could not be accounted for does
 * the file system say that it is damaged; then the next mount repairs it.
 */
static void run_faults(const char *options, uint64_t seed, int rounds)
{
	struct test *test = calloc(1, sizeof(*test));

	start(test, options, 0, seed);
	for (int round = 0; round < rounds; round++) {
		struct hostdev *dev = &test->harness.dev;

		test->harness.mem.budget = (int)test_pick(test, 3);
		test->may_fail = true;
		if (test_pick(test, 2)) {
			dev->fail_read = 1 + test_pick(test, 30);
		} else {
			dev->fail_write = 1 + test_pick(test, 10);
		}
		dev->fails_on = test_pick(test, 2);
		for (int i = 0; i < 60; i++) {
			test_step(test);
		}
		dev->fail_read = dev->fail_write = 0;
		test->may_fail = false;
		for (int i = 0; i < 20; i++) {
			test_step(test);
		}
	}
	test->harness.mem.budget = -1;
	CHECK_ERROR(0, test->fs->ops->sync(test->fs));
	test_check_all(test);
	test_release_all(test);
	if (ext2_of(test->fs)->damages == 0) {
		harness_unmount(&test->harness);
		harness_fsck(&test->harness);
	} else {
		harness_unmount(&test->harness);
	}
	CHECK_ERROR(0, harness_mount(&test->harness, 0, false));
	test->fs = test->harness.fs;
	test_check_all(test);
	harness_unmount(&test->harness);
	harness_fsck(&test->harness);
	model_free(&test->model);
	harness_free(&test->harness);
	free(test);
}

/* The power goes in the middle: the next mount makes what is then on the disk consistent. */
static void run_power_cut(const char *options, uint64_t seed)
{
	struct test *test = calloc(1, sizeof(*test));

	/* All of it fits into the cache, so that the running system does not see what is lost. */
	start(test, options, 2048, seed);
	test->harness.dev.lose_after = 1 + test_pick(test, 200);
	for (int i = 0; i < 600; i++) {
		test_step(test);
		if (i % 32 == 0) {
			CHECK_ERROR(0, test->fs->ops->sync(test->fs));
		}
	}
	CHECK_ERROR(0, test->fs->ops->sync(test->fs));
	test_release_all(test);
	harness_unmount(&test->harness);
	test->harness.dev.lose_after = 0;
	CHECK_ERROR(0, harness_mount(&test->harness, 0, false));
	harness_unmount(&test->harness);
	harness_fsck(&test->harness);
	CHECK_ERROR(0, harness_mount(&test->harness, 0, false));
	test->fs = test->harness.fs;
	model_free(&test->model);
	model_init(&test->model, test->fs->root);
	for (int i = 0; i < 200; i++) {
		struct fs_new what = {.mode = S_IFREG | 0600};
		struct fs_attr attr;
		char name[MODEL_NAME];

		snprintf(name, sizeof(name), "after%d", i);
		if (test->fs->ops->create(test->fs, 2, name_of(name), &what, &attr) == 0) {
			test->fs->ops->put(test->fs, attr.ino, 1);
		}
		test_pick_name(test, name);
		test->fs->ops->unlink(test->fs, 2, name_of(name));
	}
	harness_unmount(&test->harness);
	harness_fsck(&test->harness);
	harness_free(&test->harness);
	free(test);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	int rounds = argc > 2 ? atoi(argv[2]) : 1500;

	harness_is_verbose = getenv("VERBOSE") != NULL;
	run("-b 1024", 8 << 20, 0, seed, rounds);
	run("-b 2048", 8 << 20, 0, seed + 1, rounds);
	run("-b 4096", 16 << 20, 0, seed + 2, rounds);
	run("-b 4096 -I 128", 16 << 20, 4096, seed + 3, rounds);
	run("-b 1024 -r 0", 8 << 20, 0, seed + 4, rounds);
	run("-b 1024 -O ^filetype,^resize_inode -g 1024 -N 512", 8 << 20, 0, seed + 5, rounds);
	/* A disk that is full most of the time, in blocks, then in inodes. */
	run("-b 1024 -m 0", 600 << 10, 0, seed + 6, rounds);
	run("-b 4096 -N 64", 2 << 20, 0, seed + 7, rounds);
	for (uint64_t i = 0; i < 8; i++) {
		run_faults(i % 2 ? "-b 1024" : "-b 4096", seed + 100 + i, rounds / 50);
		run_power_cut(i % 2 ? "-b 1024" : "-b 2048", seed + 200 + i);
	}
	return 0;
}
