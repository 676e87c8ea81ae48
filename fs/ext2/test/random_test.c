/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations on ext2 and on a model, for all block sizes and revisions: each result, each file's
 * contents and each directory must be the same, in memory, after a remount, and as debugfs reads them back; e2fsck
 * must find nothing. Usage: random_test [SEED [ROUNDS]]
 */
#include "fs/ext2/test/harness.h"
#include "fs/ext2/test/model.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_WRITE 40000

struct test {
	struct harness harness;
	struct model model;
	struct fs *fs;
	uint64_t seed;
	bool may_fail; /* errors of the device or of memory are being injected */
	uint64_t max_offset;
};

static uint32_t pick(struct test *test, uint32_t bound)
{
	return random_next(&test->seed) % bound;
}

/* Few names, so that operations meet each other; some long. */
static void pick_name(struct test *test, char *name)
{
	uint32_t number = pick(test, 40);

	if (number % 5 == 0) {
		snprintf(name, MODEL_NAME, "a_longer_name_for_it_%u", number);
	} else {
		snprintf(name, MODEL_NAME, "n%u", number);
	}
}

/* A random node of a type (0: any), or -1. */
static int pick_node(struct test *test, uint32_t type)
{
	for (int tries = 0; tries < 200; tries++) {
		int node = (int)pick(test, MODEL_NODES);

		if (test->model.node[node].is_used &&
		    (type == 0 || (test->model.node[node].mode & S_IFMT) == type)) {
			return node;
		}
	}
	return type == S_IFDIR ? 0 : -1;
}

static int pick_dir(struct test *test)
{
	int dir = pick(test, 3) == 0 ? 0 : pick_node(test, S_IFDIR);

	return test->model.node[dir].nlink > 0 ? dir : 0;
}

static uint64_t ino_of(struct test *test, int node)
{
	return test->model.node[node].ino;
}

/* Compare a file with the model. */
static void check_file(struct test *test, int number, size_t offset, size_t len)
{
	struct model_node *node = &test->model.node[number];
	uint8_t *bytes = malloc(len + 1);
	struct memory_data data;
	size_t done, expected = offset < node->size ? node->size - offset : 0;
	int error;

	expected = expected < len ? expected : len;
	memory_data_init(&data, bytes, len);
	error = test->fs->ops->read(test->fs, node->ino, offset, len, &data.data, &done);
	if (!test->may_fail || error == 0) {
		CHECK(error == 0);
		CHECK(done == expected || test->may_fail);
		if (done > 0) {
			CHECK(memcmp(bytes, node->bytes + offset, done) == 0);
		}
	}
	free(bytes);
}

static void check_attr(struct test *test, int number)
{
	struct model_node *node = &test->model.node[number];
	struct fs_attr attr;

	CHECK_ERROR(0, test->fs->ops->get_attr(test->fs, node->ino, &attr));
	CHECK(attr.mode == node->mode);
	CHECK(attr.nlink == node->nlink);
	if (!S_ISDIR(node->mode)) {
		CHECK(attr.size == node->size);
		CHECK((attr.major << 8 | attr.minor) == node->rdev);
	}
}

struct dir_check {
	struct test *test;
	int dir;
	int seen;
	int budget; /* entries until the walk is broken off, to be resumed */
	uint64_t next;
};

static bool check_entry(void *ctx, const struct fs_entry *entry)
{
	struct dir_check *check = ctx;
	char name[256];
	int number;

	if (check->budget-- == 0) {
		return false;
	}
	check->next = entry->next;
	memcpy(name, entry->name.text, entry->name.len);
	name[entry->name.len] = '\0';
	if (strcmp(name, ".") == 0) {
		CHECK(entry->ino == ino_of(check->test, check->dir));
		return true;
	}
	if (strcmp(name, "..") == 0) {
		CHECK(entry->ino ==
		      ino_of(check->test, model_parent(&check->test->model, check->dir)));
		return true;
	}
	if (check->dir == 0 && strcmp(name, "lost+found") == 0) {
		return true;
	}
	number = model_find(&check->test->model, check->dir, name);
	CHECK(number >= 0);
	CHECK(ino_of(check->test, check->test->model.entry[number].node) == entry->ino);
	check->seen++;
	return true;
}

static void check_dir(struct test *test, int dir)
{
	struct dir_check check = {.test = test, .dir = dir};
	uint64_t position;
	int expected = 0;

	for (int i = 0; i < MODEL_ENTRIES; i++) {
		expected += test->model.entry[i].is_used && test->model.entry[i].dir == dir;
	}
	do {
		position = check.next;
		check.budget = 7;
		CHECK_ERROR(0, test->fs->ops->readdir(test->fs, ino_of(test, dir), position,
						      check_entry, &check));
	} while (check.next != position);
	CHECK(check.seen == expected);
}

static void check_all(struct test *test)
{
	for (int i = 0; i < MODEL_NODES; i++) {
		struct model_node *node = &test->model.node[i];

		if (!node->is_used) {
			continue;
		}
		if (i != 0) {
			check_attr(test, i);
		}
		if (S_ISREG(node->mode)) {
			check_file(test, i, 0, node->size + 10);
		} else if (S_ISDIR(node->mode) && node->nlink > 0) {
			check_dir(test, i);
		} else if (S_ISLNK(node->mode)) {
			char target[4096];
			size_t len;

			CHECK_ERROR(0, test->fs->ops->readlink(test->fs, node->ino, target,
							       sizeof(target), &len));
			CHECK(len == node->size && memcmp(target, node->bytes, len) == 0);
		}
	}
}

/* A result that fault injection may cause at any time. */
static bool is_excused(const struct test *test, int error)
{
	return test->may_fail && (error == -EIO || error == -ENOMEM || error == -EROFS);
}

static void do_create(struct test *test)
{
	static const uint32_t types[] = {S_IFREG, S_IFREG, S_IFREG, S_IFDIR,
					 S_IFDIR, S_IFIFO, S_IFCHR, S_IFSOCK};
	int dir = pick_dir(test), node, error;
	uint32_t type = types[pick(test, 8)];
	struct fs_new what = {.mode = type | 0640, .uid = 70000, .gid = 5};
	char name[MODEL_NAME];
	struct fs_attr attr;
	bool exists;

	pick_name(test, name);
	exists = model_find(&test->model, dir, name) >= 0;
	if (type == S_IFCHR) {
		what.major = pick(test, 300);
		what.minor = pick(test, 256);
	}
	node = model_new_node(&test->model, what.mode);
	if (node < 0 || (!exists && !model_add_entry(&test->model, dir, name, node))) {
		if (node >= 0) {
			model_release(&test->model, node);
		}
		return;
	}
	error = test->fs->ops->create(test->fs, ino_of(test, dir), name_of(name), &what, &attr);
	if (error != 0) {
		CHECK(is_excused(test, error) || (exists && error == -EEXIST) ||
		      (!exists && error == -ENOSPC));
		if (!exists) {
			test->model.entry[model_find(&test->model, dir, name)].is_used = false;
		}
		model_release(&test->model, node);
		return;
	}
	CHECK(!exists);
	CHECK(attr.uid == 70000 && attr.gid == 5);
	test->model.node[node].ino = attr.ino;
	test->model.node[node].nlink = type == S_IFDIR ? 2 : 1;
	test->model.node[node].rdev = what.major << 8 | what.minor;
	test->model.node[dir].nlink += type == S_IFDIR;
	CHECK_ERROR(0, test->fs->ops->put(test->fs, attr.ino, 1));
}

static void do_symlink(struct test *test)
{
	struct fs_new what = {.mode = S_IFLNK | 0777};
	size_t len = pick(test, 2) ? 1 + pick(test, 80) : 1 + pick(test, 1000);
	int dir = pick_dir(test), node, error;
	char name[MODEL_NAME], target[1024];
	struct fs_attr attr;

	pick_name(test, name);
	memset(target, 'a' + (int)pick(test, 26), sizeof(target));
	if (model_find(&test->model, dir, name) >= 0) {
		return;
	}
	node = model_new_node(&test->model, what.mode);
	if (node < 0) {
		return;
	}
	error = test->fs->ops->symlink(test->fs, ino_of(test, dir), name_of(name), &what, target,
				       len, &attr);
	if (error != 0 || !model_add_entry(&test->model, dir, name, node)) {
		CHECK(error == -ENOSPC || is_excused(test, error));
		model_release(&test->model, node);
		return;
	}
	model_resize(&test->model.node[node], len);
	memcpy(test->model.node[node].bytes, target, len);
	test->model.node[node].ino = attr.ino;
	test->model.node[node].nlink = 1;
	CHECK_ERROR(0, test->fs->ops->put(test->fs, attr.ino, 1));
}

static void do_link(struct test *test)
{
	int node = pick_node(test, S_IFREG), dir = pick_dir(test), error;
	char name[MODEL_NAME];

	pick_name(test, name);
	if (node < 0) {
		return;
	}
	error = test->fs->ops->link(test->fs, ino_of(test, node), ino_of(test, dir), name_of(name));
	if (model_find(&test->model, dir, name) >= 0) {
		CHECK(error == -EEXIST || is_excused(test, error));
	} else if (test->model.node[node].nlink == 0) {
		CHECK(error == -ENOENT || is_excused(test, error));
	} else if (error == 0) {
		CHECK(model_add_entry(&test->model, dir, name, node));
		test->model.node[node].nlink++;
	} else {
		CHECK(error == -ENOSPC || is_excused(test, error));
	}
}

/* An entry's link is gone in the model. */
static void drop_link(struct test *test, int number)
{
	struct model_node *node = &test->model.node[number];

	node->nlink = S_ISDIR(node->mode) ? 0 : node->nlink - 1;
	if (node->nlink == 0 && node->refs == 0) {
		model_release(&test->model, number);
	}
}

/* Sometimes hold on to what is going to be unlinked. */
static void maybe_hold(struct test *test, int number)
{
	struct model_node *node = &test->model.node[number];
	struct fs_attr attr;

	if (node->refs == 0 && pick(test, 3) == 0 &&
	    test->fs->ops->get(test->fs, node->ino, &attr) == 0) {
		node->refs = 1;
	}
}

static void do_unlink(struct test *test)
{
	int dir = pick_dir(test), entry, node, error;
	char name[MODEL_NAME];
	bool is_dir, is_empty;

	pick_name(test, name);
	entry = model_find(&test->model, dir, name);
	if (entry < 0) {
		error = test->fs->ops->unlink(test->fs, ino_of(test, dir), name_of(name));
		CHECK(error == -ENOENT || is_excused(test, error));
		return;
	}
	node = test->model.entry[entry].node;
	is_dir = S_ISDIR(test->model.node[node].mode);
	is_empty = model_is_empty(&test->model, node);
	maybe_hold(test, node);
	if (pick(test, 4) == 0) {
		/* The wrong one of the two. */
		error = (is_dir ? test->fs->ops->unlink : test->fs->ops->rmdir)(
			test->fs, ino_of(test, dir), name_of(name));
		CHECK(error == (is_dir ? -EISDIR : -ENOTDIR) || is_excused(test, error));
		return;
	}
	error = (is_dir ? test->fs->ops->rmdir : test->fs->ops->unlink)(
		test->fs, ino_of(test, dir), name_of(name));
	if (error != 0) {
		CHECK((is_dir && !is_empty && error == -ENOTEMPTY) || is_excused(test, error));
		return;
	}
	CHECK(!is_dir || is_empty);
	test->model.node[dir].nlink -= is_dir;
	test->model.entry[entry].is_used = false;
	drop_link(test, node);
}

static void do_rename(struct test *test)
{
	int old_dir = pick_dir(test), new_dir = pick(test, 2) ? old_dir : pick_dir(test);
	int old, new, old_node, new_node, error, expected = 0;
	char old_name[MODEL_NAME], new_name[MODEL_NAME];
	unsigned flags = pick(test, 6) == 0 ? 1 + pick(test, 2) : 0;
	bool is_dir, new_is_dir;

	pick_name(test, old_name);
	pick_name(test, new_name);
	old = model_find(&test->model, old_dir, old_name);
	new = model_find(&test->model, new_dir, new_name);
	old_node = old >= 0 ? test->model.entry[old].node : -1;
	new_node = new >= 0 ? test->model.entry[new].node : -1;
	is_dir = old >= 0 && S_ISDIR(test->model.node[old_node].mode);
	new_is_dir = new >= 0 && S_ISDIR(test->model.node[new_node].mode);
	if (old < 0) {
		expected = -ENOENT;
	} else if (flags == FS_RENAME_NOREPLACE && new >= 0) {
		expected = -EEXIST;
	} else if (flags == FS_RENAME_EXCHANGE && new < 0) {
		expected = -ENOENT;
	} else if (old_node == new_node) {
		expected = 0;
	} else if (is_dir && model_is_below(&test->model, new_dir, old_node)) {
		expected = -EINVAL;
	} else if (flags == FS_RENAME_EXCHANGE) {
		expected = new_is_dir && model_is_below(&test->model, old_dir, new_node) ? -EINVAL
											 : 0;
	} else if (new >= 0 && new_is_dir != is_dir) {
		expected = new_is_dir ? -EISDIR : -ENOTDIR;
	} else if (new_is_dir && !model_is_empty(&test->model, new_node)) {
		expected = -ENOTEMPTY;
	}
	if (new >= 0 && old_node != new_node) {
		maybe_hold(test, new_node);
	}
	error = test->fs->ops->rename(test->fs, ino_of(test, old_dir), name_of(old_name),
				      ino_of(test, new_dir), name_of(new_name), flags);
	if (error != expected) {
		CHECK(is_excused(test, error) ||
		      (expected == 0 && new < 0 && error == -ENOSPC));
		return;
	}
	if (error != 0 || old_node == new_node) {
		return;
	}
	if (flags == FS_RENAME_EXCHANGE) {
		test->model.entry[old].node = new_node;
		test->model.entry[new].node = old_node;
		test->model.node[old_dir].nlink += (uint32_t)(new_is_dir - is_dir);
		test->model.node[new_dir].nlink += (uint32_t)(is_dir - new_is_dir);
		return;
	}
	test->model.entry[old].is_used = false;
	if (new >= 0) {
		test->model.entry[new].is_used = false;
		test->model.node[new_dir].nlink -= new_is_dir;
		drop_link(test, new_node);
	}
	CHECK(model_add_entry(&test->model, new_dir, new_name, old_node));
	test->model.node[old_dir].nlink -= is_dir;
	test->model.node[new_dir].nlink += is_dir;
}

static uint64_t pick_offset(struct test *test, const struct model_node *node)
{
	switch (pick(test, 4)) {
	case 0:
		return node->size;
	case 1:
		return pick(test, (uint32_t)test->max_offset);
	default:
		return node->size == 0 ? 0 : pick(test, (uint32_t)node->size);
	}
}

static void do_write(struct test *test)
{
	static uint8_t bytes[MAX_WRITE];
	int number = pick_node(test, S_IFREG), error;
	struct model_node *node = &test->model.node[number < 0 ? 0 : number];
	size_t len = 1 + pick(test, pick(test, 3) == 0 ? MAX_WRITE : 3000), done;
	uint64_t offset = pick_offset(test, node);
	struct memory_data data;
	bool will_fault = pick(test, 16) == 0 && !test->may_fail;

	if (number < 0) {
		return;
	}
	for (size_t i = 0; i < len; i++) {
		bytes[i] = (uint8_t)(random_next(&test->seed) >> 24);
	}
	memory_data_init(&data, bytes, will_fault ? pick(test, (uint32_t)len) : len);
	error = test->fs->ops->write(test->fs, node->ino, offset, len, &data.data, &done);
	if (error != 0) {
		CHECK(done == 0);
		CHECK(error == -ENOSPC || is_excused(test, error) ||
		      (will_fault && error == -EFAULT));
	}
	if (will_fault && !(error == 0 && done == len)) {
		/* What a failed copy left within the file is not defined: take it as it is. */
		struct fs_attr attr;
		size_t old_size = node->size;

		if (done > 0 && offset + done > node->size) {
			model_resize(node, offset + done);
		}
		CHECK_ERROR(0, test->fs->ops->get_attr(test->fs, node->ino, &attr));
		CHECK(attr.size == node->size && node->size >= old_size);
		memory_data_init(&data, node->bytes, node->size);
		CHECK_ERROR(0, test->fs->ops->read(test->fs, node->ino, 0, node->size, &data.data,
						   &done));
		return;
	}
	if (done > 0) {
		if (offset + done > node->size) {
			model_resize(node, offset + done);
		}
		memcpy(node->bytes + offset, bytes, done);
	}
}

static void do_truncate(struct test *test)
{
	int number = pick_node(test, S_IFREG), error;
	struct model_node *node = &test->model.node[number < 0 ? 0 : number];
	uint64_t size;

	if (number < 0) {
		return;
	}
	size = pick(test, 4) == 0 ? 0 : pick_offset(test, node);
	error = test->fs->ops->truncate(test->fs, node->ino, size);
	if (error == 0) {
		model_resize(node, size);
	} else {
		CHECK(is_excused(test, error));
	}
}

static void do_release(struct test *test)
{
	int number = pick_node(test, 0);
	struct model_node *node = &test->model.node[number < 0 ? 0 : number];

	if (number > 0 && node->refs > 0) {
		CHECK_ERROR(0, test->fs->ops->put(test->fs, node->ino, 1));
		node->refs = 0;
		if (node->nlink == 0) {
			model_release(&test->model, number);
		}
	}
}

static void do_chmod(struct test *test)
{
	int number = pick_node(test, 0);
	struct fs_attr attr = {.mode = pick(test, 010000)};

	if (number > 0 &&
	    test->fs->ops->set_attr(test->fs, ino_of(test, number), FS_SET_MODE, &attr) == 0) {
		struct model_node *node = &test->model.node[number];

		node->mode = (node->mode & S_IFMT) | attr.mode;
	}
}

static void step(struct test *test)
{
	int number;

	switch (pick(test, 20)) {
	case 0 ... 3:
		do_create(test);
		break;
	case 4:
		do_symlink(test);
		break;
	case 5:
		do_link(test);
		break;
	case 6 ... 7:
		do_unlink(test);
		break;
	case 8 ... 9:
		do_rename(test);
		break;
	case 10 ... 14:
		do_write(test);
		break;
	case 15:
		do_truncate(test);
		break;
	case 16:
		do_release(test);
		break;
	case 17:
		do_chmod(test);
		break;
	case 18:
		if (pick(test, 20) == 0) {
			int error = test->fs->ops->sync(test->fs);

			CHECK(error == 0 || is_excused(test, error));
		}
		break;
	default:
		number = pick_node(test, S_IFREG);
		if (number >= 0) {
			check_file(test, number, pick_offset(test, &test->model.node[number]),
				   pick(test, 9000));
		}
	}
	if (test->fs->ops->idle != NULL) {
		test->fs->ops->idle(test->fs);
	}
}

static void release_all(struct test *test)
{
	for (int i = 1; i < MODEL_NODES; i++) {
		struct model_node *node = &test->model.node[i];

		if (node->is_used && node->refs > 0) {
			CHECK_ERROR(0, test->fs->ops->put(test->fs, node->ino, node->refs));
			node->refs = 0;
			if (node->nlink == 0) {
				model_release(&test->model, i);
			}
		}
	}
}

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

static void run(const char *options, uint64_t size, size_t pages, uint64_t seed, int rounds)
{
	struct test *test = calloc(1, sizeof(*test));

	test->seed = seed;
	test->max_offset = 400000;
	harness_make(&test->harness, size, options);
	CHECK_ERROR(0, harness_mount(&test->harness, pages, false));
	test->fs = test->harness.fs;
	model_init(&test->model, test->fs->root);
	test->model.node[0].nlink = 3; /* lost+found */
	for (int mounts = 0; mounts < 3; mounts++) {
		for (int i = 0; i < rounds; i++) {
			step(test);
			if (i % 256 == 0) {
				CHECK(fs_cache_check(ext2_of(test->fs)->cache, 0));
			}
		}
		check_all(test);
		release_all(test);
		harness_unmount(&test->harness);
		harness_fsck(&test->harness);
		CHECK_ERROR(0, harness_mount(&test->harness, pages, false));
		test->fs = test->harness.fs;
		check_all(test);
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
	harness_make(&test->harness, 4 << 20, options);
	CHECK_ERROR(0, harness_mount(&test->harness, pages, false));
	test->fs = test->harness.fs;
	model_init(&test->model, test->fs->root);
	test->model.node[0].nlink = 3;
}

/*
 * Errors of the device, single ones and runs of them, and cache memory that is refused: each operation
 * fails or is done, never half. Only where freed blocks could not be accounted for does the file system say that it is
 * damaged; then the next mount repairs it.
 */
static void run_faults(const char *options, uint64_t seed, int rounds)
{
	struct test *test = calloc(1, sizeof(*test));

	start(test, options, 0, seed);
	for (int round = 0; round < rounds; round++) {
		struct hostdev *dev = &test->harness.dev;

		test->harness.mem.budget = (int)pick(test, 3);
		test->may_fail = true;
		if (pick(test, 2)) {
			dev->fail_read = 1 + pick(test, 30);
		} else {
			dev->fail_write = 1 + pick(test, 10);
		}
		dev->fails_on = pick(test, 2);
		for (int i = 0; i < 60; i++) {
			step(test);
		}
		dev->fail_read = dev->fail_write = 0;
		test->may_fail = false;
		for (int i = 0; i < 20; i++) {
			step(test);
		}
	}
	test->harness.mem.budget = -1;
	CHECK_ERROR(0, test->fs->ops->sync(test->fs));
	check_all(test);
	release_all(test);
	if (ext2_of(test->fs)->damages == 0) {
		harness_unmount(&test->harness);
		harness_fsck(&test->harness);
	} else {
		harness_unmount(&test->harness);
	}
	CHECK_ERROR(0, harness_mount(&test->harness, 0, false));
	test->fs = test->harness.fs;
	check_all(test);
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
	test->harness.dev.lose_after = 1 + pick(test, 200);
	for (int i = 0; i < 600; i++) {
		step(test);
		if (i % 32 == 0) {
			CHECK_ERROR(0, test->fs->ops->sync(test->fs));
		}
	}
	CHECK_ERROR(0, test->fs->ops->sync(test->fs));
	release_all(test);
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
		pick_name(test, name);
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
