/* SPDX-License-Identifier: BSD-2-Clause */
/* What the ext2 host tests share. */
#include "fs/ext2/test/harness.h"

#include "lib/core/util.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#define HARNESS_PAGES 4096
#define HARNESS_FEW   160

bool harness_is_verbose;

static struct fs_time test_now(void)
{
	static int64_t ticks;

	ticks++;
	return (struct fs_time){
		.sec = 1700000000 + ticks / 1000, .nsec = (uint32_t)(ticks % 1000) * 1000000};
}

__attribute__((format(printf, 1, 2))) static void test_log(const char *format, ...)
{
	va_list args;

	if (harness_is_verbose) {
		va_start(args, format);
		vfprintf(stderr, format, args);
		va_end(args);
	}
}

void harness_make(struct harness *harness, uint64_t size, const char *options)
{
	char command[512];
	int fd;

	memset(harness, 0, sizeof(*harness));
	snprintf(harness->path, sizeof(harness->path), "/tmp/ext2_test.XXXXXX");
	fd = mkstemp(harness->path);
	CHECK(fd >= 0);
	CHECK(ftruncate(fd, (off_t)size) == 0);
	close(fd);
	snprintf(command, sizeof(command),
		"PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext2 %s %s 2>&1", options,
		harness->path);
	CHECK(system(command) == 0);
	hostdev_load(&harness->dev, harness->path);
	hostmem_init(&harness->mem, HARNESS_PAGES);
}

static int mount(struct harness *harness, bool read_only, bool is_recovery)
{
	struct ext2_options options = {.device = &harness->dev.device,
		.memory = &harness->mem.memory,
		.total_pages = HARNESS_PAGES,
		.read_only = read_only,
		.is_recovery = is_recovery,
		.now = test_now,
		.log = test_log};

	return ext2_mount(&options, &harness->fs);
}

int harness_mount(struct harness *harness, size_t pages, bool read_only)
{
	hostmem_clear(&harness->mem);
	harness->mem.limit = (uint32_t)(pages == 0 ? HARNESS_FEW : pages);
	return mount(harness, read_only, false);
}

int harness_remount(struct harness *harness)
{
	return mount(harness, false, true);
}

void harness_unmount(struct harness *harness)
{
	CHECK(fs_cache_check(ext2_of(harness->fs)->cache, 0));
	harness->fs->ops->unmount(harness->fs);
	harness->fs = NULL;
}

int harness_fsck_with(struct harness *harness, const char *flags)
{
	char command[256];
	int status;

	hostdev_save(&harness->dev, harness->path);
	snprintf(command, sizeof(command), "PATH=$PATH:/sbin:/usr/sbin e2fsck %s %s >%s.log 2>&1",
		flags, harness->path, harness->path);
	status = system(command);
	hostdev_free(&harness->dev);
	hostdev_load(&harness->dev, harness->path);
	return status >> 8;
}

void harness_fsck(struct harness *harness)
{
	char command[256];

	if (harness_fsck_with(harness, "-fn") != 0) {
		snprintf(command, sizeof(command), "cat %s.log >&2", harness->path);
		(void)!system(command);
		CHECK(!"e2fsck is not content");
	}
}

char *harness_debugfs(struct harness *harness, const char *request)
{
	char command[512];
	size_t size = 1 << 20;
	char *output = calloc(1, size);
	FILE *pipe;

	hostdev_save(&harness->dev, harness->path);
	snprintf(command, sizeof(command),
		"PATH=$PATH:/sbin:/usr/sbin debugfs -R '%s' %s 2>/dev/null", request,
		harness->path);
	pipe = popen(command, "r");
	CHECK(pipe != NULL && output != NULL);
	(void)!fread(output, 1, size - 1, pipe);
	pclose(pipe);
	return output;
}

void harness_free(struct harness *harness)
{
	char log[80];

	snprintf(log, sizeof(log), "%s.log", harness->path);
	unlink(log);
	unlink(harness->path);
	hostdev_free(&harness->dev);
	hostmem_free(&harness->mem);
}

static int memory_copy(struct fs_data *data, uint64_t offset, const struct fs_iovec *vec,
	size_t count, bool to_caller)
{
	struct memory_data *memory = (struct memory_data *)(void *)data;

	CHECK(count <= FS_IOVEC_MAX);
	for (size_t i = 0; i < count; i++) {
		if (offset + vec[i].len > memory->size) {
			return -EFAULT;
		}
		if (to_caller) {
			memcpy(memory->bytes + offset, vec[i].base, vec[i].len);
		} else {
			memcpy(vec[i].base, memory->bytes + offset, vec[i].len);
		}
		offset += vec[i].len;
	}
	return 0;
}

void memory_data_init(struct memory_data *data, void *bytes, size_t size)
{
	data->data.copy = memory_copy;
	data->bytes = bytes;
	data->size = size;
}

uint32_t random_next(uint64_t *seed)
{
	*seed += 0x9e3779b97f4a7c15ull;
	return (uint32_t)(hash_u64(*seed) >> 32);
}
