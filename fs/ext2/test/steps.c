/* SPDX-License-Identifier: BSD-2-Clause */
/* Random operations, each on ext2 and on a model. */
#include "fs/ext2/test/steps.h"

#include <errno.h>
#include <sys/stat.h>

#define MAX_WRITE 40000

uint32_t test_pick(struct test *test, uint32_t bound)
{
	return random_next(&test->seed) % bound;
}

/* Few names, so that operations meet each other; some long. */
void test_pick_name(struct test *test, char *name)
{
	uint32_t number = test_pick(test, 40);

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
		int node = (int)test_pick(test, MODEL_NODES);

		if (test->model.node[node].is_used &&
			(type == 0 || (test->model.node[node].mode & S_IFMT) == type)) {
			return node;
		}
	}
	return type == S_IFDIR ? 0 : -1;
}

static int pick_dir(struct test *test)
{
	int dir = test_pick(test, 3) == 0 ? 0 : pick_node(test, S_IFDIR);

	return test->model.node[dir].nlink > 0 ? dir : 0;
}

/* A result that fault injection may cause at any time. */
static bool is_excused(const struct test *test, int error)
{
	return test->may_fail && (error == -EIO || error == -ENOMEM || error == -EROFS);
}

static void do_create(struct test *test)
{
	static const uint32_t types[] = {
		S_IFREG, S_IFREG, S_IFREG, S_IFDIR, S_IFDIR, S_IFIFO, S_IFCHR, S_IFSOCK};
	int dir = pick_dir(test), node, error;
	uint32_t type = types[test_pick(test, 8)];
	struct fs_new what = {.mode = type | 0640, .uid = 70000, .gid = 5};
	char name[MODEL_NAME];
	struct fs_attr attr;
	bool exists;

	test_pick_name(test, name);
	exists = model_find(&test->model, dir, name) >= 0;
	if (type == S_IFCHR) {
		what.major = test_pick(test, 300);
		what.minor = test_pick(test, 256);
	}
	node = model_new_node(&test->model, what.mode);
	if (node < 0 || (!exists && !model_add_entry(&test->model, dir, name, node))) {
		if (node >= 0) {
			model_release(&test->model, node);
		}
		return;
	}
	test->pending_node = node;
	test->pending_entry = exists ? -1 : model_find(&test->model, dir, name);
	error = test->fs->ops->create(test->fs, test_ino(test, dir), name_of(name), &what, &attr);
	if (error == -EEXIST && !exists && test->is_repeat) {
		error = test->fs->ops->lookup(test->fs, test_ino(test, dir), name_of(name), &attr);
	}
	test->pending_node = test->pending_entry = -1;
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
	size_t len = test_pick(test, 2) ? 1 + test_pick(test, 80) : 1 + test_pick(test, 1000);
	int dir = pick_dir(test), node, error;
	char name[MODEL_NAME], target[1024];
	struct fs_attr attr;

	test_pick_name(test, name);
	memset(target, 'a' + (int)test_pick(test, 26), sizeof(target));
	if (model_find(&test->model, dir, name) >= 0) {
		return;
	}
	node = model_new_node(&test->model, what.mode);
	if (node < 0) {
		return;
	}
	test->pending_node = node;
	error = test->fs->ops->symlink(
		test->fs, test_ino(test, dir), name_of(name), &what, target, len, &attr);
	if (error == -EEXIST && test->is_repeat) {
		error = test->fs->ops->lookup(test->fs, test_ino(test, dir), name_of(name), &attr);
	}
	test->pending_node = -1;
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

	test_pick_name(test, name);
	if (node < 0) {
		return;
	}
	error = test->fs->ops->link(
		test->fs, test_ino(test, node), test_ino(test, dir), name_of(name));
	if (model_find(&test->model, dir, name) >= 0) {
		CHECK(error == -EEXIST || is_excused(test, error));
	} else if (test->model.node[node].nlink == 0) {
		CHECK(error == -ENOENT || is_excused(test, error));
	} else if (error == 0 || (error == -EEXIST && test->is_repeat)) {
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

	if (node->refs == 0 && test_pick(test, 3) == 0 &&
		test->fs->ops->get(test->fs, node->ino, &attr) == 0) {
		node->refs = 1;
	}
}

static void do_unlink(struct test *test)
{
	int dir = pick_dir(test), entry, node, error;
	char name[MODEL_NAME];
	bool is_dir, is_empty;

	test_pick_name(test, name);
	entry = model_find(&test->model, dir, name);
	if (entry < 0) {
		error = test->fs->ops->unlink(test->fs, test_ino(test, dir), name_of(name));
		CHECK(error == -ENOENT || is_excused(test, error));
		return;
	}
	node = test->model.entry[entry].node;
	is_dir = S_ISDIR(test->model.node[node].mode);
	is_empty = model_is_empty(&test->model, node);
	maybe_hold(test, node);
	if (test_pick(test, 4) == 0) {
		/* The wrong one of the two. */
		error = (is_dir ? test->fs->ops->unlink : test->fs->ops->rmdir)(
			test->fs, test_ino(test, dir), name_of(name));
		CHECK(error == (is_dir ? -EISDIR : -ENOTDIR) || is_excused(test, error));
		return;
	}
	error = (is_dir ? test->fs->ops->rmdir : test->fs->ops->unlink)(
		test->fs, test_ino(test, dir), name_of(name));
	if (error != 0 && !(error == -ENOENT && test->is_repeat)) {
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
	int old_dir = pick_dir(test), new_dir = test_pick(test, 2) ? old_dir : pick_dir(test);
	int old, new, old_node, new_node, error, expected = 0;
	char old_name[MODEL_NAME], new_name[MODEL_NAME];
	unsigned kinds = test->may_crash ? 1 : 2; /* an exchange done twice is none */
	unsigned flags = test_pick(test, 6) == 0 ? 1 + test_pick(test, kinds) : 0;
	bool is_dir, new_is_dir;

	test_pick_name(test, old_name);
	test_pick_name(test, new_name);
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
		expected =
			new_is_dir && model_is_below(&test->model, old_dir, new_node) ? -EINVAL : 0;
	} else if (new >= 0 && new_is_dir != is_dir) {
		expected = new_is_dir ? -EISDIR : -ENOTDIR;
	} else if (new_is_dir && !model_is_empty(&test->model, new_node)) {
		expected = -ENOTEMPTY;
	}
	if (new >= 0 && old_node != new_node) {
		maybe_hold(test, new_node);
	}
	error = test->fs->ops->rename(test->fs, test_ino(test, old_dir), name_of(old_name),
		test_ino(test, new_dir), name_of(new_name), flags);
	if (error == -ENOENT && expected == 0 && test->is_repeat) {
		error = 0;
	}
	if (error != expected) {
		CHECK(is_excused(test, error) || (expected == 0 && new < 0 && error == -ENOSPC));
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
	switch (test_pick(test, 4)) {
	case 0:
		return node->size;
	case 1:
		return test_pick(test, (uint32_t)test->max_offset);
	default:
		return node->size == 0 ? 0 : test_pick(test, (uint32_t)node->size);
	}
}

static void do_write(struct test *test)
{
	static uint8_t bytes[MAX_WRITE];
	int number = pick_node(test, S_IFREG), error;
	struct model_node *node = &test->model.node[number < 0 ? 0 : number];
	size_t len = 1 + test_pick(test, test_pick(test, 3) == 0 ? MAX_WRITE : 3000), done;
	uint64_t offset = pick_offset(test, node);
	struct memory_data data;
	bool will_fault = test_pick(test, 16) == 0 && !test->may_fail && !test->may_crash;

	if (number < 0) {
		return;
	}
	for (size_t i = 0; i < len; i++) {
		bytes[i] = (uint8_t)(random_next(&test->seed) >> 24);
	}
	memory_data_init(&data, bytes, will_fault ? test_pick(test, (uint32_t)len) : len);
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
		CHECK_ERROR(0,
			test->fs->ops->read(test->fs, node->ino, 0, node->size, &data.data, &done));
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
	size = test_pick(test, 4) == 0 ? 0 : pick_offset(test, node);
	error = test->fs->ops->truncate(test->fs, node->ino, size);
	if (error == 0) {
		model_resize(node, size);
	} else {
		CHECK(is_excused(test, error));
	}
}

/* Stores through a shared mapping, also behind the end of the file in its last page. */
static void do_map(struct test *test)
{
	int number = pick_node(test, S_IFREG), error;
	struct model_node *node = &test->model.node[number < 0 ? 0 : number];
	struct fs_attr attr;
	uint64_t offset;
	uint8_t *page = NULL;
	size_t done, end;

	if (number < 0 || node->size == 0) {
		return;
	}
	offset = test_pick(test, (uint32_t)node->size) & ~(uint64_t)(FS_PAGE_SIZE - 1);
	if (test->fs->ops->get(test->fs, node->ino, &attr) != 0) {
		CHECK(test->may_fail);
		return;
	}
	error = test->fs->ops->mkwrite(test->fs, node->ino, offset, FS_PAGE_SIZE, &done);
	end = u64_min(FS_PAGE_SIZE, node->size - offset);
	if (error == 0) {
		CHECK(done == end);
		page = hostmem_store(&test->harness.mem, node->ino, offset / FS_PAGE_SIZE);
	}
	if (page != NULL) {
		CHECK(memcmp(page, node->bytes + offset, end) == 0);
		memset(page + end / 2, (int)test_pick(test, 256), FS_PAGE_SIZE - end / 2);
		memcpy(node->bytes + offset, page, end);
	}
	CHECK(error == 0 || error == -ENOSPC || is_excused(test, error));
	/* The mapping goes. */
	CHECK_ERROR(0, test->fs->ops->put(test->fs, node->ino, 1));
}

static void do_release(struct test *test)
{
	int number = pick_node(test, 0);
	struct model_node *node = &test->model.node[number < 0 ? 0 : number];

	if (number > 0 && node->refs > 0) {
		test->releasing = number;
		CHECK_ERROR(0, test->fs->ops->put(test->fs, node->ino, 1));
		test->releasing = -1;
		node->refs = 0;
		if (node->nlink == 0) {
			model_release(&test->model, number);
		}
	}
}

static void do_chmod(struct test *test)
{
	int number = pick_node(test, 0);
	struct fs_attr attr = {.mode = test_pick(test, 010000)};

	if (number > 0 &&
		test->fs->ops->set_attr(test->fs, test_ino(test, number), FS_SET_MODE, &attr) ==
			0) {
		struct model_node *node = &test->model.node[number];

		node->mode = (node->mode & S_IFMT) | attr.mode;
	}
}

void test_step(struct test *test)
{
	int number;

	switch (test_pick(test, 21)) {
	case 20:
		do_map(test);
		break;
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
		if (test_pick(test, 20) == 0) {
			int error = test->fs->ops->sync(test->fs);

			CHECK(error == 0 || is_excused(test, error));
		}
		break;
	default:
		number = pick_node(test, S_IFREG);
		if (number >= 0) {
			test_check_file(test, number, pick_offset(test, &test->model.node[number]),
				test_pick(test, 9000));
		}
	}
	if (test->fs->ops->idle != NULL) {
		test->fs->ops->idle(test->fs);
	}
}

void test_release_all(struct test *test)
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

void test_rebind_all(struct test *test)
{
	if (test->pending_entry >= 0) {
		test->model.entry[test->pending_entry].is_used = false;
	}
	if (test->pending_node >= 0) {
		model_release(&test->model, test->pending_node);
	}
	test->pending_node = test->pending_entry = -1;
	for (int i = 1; i < MODEL_NODES; i++) {
		struct model_node *node = &test->model.node[i];
		struct fs_attr attr;

		if (!node->is_used || node->refs == 0) {
			continue;
		}
		if (i == test->releasing) {
			node->refs = 0;
			if (node->nlink == 0) {
				model_release(&test->model, i);
			}
			continue;
		}
		CHECK_ERROR(0, test->fs->ops->rebind(test->fs, node->ino, node->refs, &attr));
		CHECK(attr.nlink == node->nlink || test->is_repeat);
	}
	test->releasing = -1;
	CHECK_ERROR(0, test->fs->ops->recovered(test->fs));
}
