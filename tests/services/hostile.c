/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See hostile.h. Arguments: "rights" (in init: its result is RS's), "fuzz LABEL COUNT SEED", "flood
 * COUNT", "silent" (a driver that answers nobody).
 */
#include "tests/services/hostile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/errno.h"
#include "lib/sys/diag.h"
#include "lib/sys/ds.h"
#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "proto/vm.h"

#define SLOTS    64 /* endpoints of the boot image and of what was started first */
#define GUESSES  20000
#define EXPECTED 8 /* complaints that are told one by one */

static int failures;

static void expect(bool condition, const char *what, int64_t a, int64_t b)
{
	if (!condition && failures++ < EXPECTED) {
		diag_printf("FAILED %s: %lld gave %lld", what, (long long)a, (long long)b);
	}
}

void hostile_breathe(void)
{
	struct message m;

	(void)sys_setalarm(1);
	do {
		(void)sef_receive(EP_ANY, &m, NULL);
	} while (m.source != EP_CLOCK);
}

static bool is_allowed(unsigned call)
{
	return (KCALL_BASIC >> call & 1) != 0;
}

/* Kernel calls: those beyond the basic set are denied, whatever their arguments. */
static void try_kernel_calls(void)
{
	uint64_t page[512] = {0};

	for (unsigned call = 0; call < KCALL_COUNT + 8; call++) {
		int64_t r;

		if (call < KCALL_COUNT && is_allowed(call)) {
			continue;
		}
		r = sys_trap(KCALL_BASE + call, EP_VM, (uint64_t)page, (uint64_t)page, 8, 0, 0);
		expect(r == -ECALLDENIED || r == -EBADREQUEST || r == -EBADCALL, "kernel call",
			call, r);
	}
}

/* Messages: to nobody but RS, in no way; no trap that does not exist. */
static void try_messages(void)
{
	for (int slot = 0; slot < SLOTS; slot++) {
		struct message m = {.type = VM_MMAP_FOR};
		int r[4];

		if (slot == EP_RS) {
			continue;
		}
		r[0] = ipc_sendrec(slot, &m);
		r[1] = ipc_sendnb(slot, &m);
		r[2] = ipc_notify(slot);
		r[3] = ipc_send(slot, &m);
		for (int i = 0; i < 4; i++) {
			expect(r[i] == -ECALLDENIED || r[i] == -EDEADSRCDST || r[i] == -ELOCKED,
				"message", slot, r[i]);
		}
	}
	for (unsigned trap = TRAP_LAST; trap < TRAP_LAST + 20; trap++) {
		int64_t r = sys_trap(trap, 0, 0, 0, 0, 0, 0);

		expect(r == -EBADCALL || r == -ETRAPDENIED, "trap", trap, r);
	}
}

/* Linux calls: memory was not declared, the rest is not for services. */
static void try_linux_calls(void)
{
	for (uint64_t nr = 0; nr < 500; nr++) {
		int64_t r;

		switch (nr) {
		case 60:
		case 231: /* exit */
		case 15:  /* rt_sigreturn */
		case 24:
		case 39:
		case 96:
		case 98:
		case 102:
		case 104:
		case 107:
		case 108:
		case 110:
		case 111:
		case 158:
		case 186:
		case 201:
		case 202:
		case 218:
		case 228:
		case 229:
		case 273:
		case 274:
		case 324:
			continue; /* the kernel's own: ids, clocks, futex, thread registers */
		default:
			r = sys_trap(nr, 0, 4096, 3, 0x22, (uint64_t)-1, 0);
			expect(r == -ENOSYS, "linux call", (int64_t)nr, r);
		}
	}
}

/* Memory of others: by guessed grants, by mapping, by reading a predecessor that there is not. */
static void try_memory(void)
{
	static char buffer[8192] __attribute__((aligned(4096)));
	uint64_t seed = 12345;

	for (int i = 0; i < GUESSES; i++) {
		endpoint_t ep = i % 20;
		grant_t id;
		int r;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		id = GRANT_ID((int)(seed >> 40 & GRANT_SEQ_MAX), (int)(seed >> 33 & 31));
		r = i % 2 ? sys_safecopyfrom(ep, id, 0, buffer, 16)
			  : sys_safecopyto(ep, id, 0, buffer, 16);
		expect(r < 0, "guessed grant", id, r);
	}
	expect(sys_safemap(EP_VM, 0, 0, buffer, 4096, true) < 0, "safemap", 0, 0);
	expect(SYS_KCALL(statectl, STATE_READ, 0, buffer, 16, 0, 0) == -ESRCH, "statectl", 0, 0);
	expect(sys_setgrant((struct grant *)(uint64_t)-4096, 100) <= 0, "setgrant", 0, 0);
}

int hostile_try_all(void)
{
	try_kernel_calls();
	try_messages();
	try_linux_calls();
	try_memory();
	diag_printf("%d things were allowed that must not be", failures);
	return failures == 0 ? 0 : -EIO;
}

static const char *arguments = "";

static int init(const struct sef_info *info)
{
	arguments = info->args;
	return strcmp(arguments, "rights") == 0 ? hostile_try_all() : 0;
}

/* The word at *text, copied; *text goes past it. */
static const char *next_word(const char **text, char *word, size_t size)
{
	size_t i = 0;

	while (**text == ' ') {
		(*text)++;
	}
	for (; **text != '\0' && **text != ' '; (*text)++) {
		if (i + 1 < size) {
			word[i++] = **text;
		}
	}
	word[i] = '\0';
	return word;
}

static uint64_t next_number(const char **text)
{
	char word[24];

	return strtoull(next_word(text, word, sizeof(word)), NULL, 0);
}

int main(void)
{
	char what[16], label[32];

	sef_on_init(init);
	sef_start();
	next_word(&arguments, what, sizeof(what));
	if (strcmp(what, "fuzz") == 0) {
		uint64_t count;

		next_word(&arguments, label, sizeof(label));
		count = next_number(&arguments);
		(void)hostile_fuzz(label, count, next_number(&arguments));
	} else if (strcmp(what, "flood") == 0) {
		(void)hostile_flood(next_number(&arguments));
	}
	for (;;) {
		struct message m;

		(void)sef_receive(EP_ANY, &m, NULL);
	}
}
