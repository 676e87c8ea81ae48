/* SPDX-License-Identifier: BSD-2-Clause */
/* See requestor.h. */
#include "tests/services/requestor.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/sys/ds.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef.h"

endpoint_t grantor, passer;
uint8_t *buffer;
int failures;

int ask(int op, struct partner req)
{
	struct message m = {.type = op};
	int r;

	memcpy(m.raw, &req, sizeof(req));
	r = ipc_sendrec(grantor, &m);
	return r < 0 ? r : m.type;
}

int ask_grant(uint64_t offset, uint64_t bytes, uint32_t access)
{
	return ask(PARTNER_GRANT,
		(struct partner){.offset = offset, .bytes = bytes, .access = access});
}

bool is_filled(uint64_t at, uint64_t offset, uint64_t bytes, uint32_t seed)
{
	for (uint64_t i = 0; i < bytes; i++) {
		if (buffer[at + i] != partner_byte(offset + i, seed)) {
			return false;
		}
	}
	return true;
}

static int init(const struct sef_info *info)
{
	buffer = mmap(NULL, PARTNER_BYTES + PARTNER_PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffer == MAP_FAILED || ds_retrieve_label("grantor", &grantor) < 0 ||
		ds_retrieve_label("passer", &passer) < 0) {
		return -ENOENT;
	}
	if (strcmp(info->args, "safecopy") == 0) {
		test_safecopy();
	} else if (strcmp(info->args, "safemap") == 0) {
		test_safemap();
	} else if (strcmp(info->args, "safeperf") == 0) {
		test_safeperf();
	} else {
		return -EINVAL;
	}
	diag_printf("%s: %s", info->args, failures == 0 ? "passed" : "failed");
	return failures == 0 ? 0 : -EIO;
}

int main(void)
{
	sef_on_init(init);
	sef_start();
	for (;;) {
		struct message m;

		(void)sef_receive(EP_ANY, &m, NULL);
	}
}
