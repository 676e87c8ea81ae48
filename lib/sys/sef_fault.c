/* SPDX-License-Identifier: BSD-2-Clause */
/* Failing on purpose: what RS asks for by SEF_FAULT. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/sys/diag.h"
#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef_impl.h"

#define SEF_FAULT_STORES 500 /* the fault comes with one of so many */

#define MEMORY_STEP (1ul << 20)
#define MEMORY_MAX  (64ul << 20) /* programs shall not be killed for it */

uint32_t ipc_wrong_replies;
static uint64_t wrong_seed;

static uint64_t next_random(void)
{
	wrong_seed = wrong_seed * 6364136223846793005ull + 1442695040888963407ull;
	return wrong_seed >> 16 ^ wrong_seed << 32;
}

/* An answer that is a message of its own still says which request it answers: another number would
 * be no answer at all, which SEF_FAULT_SILENT tries. */
void ipc_make_wrong(struct message *m)
{
	bool is_message = m->type > 0 && (m->type & PROTO_REPLY);

	ipc_wrong_replies--;
	m->type = is_message ? m->type : (int32_t)next_random();
	for (unsigned i = is_message; i < MESSAGE_PAYLOAD / sizeof(m->u64[0]); i++) {
		m->u64[i] = next_random();
	}
}

/* Takes what comes and answers nobody. */
_Noreturn static void be_silent(void)
{
	struct message m;

	for (;;) {
		(void)ipc_receive(EP_ANY, &m, NULL);
	}
}

/* Takes memory until there is no more, or much has been taken, and fails as who gets none. */
_Noreturn static void take_all_memory(void)
{
	for (uint64_t taken = 0; taken < MEMORY_MAX; taken += MEMORY_STEP) {
		void *p = mmap(NULL, MEMORY_STEP, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		if (p == MAP_FAILED) {
			break;
		}
		memset(p, 1, MEMORY_STEP);
	}
	diag_panic("out of memory");
}

static void take_all_grants(void)
{
	while (grant_direct(EP_RS, &sef, 1, GRANT_READ) != GRANT_INVALID) {
	}
}

static void strike(const struct sef_fault *fault)
{
	switch (fault->kind) {
	case SEF_FAULT_POINTER:
		*(volatile uint32_t *)(uintptr_t)(8 + (fault->seed & 0xff8)) = 1;
		break;
	case SEF_FAULT_ASSERT:
		diag_panic("a failure that was asked for");
	case SEF_FAULT_EXIT:
		sys_exit();
	case SEF_FAULT_LOOP:
		for (volatile bool is_endless = true; is_endless;) {
		}
		break;
	case SEF_FAULT_SILENT:
		be_silent();
	case SEF_FAULT_WRONG:
		wrong_seed = fault->seed;
		ipc_wrong_replies = fault->count;
		break;
	case SEF_FAULT_MEMORY:
		take_all_memory();
	case SEF_FAULT_GRANTS:
		take_all_grants();
		break;
	default:
		break;
	}
}

void sef_fault_request(const struct sef_fault *fault)
{
	if (fault->at_boundary) {
		sef.phase = SEF_OUTSIDE;
		strike(fault);
	} else {
		sef.fault = *fault;
	}
	if (sef.arm_fault && sef.fault.kind != 0) {
		sef.arm_fault(1 + fault->seed % SEF_FAULT_STORES, !fault->stands, sef_fault_strike);
	}
}

void sef_on_fault(sef_arm_fn *arm)
{
	sef.arm_fault = arm;
}

void sef_fault_strike(void)
{
	struct sef_fault fault = sef.fault;

	sef.fault.kind = 0;
	strike(&fault);
}
