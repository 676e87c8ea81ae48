/* SPDX-License-Identifier: BSD-2-Clause */
/* The parser of declarations (RS-05): meanings, errors with their lines, mutated and random texts,
 * the files given as arguments. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/sched.h"
#include "proto/vm.h"
#include "servers/rs/conf.h"
#include "servers/rs/conf_write.h"

static unsigned failures;

#define CHECK(condition)                                                               \
	do {                                                                           \
		if (!(condition)) {                                                    \
			printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
			failures++;                                                    \
		}                                                                      \
	} while (0)

static const char full[] =
	"# a comment { ; }\n"
	"service virtio_blk {\n"
	"\tuid 17; class driver;\n"
	"\tipc vfs @fs pm; ipc ds;\n"
	"\tkcall vumap devio irqctl;\n"
	"\tvm map_phys alloc_contig;\n"
	"\tchr 4 5; blk 254;\n"
	"\tpci 1af4:1042 1AF4:1001;\n"
	"\tio 0x3f8 8 0x60 1; irq 4 1;\n"
	"\tmem 0xa0000 0x20000;\n"
	"\tsched priority 3 quantum 20;\n"
	"\tquota memory 0x1000000 grants 500;\n"
	"\trestart no; signal_manager pm; heap no; core yes; magic_grants yes;\n"
	"\tperiod 250; replica yes; script /etc/again; control 5; control 1000 6;\n"
	"}\n";

static int parse(const char *text, struct conf_service *out, struct conf_error *error)
{
	struct conf_text in;

	memset(error, 0, sizeof(*error));
	conf_open(&in, text, strlen(text));
	return conf_next(&in, out, error);
}

static void test_meaning(void)
{
	struct conf_service s;
	struct conf_error error;

	CHECK(parse(full, &s, &error) == 1);
	CHECK(strcmp(s.name, "virtio_blk") == 0 && s.line == 2);
	CHECK(s.uid == 17 && s.class == CONF_CLASS_DRIVER);
	CHECK(s.ipc_count == 4 && strcmp(s.ipc[1], "@fs") == 0 && strcmp(s.ipc[3], "ds") == 0 &&
		!s.ipc_all);
	CHECK(s.kcalls == (1ull << KCALL_vumap | 1ull << KCALL_devio | 1ull << KCALL_irqctl));
	CHECK(s.vm_calls ==
		(1ull << (VM_MAP_PHYS - VM_BASE) | 1ull << (VM_ALLOC_CONTIG - VM_BASE)));
	CHECK(s.period_ns == 250000000 && s.replica && strcmp(s.script, "/etc/again") == 0);
	CHECK(s.control_count == 3 && s.control[0] == 5 && s.control[1] == 1000);
	CHECK(s.chr_count == 2 && s.chr[0] == 4 && s.chr[1] == 5 && s.blk_count == 1 &&
		s.blk[0] == 254);
	CHECK(s.pci_count == 2 && s.pci[0] == 0x1af41042 && s.pci[1] == 0x1af41001);
	CHECK(s.io_count == 2 && s.io[0].start == 0x3f8 && s.io[0].end == 0x3ff &&
		s.io[1].end == 0x60);
	CHECK(s.mem_count == 1 && s.mem[0].end == 0xbffff && s.irq_count == 2 && s.irq[1] == 1);
	CHECK(s.memory_max == 0x1000000 && s.grants_max == 500);
	CHECK(s.priority == 3 && s.quantum_ns == 20000000 && s.restart == CONF_RESTART_NO);
	CHECK(strcmp(s.signal_manager, "pm") == 0 && !s.heap && s.is_core && s.magic_grants);
}

static void test_defaults(void)
{
	struct conf_service s;
	struct conf_error error;

	CHECK(parse("service a{class fs;}", &s, &error) == 1);
	CHECK(s.uid == 999 && s.ipc_count == 0 && s.kcalls == 0 && s.vm_calls == 0 && s.heap &&
		!s.is_core);
	CHECK(s.priority == SCHED_PRIO_FS && s.restart == CONF_RESTART_YES &&
		strcmp(s.signal_manager, "rs") == 0);
	CHECK(parse("service a { ipc all; kcall all; vm none; io all; }", &s, &error) == 1);
	CHECK(s.ipc_all && s.kcalls == UINT64_MAX && s.vm_calls == 0 && s.io_all);
	CHECK(parse("", &s, &error) == 0 && parse(" \n# nothing\n", &s, &error) == 0);
}

static void test_errors(void)
{
	static const struct {
		const char *text;
		uint32_t line;
		const char *words;
	} cases[] = {
		{"servce x {}", 1, "'service' expected"},
		{"service {}", 1, "needs a name"},
		{"service 1x {}", 1, "needs a name"},
		{"service abcdefghijklmnopqrstuvwx {}", 1, "needs a name"},
		{"service x\nuid 1;", 2, "'{' expected"},
		{"service x {\n uid 1\n}", 3, "missing"},
		{"service x {\n uid 1;\n", 3, "ends within"},
		{"service x {\n uid", 2, "ends within 'uid'"},
		{"service x {\n uid;}", 2, "needs a user id"},
		{"service x {\n\n uid one;}", 3, "not a number"},
		{"service x { uid 99999999999999999999999; }", 1, "not a number"},
		{"service x { uid 1;\n uid 2; }", 2, "second time"},
		{"service x { uid 1 2; }", 1, "no further"},
		{"service x {\n colour blue; }", 2, "no statement"},
		{"service x { class pet; }", 1, "no class"},
		{"service x { ipc @pets; }", 1, "no label"},
		{"service x { kcall fly; }", 1, "no call 'fly'"},
		{"service x { vm fly; }", 1, "no call 'fly'"},
		{"service x { io 0x3f8; }", 1, "count"},
		{"service x { io 0xffff 2; }", 1, "empty or too long"},
		{"service x { io 1 0; }", 1, "empty or too long"},
		{"service x { io 65536 1; }", 1, "not a number"},
		{"service x { pci 12345:1; }", 1, "VENDOR:DEVICE"},
		{"service x { pci 1af4; }", 1, "VENDOR:DEVICE"},
		{"service x { chr 1 2 3 4 5 6 7 8 9; }", 1, "more than 8"},
		{"service x { irq 256; }", 1, "not a number"},
		{"service x { sched speed 3; }", 1, "not 'speed'"},
		{"service x { sched priority 16; }", 1, "not a number"},
		{"service x { restart maybe; }", 1, "yes or no"},
		{"service x { signal_manager @fs; }", 1, "no label"},
		{"service x {\n kcall vumap\n  getinfo; }", 3, "basic set"},
		{"service x { mem 0x10000000000000 1; }", 1, "not a number"},
		{"service x { period 9; }", 1, "less than 10"},
		{"service x { period long; }", 1, "not a number"},
		{"service x { replica 2; }", 1, "yes or no"},
		{"service x { replica yes; replica yes; }", 1, "second time"},
		{"service x {\n\n script again; }", 3, "no absolute path"},
		{"service x { script /a /b; }", 1, "no further"},
		{"service x { control root; }", 1, "not a number"},
		{"service x { control 1 2 3 4 5 6 7 8 9; }", 1, "more than 8"},
		{"service x { heap; }", 1, "yes or no"},
		{"service x { core perhaps; }", 1, "yes or no"},
		{"service x { magic_grants all; }", 1, "yes or no"},
		{"service x { blk 5000; }", 1, "not a number"},
		{"service x { \001 }", 1, "byte that no word"},
		{"service x { quota messages 3; }", 1, "not 'messages'"},
		{"service x { quota memory; }", 1, "needs a number"},
		{"service x { quota grants 0; }", 1, "nothing can run"},
		{"service x { quota grants 65537; }", 1, "not a number"},
		{"service x { quota grants 5;\n quota memory 5; }", 2, "second time"},
		{"service x { quota memory 5 grants 5\n memory 6; }", 2, "'quota': memory stands"},
		{"service x { sched priority 5\n priority 5; }", 2, "'sched': priority stands"},
		{"service x { sched quantum 5 quantum 6; }", 1, "'sched': quantum stands"},
		{"service x { chr 4 5;\n chr 4; }", 2, "'chr': 4 stands here a second"},
		{"service x { blk 4\n 4; }", 2, "second time"},
		{"service x { irq 4 4; }", 1, "second time"},
		{"service x { io 0x60 4 0x70 2\n 0x63 1; }", 2, "already"},
		{"service x { mem 0x1000 0x1000 0x1fff 1; }", 1, "already"},
		{"service x { pci 1af4:1 1AF4:0001; }", 1, "second time"},
		{"service x { ipc vfs;\n\n ipc pm vfs; }", 3, "'ipc': vfs stands"},
		{"service x { kcall vumap;\n kcall vumap; }", 2, "vumap stands"},
		{"service x { vm info info; }", 1, "info stands"},
		{"service x { control 7 7; }", 1, "second time"},
		{"service x { "
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; }",
			1, "too long"},
	};

	for (size_t i = 0; i < AXO_ARRAY_LEN(cases); i++) {
		struct conf_service s;
		struct conf_error error;
		int r = parse(cases[i].text, &s, &error);

		if (r != -EINVAL || error.line != cases[i].line ||
			!strstr(error.text, cases[i].words)) {
			printf("case %zu: r %d line %u '%s'\n", i, r, error.line, error.text);
			failures++;
		}
	}
}

/* Two declarations mean the same. Names of bits that no call has do not matter. */
static bool are_equal(const struct conf_service *a, const struct conf_service *b)
{
	struct conf_service x = *a, y = *b;

	x.line = y.line = 0;
	return memcmp(&x, &y, sizeof(x)) == 0;
}

/* What is written out reads as it was. */
static void check_written(const struct conf_service *conf)
{
	char text[4096];
	struct conf_writer out = {.text = text, .size = sizeof(text)};
	struct conf_service again;
	struct conf_error error;
	char *tight;
	size_t len;

	conf_write(&out, conf);
	conf_write_text(&out, "}\n");
	CHECK(out.len == strlen(text));
	len = out.len;
	CHECK(parse(text, &again, &error) == 1 && are_equal(conf, &again));
	/* In less room the same length, and no byte behind it. */
	for (size_t room = 0; room < len; room += 7) {
		tight = malloc(room + 1);
		out = (struct conf_writer){.text = tight, .size = room};
		conf_write(&out, conf);
		CHECK(out.len == len - 2);
		free(tight);
	}
}

static void test_written(void)
{
	struct conf_service s;
	struct conf_error error;

	CHECK(parse(full, &s, &error) == 1);
	check_written(&s);
	CHECK(parse("service a { ipc all; kcall all; vm all; io all; signal_manager self; }", &s,
		      &error) == 1);
	check_written(&s);
	CHECK(parse("service a { class server; uid 0; }", &s, &error) == 1);
	check_written(&s);
}

static void test_find(void)
{
	static const char two[] = "service a { uid 1; }\nservice b { uid 2; }\n";
	static const char twice[] = "service a { uid 1; }\nservice a { uid 2; }\n";
	static const char bad[] = "service a { uid 1; }\nservice b { uid; }\n";
	struct conf_service s;
	struct conf_error error;

	CHECK(conf_find(two, strlen(two), "b", &s, &error) == 0 && s.uid == 2);
	CHECK(conf_find(two, strlen(two), "a", &s, &error) == 0 && s.uid == 1);
	CHECK(conf_find(two, strlen(two), "c", &s, &error) == -ENOENT);
	CHECK(conf_find("service a {}", 12, "c", &s, &error) == 0 && strcmp(s.name, "a") == 0);
	CHECK(conf_find("", 0, "c", &s, &error) == -ENOENT);
	CHECK(conf_find(twice, strlen(twice), "a", &s, &error) == -EINVAL && error.line == 2);
	CHECK(conf_find(bad, strlen(bad), "a", &s, &error) == -EINVAL && error.line == 2);
}

/* Texts made of a right one by damage: none may do worse than an error. The buffer ends where the
 * text does. */
static void test_mutations(void)
{
	static const char pool[] = "{};# \n0x:@_-.az9\xff\x80";
	unsigned seed = 12345;

	for (int round = 0; round < 20000; round++) {
		size_t len = strlen(full);
		char *text = malloc(len);
		struct conf_service s;
		struct conf_error error;
		struct conf_text in;

		memcpy(text, full, len);
		seed = seed * 1103515245 + 12345;
		for (unsigned n = 1 + (seed >> 16) % 8; n > 0; n--) {
			seed = seed * 1103515245 + 12345;
			text[(seed >> 8) % len] = pool[(seed >> 24) % (sizeof(pool) - 1)];
		}
		len -= (seed >> 4) % 40;
		text = realloc(text, len);
		conf_open(&in, text, len);
		while (conf_next(&in, &s, &error) == 1) {
		}
		free(text);
	}
}

/* No device number is declared twice. */
static void check_numbers(const struct conf_service *s)
{
	static bool taken[2][4096];

	for (uint32_t i = 0; i < s->chr_count; i++) {
		CHECK(!taken[0][s->chr[i]]);
		taken[0][s->chr[i]] = true;
	}
	for (uint32_t i = 0; i < s->blk_count; i++) {
		CHECK(!taken[1][s->blk[i]]);
		taken[1][s->blk[i]] = true;
	}
}

static void test_file(const char *path)
{
	static char text[CONF_TEXT_MAX];
	struct conf_service s;
	struct conf_error error;
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	char name[64];
	FILE *file = fopen(path, "r");
	size_t len;

	if (!file) {
		perror(path);
		failures++;
		return;
	}
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
	if (conf_find(text, len, name, &s, &error) < 0) {
		printf("%s:%u: %s\n", path, error.line, error.text);
		failures++;
	} else {
		CHECK(strcmp(s.name, name) == 0);
		/* Drivers and file systems are users of their own. */
		CHECK(s.class == CONF_CLASS_SERVER || (s.uid >= 900 && s.uid < 999));
		CHECK(s.kcalls != UINT64_MAX && s.vm_calls != UINT64_MAX && !s.io_all);
		/* NEG-18, NEG-11: no basic calls, and none to physical memory. */
		CHECK(!(s.kcalls & (KCALL_BASIC | 1ull << KCALL_physcopy)));
		check_written(&s);
		check_numbers(&s);
	}
}

int main(int argc, char **argv)
{
	test_meaning();
	test_defaults();
	test_errors();
	test_written();
	test_find();
	test_mutations();
	for (int i = 1; i < argc; i++) {
		test_file(argv[i]);
	}
	printf("%u failures\n", failures);
	return failures != 0;
}
