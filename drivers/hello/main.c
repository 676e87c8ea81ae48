/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest driver: /dev/hello reads as a greeting and two numbers. docs/first-driver.md builds
 * it up line by line.
 *
 * State: how often it was opened and read; registered, so that it outlives a crash and an update.
 */
#include <errno.h>
#include <stdio.h>

#include "lib/core/util.h"
#include "lib/drv/chr.h"
#include "lib/drv/driver.h"
#include "lib/sys/diag.h"
#include "lib/sys/sef.h"

#ifndef HELLO_GREETING
#define HELLO_GREETING "Hello, world!"
#endif

struct hello {
	uint64_t opens;
	uint64_t reads;
};

static struct hello hello;

static int64_t hello_open(void *ctx, const struct chr_request *req)
{
	struct hello *h = ctx;

	if (req->minor != 0) {
		return -ENXIO;
	}
	h->opens++;
	return 0;
}

/* A read from the start counts; what is left of the line may be read on from any position. */
static int64_t hello_read(void *ctx, const struct chr_request *req)
{
	struct hello *h = ctx;
	char line[80];
	uint64_t length, bytes;
	int r;

	h->reads += req->position == 0;
	length = (uint64_t)snprintf(line, sizeof(line), "%s opened %llu read %llu\n",
		HELLO_GREETING, (unsigned long long)h->opens, (unsigned long long)h->reads);
	if (req->position >= length) {
		return 0;
	}
	bytes = u64_min(length - req->position, req->bytes);
	r = chr_copy_out(req, 0, line + req->position, bytes);
	return r < 0 ? r : (int64_t)bytes;
}

static int hello_init(const struct sef_info *info)
{
	static const char *const how[] = {
		[SEF_INIT_FRESH] = "I am new.",
		[SEF_INIT_LU] = "I have been updated.",
		[SEF_INIT_RESTART] = "I have been restarted.",
	};

	diag_printf("%s Read %llu times so far.", how[info->type], (unsigned long long)hello.reads);
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
	sef_state("hello", &hello, sizeof(hello), 1, NULL);
	sef_start();
	driver_run(&driver);
}
