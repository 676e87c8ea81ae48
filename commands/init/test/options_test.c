/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel options and base64. */
#include "commands/init/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned failures;

#define CHECK(condition)                                                               \
	do {                                                                           \
		if (!(condition)) {                                                    \
			printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
			failures++;                                                    \
		}                                                                      \
	} while (0)

static void check_decode(const char *coded, const char *plain)
{
	char *text = options_decode(coded, strlen(coded));

	CHECK(plain ? text && strcmp(text, plain) == 0 : !text);
	free(text);
}

static void test_decode(void)
{
	check_decode("", "");
	check_decode("Zg==", "f");
	check_decode("Zm8=", "fo");
	check_decode("Zm9v", "foo");
	check_decode("Zm9vYg", "foob");
	check_decode("ZWNobyAkKCg2KjcpKQo=", "echo $((6*7))\n");
	check_decode("Zm9v!", NULL);
	check_decode("Zm 9v", NULL);
}

static void test_parse(void)
{
	struct options o;

	CHECK(options_parse(&o, "") == 0 && strcmp(o.root, "/dev/vda") == 0 &&
		strcmp(o.root_type, "ext2") == 0);
	CHECK(!o.command && !o.is_read_only && !o.is_vga);
	CHECK(options_parse(&o,
		      "  kernel root=/dev/vdb ro rootfstype=tmp console=vga exec=Zm9v log=com2 ") ==
		0);
	CHECK(strcmp(o.root, "/dev/vdb") == 0 && strcmp(o.root_type, "tmp") == 0 &&
		o.is_read_only && o.is_vga);
	CHECK(o.command && strcmp(o.command, "foo") == 0);
	free(o.command);
	CHECK(options_parse(&o, "exec=Zg== exec=Zm8= ro rw root=") == 0 &&
		strcmp(o.command, "fo") == 0);
	CHECK(!o.is_read_only && strcmp(o.root, "/dev/vda") == 0);
	free(o.command);
	CHECK(options_parse(&o, "exec=*") == -EINVAL);
}

int main(void)
{
	test_decode();
	test_parse();
	printf("%u failures\n", failures);
	return failures != 0;
}
