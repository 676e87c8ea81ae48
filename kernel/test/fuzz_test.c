/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host test: random traps with random arguments by services and programs, with every right. No
 * sequence of them may break an invariant (checked after each trap), touch memory it must not (the
 * sanitizers), or panic the kernel.
 *
 * usage: kernel_fuzz_test [SEED [ROUNDS]]; a failure is repeated by its seed.
 */
#include <string.h>

#include "abi/grant.h"
#include "abi/linux/calls.h"
#include "kernel/arch.h"
#include "kernel/ipc/ipc.h"
#include "kernel/kcall/kcall.h"
#include "kernel/mem/fault.h"
#include "kernel/test/check.h"
#include "kernel/test/fake_arch.h"

#define PROCS 7
#define STEPS 300

static struct proc *procs[PROCS];
static uint64_t state;

static uint64_t random_u64(void)
{
	state += 0x9e3779b97f4a7c15ull;
	return hash_u64(state);
}

static uint64_t pick(uint64_t count)
{
	return random_u64() % count;
}

static uint64_t random_endpoint(void)
{
	static const endpoint_t odd[] = {
		EP_ANY, EP_NONE, EP_SELF, EP_KERNEL, EP_HARDWARE, EP_CLOCK, 12345, -77, 0x7fffffff};

	return pick(4) == 0 ? (uint64_t)odd[pick(AXO_ARRAY_LEN(odd))]
			    : (uint64_t)procs[pick(PROCS)]->endpoint;
}

static uint64_t random_address(void)
{
	switch (pick(8)) {
	case 0:
		return random_u64();
	case 1:
		return USER_END - pick(5000);
	case 2:
		return KERNEL_BASE + pick(100000);
	default:
		return (FAKE_BASE + pick(FAKE_SPACE_PAGES * AXO_PAGE_SIZE + 4096)) &
			~(pick(2) * 15);
	}
}

static uint64_t random_argument(void)
{
	switch (pick(6)) {
	case 0:
		return random_endpoint();
	case 1:
	case 2:
		return random_address();
	case 3:
		return pick(70);
	case 4:
		return pick(20000);
	default:
		return pick(3) == 0 ? random_u64() : (uint64_t)GRANT_ID(pick(3), pick(4));
	}
}

static void fresh(void)
{
	int i;

	fake_boot(24);
	for (i = 0; i < PROCS; i++) {
		procs[i] = fake_proc(i < PROCS - 2);
		if (i == 0) {
			fake_rs();
		}
	}
	for (i = 0; i < PROCS; i++) {
		uint64_t *memory = fake_memory(procs[i], FAKE_BASE);
		unsigned k;

		procs[i]->priv->spec.sig_mgr = i == 1 ? EP_RS : procs[1]->endpoint;
		procs[i]->priv->grant_table = FAKE_BASE;
		procs[i]->priv->grant_count = 8;
		for (k = 0; k < AXO_PAGE_SIZE / sizeof(*memory); k++) {
			memory[k] = random_argument();
		}
		/* A few holes and read-only pages. */
		for (k = 0; k < 8; k++) {
			fake_map(fake_space_of(procs[i]),
				FAKE_BASE + (8 + pick(50)) * AXO_PAGE_SIZE, (unsigned)pick(2) * 900,
				pick(2) == 0);
		}
	}
}

static bool is_alive(const struct proc *proc)
{
	return !rts_is_set(proc, RTS_SLOT_FREE) && proc->priv != NULL;
}

/* VM serves what is asked of it, well or badly. */
static void serve(struct proc *vm)
{
	struct memreq request;
	unsigned i;

	while (memreq_fetch(&request)) {
		struct proc *requestor = proc_find(request.requestor);

		if (requestor != NULL) {
			memreq_answer(requestor, pick(2) == 0 ? 0 : -EFAULT, request.id);
		}
	}
	for (i = 0; i < kernel.proc_count; i++) {
		if (is_alive(proc_slot(i)) && rts_is_set(proc_slot(i), RTS_PAGEFAULT)) {
			fault_clear(proc_slot(i));
		}
	}
	if (vm->rts == 0) {
		fake_trap(vm, TRAP_RECEIVE, EP_ANY, FAKE_BASE + 8, 0, 0, 0, 0);
	}
}

/* Switching off, and the end of RS or VM, without whom the kernel gives up: not for this test. */
static bool ends_everything(uint64_t number, const uint64_t a[6])
{
	unsigned call = (unsigned)number - KCALL_BASE;

	switch (call) {
	case KCALL_abort:
		return a[0] <= ABORT_PANIC;
	case KCALL_diagctl:
		return a[0] == DIAG_PANIC;
	case KCALL_clear:
	case KCALL_kill:
	case KCALL_privctl:
	case KCALL_update:
		return (endpoint_t)a[0] == EP_RS || (endpoint_t)a[1] == EP_RS ||
			(endpoint_t)a[0] == EP_VM || (endpoint_t)a[1] == EP_VM;
	default:
		return false;
	}
}

static void step(void)
{
	struct proc *proc = procs[pick(PROCS)];
	uint64_t a[6];
	uint64_t number;
	unsigned i;

	if (!is_alive(proc) || proc->rts != 0 || proc->root == 0) {
		return;
	}
	arch_load_address_space(proc->root);
	if ((proc->flags & PROC_DELIVER) != 0 && (proc == procs[0] || !ipc_deliver(proc))) {
		proc->flags &= ~(uint32_t)PROC_DELIVER;
		if (proc->rts != 0) {
			return;
		}
	}
	for (i = 0; i < 6; i++) {
		a[i] = random_argument();
	}
	number = pick(3) == 0 ? TRAP_BASE + pick(10) : KCALL_BASE + pick(KCALL_COUNT + 1);
	if (!proc_is_service(proc)) {
		number = pick(4) == 0 ? LINUX_NR_futex : pick(LINUX_NR_END + 10);
		a[0] = pick(2) == 0 ? (FAKE_BASE + pick(4096)) & ~3ul : a[0];
		a[1] = pick(2) == 0 ? pick(13) | pick(3) * 128 : a[1];
	}
	if (proc == procs[0] && number >= KCALL_BASE && pick(2) == 0) {
		a[0] = pick(14);
	}
	if (proc == procs[0] && number < KCALL_BASE) {
		a[1] = FAKE_BASE + 8; /* VM's memory is always there */
	}
	if (ends_everything(number, a)) {
		return;
	}
	fake_trap(proc, number, a[0], a[1], a[2], a[3], a[4], a[5]);
	fake_now_ns += pick(100000);
	timer_run(fake_now_ns);
	irq_handle((unsigned)pick(IRQ_LINES));
	if (pick(4) == 0 && is_alive(procs[0])) {
		serve(procs[0]);
	}
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint64_t rounds = argc > 2 ? strtoull(argv[2], NULL, 0) : 150;
	uint64_t round;
	int i;

	for (round = 0; round < rounds; round++) {
		state = seed + round;
		fresh();
		for (i = 0; i < STEPS; i++) {
			step();
		}
	}
	printf("%llu rounds from seed %llu\n", (unsigned long long)rounds,
		(unsigned long long)seed);
	return 0;
}
