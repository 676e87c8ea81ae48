/* SPDX-License-Identifier: BSD-2-Clause */
/* TST-03: memory shared by grants (GRT-08 to GRT-12). */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/errno.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "tests/services/requestor.h"

#define RW    (GRANT_READ | GRANT_WRITE)
#define MAP   (GRANT_READ | GRANT_WRITE | GRANT_MAP)
#define BYTES (4 * PARTNER_PAGE)
#define LARGE (64 * PARTNER_PAGE)

static int peek(uint64_t offset)
{
	return ask(PARTNER_PEEK, (struct partner){.offset = offset});
}

static int poke(uint64_t offset, uint8_t value)
{
	return ask(PARTNER_POKE, (struct partner){.offset = offset, .seed = value});
}

static int fill(uint64_t bytes, uint32_t seed)
{
	return ask(PARTNER_FILL, (struct partner){.bytes = bytes, .seed = seed});
}

/* Both directions, in the first, a middle and the last page. */
static bool is_shared(void)
{
	bool shared = true;

	for (uint64_t at = 17; at < BYTES; at += PARTNER_PAGE) {
		uint8_t old = buffer[at];

		shared = shared && poke(at, (uint8_t)(old + 1)) == 0 &&
			buffer[at] == (uint8_t)(old + 1);
		buffer[at + 1] = (uint8_t)(old + 2);
		shared = shared && peek(at + 1) == (uint8_t)(old + 2);
	}
	return shared;
}

/* The last contents are on both sides, and no store is seen on the other one. */
static bool is_parted(void)
{
	bool parted = true;

	for (uint64_t at = 17; at < BYTES; at += PARTNER_PAGE) {
		uint8_t old = buffer[at];

		parted = parted && peek(at) == old && poke(at, (uint8_t)(old + 1)) == 0 &&
			buffer[at] == old;
		buffer[at] = (uint8_t)(old + 5);
		parted = parted && peek(at) == (uint8_t)(old + 1);
	}
	return parted;
}

/* Checks 1 to 3: MAP, UNMAP, REVOKE; the last by id, by address, and by the end of the grant. */
static void test_life(void)
{
	int g = ask_grant(0, BYTES, MAP);

	EXPECT(g >= 0 && fill(BYTES, 1) == 0);
	memset(buffer, 0xee, BYTES);
	EXPECT(sys_safemap(grantor, g, 0, buffer, BYTES, true) == 0);
	EXPECT(is_filled(0, 0, BYTES, 1));
	EXPECT(is_shared());
	EXPECT(sys_safeunmap(buffer) == 0 && is_parted());
	EXPECT(sys_safeunmap(buffer) == 0); /* nothing there */

	EXPECT(sys_safemap(grantor, g, 0, buffer, BYTES, true) == 0 && is_shared());
	EXPECT(ask(PARTNER_UNMAP_GRANT, (struct partner){.grant = g}) == 0 && is_parted());
	EXPECT(ask(PARTNER_UNMAP_GRANT, (struct partner){.grant = g}) == 0);

	EXPECT(sys_safemap(grantor, g, 0, buffer, BYTES, true) == 0 && is_shared());
	EXPECT(ask(PARTNER_UNMAP_ADDRESS, (struct partner){.offset = 0}) == 0 && is_parted());

	EXPECT(sys_safemap(grantor, g, 0, buffer, BYTES, true) == 0 && is_shared());
	EXPECT(ask(PARTNER_REVOKE, (struct partner){.grant = g}) == 0 && is_parted());
	EXPECT(sys_safemap(grantor, g, 0, buffer, BYTES, true) == -EPERM);
}

/* Check 4, SMAP then copy on write: a shared copy of mapped pages is a snapshot; they stay mapped.
 */
static void test_map_then_copy(void)
{
	uint8_t *copy = buffer + PARTNER_BYTES / 2;
	int g = ask_grant(0, LARGE, MAP);

	EXPECT(fill(LARGE, 2) == 0);
	EXPECT(sys_safemap(grantor, g, 0, buffer, LARGE, true) == 0 && is_shared());
	EXPECT(sys_safecopyfrom(grantor, g, 0, copy, LARGE) == 0);
	EXPECT(memcmp(copy, buffer, LARGE) == 0);
	EXPECT(poke(9000, 200) == 0 && buffer[9000] == 200 && copy[9000] == partner_byte(9000, 2));
	EXPECT(is_shared());
	EXPECT(sys_safeunmap(buffer) == 0 && is_parted());
	EXPECT(ask(PARTNER_REVOKE, (struct partner){.grant = g}) == 0);
}

/* Checks 5 and 6, copy on write then SMAP: the grantor's pages, and then the requestor's, are
 * shared by a copy when they are mapped. */
static void test_copy_then_map(void)
{
	uint8_t *copy = buffer + PARTNER_BYTES / 2;
	int g = ask_grant(0, LARGE, MAP);

	EXPECT(fill(LARGE, 3) == 0);
	EXPECT(sys_safecopyfrom(grantor, g, 0, copy, LARGE) == 0);
	EXPECT(sys_safemap(grantor, g, 0, buffer, LARGE, true) == 0 && is_shared());
	EXPECT(copy[17] == partner_byte(17, 3)); /* the copy took no part */
	EXPECT(sys_safeunmap(buffer) == 0 && is_parted());

	memset(buffer, 5, LARGE);
	EXPECT(sys_safecopyto(grantor, g, 0, buffer, LARGE) == 0 && peek(0) == 5);
	EXPECT(sys_safemap(grantor, g, 0, buffer, LARGE, true) == 0 && is_shared());
	EXPECT(ask(PARTNER_REVOKE, (struct partner){.grant = g}) == 0 && is_parted());
}

/* Check 7: what is not granted is not mapped. */
static void test_errors(void)
{
	int g = ask_grant(0, BYTES, MAP), readable = ask_grant(0, BYTES, GRANT_READ | GRANT_MAP);
	int plain = ask_grant(0, BYTES, RW);

	EXPECT(sys_safemap(grantor, plain, 0, buffer, BYTES, false) == -EPERM);
	EXPECT(sys_safemap(grantor, readable, 0, buffer, BYTES, true) == -EPERM);
	EXPECT(sys_safemap(grantor, g, 0, buffer, BYTES + PARTNER_PAGE, true) == -EPERM);
	EXPECT(sys_safemap(grantor, g, 1, buffer, PARTNER_PAGE, true) == -EINVAL);
	EXPECT(sys_safemap(grantor, g, 0, buffer + 8, PARTNER_PAGE, true) == -EINVAL);
	EXPECT(sys_safemap(grantor, g, 0, buffer, 100, true) == -EINVAL);
	EXPECT(sys_safemap(grantor, g, 0, buffer, 0, true) == -EINVAL);
	EXPECT(sys_safemap(grantor, g, 0, (void *)0x10000000, PARTNER_PAGE, true) < 0);
	EXPECT(sys_safemap(grantor, g, 0, (void *)-4096l, PARTNER_PAGE, true) == -EINVAL);
	EXPECT(sys_safeunmap(buffer + 1) == -EINVAL);
	EXPECT(ask(PARTNER_UNMAP_ADDRESS, (struct partner){.offset = 3}) == -EINVAL);
	EXPECT(ask_grant(8, BYTES, MAP) < 0 && ask_grant(0, 100, MAP) < 0); /* GRT-10 */
	/* Readable only: it shows the grantor's stores; a copy into it fails. */
	EXPECT(fill(BYTES, 6) == 0);
	EXPECT(sys_safemap(grantor, readable, 0, buffer, BYTES, false) == 0);
	EXPECT(is_filled(0, 0, BYTES, 6) && poke(5, 9) == 0 && buffer[5] == 9);
	EXPECT(sys_safecopyfrom(grantor, plain, 0, buffer, 16) == -EFAULT);
	EXPECT(sys_safeunmap(buffer) == 0);
	buffer[5] = 10;
	EXPECT(peek(5) == 9);
	EXPECT(ask(PARTNER_REVOKE, (struct partner){.grant = readable}) == 0);
	EXPECT(ask(PARTNER_REVOKE, (struct partner){.grant = plain}) == 0);
	EXPECT(ask(PARTNER_REVOKE, (struct partner){.grant = g}) == 0);
}

/* The mapper gives its memory up, and maps again: what it leaves does no harm. */
static void test_unmapped_by_munmap(void)
{
	int g = ask_grant(0, BYTES, MAP);
	uint8_t *own =
		mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(own != MAP_FAILED && fill(BYTES, 8) == 0);
	EXPECT(sys_safemap(grantor, g, 0, own, BYTES, true) == 0);
	own[100] = 1;
	EXPECT(peek(100) == 1 && munmap(own, BYTES) == 0 && peek(100) == 1);
	EXPECT(sys_safemap(grantor, g, PARTNER_PAGE, buffer, PARTNER_PAGE, true) == 0);
	buffer[3] = 44;
	EXPECT(peek(PARTNER_PAGE + 3) == 44);
	EXPECT(ask(PARTNER_FREE, (struct partner){0}) == 0 && buffer[3] == 44);
	EXPECT(ask(PARTNER_REVOKE, (struct partner){.grant = g}) == 0 && buffer[3] == 44);
}

void test_safemap(void)
{
	test_life();
	test_map_then_copy();
	test_copy_then_map();
	test_errors();
	test_unmapped_by_munmap();
}
