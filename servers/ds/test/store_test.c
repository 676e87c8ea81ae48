/* SPDX-License-Identifier: BSD-2-Clause */
/* The store: every refusal of its interface, owners, subscriptions, and a random run with the
 * invariants walked. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers/ds/store.h"

static unsigned failures, notified;
static endpoint_t last_notified;

#define CHECK(condition)                                                               \
	do {                                                                           \
		if (!(condition)) {                                                    \
			printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
			failures++;                                                    \
		}                                                                      \
	} while (0)

#define A 100
#define B 101

static void notify(endpoint_t subscriber)
{
	notified++;
	last_notified = subscriber;
}

static unsigned unmapped;

static void unmap(struct store_entry *entry)
{
	unmapped++;
}

static const struct store_ops ops = {.notify = notify, .unmap = unmap};

static int label(struct store *s, const char *name, endpoint_t ep, uint32_t flags)
{
	return store_publish(s, EP_RS, name,
		&(struct store_value){.type = DS_TYPE_LABEL, .value = (uint64_t)ep}, flags);
}

static int number(struct store *s, endpoint_t who, const char *key, uint64_t value, uint32_t flags)
{
	return store_publish(
		s, who, key, &(struct store_value){.type = DS_TYPE_U32, .value = value}, flags);
}

static int string(struct store *s, endpoint_t who, const char *key, const char *text, uint32_t len)
{
	return store_publish(s, who, key,
		&(struct store_value){.type = DS_TYPE_STR, .data = text, .len = len},
		DS_FLAG_OVERWRITE);
}

static struct store *fresh(void)
{
	static struct store s;

	store_init(&s, &ops);
	notified = 0;
	CHECK(label(&s, "rs", EP_RS, 0) == 0 && label(&s, "a", A, 0) == 0 &&
		label(&s, "b", B, 0) == 0);
	return &s;
}

/* Everything belongs to a label, so deleting the labels empties the store. */
static void finish(struct store *s)
{
	store_verify(s);
	CHECK(store_delete(s, EP_RS, "a", DS_TYPE_LABEL) == 0 &&
		store_delete(s, EP_RS, "b", DS_TYPE_LABEL) == 0);
	CHECK(store_delete(s, EP_RS, "rs", DS_TYPE_LABEL) == 0);
	store_verify(s);
	CHECK(s->count == 0 && s->total_bytes == 0);
}

static void test_labels(void)
{
	struct store *s = fresh();

	CHECK(label(s, "a", 200, 0) == -EEXIST);
	CHECK(label(s, "c", A, 0) == -EEXIST);
	CHECK(label(s, "c", A, DS_FLAG_OVERWRITE) == -EEXIST);
	CHECK(store_publish(s, A, "c", &(struct store_value){.type = DS_TYPE_LABEL, .value = 5},
		      0) == -EPERM);
	CHECK(label(s, "a-label-that-is-too-long-for-it", 300, 0) == -EINVAL &&
		label(s, "", 300, 0) == -EINVAL);
	CHECK(strcmp(store_label_of(s, A), "a") == 0 && store_label_of(s, 55) == NULL);
	CHECK(number(s, A, "k", 1, 0) == 0);
	CHECK(label(s, "a", 200, DS_FLAG_OVERWRITE) == 0);
	CHECK(number(s, A, "k", 2, DS_FLAG_OVERWRITE) == -EPERM); /* has no label any more */
	CHECK(number(s, 200, "k", 2, DS_FLAG_OVERWRITE) == 0);
	CHECK(store_owner(s, store_find(s, "k", DS_TYPE_U32)) == 200);
	CHECK(store_delete_label_of(s, A, 200) == -EPERM &&
		store_delete_label_of(s, EP_RS, A) == -ESRCH);
	CHECK(store_delete_label_of(s, EP_RS, 200) == 0 && store_find(s, "k", DS_TYPE_U32) == NULL);
	CHECK(label(s, "a", A, 0) == 0);
	finish(s);
}

static void test_values(void)
{
	struct store *s = fresh();
	const struct store_entry *e;

	CHECK(number(s, 77, "k", 1, 0) == -EPERM && number(s, A, "k", 1ull << 32, 0) == -EINVAL);
	CHECK(number(s, A, "k", 1, 0) == 0 && number(s, A, "k", 2, 0) == -EEXIST);
	CHECK(number(s, B, "k", 2, DS_FLAG_OVERWRITE) == 0);
	CHECK(store_owner(s, store_find(s, "k", DS_TYPE_U32)) == A);
	CHECK(number(s, A, "k", 3, DS_FLAG_OVERWRITE) == 0 &&
		store_find(s, "k", DS_TYPE_U32)->value == 3);
	CHECK(string(s, B, "k", "text", 5) == 0); /* another type: another entry */
	CHECK(string(s, B, "k", "longer text", 12) == 0);
	CHECK(string(s, B, "k", "text", 4) == -EINVAL && string(s, B, "k", "a\0b", 4) == -EINVAL);
	CHECK(string(s, B, "k", "text", 0) == -EINVAL);
	e = store_find(s, "k", DS_TYPE_STR);
	CHECK(e && e->len == 12 && strcmp((char *)e->data, "longer text") == 0 &&
		s->total_bytes == 12);
	CHECK(store_publish(s, A, "m", &(struct store_value){.type = 9}, 0) == -EINVAL);
	CHECK(store_publish(s, A, "m",
		      &(struct store_value){.type = DS_TYPE_MEM, .data = "xy", .len = 2}, 0) == 0);
	CHECK(store_delete(s, B, "m", DS_TYPE_MEM) == -EPERM &&
		store_delete(s, 77, "m", DS_TYPE_MEM) == -EPERM);
	CHECK(store_delete(s, A, "m", DS_TYPE_MEM) == 0 &&
		store_delete(s, A, "m", DS_TYPE_MEM) == -ESRCH);
	finish(s);
}

static void test_subscriptions(void)
{
	struct store *s = fresh();
	const struct store_entry *e;

	CHECK(store_subscribe(s, 77, "x", 0, 0) == -ESRCH &&
		store_subscribe(s, A, "(", 0, 0) == -EINVAL);
	CHECK(store_subscribe(s, A, "drv\\.[a-z]+", 0, 0) == 0 &&
		store_subscribe(s, A, "x", 0, 0) == -EEXIST);
	CHECK(store_check(s, A) == NULL && notified == 0);
	CHECK(number(s, B, "drv.disk", 1, 0) == 0 && notified == 1 && last_notified == A);
	CHECK(number(s, B, "drv.disk", 2, DS_FLAG_OVERWRITE) == 0);
	CHECK(number(s, B, "xdrv.disk", 1, 0) == 0 && number(s, B, "drv.disk1", 1, 0) == 0 &&
		notified == 2);
	e = store_check(s, A);
	CHECK(e && strcmp(e->key, "drv.disk") == 0 && e->value == 2 && store_check(s, A) == NULL);
	CHECK(store_delete(s, B, "drv.disk", DS_TYPE_U32) == 0 && notified == 3 &&
		store_check(s, A) == NULL);
	CHECK(store_subscribe(s, A, ".*disk.*", 1u << DS_TYPE_U32,
		      DS_FLAG_OVERWRITE | DS_FLAG_INITIAL) == 0);
	CHECK(notified == 4 && store_check(s, A) && store_check(s, A) && !store_check(s, A));
	CHECK(string(s, B, "a.disk", "t", 2) == 0 && notified == 4);
	CHECK(label(s, "a", 300, DS_FLAG_OVERWRITE) == 0 && number(s, B, "c.disk", 1, 0) == 0 &&
		last_notified == 300);
	CHECK(store_check(s, A) == NULL && store_check(s, 300) != NULL);
	CHECK(store_subscribe(s, B, ".*", 0, 0) == 0);
	CHECK(store_delete(s, EP_RS, "b", DS_TYPE_LABEL) == 0);
	store_verify(s);
	CHECK(store_find(s, "c.disk", DS_TYPE_U32) == NULL && label(s, "b", B, 0) == 0);
	finish(s);
}

/* DS-01, DS-02, DS-03, DS-10: four private flags, each its own. */
static void test_private(void)
{
	struct store *s = fresh();
	struct store_entry *e;

	CHECK(store_subscribe(s, B, ".*", 0, 0) == 0);
	CHECK(number(s, A, "r", 1, DS_FLAG_PRIVATE_RETRIEVE) == 0 && notified == 1);
	CHECK(number(s, A, "o", 1, DS_FLAG_PRIVATE_OVERWRITE) == 0 && notified == 2);
	CHECK(number(s, A, "s", 1, DS_FLAG_PRIVATE_SUBSCRIBE) == 0 && notified == 2);
	CHECK(store_retrieve(s, B, "r", DS_TYPE_U32, &e) == -EPERM &&
		store_retrieve(s, A, "r", DS_TYPE_U32, &e) == 0);
	CHECK(store_retrieve(s, B, "o", DS_TYPE_U32, &e) == 0 &&
		store_retrieve(s, B, "x", DS_TYPE_U32, &e) == -ESRCH);
	CHECK(number(s, B, "o", 2, DS_FLAG_OVERWRITE) == -EPERM &&
		number(s, B, "r", 2, DS_FLAG_OVERWRITE) == 0);
	CHECK(number(s, A, "o", 2, DS_FLAG_OVERWRITE) == 0);
	finish(s);
}

static int range(struct store *s, endpoint_t who, const char *key, uint8_t *data, uint32_t flags)
{
	return store_publish(s, who, key,
		&(struct store_value){.type = DS_TYPE_MAP, .data = data, .len = 4096, .value = 77},
		flags);
}

/* DS-08, DS-09: seven snapshots, of which the last five are kept; never overwritten; deleted. */
static void test_ranges(void)
{
	static uint8_t page[4096];
	struct store *s = fresh();
	const struct store_entry *e;
	uint32_t n = 99;

	unmapped = 0;
	CHECK(range(s, A, "m", page, DS_FLAG_OVERWRITE) == -EINVAL);
	CHECK(range(s, A, "m", page, DS_FLAG_PRIVATE_SNAPSHOT) == 0);
	CHECK(range(s, A, "m", page, 0) == -EEXIST);
	CHECK(store_snapshot(s, B, "m", &n) == -EPERM && store_snapshot(s, A, "x", &n) == -ESRCH);
	for (uint32_t i = 0; i < 7; i++) {
		page[9] = (uint8_t)i;
		CHECK(store_snapshot(s, A, "m", &n) == 0 && n == i);
	}
	page[9] = 99;
	e = store_find(s, "m", DS_TYPE_MAP);
	for (uint32_t i = 0; i < 9; i++) {
		const uint8_t *data = store_snapshot_data(e, i);

		CHECK(i >= 2 && i < 7 ? data && data[9] == i : !data);
	}
	CHECK(s->total_bytes == 5 * 4096);
	store_verify(s);
	CHECK(store_delete(s, B, "m", DS_TYPE_MAP) == -EPERM && unmapped == 0);
	CHECK(store_delete(s, A, "m", DS_TYPE_MAP) == 0 && unmapped == 1 && s->total_bytes == 0);
	CHECK(range(s, A, "m", page, 0) == 0);
	finish(s);
	CHECK(unmapped == 2);
}

static uint8_t mapped_again[4096];

static int fetch_here(uint64_t address, void *to, size_t bytes)
{
	memcpy(to, (void *)address, bytes);
	return 0;
}

static uint8_t *map_here(const struct store *store, const struct store_entry *entry)
{
	CHECK(store_owner(store, entry) == A && entry->value == 77);
	return mapped_again;
}

/* A successor has all of it; what is damaged is dropped. */
static void test_successor(void)
{
	static const struct store_source source = {.fetch = fetch_here, .map = map_here};
	static struct store next;
	static uint8_t page[4096];
	struct store *s = fresh();
	struct store_entry *stray, *unended;
	const struct store_entry *e;
	uint32_t n;

	CHECK(number(s, A, "n", 5, 0) == 0 && string(s, B, "s", "text", 5) == 0);
	CHECK(string(s, B, "bad", "text", 5) == 0 && range(s, A, "m", page, 0) == 0);
	page[0] = 42;
	CHECK(store_snapshot(s, A, "m", &n) == 0);
	CHECK(store_subscribe(s, B, "n.*", 0, 0) == 0 && number(s, A, "n2", 1, 0) == 0);
	((struct store_entry *)store_find(s, "bad", DS_TYPE_STR))->len = UINT32_MAX;
	/* Nobody's, and one whose owner has no end: neither is looked at further. */
	CHECK(string(s, B, "stray", "text", 5) == 0 && range(s, A, "unended", page, 0) == 0);
	stray = (struct store_entry *)store_find(s, "stray", DS_TYPE_STR);
	unended = (struct store_entry *)store_find(s, "unended", DS_TYPE_MAP);
	memcpy(stray->owner, "x", 2);
	memset(unended->owner, 'x', sizeof(unended->owner));
	store_init(&next, &ops);
	memcpy(next.entries, s->entries, sizeof(s->entries));
	memcpy(next.subscriptions, s->subscriptions, sizeof(s->subscriptions));
	store_adopt(&next, &source);
	store_verify(&next);
	CHECK(!store_find(&next, "bad", DS_TYPE_STR) && next.count == s->count - 3);
	memcpy(stray->owner, "b", 2);
	memcpy(unended->owner, "a", 2);
	e = store_find(&next, "s", DS_TYPE_STR);
	CHECK(e && strcmp((char *)e->data, "text") == 0 &&
		e->data != store_find(s, "s", DS_TYPE_STR)->data);
	e = store_find(&next, "m", DS_TYPE_MAP);
	CHECK(e && e->data == mapped_again && store_snapshot_data(e, n)[0] == 42);
	e = store_check(&next, B);
	CHECK(e && strcmp(e->key, "n2") == 0 && !store_check(&next, B));
	notified = 0;
	CHECK(number(&next, A, "n3", 1, 0) == 0 && notified == 1);
	finish(&next);
	((struct store_entry *)store_find(s, "bad", DS_TYPE_STR))->len = 5;
	finish(s);
}

/* DS-10: a client's expression may not cost DS all its memory or time. */
static void test_expressions(void)
{
	static const char *const costly[] = {"((a{99}){99}){99}", "a{129}", "a{0,200}",
		"(a{,9}{99}){2}", "(a?b?c?d?{32})*", "(a{30}|b{30}|c{30})*",
		"x{99999999999999999999}"};
	static const char *const fine[] = {
		"(drv|fs)\\.[a-z0-9]{1,8}", "a{3}", "(a*)*b*(c|d)+", ".*"};
	char longest[DS_KEY_MAX];
	struct store *s = fresh();

	for (size_t i = 0; i < AXO_ARRAY_LEN(costly); i++) {
		CHECK(store_subscribe(s, A, costly[i], 0, DS_FLAG_OVERWRITE) == -EINVAL);
	}
	for (size_t i = 0; i < AXO_ARRAY_LEN(fine); i++) {
		CHECK(store_subscribe(s, A, fine[i], 0, DS_FLAG_OVERWRITE) == 0);
	}
	memset(longest, 'a', sizeof(longest));
	longest[DS_KEY_MAX - 1] = '\0';
	CHECK(store_subscribe(s, A, longest, 0, DS_FLAG_OVERWRITE) == 0);
	CHECK(number(s, B, longest, 1, 0) == 0 && store_check(s, A) != NULL);
	finish(s);
}

static void test_limits(void)
{
	struct store *s = fresh();
	char key[16], *big = calloc(1, STORE_DATA_MAX);
	int r = 0;

	for (int i = 0; r == 0 && i < STORE_ENTRIES_MAX + 5; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		r = number(s, A, key, 1, 0);
	}
	CHECK(r == -ENOMEM && s->count == STORE_ENTRIES_MAX);
	CHECK(store_delete(s, EP_RS, "a", DS_TYPE_LABEL) == 0 && s->count == 2 &&
		label(s, "a", A, 0) == 0);
	r = 0;
	for (int i = 0; r == 0 && i < 20; i++) {
		snprintf(key, sizeof(key), "m%d", i);
		r = store_publish(s, A, key,
			&(struct store_value){
				.type = DS_TYPE_MEM, .data = big, .len = STORE_DATA_MAX},
			0);
	}
	CHECK(r == -ENOMEM && s->total_bytes <= STORE_TOTAL_MAX);
	free(big);
	finish(s);
}

static void test_random(void)
{
	struct store *s = fresh();
	unsigned seed = 7;

	for (int i = 0; i < 20000; i++) {
		char key[8];
		endpoint_t who;

		seed = seed * 1103515245 + 12345;
		who = (seed >> 20 & 1) ? A : B;
		snprintf(key, sizeof(key), "k%u", seed >> 8 & 15);
		switch (seed >> 16 & 7) {
		case 0:
			(void)store_delete(s, who, key, DS_TYPE_U32);
			break;
		case 1:
			(void)string(s, who, key, "some text", 10);
			break;
		case 2:
			(void)store_subscribe(s, who, "k[0-7]", 0, seed >> 24 & 3);
			break;
		case 3:
			(void)store_check(s, who);
			break;
		case 4:
			if ((seed >> 24 & 31) == 0) {
				(void)store_delete_label_of(s, EP_RS, who);
				(void)label(s, who == A ? "a" : "b", who, 0);
			}
			break;
		default:
			(void)number(s, who, key, seed & 0xff, DS_FLAG_OVERWRITE);
			break;
		}
		if (i % 100 == 0) {
			store_verify(s);
		}
	}
	finish(s);
}

int main(void)
{
	test_labels();
	test_values();
	test_subscriptions();
	test_private();
	test_ranges();
	test_successor();
	test_expressions();
	test_limits();
	test_random();
	printf("%u failures\n", failures);
	return failures != 0;
}
