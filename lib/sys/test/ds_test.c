/* SPDX-License-Identifier: BSD-2-Clause */
/* Host test of the data store's client side: answers that cannot be. */
#include "lib/sys/ds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/trap.h"

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

static struct message answer; /* DS's, to whatever it is asked */

int64_t sys_trap(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	if (nr == TRAP_SENDREC) {
		*(struct message *)a1 = answer;
	}
	return 0;
}

static void answers(uint32_t data_len, uint64_t value)
{
	answer = (struct message){.type = 0};
	MSG(&answer, ds_rep)->data_len = data_len;
	MSG(&answer, ds_rep)->value = value;
}

int main(void)
{
	char text[8] = "1234567", key[DS_KEY_MAX];
	struct ds_info info[2];
	size_t bytes = sizeof(text);
	endpoint_t ep = EP_NONE;
	uint32_t type;

	answers(4, 0);
	CHECK(ds_retrieve_str("key", text, sizeof(text)) == 0 && strcmp(text, "123") == 0);
	CHECK(ds_retrieve_mem("key", text, &bytes) == 0 && bytes == 4);
	answers(0, 0);
	CHECK(ds_retrieve_str("key", text, sizeof(text)) == 0 && text[0] == '\0');
	answers(sizeof(text) + 1, 0);
	bytes = sizeof(text);
	CHECK(ds_retrieve_str("key", text, sizeof(text)) == -EIO);
	CHECK(ds_retrieve_mem("key", text, &bytes) == -EIO && bytes == sizeof(text));
	memset(key, 'x', sizeof(key));
	CHECK(ds_check(key, &type, &ep) == 0 && strlen(key) == sizeof(key) - 1);
	memset(text, 'x', sizeof(text));
	CHECK(ds_retrieve_label_name(text, sizeof(text), 5) == 0);
	CHECK(strlen(text) == sizeof(text) - 1 && ds_retrieve_label_name(text, 0, 5) == -E2BIG);
	answers(0, 2);
	CHECK(ds_getinfo(info, 2, 0) == 2);
	answers(0, 3);
	CHECK(ds_getinfo(info, 2, 0) == -EIO);
	return 0;
}
