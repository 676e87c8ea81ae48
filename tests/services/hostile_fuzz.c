/* SPDX-License-Identifier: BSD-2-Clause */
/* Random messages, and many of them: see hostile.h. */
#include <errno.h>
#include <string.h>

#include "abi/errno.h"
#include "lib/core/util.h"
#include "lib/sys/diag.h"
#include "lib/sys/ds.h"
#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "tests/services/hostile.h"

#define BREATHE   2000 /* messages between two pauses */
#define ENTRIES   64
#define PROTOCOLS 12

struct fuzz {
	uint64_t state;
	endpoint_t target;
	uint8_t memory[8192]; /* what it grants: whoever copies into it may */
	grant_t grants[4];
	uint64_t sent, refused;
};

static struct fuzz fuzz;
static struct asyn_entry entries[ENTRIES] __attribute__((aligned(16)));

static uint64_t random_u64(void)
{
	fuzz.state += 0x9e3779b97f4a7c15ull;
	return hash_u64(fuzz.state);
}

static uint64_t pick(uint64_t count)
{
	return random_u64() % count;
}

/* Every protocol's operations, those of the target's own more often; programs' calls; replies. */
static int32_t random_type(uint64_t i)
{
	switch (pick(8)) {
	case 0:
		return (int32_t)LINUX_CALL(pick(400));
	case 1:
		return (int32_t)random_u64();
	case 2:
		return -(int32_t)pick(200);
	case 3:
		return (int32_t)PROTO_BASE(pick(PROTOCOLS)) + (int32_t)(pick(32) | PROTO_REPLY);
	default: /* each in its turn, so that none is left out */
		return (int32_t)PROTO_BASE(i / 64 % PROTOCOLS) + (int32_t)(i % 64);
	}
}

static uint64_t random_word(void)
{
	static const uint64_t odd[] = {0, 1, 2, UINT32_MAX, UINT64_MAX, INT64_MAX, INT32_MAX, 4096,
		0x7fffffffe000, 0xffff800000000000, 0xffffffff80000000, 0x100000, 63, 64};

	switch (pick(7)) {
	case 0:
		return random_u64();
	case 1:
		return pick(20) | pick(20) << 32; /* two endpoints, descriptors, minors ... */
	case 2:
		return odd[pick(AXO_ARRAY_LEN(odd))];
	case 3:
		return (uint32_t)fuzz.grants[pick(4)] | pick(8192) << 32;
	case 4:
		return (uint64_t)fuzz.memory + pick(sizeof(fuzz.memory));
	case 5:
		return pick(70);
	default:
		return pick(100000) | random_u64() << 32;
	}
}

static void random_message(struct message *m, uint64_t i)
{
	m->type = random_type(i);
	for (unsigned k = 0; k < MESSAGE_PAYLOAD / 8; k++) {
		m->u64[k] = random_word();
	}
}

/* One message in a way that does not wait for an answer. */
static int send_one(uint64_t i)
{
	struct message m;

	random_message(&m, i);
	switch (pick(16)) {
	case 0:
		return ipc_notify(fuzz.target);
	case 1:
		return ipc_sendnb(fuzz.target, &m);
	case 2:
		memset(entries, 0, sizeof(entries));
		for (unsigned k = 0; k < ENTRIES; k += 1 + (unsigned)pick(20)) {
			entries[k].flags = pick(4) ? ASYN_VALID : (uint32_t)pick(16);
			entries[k].dst = fuzz.target;
			random_message(&entries[k].msg, i + k);
		}
		return (int)sys_trap(TRAP_SENDA, (uint64_t)entries, ENTRIES, 0, 0, 0, 0);
	default:
		return ipc_send(fuzz.target, &m);
	}
}

int hostile_fuzz(const char *label, uint64_t count, uint64_t seed)
{
	static const uint32_t access[] = {GRANT_READ, GRANT_WRITE, GRANT_READ | GRANT_WRITE,
		GRANT_READ | GRANT_WRITE | GRANT_TRY};

	fuzz.state = seed;
	fuzz.target = EP_VFS;
	if (strcmp(label, "vfs") != 0 && ds_retrieve_label(label, &fuzz.target) < 0) {
		diag_printf("fuzz %s: there is no such service", label);
		return -ESRCH;
	}
	for (int i = 0; i < 4; i++) {
		fuzz.grants[i] = grant_direct(
			EP_ANY, fuzz.memory + i * 999, (size_t)(1 + i * 1500), access[i]);
	}
	for (uint64_t i = 0; i < count; i++) {
		int r = send_one(i);

		if (r == -EDEADSRCDST) {
			diag_printf("fuzz %s: it died of message %llu, seed %llu", label,
				(unsigned long long)i, (unsigned long long)seed);
			return r;
		}
		fuzz.refused += r < 0;
		fuzz.sent += r >= 0;
		if (i % BREATHE == 0) {
			hostile_breathe();
		}
	}
	(void)sys_trap(TRAP_SENDA, (uint64_t)entries, 0, 0, 0, 0, 0);
	diag_printf("fuzz %s: done, %llu sent, %llu refused", label, (unsigned long long)fuzz.sent,
		(unsigned long long)fuzz.refused);
	return 0;
}

int hostile_flood(uint64_t count)
{
	static struct asyn_entry table[ASYN_MAX] __attribute__((aligned(16)));
	uint64_t sent = 0;

	for (uint64_t round = 0; round < count; round++) {
		for (unsigned k = 0; k < ASYN_MAX; k++) {
			table[k] = (struct asyn_entry){.flags = ASYN_VALID | ASYN_NOTIFY,
				.dst = (endpoint_t)(k % 16),
				.msg = {.type = (int32_t)(0x7000 + k)}};
		}
		(void)sys_trap(TRAP_SENDA, (uint64_t)table, ASYN_MAX, 0, 0, 0, 0);
		for (endpoint_t ep = 0; ep < 16; ep++) {
			struct message m = {.type = 0x7777};

			sent += ipc_notify(ep) == 0;
			sent += ipc_sendnb(ep, &m) == 0;
		}
		if (round % 100 == 0) {
			hostile_breathe();
		}
	}
	(void)sys_trap(TRAP_SENDA, (uint64_t)table, 0, 0, 0, 0, 0);
	diag_printf("flood: done, %llu rounds, %llu sent at once", (unsigned long long)count,
		(unsigned long long)sent);
	return 0;
}
