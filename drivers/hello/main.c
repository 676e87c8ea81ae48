/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest driver: /dev/hello reads as a greeting. docs/first-driver.md builds it up line by
 * line.
 *
 * State: how often it was opened; lost at restart.
 */
#include <errno.h>

#include "lib/core/util.h"
#include "lib/drv/chr.h"
#include "lib/drv/driver.h"
#include "lib/sys/diag.h"
#include "lib/sys/sef.h"

static const char greeting[] = "Hello, world!\n";

struct hello {
	uint32_t opens;
};

static struct hello hello;

static int64_t hello_open(void *ctx, const struct chr_request *req)
{
	struct hello *h = ctx;

	if (req->minor != 0) {
		return -ENXIO;
	}
	h->opens++;
	diag_printf("opened %u times", h->opens);
	return 0;
}

static int64_t hello_read(void *ctx, const struct chr_request *req)
{
	uint64_t length = sizeof(greeting) - 1;
	uint64_t bytes;
	int r;

	if (req->position >= length) {
		return 0;
	}
	bytes = u64_min(length - req->position, req->bytes);
	r = chr_copy_out(req, 0, greeting + req->position, bytes);
	return r < 0 ? r : (int64_t)bytes;
}

static int hello_init(const struct sef_info *info)
{
	static const char *const how[] = {
		[SEF_INIT_FRESH] = "Hello, world!",
		[SEF_INIT_LU] = "I have been updated.",
		[SEF_INIT_RESTART] = "I have been restarted.",
	};

	diag_printf("%s", how[info->type]);
	return 0;
}

static const struct chr_driver chr = {
	.open = hello_open,
	.read = hello_read,
};

static const struct driver driver = {.ctx = &hello, .chr = &chr};

int main(void)
{
	sef_on_init(hello_init);
	sef_start();
	driver_run(&driver);
}
