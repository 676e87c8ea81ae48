/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of lib/core: list, bitmap and tree against simple models. */
#include "lib/core/bitmap.h"
#include "lib/core/list.h"
#include "lib/core/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

struct item {
	struct list link;
	struct tree_node node;
	int key;
};

static unsigned random_next(uint64_t *seed)
{
	*seed += 0x9e3779b97f4a7c15ull;
	return (unsigned)(hash_u64(*seed) >> 33);
}

static int compare_items(const struct tree_node *a, const struct tree_node *b)
{
	return tree_entry(a, struct item, node)->key - tree_entry(b, struct item, node)->key;
}

static int compare_key(const void *key, const struct tree_node *node)
{
	return *(const int *)key - tree_entry(node, struct item, node)->key;
}

static void test_list(void)
{
	struct list head, other;
	struct item items[10];
	int sum = 0;

	list_init(&head);
	list_init(&other);
	CHECK(list_is_empty(&head));
	CHECK(list_pop_head(&head) == NULL);
	for (int i = 0; i < 10; i++) {
		items[i].key = i;
		list_add_tail(i < 5 ? &head : &other, &items[i].link);
	}
	list_splice_tail(&head, &other);
	CHECK(list_is_empty(&other));
	list_for_each(item, &head, struct item, link)
	{
		sum = sum * 10 + item->key;
	}
	CHECK(sum == 123456789);
	list_for_each_safe(item, &head, struct item, link)
	{
		if (item->key % 2 == 0) {
			list_remove(&item->link);
			list_remove(&item->link);
			CHECK(!list_is_linked(&item->link));
		}
	}
	CHECK(list_first(&head, struct item, link)->key == 1);
	CHECK(list_last(&head, struct item, link)->key == 9);
}

static void test_bitmap(void)
{
	enum { SIZE = 333 };
	BITMAP_DECLARE(map, SIZE);
	bool model[SIZE] = {false};
	uint64_t seed = 1;

	memset(map, 0, sizeof(map));
	for (int round = 0; round < 3000; round++) {
		size_t first = random_next(&seed) % SIZE;
		size_t count = random_next(&seed) % (SIZE - first + 1);
		bool value = random_next(&seed) % 2;
		size_t next = 0, total = 0;

		(value ? bitmap_set_range : bitmap_clear_range)(map, first, count);
		for (size_t i = first; i < first + count; i++) {
			model[i] = value;
		}
		for (size_t i = 0; i < SIZE; i++) {
			CHECK(bitmap_test(map, i) == model[i]);
			total += model[i];
		}
		CHECK(bitmap_count(map, SIZE) == total);
		for (next = first; next < SIZE && !model[next]; next++) {
		}
		CHECK(bitmap_next_set(map, SIZE, first) == next);
		for (next = first; next < SIZE && model[next]; next++) {
		}
		CHECK(bitmap_next_clear(map, SIZE, first) == next);
		for (next = align_up(first, 8); next + 20 <= SIZE; next += 8) {
			size_t run = 0;

			while (run < 20 && model[next + run]) {
				run++;
			}
			if (run == 20) {
				break;
			}
		}
		if (next + 20 > SIZE) {
			next = SIZE;
		}
		CHECK(bitmap_find_set_run(map, SIZE, first, 20, 8) == next);
	}
}

static void test_tree(void)
{
	enum { KEYS = 400 };
	static struct item items[KEYS];
	bool present[KEYS] = {false};
	struct tree tree;
	uint64_t seed = 7;

	tree_init(&tree);
	for (int i = 0; i < KEYS; i++) {
		items[i].key = i;
	}
	for (int round = 0; round < 20000; round++) {
		int key = (int)(random_next(&seed) % KEYS);
		int le = key, ge = key;
		struct tree_node *node;

		if (present[key]) {
			CHECK(!tree_insert(&tree, &items[key].node, compare_items));
			tree_remove(&tree, &items[key].node);
		} else {
			CHECK(tree_insert(&tree, &items[key].node, compare_items));
		}
		present[key] = !present[key];
		if (round % 16 == 0) {
			CHECK(tree_check(&tree, compare_items));
		}
		node = tree_find(&tree, &key, compare_key);
		CHECK((node != NULL) == present[key]);
		while (le >= 0 && !present[le]) {
			le--;
		}
		node = tree_find_le(&tree, &key, compare_key);
		CHECK(node == (le >= 0 ? &items[le].node : NULL));
		while (ge < KEYS && !present[ge]) {
			ge++;
		}
		node = tree_find_ge(&tree, &key, compare_key);
		CHECK(node == (ge < KEYS ? &items[ge].node : NULL));
		if (node != NULL && le >= 0 && le != ge) {
			CHECK(tree_prev(node) == &items[le].node);
			CHECK(tree_next(&items[le].node) == node);
		}
		if (present[key] && round % 5 == 0) {
			struct item copy = {.key = key};

			tree_replace(&tree, &items[key].node, &copy.node);
			CHECK(tree_check(&tree, compare_items));
			tree_replace(&tree, &copy.node, &items[key].node);
		}
	}
}

static void test_arithmetic(void)
{
	uint64_t result;

	CHECK(checked_add(1, 2, &result) && result == 3);
	CHECK(!checked_add(UINT64_MAX, 1, &result));
	CHECK(!checked_sub(1, 2, &result));
	CHECK(!checked_mul(1ull << 32, 1ull << 32, &result));
	CHECK(!checked_align_up(UINT64_MAX, 4096, &result));
	CHECK(checked_align_up(4097, 4096, &result) && result == 8192);
	CHECK(range_within(10, 10, 10, 20) && !range_within(10, 11, 10, 20));
	CHECK(!range_within(UINT64_MAX, 2, 0, 100));
	CHECK(range_overlaps(0, 10, 9, 1) && !range_overlaps(0, 10, 10, 1));
}

int main(void)
{
	test_list();
	test_bitmap();
	test_tree();
	test_arithmetic();
	puts("core: ok");
	return 0;
}
