/* SPDX-License-Identifier: BSD-2-Clause */
/* Host test of copies between processes (KRN-10), memory requests (KRN-22) and grants (GRT-01 to
 * GRT-03). */
#include <string.h>

#include "abi/errno.h"
#include "abi/grant.h"
#include "kernel/kcall/kcall.h"
#include "kernel/mem/fault.h"
#include "kernel/test/check.h"
#include "kernel/test/fake_arch.h"

#define AT    FAKE_BASE
#define TABLE (FAKE_BASE + 8 * 4096)
#define DATA  (FAKE_BASE + 16 * 4096)

static struct proc *vm, *a, *b, *c;

static void boot(void)
{
	fake_boot(64);
	vm = fake_proc(true);
	a = fake_proc(true);
	b = fake_proc(true);
	c = fake_proc(true);
}

static int64_t call(struct proc *proc, unsigned number, uint64_t a0, uint64_t a1, uint64_t a2,
	uint64_t a3, uint64_t a4, uint64_t a5)
{
	fake_trap(proc, KCALL_BASE + number, a0, a1, a2, a3, a4, a5);
	return fake_result(proc);
}

static int64_t vircopy(struct proc *proc, struct proc *src, vaddr_t from, struct proc *dst,
	vaddr_t to, uint64_t bytes, unsigned flags)
{
	return call(proc, KCALL_vircopy, (uint64_t)src->endpoint, from, (uint64_t)dst->endpoint, to,
		bytes, flags);
}

static void fill(struct proc *proc, vaddr_t at, uint64_t bytes, unsigned seed)
{
	for (; bytes > 0; bytes--, at++) {
		*(uint8_t *)fake_memory(proc, at) = (uint8_t)(seed++ * 7 + 3);
	}
}

static bool is_same(struct proc *x, vaddr_t at_x, struct proc *y, vaddr_t at_y, uint64_t bytes)
{
	for (; bytes > 0; bytes--, at_x++, at_y++) {
		if (*(uint8_t *)fake_memory(x, at_x) != *(uint8_t *)fake_memory(y, at_y)) {
			return false;
		}
	}
	return true;
}

static void test_copy(void)
{
	int i;

	boot();
	srand(2);
	for (i = 0; i < 300; i++) {
		vaddr_t from = DATA + (vaddr_t)(rand() % 9000),
			to = DATA + (vaddr_t)(rand() % 9000);
		uint64_t bytes = (uint64_t)(rand() % 12000);

		fill(a, from, bytes, (unsigned)i);
		CHECK(vircopy(c, a, from, b, to, bytes, 0) == 0);
		CHECK(is_same(a, from, b, to, bytes));
	}
	CHECK(vircopy(c, a, DATA, b, KERNEL_BASE, 16, 0) == -EFAULT);
	CHECK(vircopy(c, a, DATA, b, USER_END - 8, 16, 0) == -EFAULT);
	CHECK(vircopy(c, a, UINT64_MAX - 4, b, DATA, 16, 0) == -EFAULT);
	CHECK(call(c, KCALL_vircopy, EP_NONE, 0, (uint64_t)b->endpoint, DATA, 16, 0) == -EINVAL);
	CHECK(vircopy(c, a, DATA, b, DATA, 0, 0) == -EDOM);
	CHECK(vircopy(c, a, DATA, b, DATA, USER_END + 1, 0) == -E2BIG);
	CHECK(call(c, KCALL_physcopy, EP_NONE, 4096, (uint64_t)b->endpoint, DATA, 0, 0) == -EDOM);
	CHECK(call(c, KCALL_physcopy, EP_NONE, 4096, (uint64_t)b->endpoint, DATA, 16, 0) == 0);
	CHECK(call(c, KCALL_physcopy, EP_NONE, FAKE_PAGES * 4096ul - 8, (uint64_t)b->endpoint, DATA,
		      16, 0) == -EFAULT);
	CHECK(call(c, KCALL_vircopy, (uint64_t)EP_MAKE(9, 9), 0, (uint64_t)b->endpoint, DATA, 16,
		      0) == -EINVAL);
}

static void test_memreq(void)
{
	struct memreq *request;

	boot();
	request = fake_memory(vm, AT);
	fake_map(fake_space_of(b), DATA + 4096, 0, false);
	CHECK(vircopy(c, a, DATA, b, DATA, 10000, COPY_TRY) == -EFAULT && c->rts == 0);
	vircopy(c, a, DATA, b, DATA, 10000, 0);
	CHECK(c->rts == RTS_VMREQUEST && (vm->priv->ksig_pending & KSIG_MEMREQ) != 0);
	CHECK(call(vm, KCALL_vmctl, VMCTL_MEMREQ_GET, EP_NONE, AT, 0, 0, 0) == 1);
	CHECK(request->requestor == c->endpoint && request->target == b->endpoint &&
		request->address == DATA + 4096 && request->bytes == 10000 - 4096 &&
		request->write == 1);
	CHECK(call(vm, KCALL_vmctl, VMCTL_MEMREQ_GET, EP_NONE, AT, 0, 0, 0) == 0);
	fake_map(fake_space_of(b), DATA + 4096, 1500, true);
	CHECK(call(vm, KCALL_vmctl, VMCTL_MEMREQ_REPLY, (uint64_t)c->endpoint, 0, 0, 0, 0) == 0);
	CHECK(c->rts == 0 && c->arch.frame.rip == 1000 &&
		c->arch.frame.rax == KCALL_BASE + KCALL_vircopy);
	CHECK(vircopy(c, a, DATA, b, DATA, 10000, 0) == 0 && is_same(a, DATA, b, DATA, 10000));

	/* A page that may only be read is brought in for writing (copy on write); a refusal ends
	 * the call. */
	fake_map(fake_space_of(b), DATA, 1501, false);
	CHECK(vircopy(c, b, DATA, a, DATA, 100, 0) == 0);
	vircopy(c, a, DATA, b, DATA, 100, 0);
	CHECK(c->rts == RTS_VMREQUEST);
	call(vm, KCALL_vmctl, VMCTL_MEMREQ_GET, EP_NONE, AT, 0, 0, 0);
	call(vm, KCALL_vmctl, VMCTL_MEMREQ_REPLY, (uint64_t)c->endpoint, (uint64_t)-EFAULT, 0, 0,
		0);
	CHECK(c->rts == 0 && fake_result(c) == -EFAULT && c->arch.frame.rip == 1002);

	/* The target dies while the request waits. */
	vircopy(c, a, DATA, b, DATA, 100, 0);
	CHECK(c->rts == RTS_VMREQUEST);
	call(vm, KCALL_clear, (uint64_t)b->endpoint, 0, 0, 0, 0, 0);
	CHECK(c->rts == 0 && fake_result(c) == -EFAULT);
}

static void test_strcopy(void)
{
	char *text;

	boot();
	text = fake_memory(a, DATA + 4096 - 6);
	memcpy(text, "hello ", 6);
	memcpy(fake_memory(a, DATA + 4096), "world", 6);
	CHECK(call(c, KCALL_strcopy, (uint64_t)a->endpoint, DATA + 4096 - 6, AT, 100, 0, 0) == 11);
	CHECK(strcmp(fake_memory(c, AT), "hello world") == 0);
	CHECK(call(c, KCALL_strcopy, (uint64_t)a->endpoint, DATA + 4096 - 6, AT, 11, 0, 0) ==
		-ENAMETOOLONG);
	CHECK(call(c, KCALL_strcopy, (uint64_t)a->endpoint, DATA + 4096 - 6, AT, 12, 0, 0) == 11);
	/* The page after the string need not exist. */
	memcpy(fake_memory(a, DATA + 8192 - 4), "end", 4);
	fake_map(fake_space_of(a), DATA + 8192, 0, false);
	CHECK(call(c, KCALL_strcopy, (uint64_t)a->endpoint, DATA + 8192 - 4, AT, 100, 0, 0) == 3);
}

static void put_grant(struct proc *granter, unsigned index, struct grant grant)
{
	memcpy(fake_memory(granter, TABLE + index * sizeof(grant)), &grant, sizeof(grant));
}

static int64_t safecopyfrom(
	struct proc *proc, struct proc *granter, grant_t id, uint64_t offset, uint64_t bytes)
{
	return call(proc, KCALL_safecopyfrom, (uint64_t)granter->endpoint, (uint64_t)id, offset, AT,
		bytes, 0);
}

#define VALID (GRANT_USED | GRANT_VALID)

static void test_grants(void)
{
	boot();
	CHECK(call(a, KCALL_setgrant, TABLE, 4, 0, 0, 0, 0) == 0);
	CHECK(safecopyfrom(b, a, GRANT_ID(0, 1), 0, 8) == -EPERM); /* not used */
	put_grant(a, 1,
		(struct grant){VALID | GRANT_DIRECT | GRANT_READ, 3, b->endpoint, 0, DATA, 100});
	fill(a, DATA, 200, 5);
	CHECK(safecopyfrom(b, a, GRANT_ID(3, 1), 10, 90) == 0 && is_same(a, DATA + 10, b, AT, 90));
	CHECK(safecopyfrom(b, a, GRANT_ID(2, 1), 0, 8) == -EPERM); /* a stale generation */
	CHECK(safecopyfrom(b, a, GRANT_ID(3, 1), 10, 91) == -EPERM);
	CHECK(safecopyfrom(b, a, GRANT_ID(3, 1), UINT64_MAX, 8) == -EPERM);
	CHECK(safecopyfrom(c, a, GRANT_ID(3, 1), 0, 8) == -EPERM); /* not the grantee */
	CHECK(safecopyfrom(b, a, GRANT_ID(0, 4), 0, 8) == -EPERM); /* past the table */
	CHECK(safecopyfrom(b, a, GRANT_INVALID, 0, 8) == -EINVAL);
	CHECK(call(b, KCALL_safecopyto, (uint64_t)a->endpoint, (uint64_t)GRANT_ID(3, 1), 0, AT, 8,
		      0) == -EPERM);
	put_grant(a, 2, (struct grant){VALID | GRANT_DIRECT | GRANT_READ, 0, EP_ANY, 0, DATA, 100});
	CHECK(safecopyfrom(c, a, GRANT_ID(0, 2), 0, 8) == 0);
	put_grant(
		a, 2, (struct grant){VALID | GRANT_DIRECT | GRANT_WRITE, 0, EP_ANY, 0, DATA, 100});
	CHECK(call(c, KCALL_safememset, (uint64_t)a->endpoint, (uint64_t)GRANT_ID(0, 2), 1, 9, 3,
		      0) == 0);
	CHECK(((uint8_t *)fake_memory(a, DATA))[3] == 9);
}

static void test_indirect_grants(void)
{
	boot();
	call(a, KCALL_setgrant, TABLE, 8, 0, 0, 0, 0);
	call(b, KCALL_setgrant, TABLE, 8, 0, 0, 0, 0);
	put_grant(a, 0,
		(struct grant){VALID | GRANT_DIRECT | GRANT_READ, 0, b->endpoint, 0, DATA, 100});
	put_grant(b, 0,
		(struct grant){
			VALID | GRANT_INDIRECT, 0, c->endpoint, a->endpoint, GRANT_ID(0, 0), 0});
	fill(a, DATA, 100, 1);
	CHECK(safecopyfrom(c, b, GRANT_ID(0, 0), 4, 50) == 0 && is_same(a, DATA + 4, c, AT, 50));
	CHECK(safecopyfrom(c, a, GRANT_ID(0, 0), 4, 50) == -EPERM);
	put_grant(b, 1,
		(struct grant){
			VALID | GRANT_INDIRECT, 0, b->endpoint, b->endpoint, GRANT_ID(0, 1), 0});
	CHECK(safecopyfrom(b, b, GRANT_ID(0, 1), 0, 8) == -ELOOP);

	/* Magic grants need the right to make them. */
	put_grant(b, 2,
		(struct grant){
			VALID | GRANT_MAGIC | GRANT_READ, 0, c->endpoint, a->endpoint, DATA, 100});
	CHECK(safecopyfrom(c, b, GRANT_ID(0, 2), 0, 8) == -EPERM);
	b->priv->spec.flags |= PRIV_FLAG_MAGIC;
	CHECK(safecopyfrom(c, b, GRANT_ID(0, 2), 0, 8) == 0 && is_same(a, DATA, c, AT, 8));
	/* An absent page under a TRY grant is an error, not a wait. */
	put_grant(b, 3,
		(struct grant){VALID | GRANT_MAGIC | GRANT_READ | GRANT_TRY, 0, c->endpoint,
			a->endpoint, DATA, 100});
	fake_map(fake_space_of(a), DATA, 0, false);
	CHECK(safecopyfrom(c, b, GRANT_ID(0, 3), 0, 8) == -EFAULT && c->rts == 0);
	safecopyfrom(c, b, GRANT_ID(0, 2), 0, 8);
	CHECK(c->rts == RTS_VMREQUEST);
}

static void test_vumap(void)
{
	struct vumap_spec *spec;
	struct phys_piece *pieces;

	boot();
	spec = fake_memory(a, AT);
	pieces = fake_memory(a, AT + 512);
	*spec = (struct vumap_spec){.granter = EP_SELF,
		.grant = GRANT_INVALID,
		.offset = DATA + 100,
		.bytes = 8192,
		.pieces = (struct phys_piece *)(AT + 512),
		.max = 4,
		.write = 1};
	CHECK(call(a, KCALL_vumap, AT, 0, 0, 0, 0, 0) == 1 && pieces[0].bytes == 8192);
	fake_map(fake_space_of(a), DATA + 4096, 1600, true);
	CHECK(call(a, KCALL_vumap, AT, 0, 0, 0, 0, 0) == 3 && pieces[1].paddr == 1600 * 4096 &&
		pieces[1].bytes == 4096 && pieces[2].bytes == 100);
	spec->max = 2;
	CHECK(call(a, KCALL_vumap, AT, 0, 0, 0, 0, 0) == -EINVAL);
}

int main(void)
{
	RUN(test_copy);
	RUN(test_memreq);
	RUN(test_strcopy);
	RUN(test_grants);
	RUN(test_indirect_grants);
	RUN(test_vumap);
	return 0;
}
