/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory driver: character devices null, zero, full, random, urandom and kmsg (major 1), and
 * the ram disks (block major 1). VFS and the file system of the ramdisk call it (proto/chr.h,
 * proto/blk.h).
 *
 * State: all of its memory is kept over a crash, and the request being served is served again; over
 * a live update its heap and what it mapped.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/memory/entropy.h"
#include "drivers/memory/memory.h"
#include "lib/core/util.h"
#include "lib/drv/chr.h"
#include "lib/drv/driver.h"
#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"

#include "memory_layout.h" /* generated */

#define MAJOR_MEMORY 1u

enum memory_minor {
	MINOR_NULL = 3,
	MINOR_ZERO = 5,
	MINOR_FULL = 7,
	MINOR_RANDOM = 8,
	MINOR_URANDOM = 9,
	MINOR_KMSG = 11,
};

#define RESEED_BYTES    (1u << 20)
#define KMSG_LINE_MAX   1024u
#define KMSG_BUFFER_MAX (256u * 1024)

/* ioctls of the random devices */
#define RNDGETENTCNT   0x80045200u
#define RNDADDTOENTCNT 0x40045201u
#define ENTROPY_BITS   256

static struct memory *memory;

static int64_t memory_open(void *ctx, const struct chr_request *req)
{
	if (req->major != MAJOR_MEMORY) {
		return -ENXIO;
	}
	switch (req->minor) {
	case MINOR_NULL:
	case MINOR_ZERO:
	case MINOR_FULL:
	case MINOR_RANDOM:
	case MINOR_URANDOM:
	case MINOR_KMSG:
		return 0;
	default:
		return -ENXIO;
	}
}

static int64_t read_zero(const struct chr_request *req)
{
	int r = sys_safememset(req->client, req->grant, 0, 0, req->bytes);

	return r < 0 ? r : (int64_t)req->bytes;
}

static int64_t read_random(struct memory *mem, const struct chr_request *req)
{
	uint64_t done = 0;

	if (mem->random.since_reseed > RESEED_BYTES) {
		entropy_refresh(&mem->random);
	}
	while (done < req->bytes) {
		size_t len = u64_min(req->bytes - done, sizeof(mem->piece));
		int r;

		random_bytes(&mem->random, mem->piece, len);
		r = chr_copy_out(req, done, mem->piece, len);
		if (r < 0) {
			return done > 0 ? (int64_t)done : r;
		}
		done += len;
	}
	return (int64_t)done;
}

/* The diagnostics buffer as a file: position 0 is its oldest byte now. */
static int64_t read_kmsg(const struct chr_request *req)
{
	char *text = malloc(KMSG_BUFFER_MAX);
	int64_t len;
	int64_t result = 0;

	if (text == NULL) {
		return -ENOMEM;
	}
	len = sys_diagctl(DIAG_READ, text, KMSG_BUFFER_MAX, 0);
	if (len < 0) {
		result = len;
	} else if (req->position < (uint64_t)len) {
		size_t bytes = u64_min((uint64_t)len - req->position, req->bytes);
		int r = chr_copy_out(req, 0, text + req->position, bytes);

		result = r < 0 ? r : (int64_t)bytes;
	}
	free(text);
	return result;
}

static int64_t memory_read(void *ctx, const struct chr_request *req)
{
	struct memory *mem = ctx;

	switch (req->minor) {
	case MINOR_NULL:
		return 0;
	case MINOR_ZERO:
	case MINOR_FULL:
		return read_zero(req);
	case MINOR_RANDOM:
	case MINOR_URANDOM:
		return read_random(mem, req);
	case MINOR_KMSG:
		return read_kmsg(req);
	default:
		return -ENXIO;
	}
}

static int64_t write_random(struct memory *mem, const struct chr_request *req)
{
	uint64_t done = 0;

	while (done < req->bytes) {
		size_t len = u64_min(req->bytes - done, sizeof(mem->piece));
		int r = chr_copy_in(req, done, mem->piece, len);

		if (r < 0) {
			return done > 0 ? (int64_t)done : r;
		}
		random_mix(&mem->random, mem->piece, len);
		done += len;
	}
	random_reseed(&mem->random);
	return (int64_t)done;
}

/* One line a write; a priority "<n>" at its start, which Linux's readers know, is dropped. */
static int64_t write_kmsg(const struct chr_request *req)
{
	char line[KMSG_LINE_MAX];
	size_t len = u64_min(req->bytes, sizeof(line));
	size_t start = 0;
	int r = chr_copy_in(req, 0, line, len);

	if (r < 0) {
		return r;
	}
	if (len > 2 && line[0] == '<' && line[1] >= '0' && line[1] <= '9') {
		const char *end = memchr(line, '>', len < 6 ? len : 6);

		start = end != NULL ? (size_t)(end - line) + 1 : 0;
	}
	(void)sys_diagctl(DIAG_RAW, line + start, len - start, 0);
	return (int64_t)req->bytes;
}

static int64_t memory_write(void *ctx, const struct chr_request *req)
{
	switch (req->minor) {
	case MINOR_NULL:
	case MINOR_ZERO:
		return (int64_t)req->bytes;
	case MINOR_FULL:
		return -ENOSPC;
	case MINOR_RANDOM:
	case MINOR_URANDOM:
		return write_random(ctx, req);
	case MINOR_KMSG:
		return write_kmsg(req);
	default:
		return -ENXIO;
	}
}

static int64_t memory_ioctl(void *ctx, const struct chr_request *req)
{
	int32_t bits = ENTROPY_BITS;

	if (req->minor != MINOR_RANDOM && req->minor != MINOR_URANDOM) {
		return -ENOTTY;
	}
	switch (req->ioctl) {
	case RNDGETENTCNT:
		return chr_copy_out(req, 0, &bits, sizeof(bits));
	case RNDADDTOENTCNT:
		return 0;
	default:
		return -ENOTTY;
	}
}

static int memory_init(const struct sef_info *info)
{
	memory = malloc(sizeof(*memory));
	if (memory == NULL) {
		return -ENOMEM;
	}
	ramdisk_init(&memory->ramdisks);
	random_init(&memory->random);
	entropy_gather(&memory->random);
	return 0;
}

/* All is there; nobody shall guess what comes next from what the crash may have shown. */
static int memory_return(const struct sef_info *info)
{
	entropy_refresh(&memory->random);
	(void)sef_redo();
	return 0;
}

static const struct chr_driver chr = {
	.open = memory_open,
	.read = memory_read,
	.write = memory_write,
	.ioctl = memory_ioctl,
};

static const struct sef_kept kept = {
	.name = "memory",
	.root = (void **)&memory,
	.version = MEMORY_STATE_VERSION,
	.layout = MEMORY_LAYOUT,
};

int main(void)
{
	struct driver driver = {.chr = &chr, .blk = &ramdisk_driver};

	sef_on_init(memory_init);
	sef_on_init_type(SEF_INIT_RESTART, memory_return);
	sef_on_init_type(SEF_INIT_LU, memory_return);
	sef_keep_heap(&kept);
	sef_start();
	driver.ctx = memory;
	driver_run(&driver);
}
