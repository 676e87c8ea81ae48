/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TST-02: the time of a copy, of a copy that shares pages, and of mapping, by size. `share` is a
 * copy to the same offset in a page, `copy` one to another, for which pages cannot be shared.
 */
#include <string.h>

#include "lib/sys/kcall.h"
#include "tests/services/requestor.h"

#define BUDGET   (1ull << 20) /* bytes that a measurement moves */
#define MOST     1000
#define NOT_THAT 8

static uint64_t rounds_of(uint64_t bytes)
{
	uint64_t rounds = BUDGET / bytes;

	return rounds < 2 ? 2 : rounds > MOST ? MOST : rounds;
}

static uint64_t time_copy(int g, uint64_t at, uint64_t bytes)
{
	uint64_t rounds = rounds_of(bytes), begin = sys_monotonic_ns();

	for (uint64_t i = 0; i < rounds; i++) {
		EXPECT(sys_safecopyfrom(grantor, g, 0, buffer + at, bytes) == 0);
	}
	return (sys_monotonic_ns() - begin) / rounds;
}

/* Map, look at each page, unmap. */
static uint64_t time_map(int g, uint64_t bytes)
{
	uint64_t rounds = rounds_of(bytes * 8), begin = sys_monotonic_ns();

	for (uint64_t i = 0; i < rounds; i++) {
		EXPECT(sys_safemap(grantor, g, 0, buffer, bytes, false) == 0);
		for (uint64_t at = 0; at < bytes; at += PARTNER_PAGE) {
			(void)*(volatile uint8_t *)(buffer + at);
		}
		EXPECT(sys_safeunmap(buffer) == 0);
	}
	return (sys_monotonic_ns() - begin) / rounds;
}

static uint64_t time_plain(uint64_t bytes)
{
	uint64_t rounds = rounds_of(bytes), half = bytes / 2, begin = sys_monotonic_ns();

	for (uint64_t i = 0; i < rounds; i++) {
		memcpy(buffer, buffer + half, half);
		memcpy(buffer + half, buffer, bytes - half);
	}
	return (sys_monotonic_ns() - begin) / rounds;
}

void test_safeperf(void)
{
	int g = ask_grant(0, PARTNER_BYTES, GRANT_READ | GRANT_MAP);

	EXPECT(ask(PARTNER_FILL, (struct partner){.bytes = PARTNER_BYTES, .seed = 1}) == 0);
	memset(buffer, 1, PARTNER_BYTES + PARTNER_PAGE);
	diag_printf("%8s %10s %10s %10s %10s", "bytes", "memcpy", "copy ns", "share ns", "map ns");
	for (uint64_t bytes = 4; bytes <= PARTNER_BYTES; bytes *= 4) {
		uint64_t plain = time_plain(bytes), copy = time_copy(g, NOT_THAT, bytes);
		uint64_t share = time_copy(g, 0, bytes);
		uint64_t map = bytes >= PARTNER_PAGE ? time_map(g, bytes) : 0;

		diag_printf("%8llu %10llu %10llu %10llu %10llu", (unsigned long long)bytes,
			(unsigned long long)plain, (unsigned long long)copy,
			(unsigned long long)share, (unsigned long long)map);
	}
	EXPECT(ask(PARTNER_REVOKE, (struct partner){.grant = g}) == 0);
}
