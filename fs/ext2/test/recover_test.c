/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2's process dies at any point of random operations (and again as it recovers), a new one takes
 * over the pages that VM has: everything that had returned is there, what was under way is done or
 * not, and done when it is asked for again. At the end of each round e2fsck finds nothing.
 * Usage: recover_test [SEED [STEPS]]
 */
#include "fs/ext2/test/crashpoint.h"
#include "fs/ext2/test/steps.h"

#include <sys/stat.h>

/* What dead file systems had in memory is not freed. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

static uint64_t crashes, done_again;

/* How far the code comes, from a few blocks to about a whole write. */
static uint64_t pick_point(struct test *test)
{
	return 1 + test_pick(test, 32u << test_pick(test, 11));
}

/* What the dead process had in memory; its pages stay. */
static void abandon(struct fs *fs)
{
	struct ext2 *ext2 = ext2_of(fs);

	fs_cache_destroy(ext2->cache);
	free(ext2->group);
	free(ext2->group_dirty);
	free(ext2);
}

static void recover(struct test *test, uint64_t *random)
{
	volatile int tries = 0;

	abandon(test->fs);
	crashes++;
	if (setjmp(crashpoint) != 0) {
		crashes++;
	}
	/* The first tries may be cut off as well. */
	if (tries++ < 3 && random_next(random) % 4 == 0) {
		crashpoint_left = 1 + random_next(random) % 4000;
	}
	CHECK_ERROR(0, harness_remount(&test->harness));
	crashpoint_left = 0;
	test->fs = test->harness.fs;
	CHECK(!test->fs->read_only);
	CHECK(fs_cache_check(ext2_of(test->fs)->cache, 0));
	/* Pages have kept both names, but for those of what was undone. */
	CHECK_ERROR(0, fs_cache_tell_places(test->fs->device));
	CHECK(hostmem_shows_device(
		&test->harness.mem, test->harness.dev.bytes, test->harness.dev.device.size_bytes));
	test_rebind_all(test);
}

static void step(struct test *test, uint64_t *random)
{
	volatile uint64_t seed = test->seed;

	test->is_repeat = false;
	if (setjmp(crashpoint) != 0) {
		test->is_repeat = true;
		recover(test, random);
		test->seed = seed;
		done_again++;
		test_step(test);
		test->is_repeat = false;
		return;
	}
	if (random_next(random) % 2 == 0) {
		test->seed = *random;
		crashpoint_left = pick_point(test);
		test->seed = seed;
	}
	test_step(test);
	crashpoint_left = 0;
}

static void run(const char *options, uint64_t size, size_t pages, uint64_t seed, int steps)
{
	struct test *test = calloc(1, sizeof(*test));
	uint64_t random = seed * 7919;

	test->seed = seed;
	test->max_offset = 300000;
	test->may_crash = true;
	test->pending_node = test->pending_entry = test->releasing = -1;
	harness_make(&test->harness, size, options);
	test->harness.mem.evict = seed % 2 ? 8 : 0;
	CHECK_ERROR(0, harness_mount(&test->harness, pages, false));
	test->fs = test->harness.fs;
	model_init(&test->model, test->fs->root);
	test->model.node[0].nlink = 3; /* lost+found */
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < steps; i++) {
			step(test, &random);
			if (i % 64 == 0) {
				CHECK(fs_cache_check(ext2_of(test->fs)->cache, 0));
				test_check_all(test);
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
	model_free(&test->model);
	harness_free(&test->harness);
	free(test);
}

/* The process died of writing at random, into its log too: nothing of it is believed, the repair
 * does it. */
static void test_spoilt_log(void)
{
	static const uint16_t records[][2] = {
		{1000, 1000}, {0, 5000}, {0, 65535}}; /* offset, len */
	struct harness harness = {.fs = NULL};

	harness_make(&harness, 4 << 20, "-b 1024");
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct {
			uint64_t magic;
			uint32_t end, state[5];
			uint32_t kind, block;
			uint16_t offset, len;
		} * log;

		CHECK_ERROR(0, harness_mount(&harness, 4096, false));
		log = (void *)hostmem_store(&harness.mem, FS_OBJECT_LOG, 0);
		CHECK(log != NULL);
		log->end = 8192;
		log->kind = 1;
		log->block = 1;
		log->offset = records[i][0];
		log->len = records[i][1];
		abandon(harness.fs);
		CHECK_ERROR(0, harness_remount(&harness));
		CHECK(!harness.fs->read_only);
		CHECK_ERROR(0, harness.fs->ops->recovered(harness.fs));
		harness_unmount(&harness);
		harness_fsck(&harness);
	}
	harness_free(&harness);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	int steps = argc > 2 ? atoi(argv[2]) : 400;

	harness_is_verbose = getenv("VERBOSE") != NULL;
	test_spoilt_log();
	run("-b 1024", 8 << 20, 0, seed, steps);
	run("-b 4096", 16 << 20, 0, seed + 1, steps);
	run("-b 2048", 8 << 20, 4096, seed + 2, steps);
	run("-b 4096 -I 256", 16 << 20, 4096, seed + 3, steps);
	/* A disk that is full most of the time. */
	run("-b 1024 -m 0", 600 << 10, 0, seed + 4, steps);
	printf("%llu crashes, %llu requests done again\n", (unsigned long long)crashes,
		(unsigned long long)done_again);
	return 0;
}
