/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparing ext2 with the model. */
#include "fs/ext2/test/steps.h"

#include <sys/stat.h>

void test_check_file(struct test *test, int number, size_t offset, size_t len)
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
		CHECK(entry->ino == test_ino(check->test, check->dir));
		return true;
	}
	if (strcmp(name, "..") == 0) {
		CHECK(entry->ino ==
			test_ino(check->test, model_parent(&check->test->model, check->dir)));
		return true;
	}
	if (check->dir == 0 && strcmp(name, "lost+found") == 0) {
		return true;
	}
	number = model_find(&check->test->model, check->dir, name);
	CHECK(number >= 0);
	CHECK(test_ino(check->test, check->test->model.entry[number].node) == entry->ino);
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
		CHECK_ERROR(0,
			test->fs->ops->readdir(
				test->fs, test_ino(test, dir), position, check_entry, &check));
	} while (check.next != position);
	CHECK(check.seen == expected);
}

void test_check_all(struct test *test)
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
			test_check_file(test, i, 0, node->size + 10);
		} else if (S_ISDIR(node->mode) && node->nlink > 0) {
			check_dir(test, i);
		} else if (S_ISLNK(node->mode)) {
			char target[4096];
			size_t len;

			CHECK_ERROR(0,
				test->fs->ops->readlink(
					test->fs, node->ino, target, sizeof(target), &len));
			CHECK(len == node->size && memcmp(target, node->bytes, len) == 0);
		}
	}
}
