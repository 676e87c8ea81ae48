/* SPDX-License-Identifier: BSD-2-Clause */
/* ext2, case by case: features, limits, large files, directories with a hash tree, orphans,
 * transfers. */
#include "fs/ext2/test/harness.h"

#include <errno.h>
#include <sys/stat.h>

#define SUPER(harness) ((struct ext2_super *)(void *)((harness)->dev.bytes + EXT2_SUPER_OFFSET))

static uint64_t create(struct fs *fs, uint64_t dir, const char *name, uint32_t mode)
{
	struct fs_new what = {.mode = mode};
	struct fs_attr attr;

	CHECK_ERROR(0, fs->ops->create(fs, dir, name_of(name), &what, &attr));
	return attr.ino;
}

static size_t write_at(
	struct fs *fs, uint64_t ino, uint64_t position, const void *bytes, size_t len)
{
	struct memory_data data;
	size_t done;

	memory_data_init(&data, (void *)(uintptr_t)bytes, len);
	CHECK_ERROR(0, fs->ops->write(fs, ino, position, len, &data.data, &done));
	return done;
}

static size_t read_at(struct fs *fs, uint64_t ino, uint64_t position, void *bytes, size_t len)
{
	struct memory_data data;
	size_t done;

	memory_data_init(&data, bytes, len);
	CHECK_ERROR(0, fs->ops->read(fs, ino, position, len, &data.data, &done));
	return done;
}

static struct fs_attr attr_of(struct fs *fs, uint64_t ino)
{
	struct fs_attr attr;

	CHECK_ERROR(0, fs->ops->get_attr(fs, ino, &attr));
	return attr;
}

static void test_mount_refusals(void)
{
	struct harness h;

	harness_make(&h, 2 << 20, "-b 1024");
	SUPER(&h)->feature_incompat |= 0x40; /* extents */
	CHECK_ERROR(-EINVAL, harness_mount(&h, 0, false));
	SUPER(&h)->feature_incompat &= ~0x40u;
	SUPER(&h)->magic ^= 1;
	CHECK_ERROR(-EINVAL, harness_mount(&h, 0, false));
	SUPER(&h)->magic ^= 1;
	SUPER(&h)->blocks_count += 8192;
	CHECK_ERROR(-EINVAL, harness_mount(&h, 0, false));
	SUPER(&h)->blocks_count -= 8192;
	h.dev.fail_read = 1;
	CHECK_ERROR(-EIO, harness_mount(&h, 0, false));
	CHECK_ERROR(0, harness_mount(&h, 0, false));
	harness_unmount(&h);
	harness_fsck(&h);
	harness_free(&h);
}

static void test_read_only(void)
{
	struct fs_new what = {.mode = S_IFREG | 0600};
	struct fs_attr attr;
	struct harness h;

	harness_make(&h, 2 << 20, "-b 1024");
	SUPER(&h)->feature_ro_compat |= 0x10; /* checksums of group descriptors */
	CHECK_ERROR(0, harness_mount(&h, 0, false));
	CHECK(h.fs->read_only);
	CHECK_ERROR(-EROFS, h.fs->ops->create(h.fs, 2, name_of("x"), &what, &attr));
	CHECK_ERROR(-EROFS, h.fs->ops->remount(h.fs, false));
	CHECK_ERROR(-EROFS, h.fs->ops->rmdir(h.fs, 2, name_of("lost+found")));
	CHECK_ERROR(0, h.fs->ops->lookup(h.fs, 2, name_of("lost+found"), &attr));
	CHECK_ERROR(0, h.fs->ops->put(h.fs, attr.ino, 1));
	harness_unmount(&h);
	CHECK(h.dev.writes == 0);
	SUPER(&h)->feature_ro_compat &= ~0x10u;
	CHECK_ERROR(0, harness_mount(&h, 0, true));
	CHECK_ERROR(-EROFS, h.fs->ops->create(h.fs, 2, name_of("x"), &what, &attr));
	CHECK(h.dev.writes == 0);
	CHECK_ERROR(0, h.fs->ops->remount(h.fs, false));
	create(h.fs, 2, "x", S_IFREG | 0600);
	CHECK(!(SUPER(&h)->state & EXT2_STATE_VALID));
	CHECK_ERROR(0, h.fs->ops->remount(h.fs, true));
	CHECK(SUPER(&h)->state & EXT2_STATE_VALID);
	CHECK(SUPER(&h)->mount_count == 1);
	harness_unmount(&h);
	harness_fsck(&h);
	harness_free(&h);
}

/* Each level of indirection, holes between, truncation at and around each border. */
static void test_large_files(const char *options, uint32_t block_size)
{
	uint64_t p = block_size / 4;
	uint64_t borders[] = {12, 12 + p, 12 + p + p * p, 5ull * 1024 * 1024 * 1024 / block_size};
	struct harness h;
	char text[16];
	uint64_t ino;

	harness_make(&h, 4 << 20, options);
	CHECK_ERROR(0, harness_mount(&h, 0, false));
	ino = create(h.fs, 2, "large", S_IFREG | 0600);
	for (int i = 0; i < 4; i++) {
		CHECK(write_at(h.fs, ino, borders[i] * block_size - 4, "12345678", 8) == 8);
	}
	CHECK(attr_of(h.fs, ino).size == borders[3] * block_size + 4);
	CHECK_ERROR(0, h.fs->ops->put(h.fs, ino, 1));
	harness_unmount(&h);
	harness_fsck(&h);
	CHECK(SUPER(&h)->feature_ro_compat & EXT2_RO_COMPAT_LARGE_FILE);
	CHECK_ERROR(0, harness_mount(&h, 0, false));
	CHECK_ERROR(0, h.fs->ops->get(h.fs, ino, &(struct fs_attr){0}));
	for (int i = 0; i < 4; i++) {
		CHECK(read_at(h.fs, ino, borders[i] * block_size - 8, text, 16) ==
			(i == 3 ? 12 : 16));
		CHECK(memcmp(text, "\0\0\0\00012345678\0\0\0\0", i == 3 ? 12 : 16) == 0);
	}
	for (int i = 3; i >= 0; i--) {
		CHECK_ERROR(0, h.fs->ops->truncate(h.fs, ino, borders[i] * block_size + 1));
		CHECK_ERROR(0, h.fs->ops->truncate(h.fs, ino, borders[i] * block_size + 8));
		CHECK(read_at(h.fs, ino, borders[i] * block_size - 8, text, 16) == 16);
		CHECK(memcmp(text, "\0\0\0\00012345\0\0\0\0\0\0\0", 16) == 0);
		CHECK_ERROR(0, h.fs->ops->truncate(h.fs, ino, borders[i] * block_size));
		CHECK_ERROR(0, h.fs->ops->truncate(h.fs, ino, borders[i] * block_size - 1));
	}
	CHECK_ERROR(0, h.fs->ops->truncate(h.fs, ino, 0));
	CHECK(attr_of(h.fs, ino).blocks == 0);
	CHECK_ERROR(-EFBIG, h.fs->ops->truncate(h.fs, ino, 1ull << 50));
	CHECK_ERROR(0, h.fs->ops->put(h.fs, ino, 1));
	harness_unmount(&h);
	harness_fsck(&h);
	harness_free(&h);
}

/* A directory of thousands of entries that has a hash tree, made on the host. */
static void test_indexed_directory(void)
{
	char command[512], name[32];
	struct fs_attr attr;
	struct harness h;
	uint64_t dir;

	harness_make(&h, 8 << 20, "-b 1024 -N 4000");
	snprintf(command, sizeof(command),
		"d=$(mktemp -d) && mkdir $d/many && cd $d/many && seq -f 'file_with_a_name_%%g' "
		"2000 | xargs touch && "
		"PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext2 -b 1024 -N 4000 -d $d %s "
		">/dev/null 2>&1; rm -r $d",
		h.path);
	CHECK(system(command) == 0);
	hostdev_free(&h.dev);
	hostdev_load(&h.dev, h.path);
	CHECK(harness_fsck_with(&h, "-fyD") <= 1);
	CHECK_ERROR(0, harness_mount(&h, 0, false));
	CHECK_ERROR(0, h.fs->ops->lookup(h.fs, 2, name_of("many"), &attr));
	dir = attr.ino;
	for (int i = 1; i <= 2000; i++) {
		snprintf(name, sizeof(name), "file_with_a_name_%d", i);
		CHECK_ERROR(0, h.fs->ops->lookup(h.fs, dir, name_of(name), &attr));
		CHECK_ERROR(0, h.fs->ops->put(h.fs, attr.ino, 1));
		if (i % 3 == 0) {
			CHECK_ERROR(0, h.fs->ops->unlink(h.fs, dir, name_of(name)));
		} else if (i % 5 == 0) {
			snprintf(name, sizeof(name), "new_%d", i);
			CHECK_ERROR(0, h.fs->ops->put(h.fs, create(h.fs, dir, name, S_IFREG), 1));
		}
	}
	CHECK_ERROR(0, h.fs->ops->put(h.fs, dir, 1));
	harness_unmount(&h);
	harness_fsck(&h);
	harness_free(&h);
}

#define MANY 3000

static void check_names(struct fs *fs, uint64_t dir, const uint8_t *state)
{
	char name[64];

	for (int i = 0; i < MANY; i++) {
		for (int kind = 1; kind <= 2; kind++) {
			struct fs_attr attr;
			int error;

			snprintf(name, sizeof(name),
				kind == 1 ? "%d" : "renamed_to_a_longer_name_%d", i);
			error = fs->ops->lookup(fs, dir, name_of(name), &attr);
			CHECK(error == (state[i] == kind ? 0 : -ENOENT));
			if (error == 0) {
				CHECK_ERROR(0, fs->ops->put(fs, attr.ino, 1));
			}
		}
	}
}

/* Names made, removed and renamed at random in a large directory: each one is there or not, as it
 * should. */
static void test_large_directory(const char *options)
{
	static uint8_t state[MANY]; /* 0: not there; 1: under its first name; 2: renamed */
	struct fs_attr attr;
	struct harness h;
	uint64_t seed = 1, dir;

	memset(state, 0, sizeof(state));
	harness_make(&h, 8 << 20, options);
	CHECK_ERROR(0, harness_mount(&h, 2048, false));
	dir = create(h.fs, 2, "many", S_IFDIR | 0755);
	for (int i = 0; i < 4 * MANY; i++) {
		int which = (int)(random_next(&seed) % MANY);
		char name[64], other[64];

		snprintf(name, sizeof(name), "%d", which);
		snprintf(other, sizeof(other), "renamed_to_a_longer_name_%d", which);
		switch (state[which]) {
		case 0:
			CHECK_ERROR(0, h.fs->ops->put(h.fs, create(h.fs, dir, name, S_IFREG), 1));
			break;
		case 1:
			CHECK_ERROR(0,
				h.fs->ops->rename(
					h.fs, dir, name_of(name), dir, name_of(other), 0));
			break;
		default:
			CHECK_ERROR(0, h.fs->ops->unlink(h.fs, dir, name_of(other)));
		}
		state[which] = (uint8_t)((state[which] + 1) % 3);
	}
	check_names(h.fs, dir, state);
	CHECK_ERROR(0, h.fs->ops->put(h.fs, dir, 1));
	CHECK(ext2_of(h.fs)->index_slots == 0);
	harness_unmount(&h);
	harness_fsck(&h);
	CHECK_ERROR(0, harness_mount(&h, 2048, false));
	CHECK_ERROR(0, h.fs->ops->lookup(h.fs, 2, name_of("many"), &attr));
	check_names(h.fs, dir, state);
	/* Without room for an index, too. */
	CHECK_ERROR(0, h.fs->ops->put(h.fs, dir, 1));
	ext2_of(h.fs)->index_slots_max = 0;
	CHECK_ERROR(0, h.fs->ops->get(h.fs, dir, &attr));
	check_names(h.fs, dir, state);
	CHECK_ERROR(0, h.fs->ops->put(h.fs, dir, 1));
	harness_unmount(&h);
	harness_free(&h);
}

/* Unlinked but open at a crash: the next mount frees it. */
static void test_orphans(void)
{
	uint64_t first, second, third;
	struct fs_stat before, after;
	struct harness h;

	harness_make(&h, 2 << 20, "-b 1024");
	CHECK_ERROR(0, harness_mount(&h, 0, false));
	h.fs->ops->statfs(h.fs, &before);
	first = create(h.fs, 2, "first", S_IFREG | 0600);
	second = create(h.fs, 2, "second", S_IFREG | 0600);
	third = create(h.fs, 2, "third", S_IFDIR | 0700);
	write_at(h.fs, first, 20000, "x", 1);
	write_at(h.fs, second, 300000, "x", 1);
	CHECK_ERROR(0, h.fs->ops->unlink(h.fs, 2, name_of("first")));
	CHECK_ERROR(0, h.fs->ops->rmdir(h.fs, 2, name_of("third")));
	CHECK_ERROR(0, h.fs->ops->unlink(h.fs, 2, name_of("second")));
	CHECK(attr_of(h.fs, first).nlink == 0);
	CHECK_ERROR(-ENOENT, h.fs->ops->link(h.fs, first, 2, name_of("again")));
	CHECK_ERROR(0, h.fs->ops->put(h.fs, third, 1)); /* from the middle of the list */
	CHECK_ERROR(0, h.fs->ops->sync(h.fs));
	h.dev.lose_after = h.dev.writes; /* the power goes */
	h.fs->ops->unmount(h.fs);
	h.dev.lose_after = 0;
	CHECK(SUPER(&h)->last_orphan != 0);
	CHECK_ERROR(0, harness_mount(&h, 0, false));
	h.fs->ops->statfs(h.fs, &after);
	CHECK(before.blocks_free == after.blocks_free && before.nodes_free == after.nodes_free);
	harness_unmount(&h);
	CHECK(SUPER(&h)->last_orphan == 0);
	harness_fsck(&h);
	/* Open at the unmount: as well. */
	CHECK_ERROR(0, harness_mount(&h, 0, false));
	create(h.fs, 2, "open", S_IFREG | 0600);
	CHECK_ERROR(0, h.fs->ops->unlink(h.fs, 2, name_of("open")));
	harness_unmount(&h);
	harness_fsck(&h);
	harness_free(&h);
}

/* A full disk: writes are short, then fail; everything is there again after removal. */
static void test_full(void)
{
	static uint8_t bytes[256 << 10];
	struct fs_stat before, after;
	struct memory_data data;
	size_t done, total = 0;
	struct harness h;
	uint64_t ino;
	int error;

	harness_make(&h, 2 << 20, "-b 1024 -m 0");
	CHECK_ERROR(0, harness_mount(&h, 0, false));
	h.fs->ops->statfs(h.fs, &before);
	ino = create(h.fs, 2, "full", S_IFREG | 0600);
	memset(bytes, 7, sizeof(bytes));
	memory_data_init(&data, bytes, sizeof(bytes));
	do {
		error = h.fs->ops->write(h.fs, ino, total, sizeof(bytes), &data.data, &done);
		total += done;
	} while (error == 0);
	CHECK(error == -ENOSPC);
	CHECK(attr_of(h.fs, ino).size == total && total > (3 << 19));
	h.fs->ops->statfs(h.fs, &after);
	CHECK(after.blocks_free <= 3); /* what a level of indirection would have needed besides */
	CHECK_ERROR(0, h.fs->ops->unlink(h.fs, 2, name_of("full")));
	CHECK_ERROR(0, h.fs->ops->put(h.fs, ino, 1));
	h.fs->ops->statfs(h.fs, &after);
	CHECK(before.blocks_free == after.blocks_free);
	harness_unmount(&h);
	harness_fsck(&h);
	harness_free(&h);
}

/* Neighbours travel together: a sequential write and read of 1 MiB cost few transfers. */
static void test_transfers(void)
{
	static uint8_t bytes[1 << 20];
	struct harness h;
	uint64_t ino;

	harness_make(&h, 8 << 20, "-b 4096");
	CHECK_ERROR(0, harness_mount(&h, 1024, false));
	ino = create(h.fs, 2, "one", S_IFREG | 0600);
	h.dev.writes = 0;
	for (size_t i = 0; i < sizeof(bytes); i += 4096) {
		CHECK(write_at(h.fs, ino, i, bytes, 4096) == 4096);
	}
	CHECK_ERROR(0, h.fs->ops->sync(h.fs));
	CHECK(h.dev.writes <= 24);
	CHECK_ERROR(0, h.fs->ops->put(h.fs, ino, 1));
	harness_unmount(&h);
	CHECK_ERROR(0, harness_mount(&h, 1024, false));
	CHECK_ERROR(0, h.fs->ops->get(h.fs, ino, &(struct fs_attr){0}));
	h.dev.reads = 0;
	for (size_t i = 0; i < sizeof(bytes); i += 4096) {
		CHECK(read_at(h.fs, ino, i, bytes, 4096) == 4096);
	}
	CHECK(h.dev.reads <= 24);
	/* And fsync reaches the medium. */
	h.dev.flushes = 0;
	write_at(h.fs, ino, 5, "now", 3);
	CHECK_ERROR(0, h.fs->ops->fsync(h.fs, ino, false));
	CHECK(h.dev.flushes == 1);
	CHECK_ERROR(0, h.fs->ops->put(h.fs, ino, 1));
	harness_unmount(&h);
	harness_fsck(&h);
	harness_free(&h);
}

/*
 * A disk that fails: who syncs is told, each time, as long as anything is not written; all of it
 * stays dirty and is read as it should be, and is written as soon as the disk takes it.
 */
static void test_failing_disk(void)
{
	static uint8_t bytes[40000], got[sizeof(bytes)];
	struct harness h;
	uint64_t ino;

	harness_make(&h, 4 << 20, "-b 4096");
	CHECK_ERROR(0, harness_mount(&h, 1024, false));
	ino = create(h.fs, 2, "f", S_IFREG | 0600);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i / 7);
	}
	CHECK(write_at(h.fs, ino, 0, bytes, sizeof(bytes)) == sizeof(bytes));
	h.dev.fail_write = 1;
	h.dev.fails_on = true;
	CHECK_ERROR(-EIO, h.fs->ops->fsync(h.fs, ino, false));
	CHECK_ERROR(-EIO, h.fs->ops->fsync(h.fs, ino, false));
	CHECK_ERROR(-EIO, h.fs->ops->sync(h.fs));
	CHECK(h.fs->ops->is_dirty(h.fs));
	CHECK(read_at(h.fs, ino, 0, got, sizeof(got)) == sizeof(got));
	CHECK(memcmp(got, bytes, sizeof(bytes)) == 0);
	h.dev.fail_write = 0;
	CHECK_ERROR(0, h.fs->ops->fsync(h.fs, ino, false));
	CHECK_ERROR(0, h.fs->ops->put(h.fs, ino, 1));
	harness_unmount(&h);
	harness_fsck(&h);
	CHECK_ERROR(0, harness_mount(&h, 1024, false));
	CHECK_ERROR(0, h.fs->ops->get(h.fs, ino, &(struct fs_attr){0}));
	CHECK(read_at(h.fs, ino, 0, got, sizeof(got)) == sizeof(got));
	CHECK(memcmp(got, bytes, sizeof(bytes)) == 0);
	CHECK_ERROR(0, h.fs->ops->put(h.fs, ino, 1));
	harness_unmount(&h);
	harness_free(&h);
}

/* Times to the nanosecond and beyond 2038; device numbers of either encoding. */
static void test_attributes(void)
{
	struct fs_attr set = {.atime = {5000000000, 123456789}, .mtime = {-5, 1}}, attr;
	struct fs_new what = {.mode = S_IFBLK | 0600, .major = 259, .minor = 70000 & 0xfffff};
	struct harness h;
	uint64_t ino;

	harness_make(&h, 2 << 20, "-b 1024 -I 256");
	CHECK_ERROR(0, harness_mount(&h, 0, false));
	ino = create(h.fs, 2, "times", S_IFREG | 0600);
	CHECK_ERROR(0, h.fs->ops->set_attr(h.fs, ino, FS_SET_ATIME | FS_SET_MTIME, &set));
	CHECK_ERROR(0, h.fs->ops->put(h.fs, ino, 1));
	CHECK_ERROR(0, h.fs->ops->create(h.fs, 2, name_of("dev"), &what, &attr));
	CHECK_ERROR(0, h.fs->ops->put(h.fs, attr.ino, 1));
	harness_unmount(&h);
	harness_fsck(&h);
	CHECK_ERROR(0, harness_mount(&h, 0, false));
	attr = attr_of(h.fs, ino);
	CHECK(attr.atime.sec == 5000000000 && attr.atime.nsec == 123456789);
	CHECK(attr.mtime.sec == -5 && attr.mtime.nsec == 1);
	CHECK_ERROR(0, h.fs->ops->lookup(h.fs, 2, name_of("dev"), &attr));
	CHECK(attr.major == 259 && attr.minor == (70000 & 0xfffff));
	CHECK_ERROR(0, h.fs->ops->put(h.fs, attr.ino, 1));
	harness_unmount(&h);
	harness_free(&h);
}

int main(void)
{
	harness_is_verbose = getenv("VERBOSE") != NULL;
	test_mount_refusals();
	test_read_only();
	test_large_files("-b 1024", 1024);
	test_large_files("-b 2048", 2048);
	test_large_files("-b 4096", 4096);
	test_indexed_directory();
	test_large_directory("-b 1024 -N 4000");
	test_large_directory("-b 4096 -N 4000");
	test_orphans();
	test_full();
	test_transfers();
	test_failing_disk();
	test_attributes();
	return 0;
}
