/* SPDX-License-Identifier: BSD-2-Clause */
/* The client of block drivers against a driver that dies, lies and comes back (DRV-05, RS-10). */
#include "lib/bdev/bdev.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/trap.h"
#include "lib/sys/diag.h"
#include "lib/sys/grant.h"
#include "lib/sys/trap.h"

#define DRIVER EP_MAKE(1, 70)
#define DISK   (64u * 1024)

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

static struct {
	int deaths;     /* calls that end with the driver's death */
	int stale;      /* answers that are for somebody else */
	int result;     /* of transfers and flushes */
	int opens;      /* successful ones */
	int transfers;  /* begun */
	int short_by;   /* bytes that a transfer leaves out */
	int grants;     /* not revoked */
	int grant_room; /* grants until there are no more; negative: no end */
	bool read_only;
	uint8_t bytes[DISK];
	struct {
		uint8_t *at;
		size_t bytes;
	} grant[BLK_PIECES_MAX + 2];
} driver;

void diag_printf(const char *format, ...)
{
	(void)format;
}

grant_t grant_direct(endpoint_t grantee, const void *addr, size_t bytes, uint32_t access)
{
	CHECK(grantee == DRIVER && access != 0);
	if (driver.grant_room == 0) {
		return GRANT_INVALID;
	}
	driver.grant_room--;
	driver.grants++;
	for (unsigned i = 0;; i++) {
		CHECK(i < BLK_PIECES_MAX + 2);
		if (driver.grant[i].at == NULL) {
			driver.grant[i].at = (uint8_t *)(uintptr_t)addr;
			driver.grant[i].bytes = bytes;
			return (grant_t)i;
		}
	}
}

int grant_revoke(grant_t grant)
{
	CHECK(driver.grant[grant].at != NULL);
	driver.grant[grant].at = NULL;
	driver.grants--;
	return 0;
}

static uint64_t transfer(int op, const struct blk_io_req *req)
{
	const struct blk_piece single = {.grant = req->grant, .bytes = (uint32_t)req->bytes};
	const struct blk_piece *pieces = req->count == 1
		? &single
		: (const struct blk_piece *)(void *)driver.grant[req->grant].at;
	uint64_t position = req->position;

	for (uint32_t i = 0; i < req->count; i++) {
		uint8_t *memory = driver.grant[pieces[i].grant].at;

		CHECK(pieces[i].bytes <= driver.grant[pieces[i].grant].bytes);
		memcpy(op == BLK_READ ? memory : &driver.bytes[position],
			op == BLK_READ ? &driver.bytes[position] : memory, pieces[i].bytes);
		position += pieces[i].bytes;
	}
	CHECK(position - req->position == req->bytes);
	return req->bytes - (uint64_t)driver.short_by;
}

static void serve(struct message *m)
{
	struct blk_rep rep = {.seq = MSG(m, blk_req)->seq};

	switch (m->type) {
	case BLK_OPEN:
		driver.opens++;
		rep.value = DISK;
		rep.flags = driver.read_only ? BLK_FLAG_RDONLY : 0;
		break;
	case BLK_READ:
	case BLK_WRITE:
		driver.transfers++;
		rep.result = driver.result;
		rep.value = rep.result == 0 ? transfer(m->type, MSG(m, blk_io_req)) : 0;
		break;
	default:
		rep.result = driver.result;
		break;
	}
	if (driver.stale > 0) {
		driver.stale--;
		rep.seq -= 1000;
		rep.result = 0;
	}
	m->type = 0;
	*MSG(m, blk_rep) = rep;
}

int64_t sys_trap(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	(void)a2;
	(void)a3;
	(void)a4;
	(void)a5;
	if (nr != TRAP_SENDREC) {
		return 0; /* the clock */
	}
	CHECK((endpoint_t)a0 == DRIVER);
	if (driver.deaths > 0) {
		driver.deaths--;
		return driver.deaths % 2 ? -ERESTARTED : -EDEADSRCDST;
	}
	serve((struct message *)(uintptr_t)a1);
	return 0;
}

static void start(struct bdev *bdev)
{
	memset(&driver, 0, sizeof(driver));
	driver.grant_room = -1;
	CHECK(bdev_open(bdev, DRIVER, 3, true) == 0 && bdev->size_bytes == DISK);
}

/* Several pieces, both ways; each attempt has grants of its own, and none stays. */
static void test_transfers(void)
{
	static uint8_t a[1024], b[512], c[1536];
	struct bdev_vec out[] = {{a, sizeof(a)}, {b, sizeof(b)}}, in[] = {{c, sizeof(c)}};
	struct bdev bdev;

	start(&bdev);
	memset(a, 1, sizeof(a));
	memset(b, 2, sizeof(b));
	driver.deaths = 1;
	CHECK(bdev_transfer(&bdev, true, 2048, out, 2) == 0);
	CHECK(bdev_transfer(&bdev, false, 2048, in, 1) == 0);
	CHECK(c[0] == 1 && c[1023] == 1 && c[1024] == 2 && c[1535] == 2);
	CHECK(driver.opens == 2 && driver.grants == 0); /* opened again after a death */
	driver.deaths = 2;                              /* the opening dies as well */
	CHECK(bdev_transfer(&bdev, false, 2048, in, 1) == 0 && driver.grants == 0);
	CHECK(bdev_transfer(&bdev, false, 0, in, 0) == -EINVAL);
	CHECK(bdev_transfer(&bdev, false, 0, in, BLK_PIECES_MAX + 1) == -EINVAL);
	bdev_close(&bdev);
}

/* An answer that was owed to a process before this one is none. */
static void test_stale_answers(void)
{
	static uint8_t a[512];
	struct bdev_vec vec = {a, sizeof(a)};
	struct bdev bdev;

	start(&bdev);
	driver.stale = 3;
	driver.result = -EIO;
	CHECK(bdev_transfer(&bdev, false, 0, &vec, 1) == -EIO && driver.transfers == 4);
	driver.stale = 1000;
	driver.result = 0;
	CHECK(bdev_flush(&bdev) == -EIO);
	driver.stale = 0;
	CHECK(bdev_flush(&bdev) == 0);
}

/* The device's errors are the caller's at once; what it does not know to flush needs none. */
static void test_errors(void)
{
	static uint8_t a[512], b[512];
	struct bdev_vec vec[] = {{a, sizeof(a)}, {b, sizeof(b)}};
	struct bdev bdev;

	start(&bdev);
	driver.result = -EIO;
	CHECK(bdev_transfer(&bdev, true, 0, vec, 1) == -EIO && driver.transfers == 1);
	CHECK(bdev_flush(&bdev) == -EIO);
	driver.result = -ENOSYS;
	CHECK(bdev_flush(&bdev) == 0);
	driver.result = 0;
	driver.short_by = 512;
	CHECK(bdev_transfer(&bdev, false, 0, vec, 2) == -EIO);
	driver.short_by = 0;
	for (int room = 0; room < 3; room++) {
		driver.grant_room = room;
		CHECK(bdev_transfer(&bdev, false, 0, vec, 2) == -ENOMEM && driver.grants == 0);
	}
	driver.grant_room = -1;
	CHECK(bdev_transfer(&bdev, false, 0, vec, 2) == 0);
}

/* One that dies again and again is given up, until another serves the device. */
static void test_given_up(void)
{
	static uint8_t a[512];
	struct bdev_vec vec = {a, sizeof(a)};
	struct bdev bdev;

	start(&bdev);
	driver.deaths = 1000;
	CHECK(bdev_transfer(&bdev, false, 0, &vec, 1) == -ENXIO && bdev.is_dead);
	driver.deaths = 0;
	CHECK(bdev_transfer(&bdev, false, 0, &vec, 1) == -ENXIO && driver.transfers == 0);
	bdev_close(&bdev);
	CHECK(bdev_set_driver(&bdev, DRIVER) == 0);
	CHECK(bdev_transfer(&bdev, false, 0, &vec, 1) == 0);
	driver.deaths = 1000;
	CHECK(bdev_open(&bdev, DRIVER, 3, false) == -ENXIO);
}

int main(void)
{
	test_transfers();
	test_stale_answers();
	test_errors();
	test_given_up();
	puts("bdev: ok");
	return 0;
}
