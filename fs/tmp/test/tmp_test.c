/* SPDX-License-Identifier: BSD-2-Clause */
/* tmpfs against what the manual pages say, and a random sequence of operations against a flat
 * model. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/tmp/tmp.h"
#include "proto/fs.h"
#include "lib/fs/test/hostmem.h"

struct memory {
	struct fs_data data;
	char *bytes;
};

static int memory_copy(struct fs_data *data, uint64_t offset, const struct fs_iovec *vec,
	size_t count, bool to_caller)
{
	char *bytes = ((struct memory *)data)->bytes + offset;

	for (size_t i = 0; i < count; i++) {
		if (to_caller) {
			memcpy(bytes, vec[i].base, vec[i].len);
		} else {
			memcpy(vec[i].base, bytes, vec[i].len);
		}
		bytes += vec[i].len;
	}
	return 0;
}

static struct fs_time now(void)
{
	return (struct fs_time){1, 2};
}

static struct fs_name name_of(const char *text)
{
	return (struct fs_name){text, strlen(text)};
}

static struct hostmem mem;

static struct fs *mount_new(uint64_t pages, uint64_t nodes)
{
	struct fs *fs;

	hostmem_clear(&mem);
	assert(tmp_mount(&mem.memory, pages, nodes, 0755, now, &fs) == 0);
	return fs;
}

static uint64_t make(struct fs *fs, uint64_t dir, const char *name, uint32_t mode)
{
	struct fs_new what = {.mode = mode};
	struct fs_attr attr;

	assert(fs->ops->create(fs, dir, name_of(name), &what, &attr) == 0);
	assert(fs->ops->put(fs, attr.ino, 1) == 0);
	return attr.ino;
}

static uint32_t links(struct fs *fs, uint64_t ino)
{
	struct fs_attr attr;

	assert(fs->ops->get_attr(fs, ino, &attr) == 0);
	return attr.nlink;
}

static void test_names(void)
{
	struct fs *fs = mount_new(100, 100);
	uint64_t a = make(fs, fs->root, "a", S_IFDIR | 0755), f = make(fs, a, "f", S_IFREG | 0644);
	struct fs_new what = {.mode = S_IFREG};
	struct fs_attr attr;

	assert(links(fs, fs->root) == 3 && links(fs, a) == 2);
	assert(fs->ops->create(fs, a, name_of("f"), &what, &attr) == -EEXIST);
	assert(fs->ops->create(fs, f, name_of("x"), &what, &attr) == -ENOTDIR);
	assert(fs->ops->rmdir(fs, fs->root, name_of("a")) == -ENOTEMPTY);
	assert(fs->ops->unlink(fs, fs->root, name_of("a")) == -EISDIR);
	assert(fs->ops->rmdir(fs, a, name_of("f")) == -ENOTDIR);
	assert(fs->ops->link(fs, f, fs->root, name_of("g")) == 0 && links(fs, f) == 2);
	assert(fs->ops->link(fs, a, fs->root, name_of("h")) == -EPERM);
	assert(fs->ops->unlink(fs, a, name_of("f")) == 0 && links(fs, f) == 1);
	assert(fs->ops->rmdir(fs, fs->root, name_of("a")) == 0 && links(fs, fs->root) == 2);
	assert(fs->ops->get_attr(fs, a, &attr) == -ESTALE);
	fs->ops->unmount(fs);
}

static void test_rename(void)
{
	struct fs *fs = mount_new(100, 100);
	uint64_t a = make(fs, fs->root, "a", S_IFDIR), b = make(fs, a, "b", S_IFDIR);
	uint64_t f = make(fs, fs->root, "f", S_IFREG);
	struct fs_attr attr;

	assert(fs->ops->rename(fs, fs->root, name_of("a"), b, name_of("x"), 0) == -EINVAL);
	assert(fs->ops->rename(fs, fs->root, name_of("f"), fs->root, name_of("a"), 0) == -EISDIR);
	assert(fs->ops->rename(fs, fs->root, name_of("a"), fs->root, name_of("f"), 0) == -ENOTDIR);
	assert(fs->ops->rename(fs, fs->root, name_of("f"), b, name_of("f"), 0) == 0);
	assert(fs->ops->lookup(fs, b, name_of("f"), &attr) == 0 && attr.ino == f);
	assert(fs->ops->put(fs, f, 1) == 0);
	assert(fs->ops->rename(fs, a, name_of("b"), fs->root, name_of("b"), 0) == 0);
	assert(links(fs, a) == 2 && links(fs, fs->root) == 4);
	assert(fs->ops->lookup(fs, b, name_of(".."), &attr) == 0 && attr.ino == fs->root);
	assert(fs->ops->rename(fs, fs->root, name_of("a"), fs->root, name_of("b"),
		       FS_RENAME_EXCHANGE) == 0);
	assert(fs->ops->rename(fs, fs->root, name_of("a"), fs->root, name_of("b"),
		       FS_RENAME_NOREPLACE) == -EEXIST);
	assert(fs->ops->rename(fs, fs->root, name_of("b"), fs->root, name_of("a"), 0) ==
		-ENOTEMPTY);
	fs->ops->unmount(fs);
}

static void test_unlinked_file_lives_while_referenced(void)
{
	struct fs *fs = mount_new(100, 100);
	uint64_t f = make(fs, fs->root, "f", S_IFREG);
	struct memory memory = {{memory_copy}, (char[]){"data"}};
	struct fs_attr attr;
	struct fs_stat stat;
	size_t done;

	assert(fs->ops->get(fs, f, &attr) == 0);
	assert(fs->ops->write(fs, f, 0, 4, &memory.data, &done) == 0 && done == 4);
	assert(fs->ops->unlink(fs, fs->root, name_of("f")) == 0);
	assert(fs->ops->read(fs, f, 0, 10, &memory.data, &done) == 0 && done == 4);
	assert(fs->ops->put(fs, f, 2) == -EINVAL);
	assert(fs->ops->put(fs, f, 1) == 0);
	assert(fs->ops->statfs(fs, &stat) == 0 && stat.blocks_free == 100 && stat.nodes_free == 99);
	fs->ops->unmount(fs);
}

static void test_limits(void)
{
	struct fs *fs = mount_new(2, 2);
	uint64_t f = make(fs, fs->root, "f", S_IFREG);
	struct fs_new what = {.mode = S_IFREG};
	struct memory memory = {{memory_copy}, calloc(1, 5 * TMP_PAGE)};
	struct fs_attr attr;
	size_t done;

	assert(fs->ops->create(fs, fs->root, name_of("g"), &what, &attr) == -ENOSPC);
	assert(fs->ops->write(fs, f, 100, 5 * TMP_PAGE, &memory.data, &done) == 0 &&
		done == 2 * TMP_PAGE - 100);
	assert(fs->ops->write(fs, f, 1ull << 40, 1, &memory.data, &done) == -ENOSPC);
	assert(fs->ops->write(fs, f, UINT64_MAX - 1, 2, &memory.data, &done) == -EFBIG);
	assert(fs->ops->truncate(fs, f, 1ull << 40) == 0);
	assert(fs->ops->read(fs, f, (1ull << 40) - 3, 10, &memory.data, &done) == 0 && done == 3);
	free(memory.bytes);
	fs->ops->unmount(fs);
}

/* Finds in the end that the caller's memory is not there. */
static int short_copy(struct fs_data *data, uint64_t offset, const struct fs_iovec *vec,
	size_t count, bool to_caller)
{
	assert(memory_copy(data, offset, vec, count, to_caller) == 0);
	return -EFAULT;
}

/* Pages of a write that fails go, and leave nothing behind the end; those of others stay. */
static void test_failed_write(void)
{
	struct fs *fs = mount_new(40, 10);
	uint64_t f = make(fs, fs->root, "f", S_IFREG), g = make(fs, fs->root, "g", S_IFREG);
	char *bytes = malloc(40 * TMP_PAGE), back[TMP_PAGE];
	struct memory memory = {{memory_copy}, bytes}, bad = {{short_copy}, bytes};
	struct memory result = {{memory_copy}, back};
	struct fs_stat stat;
	size_t done;

	memset(bytes, 'x', 40 * TMP_PAGE);
	assert(fs->ops->write(fs, f, 0, 10, &memory.data, &done) == 0 && done == 10);
	assert(fs->ops->write(fs, f, 10, 20 * TMP_PAGE, &bad.data, &done) == -EFAULT);
	assert(fs->ops->statfs(fs, &stat) == 0 && stat.blocks_free == 39);
	assert(fs->ops->truncate(fs, f, TMP_PAGE) == 0);
	assert(fs->ops->read(fs, f, 0, TMP_PAGE, &result.data, &done) == 0 && done == TMP_PAGE);
	assert(back[9] == 'x' && back[10] == 0 && back[TMP_PAGE - 1] == 0);
	/* The limit is met in a hole before a page that has data. */
	assert(fs->ops->write(fs, f, 2 * TMP_PAGE, 5, &memory.data, &done) == 0 && done == 5);
	assert(fs->ops->write(fs, g, 0, 38 * TMP_PAGE, &memory.data, &done) == 0);
	assert(fs->ops->write(fs, f, TMP_PAGE, 2 * TMP_PAGE, &memory.data, &done) == -ENOSPC);
	assert(fs->ops->read(fs, f, 2 * TMP_PAGE, 5, &result.data, &done) == 0 && done == 5);
	assert(memcmp(back, "xxxxx", 5) == 0);
	assert(fs->ops->unlink(fs, fs->root, name_of("f")) == 0);
	assert(fs->ops->unlink(fs, fs->root, name_of("g")) == 0);
	assert(fs->ops->statfs(fs, &stat) == 0 && stat.blocks_free == 40);
	free(bytes);
	fs->ops->unmount(fs);
}

/* Random writes, truncations and reads of one file against a plain array. */
static void test_data_random(void)
{
	enum { SIZE = 3 * 1024 * 1024 };
	struct fs *fs = mount_new(4096, 10);
	uint64_t f = make(fs, fs->root, "f", S_IFREG);
	char *model = calloc(1, SIZE), *buf = malloc(SIZE);
	struct memory memory = {{memory_copy}, buf};
	size_t size = 0, done;

	srand(1);
	for (int i = 0; i < 2000; i++) {
		size_t position = (size_t)rand() % SIZE, len = (size_t)rand() % 20000;

		if (position + len > SIZE) {
			len = SIZE - position;
		}
		switch (rand() % 4) {
		case 0:
			memset(model + (position < size ? position : size), 0,
				position < size ? size - position : position - size);
			size = position;
			assert(fs->ops->truncate(fs, f, size) == 0);
			break;
		case 1:
			for (size_t j = 0; j < len; j++) {
				buf[j] = (char)rand();
			}
			memcpy(model + position, buf, len);
			size = len && position + len > size ? position + len : size;
			assert(fs->ops->write(fs, f, position, len, &memory.data, &done) == 0 &&
				done == len);
			break;
		default:
			assert(fs->ops->read(fs, f, position, len, &memory.data, &done) == 0);
			assert(done ==
				(position >= size
						? 0
						: (len < size - position ? len : size - position)));
			assert(memcmp(buf, model + position, done) == 0);
			break;
		}
	}
	free(model);
	free(buf);
	fs->ops->unmount(fs);
}

static bool count_entry(void *ctx, const struct fs_entry *entry)
{
	uint64_t *state = ctx; /* [0] entries so far, [1] next position, [2] stop after so many */

	if (state[2]-- == 0) {
		return false;
	}
	state[0]++;
	state[1] = entry->next;
	return true;
}

/* A directory read in pieces while entries go away: none is seen twice, none that stays is missed.
 */
static void test_readdir_in_pieces(void)
{
	struct fs *fs = mount_new(10, 2000);
	uint64_t state[3] = {0};
	char name[16];

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "file%d", i);
		(void)make(fs, fs->root, name, S_IFREG);
	}
	for (int i = 0; i < 200; i++) {
		state[2] = 7;
		assert(fs->ops->readdir(fs, fs->root, state[1], count_entry, state) == 0);
		(void)snprintf(name, sizeof(name), "file%d", i);
		assert(fs->ops->unlink(fs, fs->root, name_of(name)) == 0);
	}
	assert(state[0] == 1002);
	fs->ops->unmount(fs);
}

static void test_options(void)
{
	struct tmp_options o;

	assert(tmp_options_parse("", 1000, &o) == 0 && o.pages == 500 && o.mode == 01777);
	assert(tmp_options_parse("size=1m,mode=755,nr_inodes=10k", 1000, &o) == 0);
	assert(o.pages == 256 && o.mode == 0755 && o.nodes == 10240);
	assert(tmp_options_parse("size=25%", 1000, &o) == 0 && o.pages == 250);
	assert(tmp_options_parse("size=1x", 1000, &o) == -EINVAL);
	assert(tmp_options_parse("size=101%", 1000, &o) == -EINVAL);
	assert(tmp_options_parse("mode=9", 1000, &o) == -EINVAL);
	assert(tmp_options_parse("nonsense", 1000, &o) == -EINVAL);
}

/* Pages as mappings see them: holes, stores, the end of the file, no memory (VM-33, VM-38). */
static void test_mappings(void)
{
	struct fs *fs = mount_new(3, 10);
	uint64_t f = make(fs, fs->root, "f", S_IFREG);
	char bytes[2 * TMP_PAGE];
	struct memory memory = {{memory_copy}, bytes};
	struct fs_stat stat;
	size_t done;

	assert(fs->ops->peek(fs, f, 0, TMP_PAGE, &done) == 0 && done == 0);
	assert(fs->ops->mkwrite(fs, f, 0, TMP_PAGE, &done) == -EFAULT);
	assert(fs->ops->truncate(fs, f, 5 * TMP_PAGE + 100) == 0);
	assert(fs->ops->peek(fs, f, 0, 6 * TMP_PAGE, &done) == 0 && done == 5 * TMP_PAGE + 100);
	assert(fs->ops->statfs(fs, &stat) == 0 && stat.blocks_free == 3);
	assert(fs->ops->mkwrite(fs, f, 5 * TMP_PAGE, TMP_PAGE, &done) == 0 && done == 100);
	memset(hostmem_store(&mem, f, 5), 'x', TMP_PAGE);
	assert(fs->ops->statfs(fs, &stat) == 0 && stat.blocks_free == 2);
	assert(fs->ops->truncate(fs, f, 6 * TMP_PAGE) == 0);
	assert(fs->ops->read(fs, f, 5 * TMP_PAGE, TMP_PAGE, &memory.data, &done) == 0);
	assert(done == TMP_PAGE && bytes[99] == 'x' && bytes[100] == 0 && bytes[4095] == 0);
	assert(fs->ops->mkwrite(fs, f, 0, 4 * TMP_PAGE, &done) == 0 && done == 2 * TMP_PAGE);
	assert(fs->ops->mkwrite(fs, f, 2 * TMP_PAGE, 1, &done) == -ENOSPC);
	assert(fs->ops->truncate(fs, f, 10) == 0 && hostmem_store(&mem, f, 5) == NULL);
	assert(fs->ops->statfs(fs, &stat) == 0 && stat.blocks_free == 2);
	fs->ops->unmount(fs);
}

static uint64_t blocks_free(struct fs *fs)
{
	struct fs_stat stat;

	assert(fs->ops->statfs(fs, &stat) == 0);
	return stat.blocks_free;
}

/* fallocate: space is set aside, or nothing is; holes give it back. */
static void test_allocate(void)
{
	const uint32_t keep = FS_ALLOCATE_KEEP_SIZE, punch = keep | FS_ALLOCATE_PUNCH_HOLE;
	struct fs *fs = mount_new(70, 10);
	uint64_t f = make(fs, fs->root, "f", S_IFREG);
	char bytes[3 * TMP_PAGE];
	struct memory memory = {{memory_copy}, bytes};
	struct fs_attr attr;
	size_t done;

	memset(bytes, 'a', sizeof(bytes));
	assert(fs->ops->write(fs, f, TMP_PAGE, 100, &memory.data, &done) == 0);
	assert(fs->ops->allocate(fs, f, 0, 10, 40 * TMP_PAGE) == 0 && blocks_free(fs) == 29);
	assert(fs->ops->get_attr(fs, f, &attr) == 0 && attr.size == 40 * TMP_PAGE + 10);
	assert(fs->ops->allocate(fs, f, 0, 0, 71 * TMP_PAGE) == -ENOSPC && blocks_free(fs) == 29);
	assert(fs->ops->allocate(fs, f, keep, 40 * TMP_PAGE, 20 * TMP_PAGE) == 0);
	assert(blocks_free(fs) == 10);
	assert(fs->ops->get_attr(fs, f, &attr) == 0 && attr.size == 40 * TMP_PAGE + 10);
	assert(fs->ops->write(fs, f, 0, sizeof(bytes), &memory.data, &done) == 0);
	assert(fs->ops->allocate(fs, f, punch, 100, 2 * TMP_PAGE) == 0 && blocks_free(fs) == 11);
	assert(fs->ops->read(fs, f, 0, sizeof(bytes), &memory.data, &done) == 0);
	assert(bytes[99] == 'a' && bytes[100] == 0 && bytes[2 * TMP_PAGE + 99] == 0);
	assert(bytes[2 * TMP_PAGE + 100] == 'a');
	assert(fs->ops->allocate(fs, f, punch, 200, 9) == 0 && blocks_free(fs) == 11);
	assert(fs->ops->allocate(fs, f, FS_ALLOCATE_PUNCH_HOLE, 0, 9) == -EOPNOTSUPP);
	assert(fs->ops->allocate(fs, f, 0, 0, INT64_MAX) == -ENOSPC);
	assert(fs->ops->truncate(fs, f, 1) == 0 && blocks_free(fs) == 69);
	assert(fs->ops->allocate(fs, f, keep, TMP_PAGE, 5 * TMP_PAGE) == 0);
	assert(fs->ops->unlink(fs, fs->root, name_of("f")) == 0 && blocks_free(fs) == 70);
	fs->ops->unmount(fs);
}

/* VFS says what it holds after a restart; the rest goes. */
static void test_restart(void)
{
	struct fs *fs = mount_new(10, 10);
	uint64_t f = make(fs, fs->root, "f", S_IFREG), g = make(fs, fs->root, "g", S_IFREG);
	struct fs_attr attr;

	assert(fs->ops->get(fs, f, &attr) == 0 && fs->ops->get(fs, g, &attr) == 0);
	assert(fs->ops->unlink(fs, fs->root, name_of("f")) == 0);
	assert(fs->ops->unlink(fs, fs->root, name_of("g")) == 0);
	assert(fs->ops->rebind(fs, f, 3, &attr) == 0 && attr.ino == f);
	assert(fs->ops->recovered(fs) == 0);
	assert(fs->ops->get_attr(fs, g, &attr) == -ESTALE);
	assert(fs->ops->put(fs, f, 3) == 0 && fs->ops->get_attr(fs, f, &attr) == -ESTALE);
	fs->ops->unmount(fs);
}

static void *crash_to[5];

static int crashing_copy(struct fs_data *data, uint64_t offset, const struct fs_iovec *vec,
	size_t count, bool to_caller)
{
	__builtin_longjmp(crash_to, 1);
}

/* The process dies with pages in use, and goes on in its memory. */
static void test_crash_in_write(void)
{
	struct fs *volatile fs = mount_new(10, 10);
	volatile uint64_t f = make(fs, fs->root, "f", S_IFREG);
	struct memory crashing = {{crashing_copy}, NULL},
		      memory = {{memory_copy}, (char[]){"data"}};
	struct fs_stat stat;
	size_t done;

	if (__builtin_setjmp(crash_to) == 0) {
		(void)fs->ops->write(fs, f, 0, 4, &crashing.data, &done);
		assert(false);
	}
	fs->ops->restarted(fs);
	assert(fs_cache_check(tmp_of(fs)->cache, 0));
	assert(fs->ops->write(fs, f, 0, 4, &memory.data, &done) == 0 && done == 4);
	assert(fs->ops->unlink(fs, fs->root, name_of("f")) == 0);
	assert(fs->ops->statfs(fs, &stat) == 0 && stat.blocks_free == 10);
	fs->ops->unmount(fs);
}

int main(void)
{
	hostmem_init(&mem, 4096);
	mem.evict = 4;
	test_names();
	test_rename();
	test_unlinked_file_lives_while_referenced();
	test_limits();
	test_failed_write();
	test_data_random();
	test_readdir_in_pieces();
	test_options();
	test_mappings();
	test_allocate();
	test_restart();
	test_crash_in_write();
	hostmem_free(&mem);
	puts("tmp_test: 12 passed, 0 failed");
	return 0;
}
