/* SPDX-License-Identifier: BSD-2-Clause */
/* TST-01: copies by grants (GRT-01 to GRT-05, GRT-07, NEG-24). */
#include <errno.h>
#include <string.h>

#include "abi/errno.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "tests/services/requestor.h"

#define RW      (GRANT_READ | GRANT_WRITE)
#define SHARED  (200 * PARTNER_PAGE) /* large enough for sharing pages */
#define A_GRANT ((struct partner){.grant = g})

static void test_sizes(void)
{
	int g = ask_grant(0, PARTNER_BYTES, RW);

	EXPECT(g >= 0);
	EXPECT(ask(PARTNER_FILL, (struct partner){.bytes = 65536, .seed = 1}) == 0);
	for (uint64_t bytes = 1; bytes <= 32768; bytes *= 2) {
		for (uint64_t odd = 0; odd < 12; odd += 5) {
			memset(buffer, 255, bytes + 64);
			EXPECT(sys_safecopyfrom(grantor, g, odd * 3, buffer + odd, bytes) == 0);
			EXPECT(is_filled(odd, odd * 3, bytes, 1));
			EXPECT(buffer[odd + bytes] == 255 && (odd == 0 || buffer[odd - 1] == 255));
		}
	}
	for (uint64_t i = 0; i < 40000; i++) {
		buffer[i] = partner_byte(i + 70000, 9);
	}
	EXPECT(sys_safecopyto(grantor, g, 70000, buffer, 40000) == 0);
	EXPECT(ask(PARTNER_CHECK, (struct partner){.offset = 70000, .bytes = 40000, .seed = 9}) ==
		0);
	EXPECT(sys_safememset(grantor, g, 70001, 7, 3) == 0);
	EXPECT(ask(PARTNER_PEEK, (struct partner){.offset = 70003}) == 7);
	EXPECT(ask(PARTNER_REVOKE, A_GRANT) == 0);
}

static void test_errors(void)
{
	int g = ask_grant(100, 1000, GRANT_READ);
	struct safecopy_vec vec = {grantor, g, 0, (uint64_t)buffer, 10, 0, 0};

	EXPECT(sys_safecopyfrom(grantor, g, 0, buffer, 1000) == 0);
	EXPECT(sys_safecopyfrom(grantor, g, 0, buffer, 1001) == -EPERM);
	EXPECT(sys_safecopyfrom(grantor, g, 1000, buffer, 1) == -EPERM);
	EXPECT(sys_safecopyfrom(grantor, g, UINT64_MAX - 3, buffer, 8) == -EPERM);
	EXPECT(sys_safecopyto(grantor, g, 0, buffer, 1) == -EPERM);
	EXPECT(sys_safememset(grantor, g, 0, 0, 1) == -EPERM);
	EXPECT(sys_safecopyfrom(grantor, g ^ 1, 0, buffer, 1) == -EPERM);
	EXPECT(sys_safecopyfrom(grantor, g + (1 << GRANT_INDEX_BITS), 0, buffer, 1) == -EPERM);
	EXPECT(sys_safecopyfrom(grantor, GRANT_INVALID, 0, buffer, 1) == -EINVAL);
	EXPECT(sys_safecopyfrom(EP_MAKE(30000, 5), g, 0, buffer, 1) == -EINVAL);
	EXPECT(sys_safecopyfrom(passer, g, 0, buffer, 1) == -EPERM);
	EXPECT(sys_safecopyfrom(grantor, g, 0, (void *)0x7fffffffffff0000, 8) == -EFAULT);
	EXPECT(sys_safecopyfrom(grantor, g, 0, (void *)-4096l, 8) == -EFAULT);
	EXPECT(sys_safecopyfrom(grantor, g, 0, NULL, 8) == -EFAULT);
	EXPECT(sys_vsafecopy(&vec, 1) == 0 && sys_vsafecopy(&vec, VCOPY_MAX + 1) == -EINVAL);
	vec.offset = 995;
	EXPECT(sys_vsafecopy(&vec, 1) == -EPERM);
	EXPECT(ask(PARTNER_REVOKE, A_GRANT) == 0 && ask(PARTNER_REVOKE, A_GRANT) == -EINVAL);
	EXPECT(sys_safecopyfrom(grantor, g, 0, buffer, 1) == -EPERM);
	/* The slot is used again; the former id stays dead. */
	EXPECT(ask_grant(0, 10, GRANT_READ) != g);
	EXPECT(sys_safecopyfrom(grantor, g, 0, buffer, 1) == -EPERM);
	EXPECT(ask_grant(0, 10, 0) < 0);
}

/* A grant that is passed on: only to whom, only what, and not for ever round. */
static void test_indirect(void)
{
	int g = ask_grant(0, 4096, GRANT_READ), passed;
	struct message m = {.type = PARTNER_PASS};
	struct partner_pass *pass = MSG(&m, partner_pass);

	/* The grant is for this service and not for the passer: the chain ends with EPERM. */
	*pass = (struct partner_pass){.granter = grantor, .to = EP_ANY, .grant = g};
	EXPECT(ipc_sendrec(passer, &m) == 0);
	passed = m.type;
	EXPECT(passed >= 0);
	EXPECT(sys_safecopyfrom(passer, passed, 0, buffer, 16) == -EPERM);
	/* Round and round: the grantor passes on what the passer passes on of it. */
	m = (struct message){.type = PARTNER_PASS};
	*pass = (struct partner_pass){.granter = passer, .to = EP_ANY, .grant = passed};
	EXPECT(ipc_sendrec(passer, &m) == 0);
	EXPECT(sys_safecopyfrom(passer, m.type, 0, buffer, 16) == -EPERM);
	EXPECT(ask(PARTNER_REVOKE, A_GRANT) == 0);
}

static void test_many(void)
{
	int g = ask(PARTNER_MANY, (struct partner){.bytes = 10000, .offset = 5001});

	EXPECT(g >= 0);
	EXPECT(ask(PARTNER_FILL, (struct partner){.bytes = 16384, .seed = 4}) == 0);
	EXPECT(sys_safecopyfrom(grantor, g, 0, buffer, 16) == 0 && is_filled(0, 5001, 16, 4));
	EXPECT(ask(PARTNER_REVOKE, A_GRANT) == 0);
}

/* GRT-07: whole pages are shared, and nobody can tell but by the time it takes. */
static void test_shared(void)
{
	int g = ask_grant(0, PARTNER_BYTES, RW);

	EXPECT(ask(PARTNER_FILL, (struct partner){.bytes = SHARED, .seed = 3}) == 0);
	for (uint64_t odd = 0; odd <= 1000; odd += 500) {
		memset(buffer, 1, SHARED);
		EXPECT(sys_safecopyfrom(grantor, g, odd, buffer + odd, SHARED - 2 * odd) == 0);
		EXPECT(is_filled(odd, odd, SHARED - 2 * odd, 3));
		EXPECT(buffer[SHARED - odd] == 1 || odd == 0);
	}
	/* What either side writes afterwards is its own. */
	EXPECT(ask(PARTNER_POKE, (struct partner){.offset = 40000, .seed = 77}) == 0);
	EXPECT(buffer[40000] == partner_byte(40000, 3));
	buffer[50000] = 99;
	EXPECT(ask(PARTNER_PEEK, (struct partner){.offset = 50000}) == partner_byte(50000, 3));
	EXPECT(ask(PARTNER_PEEK, (struct partner){.offset = 40000}) == 77);
	/* The other way, over pages that are shared already. */
	for (uint64_t i = 0; i < SHARED; i++) {
		buffer[i] = partner_byte(i, 5);
	}
	EXPECT(sys_safecopyto(grantor, g, 0, buffer, SHARED) == 0);
	buffer[8192] = 1;
	EXPECT(ask(PARTNER_CHECK, (struct partner){.bytes = SHARED, .seed = 5}) == 0);
	/* Pages that were never touched are zero. */
	EXPECT(ask(PARTNER_FREE, (struct partner){0}) == 0);
	EXPECT(sys_safecopyfrom(grantor, g, 0, buffer, SHARED) == 0);
	for (uint64_t i = 0; i < SHARED; i += 511) {
		EXPECT(buffer[i] == 0);
	}
	EXPECT(ask(PARTNER_REVOKE, A_GRANT) == 0);
}

void test_safecopy(void)
{
	test_sizes();
	test_errors();
	test_indirect();
	test_many();
	test_shared();
}
