/* SPDX-License-Identifier: BSD-2-Clause */
/* Host test of what memory requests and grants do beyond a copy: GRT-05 to GRT-10, KRN-22, NEG-24.
 */
#include <string.h>

#include "abi/errno.h"
#include "abi/grant.h"
#include "kernel/kcall/kcall.h"
#include "kernel/mem/fault.h"
#include "kernel/test/check.h"
#include "kernel/test/fake_arch.h"

#define AT    FAKE_BASE
#define TABLE (FAKE_BASE + 2 * 4096)
#define OWN   (FAKE_BASE + 3 * 4096)
#define DATA  (FAKE_BASE + 4 * 4096)
#define VALID (GRANT_USED | GRANT_VALID)
#define LARGE (50 * 4096)

/* a grants, b uses, c passes on. */
static struct proc *vm, *a, *b, *c;
static struct memreq request;

static void boot(void)
{
	fake_boot(64);
	vm = fake_proc(true);
	a = fake_proc(true);
	b = fake_proc(true);
	c = fake_proc(true);
	a->priv->grant_table = TABLE;
	a->priv->grant_count = 8;
	c->priv->grant_table = TABLE;
	c->priv->grant_count = 8;
}

static int64_t call(struct proc *proc, unsigned number, uint64_t a0, uint64_t a1, uint64_t a2,
	uint64_t a3, uint64_t a4, uint64_t a5)
{
	fake_trap(proc, KCALL_BASE + number, a0, a1, a2, a3, a4, a5);
	return fake_result(proc);
}

static struct grant *put(struct proc *granter, unsigned index, struct grant grant)
{
	struct grant *entry = fake_memory(granter, TABLE + index * sizeof(grant));

	*entry = grant;
	return entry;
}

static void answer(int64_t result)
{
	CHECK(memreq_fetch(&request));
	call(vm, KCALL_vmctl, VMCTL_MEMREQ_REPLY, (uint64_t)request.requestor, (uint64_t)result,
		request.id, 0, 0);
}

/* The process makes its call again. */
static int64_t again(struct proc *proc)
{
	const struct trap_frame *frame = &proc->arch.frame;

	CHECK(proc->rts == 0);
	fake_trap(proc, frame->rax, (uint64_t)a->endpoint, (uint64_t)GRANT_ID(3, 1), 0, OWN, LARGE,
		0);
	return fake_result(proc);
}

/* GRT-06: the granter hears that a copy failed for want of a page; the user's own page is waited
 * for. */
static void test_try(void)
{
	struct grant *grant;

	boot();
	grant = put(a, 1,
		(struct grant){VALID | GRANT_DIRECT | GRANT_READ | GRANT_WRITE | GRANT_TRY, 3,
			b->endpoint, 0, DATA, 8192});
	CHECK(call(b, KCALL_safecopyfrom, (uint64_t)a->endpoint, (uint64_t)GRANT_ID(3, 1), 0, OWN,
		      8192, 0) == 0);
	CHECK((grant->flags & GRANT_FAULTED) == 0);
	fake_map(fake_space_of(a), DATA + 4096, 0, false);
	CHECK(call(b, KCALL_safecopyfrom, (uint64_t)a->endpoint, (uint64_t)GRANT_ID(3, 1), 0, OWN,
		      4096, 0) == 0);
	CHECK((grant->flags & GRANT_FAULTED) == 0);
	CHECK(call(b, KCALL_safecopyto, (uint64_t)a->endpoint, (uint64_t)GRANT_ID(3, 1), 0, OWN,
		      8192, 0) == -EFAULT);
	CHECK((grant->flags & GRANT_FAULTED) != 0 && b->rts == 0);
	grant->flags &= ~(uint32_t)GRANT_FAULTED;
	fake_map(fake_space_of(b), OWN, 0, false);
	call(b, KCALL_safecopyfrom, (uint64_t)a->endpoint, (uint64_t)GRANT_ID(3, 1), 0, OWN, 4096,
		0);
	CHECK(b->rts == RTS_VMREQUEST && (grant->flags & GRANT_FAULTED) == 0);
}

/* GRT-03: the elements of a vector are done in order, up to the first error. */
static void test_vector(void)
{
	struct safecopy_vec *vec;
	unsigned i;

	boot();
	put(a, 1,
		(struct grant){VALID | GRANT_DIRECT | GRANT_READ | GRANT_WRITE, 3, b->endpoint, 0,
			DATA, 64});
	vec = fake_memory(b, AT);
	for (i = 0; i < 3; i++) {
		vec[i] = (struct safecopy_vec){.granter = a->endpoint,
			.grant = GRANT_ID(3, 1),
			.offset = i * 16,
			.address = OWN + i * 16,
			.bytes = 16,
			.write = 1};
	}
	memset(fake_memory(b, OWN), 0x55, 64);
	vec[1].offset = 49;
	CHECK(call(b, KCALL_vsafecopy, AT, 3, 0, 0, 0, 0) == -EPERM);
	CHECK(*(uint8_t *)fake_memory(a, DATA + 15) == 0x55);
	CHECK(*(uint8_t *)fake_memory(a, DATA + 40) == 0);
	vec[1].offset = UINT64_MAX - 7; /* wraps */
	CHECK(call(b, KCALL_vsafecopy, AT, 3, 0, 0, 0, 0) == -EPERM);
	vec[1].offset = 16;
	vec[1].bytes = UINT64_MAX;
	CHECK(call(b, KCALL_vsafecopy, AT, 3, 0, 0, 0, 0) == -EPERM);
	vec[1].bytes = 16;
	CHECK(call(b, KCALL_vsafecopy, AT, 3, 0, 0, 0, 0) == 0);
	CHECK(*(uint8_t *)fake_memory(a, DATA + 47) == 0x55);
	CHECK(call(b, KCALL_vsafecopy, AT, VCOPY_MAX + 1, 0, 0, 0, 0) == -EINVAL);
	CHECK(call(b, KCALL_vsafecopy, UINT64_MAX - 8, 3, 0, 0, 0, 0) == -EFAULT);
}

/* An answer to a request that is over does not end the next one. */
static void test_late_answer(void)
{
	uint32_t old_id;

	boot();
	fake_map(fake_space_of(a), DATA, 0, false);
	call(b, KCALL_vircopy, (uint64_t)a->endpoint, DATA, EP_SELF, OWN, 8, 0);
	CHECK(memreq_fetch(&request));
	old_id = request.id;
	memreq_cancel(b);
	CHECK(b->rts == 0);
	call(b, KCALL_vircopy, (uint64_t)a->endpoint, DATA, EP_SELF, OWN, 8, 0);
	call(vm, KCALL_vmctl, VMCTL_MEMREQ_REPLY, (uint64_t)b->endpoint, (uint64_t)-EFAULT, old_id,
		0, 0);
	CHECK(b->rts == RTS_VMREQUEST);
	answer(-EFAULT);
	CHECK(b->rts == 0 && fake_result(b) == -EFAULT);
}

static bool is_request(enum memreq_kind kind, const struct proc *target, vaddr_t address,
	uint64_t bytes, endpoint_t source, vaddr_t source_address)
{
	return (enum memreq_kind)request.kind == kind && request.target == target->endpoint &&
		request.address == address && request.bytes == bytes && request.source == source &&
		request.source_address == source_address;
}

/* GRT-07: head and tail are copied, whole pages shared if VM agrees, else copied as well. */
static void test_share(void)
{
	unsigned i;

	boot();
	put(a, 1,
		(struct grant){VALID | GRANT_DIRECT | GRANT_READ | GRANT_WRITE, 3, b->endpoint, 0,
			DATA + 100, LARGE});
	for (i = 0; i < LARGE; i += 8) {
		*(uint64_t *)fake_memory(a, DATA + 96 + i) = i;
	}
	/* Not congruent, too small: copied at once. */
	CHECK(call(b, KCALL_safecopyfrom, (uint64_t)a->endpoint, (uint64_t)GRANT_ID(3, 1), 0,
		      OWN + 8, LARGE, 0) == 0);
	CHECK(call(b, KCALL_safecopyfrom, (uint64_t)a->endpoint, (uint64_t)GRANT_ID(3, 1), 0,
		      OWN + 100, 31 * 4096, 0) == 0);
	memset(fake_memory(b, OWN), 0, 4096);
	call(b, KCALL_safecopyfrom, (uint64_t)a->endpoint, (uint64_t)GRANT_ID(3, 1), 0, OWN + 100,
		LARGE, 0);
	CHECK(b->rts == RTS_VMREQUEST);
	CHECK(memcmp(fake_memory(b, OWN + 100), fake_memory(a, DATA + 100), 4096 - 100) == 0);
	CHECK(memcmp(fake_memory(b, OWN + LARGE), fake_memory(a, DATA + LARGE), 100) == 0);
	answer(0);
	CHECK(is_request(MEMREQ_COW, b, OWN + 4096, LARGE - 4096, a->endpoint, DATA + 4096));
	CHECK(b->rts == 0 && fake_result(b) == 0);

	/* VM would not: the call runs again, and copies. */
	boot();
	put(a, 1,
		(struct grant){VALID | GRANT_DIRECT | GRANT_READ, 3, b->endpoint, 0, DATA, LARGE});
	memset(fake_memory(a, DATA + 8192), 0x77, 4096);
	call(b, KCALL_safecopyfrom, (uint64_t)a->endpoint, (uint64_t)GRANT_ID(3, 1), 0, OWN, LARGE,
		0);
	answer(-EAGAIN);
	CHECK(is_request(MEMREQ_COW, b, OWN, LARGE, a->endpoint, DATA));
	CHECK(again(b) == 0 && b->rts == 0 && *(uint8_t *)fake_memory(b, OWN + 8192) == 0x77);
	CHECK((b->flags & PROC_PLAIN_COPY) == 0);
	/* A source that dies meanwhile. */
	call(b, KCALL_safecopyfrom, (uint64_t)a->endpoint, (uint64_t)GRANT_ID(3, 1), 0, OWN, LARGE,
		0);
	CHECK(b->rts == RTS_VMREQUEST);
	call(c, KCALL_clear, (uint64_t)a->endpoint, 0, 0, 0, 0, 0);
	CHECK(b->rts == 0 && fake_result(b) == -EFAULT && list_is_empty(&kernel.memreqs));
}

static int64_t safemap(grant_t id, uint64_t offset, vaddr_t at, uint64_t bytes, bool write)
{
	return call(
		b, KCALL_safemap, (uint64_t)a->endpoint, (uint64_t)id, offset, at, bytes, write);
}

/* GRT-08: the rights, the alignment, and what VM is asked. */
static void test_safemap(void)
{
	boot();
	put(a, 1,
		(struct grant){VALID | GRANT_DIRECT | GRANT_READ | GRANT_MAP, 3, b->endpoint, 0,
			DATA, 16384});
	put(a, 2,
		(struct grant){VALID | GRANT_DIRECT | GRANT_READ | GRANT_WRITE, 3, b->endpoint, 0,
			DATA, 16384});
	put(a, 3,
		(struct grant){VALID | GRANT_DIRECT | GRANT_READ | GRANT_WRITE | GRANT_MAP, 3,
			c->endpoint, 0, DATA, 16384});
	put(c, 4,
		(struct grant){
			VALID | GRANT_INDIRECT, 5, b->endpoint, a->endpoint, GRANT_ID(3, 3), 0});
	CHECK(safemap(GRANT_ID(3, 2), 0, OWN, 4096, false) == -EPERM);
	CHECK(safemap(GRANT_ID(3, 1), 0, OWN, 4096, true) == -EPERM);
	CHECK(safemap(GRANT_ID(3, 3), 0, OWN, 4096, false) == -EPERM);
	CHECK(safemap(GRANT_ID(3, 1), 12288, OWN, 8192, false) == -EPERM);
	CHECK(safemap(GRANT_ID(3, 1), 8, OWN, 4096, false) == -EINVAL);
	CHECK(safemap(GRANT_ID(3, 1), 0, OWN + 16, 4096, false) == -EINVAL);
	CHECK(safemap(GRANT_ID(3, 1), 0, OWN, 100, false) == -EINVAL);
	CHECK(safemap(GRANT_ID(3, 1), 0, OWN, 0, false) == -EINVAL);
	CHECK(safemap(GRANT_ID(3, 1), 0, KERNEL_BASE, 4096, false) == -EINVAL);
	CHECK(list_is_empty(&kernel.memreqs));
	safemap(GRANT_ID(3, 1), 4096, OWN, 8192, false);
	CHECK(b->rts == RTS_VMREQUEST);
	answer(0);
	CHECK(is_request(MEMREQ_MAP, b, OWN, 8192, a->endpoint, DATA + 4096) && request.write == 0);
	CHECK(b->rts == 0 && fake_result(b) == 0);
	safemap(GRANT_ID(3, 1), 0, OWN, 4096, false);
	answer(-EBUSY);
	CHECK(fake_result(b) == -EBUSY && b->rts == 0);
	/* GRT-12: through a chain. */
	call(b, KCALL_safemap, (uint64_t)c->endpoint, (uint64_t)GRANT_ID(5, 4), 0, OWN, 4096, 1);
	answer(0);
	CHECK(is_request(MEMREQ_MAP, b, OWN, 4096, a->endpoint, DATA) && request.write == 1);
	CHECK(fake_result(b) == 0);
}

/* GRT-09. */
static void test_unmap(void)
{
	boot();
	put(a, 1,
		(struct grant){VALID | GRANT_DIRECT | GRANT_READ | GRANT_MAP, 3, b->endpoint, 0,
			DATA, 16384});
	put(c, 4,
		(struct grant){
			VALID | GRANT_INDIRECT, 5, b->endpoint, a->endpoint, GRANT_ID(3, 1), 0});
	CHECK(call(b, KCALL_safeunmap, OWN + 1, 0, 0, 0, 0, 0) == -EINVAL);
	CHECK(call(b, KCALL_safeunmap, KERNEL_BASE, 0, 0, 0, 0, 0) == -EINVAL);
	call(b, KCALL_safeunmap, OWN, 0, 0, 0, 0, 0);
	answer(0);
	CHECK(is_request(MEMREQ_UNMAP, b, OWN, 0, EP_NONE, 0) && fake_result(b) == 0);
	call(a, KCALL_saferevmap, SAFEREV_GRANT, (uint64_t)GRANT_ID(3, 1), 0, 0, 0, 0);
	answer(0);
	CHECK(is_request(MEMREQ_REVOKE, a, DATA, 16384, EP_NONE, 0) && fake_result(a) == 0);
	call(a, KCALL_saferevmap, SAFEREV_ADDRESS, DATA + 4096, 0, 0, 0, 0);
	answer(0);
	CHECK(is_request(MEMREQ_REVOKE, a, DATA + 4096, 4096, EP_NONE, 0));
	CHECK(call(a, KCALL_saferevmap, SAFEREV_ADDRESS, DATA + 3, 0, 0, 0, 0) == -EINVAL);
	CHECK(call(a, KCALL_saferevmap, SAFEREV_GRANT, (uint64_t)GRANT_ID(2, 1), 0, 0, 0, 0) ==
		-EPERM);
	CHECK(call(c, KCALL_saferevmap, SAFEREV_GRANT, (uint64_t)GRANT_ID(5, 4), 0, 0, 0, 0) ==
		-EPERM);
	CHECK(call(a, KCALL_saferevmap, 9, 0, 0, 0, 0, 0) == -EINVAL);
}

int main(void)
{
	RUN(test_try);
	RUN(test_vector);
	RUN(test_late_answer);
	RUN(test_share);
	RUN(test_safemap);
	RUN(test_unmap);
	return 0;
}
