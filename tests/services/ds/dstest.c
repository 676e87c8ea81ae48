/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A test service for DS (TST-04, DS-01 to DS-13). Its argument names the test, its init runs it:
 *   values, private, ranges, watch, info   against the entries of another instance, which runs
 *   publish                                (label "dsother")
 *   subscribe                              says each change of "sub\..*" in the log, for ever
 *   kept                                   the same after DS's own crash
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/sys/diag.h"
#include "lib/sys/ds.h"
#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef.h"

#define PAGE 4096

static int failures;
static uint8_t *page, *other; /* two pages each */

#define EXPECT(condition)                                                                \
	do {                                                                             \
		if (!(condition)) {                                                      \
			failures++;                                                      \
			diag_printf("FAILED %s:%d: %s", __FILE__, __LINE__, #condition); \
		}                                                                        \
	} while (0)

static void test_numbers(void)
{
	char long_key[DS_KEY_MAX + 1];
	uint32_t value = 0;

	memset(long_key, 'k', sizeof(long_key));
	long_key[DS_KEY_MAX] = '\0';
	EXPECT(ds_publish_u32("n", 5, 0) == 0 && ds_publish_u32("n", 6, 0) == -EEXIST);
	EXPECT(ds_retrieve_u32("n", &value) == 0 && value == 5);
	EXPECT(ds_publish_u32("n", 6, DS_FLAG_OVERWRITE) == 0);
	EXPECT(ds_retrieve_u32("n", &value) == 0 && value == 6);
	EXPECT(ds_delete_u32("n") == 0 && ds_delete_u32("n") == -ESRCH);
	EXPECT(ds_retrieve_u32("n", &value) == -ESRCH);
	EXPECT(ds_publish_u32("", 1, 0) == -EINVAL && ds_publish_u32(long_key, 1, 0) == -EINVAL);
	long_key[DS_KEY_MAX - 1] = '\0';
	EXPECT(ds_publish_u32(long_key, 1, 0) == 0 && ds_delete_u32(long_key) == 0);
}

/* DS-07: of any length; what does not fit is cut, and ended by NUL. */
static void test_string(size_t len)
{
	char *text = malloc(len + 1), *back = malloc(len + 1);

	EXPECT(text && back);
	memset(text, 'x', len);
	text[len] = '\0';
	EXPECT(ds_publish_str("s", text, DS_FLAG_OVERWRITE) == 0);
	EXPECT(ds_retrieve_str("s", back, len + 1) == 0 && strcmp(text, back) == 0);
	if (len > 1) {
		EXPECT(ds_retrieve_str("s", back, len) == 0 && strlen(back) == len - 1);
		EXPECT(ds_retrieve_str("s", back, 2) == 0 && strcmp(back, "x") == 0);
	}
	free(text);
	free(back);
}

static void test_strings(void)
{
	static const size_t lengths[] = {0, 1, 15, 16, 17, 4000, 100000};

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		test_string(lengths[i]);
	}
	EXPECT(ds_publish_str("s", "again", 0) == -EEXIST && ds_delete_str("s") == 0);
}

/* DS-03, DS-06: smaller and larger buffers, longer data when overwriting. */
static void test_memory(void)
{
	uint8_t back[64];
	size_t bytes = sizeof(back);

	memset(page, 1, PAGE);
	EXPECT(ds_publish_mem("m", page, 32, 0) == 0);
	EXPECT(ds_retrieve_mem("m", back, &bytes) == 0 && bytes == 32 && back[31] == 1);
	bytes = 8;
	memset(back, 0, sizeof(back));
	EXPECT(ds_retrieve_mem("m", back, &bytes) == 0 && bytes == 8 && back[8] == 0);
	memset(page, 2, PAGE);
	EXPECT(ds_publish_mem("m", page, 64, DS_FLAG_OVERWRITE) == 0);
	bytes = 64;
	EXPECT(ds_retrieve_mem("m", back, &bytes) == 0 && bytes == 64 && back[63] == 2);
	EXPECT(ds_publish_mem("m", page, 2 << 20, DS_FLAG_OVERWRITE) == -E2BIG);
	EXPECT(ds_delete_mem("m") == 0);
}

/* DS-05: both directions; only RS publishes them. */
static void test_labels(void)
{
	endpoint_t ep = EP_NONE;
	char label[24] = "";

	EXPECT(ds_retrieve_label("ds", &ep) == 0 && ep == EP_DS);
	EXPECT(ds_retrieve_label_name(label, sizeof(label), EP_DS) == 0);
	EXPECT(strcmp(label, "ds") == 0);
	EXPECT(ds_retrieve_label_name(label, 2, EP_DS) == -E2BIG);
	EXPECT(ds_retrieve_label_name(label, sizeof(label), EP_NONE) == -ESRCH);
	EXPECT(ds_publish_label("mine", sef_self()->self, 0) == -EPERM);
	EXPECT(ds_delete_label("ds") == -EPERM && ds_retrieve_label("none", &ep) == -ESRCH);
}

static void test_values(void)
{
	test_numbers();
	test_strings();
	test_memory();
	test_labels();
}

/* What dsother published. */
static void test_private(void)
{
	char text[16];
	uint32_t value = 0, number;
	size_t bytes = PAGE;

	EXPECT(ds_retrieve_u32("other.open", &value) == 0 && value == 1);
	EXPECT(ds_publish_u32("other.open", 1, DS_FLAG_OVERWRITE) == 0);
	EXPECT(ds_delete_u32("other.open") == -EPERM);
	EXPECT(ds_retrieve_u32("other.kept", &value) == 0);
	EXPECT(ds_publish_u32("other.kept", 2, DS_FLAG_OVERWRITE) == -EPERM);
	EXPECT(ds_retrieve_str("other.secret", text, sizeof(text)) == -EPERM);
	EXPECT(ds_snapshot_map("other.map", &number) == -EPERM);
	EXPECT(ds_copy_map("other.map", page, &bytes) == 0 && bytes == PAGE && page[5] == 'o');
}

static bool maps_as(uint8_t value)
{
	size_t bytes = PAGE;

	return ds_copy_map("r", other, &bytes) == 0 && bytes == PAGE && other[7] == value;
}

static bool snapshot_is(uint32_t number, uint8_t value)
{
	size_t bytes = PAGE;

	return ds_copy_snapshot("r", number, other, &bytes) == 0 && other[7] == value;
}

/* A request for a mapped range by a grant that is not for that. */
static int publish_by(grant_t grant)
{
	struct message m = {.type = DS_PUBLISH};
	static const char key[] = "bad";
	grant_t name = grant_direct(EP_DS, key, sizeof(key), GRANT_READ);
	int r;

	*MSG(&m, ds_req) = (struct ds_req){.type = DS_TYPE_MAP,
		.key = name,
		.key_len = sizeof(key),
		.data = grant,
		.data_len = PAGE};
	r = ipc_call(EP_DS, &m);
	(void)grant_revoke(name);
	return r;
}

/* DS-12: what cannot be mapped leaves nothing behind. */
static void test_bad_ranges(void)
{
	grant_t not_for_maps = grant_direct(EP_DS, page, PAGE, GRANT_READ);
	size_t bytes = PAGE;

	EXPECT(publish_by(not_for_maps) < 0 && publish_by(GRANT_INVALID) < 0);
	EXPECT(grant_revoke(not_for_maps) == 0 && publish_by(not_for_maps) < 0);
	EXPECT(ds_copy_map("bad", other, &bytes) == -ESRCH);
}

/* DS-08, DS-09: live, copied, as it was; the last five of seven snapshots. */
static void test_ranges(void)
{
	uint32_t number = 99;
	size_t bytes = PAGE;

	test_bad_ranges();
	page[7] = 1;
	EXPECT(ds_publish_map("r", page + 1, PAGE, 0) == -EINVAL);
	EXPECT(ds_publish_map("r", page, PAGE - 1, 0) == -EINVAL);
	EXPECT(ds_publish_map("r", page, PAGE, DS_FLAG_OVERWRITE) == -EINVAL);
	EXPECT(ds_publish_map("r", page, PAGE, 0) == 0);
	EXPECT(ds_publish_map("r", page, PAGE, 0) == -EEXIST);
	EXPECT(ds_snapshot_map("r", &number) == 0 && number == 0);
	page[7] = 2;
	EXPECT(maps_as(2));
	EXPECT(snapshot_is(0, 1));
	for (uint32_t i = 1; i < 7; i++) {
		page[7] = (uint8_t)(i + 1);
		EXPECT(ds_snapshot_map("r", &number) == 0 && number == i);
	}
	for (uint32_t i = 2; i < 7; i++) {
		EXPECT(snapshot_is(i, (uint8_t)(i + 1)));
	}
	bytes = PAGE;
	EXPECT(ds_copy_snapshot("r", 1, other, &bytes) == -EINVAL);
	EXPECT(ds_copy_snapshot("r", 7, other, &bytes) == -EINVAL);
	EXPECT(ds_delete_map("r") == 0 && ds_copy_map("r", other, &bytes) == -ESRCH);
	EXPECT(ds_retrieve_map("other.map", other, PAGE) == 0);
	EXPECT(other[5] == 'o' && ds_retrieve_map("other.map", other, 2 * PAGE) == -EINVAL);
}

static bool next_is(const char *expected)
{
	char key[DS_KEY_MAX] = "";
	uint32_t type;
	endpoint_t owner;
	int r = ds_check(key, &type, &owner);

	return expected ? r == 0 && strcmp(key, expected) == 0 && owner == sef_self()->self
			: r == -ENOENT;
}

/* DS-04, DS-10, DS-11. */
static void test_watch(void)
{
	EXPECT(ds_subscribe("w[", 0, 0) == -EINVAL && next_is(NULL));
	EXPECT(ds_publish_u32("watch.a", 1, 0) == 0);
	EXPECT(ds_subscribe("watch\\.[a-c]", 0, DS_FLAG_INITIAL) == 0);
	EXPECT(next_is("watch.a") && next_is(NULL));
	EXPECT(ds_subscribe("x", 0, 0) == -EEXIST);
	EXPECT(ds_publish_u32("watch.b", 1, 0) == 0 && ds_publish_u32("watch.bb", 1, 0) == 0);
	EXPECT(ds_publish_u32("xwatch.b", 1, 0) == 0);
	EXPECT(ds_publish_u32("watch.c", 1, DS_FLAG_PRIVATE_SUBSCRIBE) == 0);
	EXPECT(ds_publish_u32("watch.b", 2, DS_FLAG_OVERWRITE) == 0);
	EXPECT(next_is("watch.b") && next_is(NULL));
	EXPECT(ds_publish_u32("watch.a", 2, DS_FLAG_OVERWRITE) == 0);
	EXPECT(ds_delete_u32("watch.a") == 0 && next_is(NULL));
	EXPECT(ds_subscribe(".*", 1u << DS_TYPE_STR, DS_FLAG_OVERWRITE) == 0);
	EXPECT(ds_publish_u32("watch.a", 2, 0) == 0 && next_is(NULL));
	EXPECT(ds_publish_str("text", "t", 0) == 0 && next_is("text") && next_is(NULL));
}

/* DS-13: all that is there, a few at a time. */
static void test_info(void)
{
	struct ds_info info[3];
	bool has_secret = false, has_label = false;
	int count;

	for (uint32_t first = 0; (count = ds_getinfo(info, 3, first)) > 0; first += 3) {
		for (int i = 0; i < count; i++) {
			has_label = has_label ||
				(info[i].type == DS_TYPE_LABEL && strcmp(info[i].key, "ds") == 0 &&
					info[i].value == EP_DS);
			has_secret = has_secret ||
				(strcmp(info[i].key, "other.secret") == 0 && info[i].value == 0 &&
					info[i].bytes == 7);
		}
	}
	EXPECT(count == 0 && has_label && has_secret);
}

static void publish(void)
{
	page[5] = 'o';
	EXPECT(ds_publish_u32("other.open", 1, 0) == 0);
	EXPECT(ds_publish_u32("other.kept", 1, DS_FLAG_PRIVATE_OVERWRITE) == 0);
	EXPECT(ds_publish_str("other.secret", "secret", DS_FLAG_PRIVATE_RETRIEVE) == 0);
	EXPECT(ds_publish_map("other.map", page, PAGE, DS_FLAG_PRIVATE_SNAPSHOT) == 0);
}

/* Of dsother, which lives through DS's crash. */
static void test_kept(void)
{
	size_t bytes = PAGE;
	uint32_t value = 0;
	endpoint_t ep;

	test_private();
	EXPECT(ds_copy_map("other.map", page, &bytes) == 0 && page[5] == 'o');
	EXPECT(ds_retrieve_label("dsother", &ep) == 0);
	EXPECT(ds_retrieve_u32("sub.n", &value) == -ESRCH && ds_publish_u32("sub.n", 1, 0) == 0);
}

static void say_changes(void)
{
	char key[DS_KEY_MAX];
	uint32_t type;
	endpoint_t owner;

	while (ds_check(key, &type, &owner) == 0) {
		diag_printf("changed: %s", key);
	}
}

static int init(const struct sef_info *info)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} tests[] = {{"values", test_values}, {"private", test_private}, {"ranges", test_ranges},
		{"watch", test_watch}, {"info", test_info}, {"publish", publish},
		{"kept", test_kept}};

	if (strcmp(info->args, "subscribe") == 0) {
		return ds_subscribe("sub\\..*", 0, 0);
	}
	page = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	other = page + 2 * PAGE;
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (strcmp(info->args, tests[i].name) == 0) {
			memset(page, 0, 4 * PAGE);
			tests[i].run();
			diag_printf("%s: %s", info->args, failures == 0 ? "passed" : "failed");
			return failures == 0 ? 0 : -EIO;
		}
	}
	return -EINVAL;
}

int main(void)
{
	sef_on_init(init);
	sef_start();
	for (;;) {
		struct message m;

		if (sef_receive(EP_ANY, &m, NULL) == 0 && IS_NOTIFY(&m) && m.source == EP_DS) {
			say_changes();
		}
	}
}
