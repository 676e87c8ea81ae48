/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory shared by grants (GRT-07 to GRT-12, VM-10). */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "servers/vm/safemap.h"
#include "servers/vm/test/vm_test.h"
#include "servers/vm/thread.h"

#define PAGE  AXO_PAGE_SIZE
#define RW    (PROT_READ | PROT_WRITE)
#define BASE  0x20000000ull
#define PAGES 16

static struct vm vm;
static endpoint_t a, b, c;

static int request(const struct memreq *wanted)
{
	fake.memreq = *wanted;
	if (fake.memreq.bytes == 0) {
		fake.memreq.bytes = PAGE;
	}
	fake.memreq_result = 1;
	vm_memory_requests(&vm);
	return fake.memreq_result;
}

static int map(endpoint_t from, unsigned from_page, endpoint_t to, unsigned to_page, unsigned count,
	bool write)
{
	return request(&(struct memreq){.kind = MEMREQ_MAP,
		.requestor = to,
		.target = to,
		.address = BASE + to_page * PAGE,
		.bytes = count * PAGE,
		.write = write,
		.source = from,
		.source_address = BASE + from_page * PAGE});
}

static int undo(enum memreq_kind kind, endpoint_t ep, unsigned page, unsigned count)
{
	return request(&(struct memreq){.kind = kind,
		.requestor = ep,
		.target = ep,
		.address = BASE + page * PAGE,
		.bytes = count * PAGE});
}

static void put(endpoint_t ep, unsigned page, uint8_t value)
{
	uint8_t *byte = fake_touch(&vm, ep, BASE + page * PAGE, true);

	CHECK(byte != NULL);
	*byte = value;
}

static int get(endpoint_t ep, unsigned page)
{
	const uint8_t *byte = fake_touch(&vm, ep, BASE + page * PAGE, false);

	return byte == NULL ? -1 : *byte;
}

static endpoint_t process(uint8_t mark)
{
	endpoint_t ep = fake_process(&vm);

	CHECK(fake_call(&vm, ep, LINUX_NR_mmap, BASE, PAGES * PAGE, RW,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, UINT64_MAX, 0) == (int64_t)BASE);
	for (unsigned i = 0; i < PAGES; i++) {
		put(ep, i, (uint8_t)(mark + i));
	}
	return ep;
}

static void begin(void)
{
	a = process(0);
	b = process(50);
	c = process(100);
}

static void end(void)
{
	fake_exit(&vm, a);
	fake_exit(&vm, b);
	fake_exit(&vm, c);
	CHECK_SOUND(&vm);
	CHECK(list_is_empty(&vm.safemaps));
}

/* GRT-08, GRT-09: both sides see stores; afterwards each has the last contents. */
static void test_map_and_undo(void)
{
	begin();
	CHECK(map(a, 1, b, 4, 2, true) == 0 && get(b, 4) == 1 && get(b, 5) == 2);
	CHECK_SOUND(&vm);
	put(a, 1, 11);
	put(b, 5, 22);
	CHECK(get(b, 4) == 11 && get(a, 2) == 22 && get(b, 3) == 53);
	CHECK(undo(MEMREQ_UNMAP, b, 4, 1) == 0);
	CHECK(get(b, 4) == 11 && get(b, 5) == 22);
	put(a, 1, 12);
	put(b, 5, 23);
	CHECK(get(b, 4) == 11 && get(a, 2) == 22 && list_is_empty(&vm.safemaps));
	/* Nothing there: fine. */
	CHECK(undo(MEMREQ_UNMAP, b, 4, 1) == 0 && undo(MEMREQ_REVOKE, a, 0, PAGES) == 0);
	/* Read-only, several mappers, revoked by the granter. */
	CHECK(map(a, 0, b, 0, 4, false) == 0 && map(a, 2, c, 0, 4, true) == 0);
	CHECK(fake_touch(&vm, b, BASE, true) == NULL && fake.signal == 11);
	put(c, 0, 33);
	CHECK(get(b, 2) == 33 && get(a, 2) == 33);
	CHECK_SOUND(&vm);
	CHECK(undo(MEMREQ_REVOKE, a, 3, 1) == 0 && list_is_empty(&vm.safemaps));
	put(b, 2, 34);
	CHECK(get(a, 2) == 33 && get(c, 0) == 33);
	end();
}

static void test_refusals(void)
{
	begin();
	CHECK(map(a, 0, a, 4, 1, true) == -EINVAL && map(a, 0, EP_MAKE(1, 900), 4, 1, true) != 0);
	CHECK(map(a, 0, b, PAGES - 1, 2, true) == -EFAULT);
	CHECK(map(a, PAGES - 1, b, 0, 2, true) == -EFAULT);
	CHECK(fake_call(&vm, a, LINUX_NR_mprotect, BASE, PAGE, PROT_READ, 0, 0, 0) == 0);
	CHECK(map(a, 0, b, 0, 1, true) == -EFAULT && map(a, 0, b, 0, 1, false) == 0);
	CHECK(fake_call(&vm, b, LINUX_NR_mprotect, BASE, PAGE, RW, 0, 0, 0) == -EACCES);
	CHECK(fake_call(&vm, c, LINUX_NR_mmap, BASE, PAGE, RW,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, UINT64_MAX, 0) == (int64_t)BASE);
	CHECK(map(c, 0, b, 4, 1, true) == -EFAULT && map(a, 4, c, 0, 1, true) == -EFAULT);
	end();
}

/* GRT-11: a page that is shared copy-on-write is first made the granter's own; a fork of either
 * side gives the child its own. */
static void test_fork(void)
{
	endpoint_t child, other;

	begin();
	child = (endpoint_t)fake_fork(&vm, a, 0);
	CHECK(map(a, 0, b, 0, 2, true) == 0);
	put(b, 0, 77);
	CHECK(get(a, 0) == 77 && get(child, 0) == 0);
	CHECK_SOUND(&vm);
	other = (endpoint_t)fake_fork(&vm, a, 0);
	put(a, 1, 78);
	CHECK(get(b, 1) == 78 && get(other, 1) == 1 && get(other, 0) == 77);
	fake_exit(&vm, other);
	CHECK(map(a, 0, c, 0, 2, false) == 0);
	other = (endpoint_t)fake_fork(&vm, c, 0);
	put(other, 1, 80);
	CHECK(get(a, 1) == 78 && get(c, 1) == 78);
	CHECK_SOUND(&vm);
	fake_exit(&vm, child);
	fake_exit(&vm, other);
	end();
}

/* GRT-12: what is mapped may be passed on; when a middle one or the owner goes, contents stay. */
static void test_chain(void)
{
	begin();
	CHECK(map(a, 0, b, 0, 2, true) == 0 && map(b, 0, c, 0, 2, true) == 0);
	put(c, 0, 90);
	CHECK(get(a, 0) == 90 && get(b, 0) == 90);
	CHECK_SOUND(&vm);
	CHECK(undo(MEMREQ_REVOKE, a, 0, 2) == 0 && list_is_empty(&vm.safemaps));
	CHECK(get(b, 0) == 90 && get(c, 0) == 90);
	CHECK(map(a, 0, b, 0, 2, true) == 0 && map(b, 0, c, 0, 2, true) == 0);
	fake_exit(&vm, a);
	CHECK_SOUND(&vm);
	CHECK(get(b, 0) == 90 && get(c, 1) == 1);
	a = process(0);
	/* The granter unmaps one page of two; the other goes on being shared. */
	CHECK(map(a, 0, b, 0, 2, false) == 0);
	CHECK(fake_call(&vm, a, LINUX_NR_munmap, BASE, PAGE, 0, 0, 0, 0) == 0);
	put(a, 1, 5);
	CHECK(get(b, 0) == 0 && get(b, 1) == 5);
	CHECK_SOUND(&vm);
	end();
}

/* GRT-12: a page is passed on only so often, for ending the first mapping ends them all. */
static void test_depth(void)
{
	begin();
	for (unsigned i = 0; i < SAFEMAP_DEPTH_MAX; i++) {
		CHECK(map(i % 2 == 0 ? a : b, i, i % 2 == 0 ? b : a, i + 1, 1, true) == 0);
	}
	CHECK(map(SAFEMAP_DEPTH_MAX % 2 == 0 ? a : b, SAFEMAP_DEPTH_MAX, c, 0, 1, true) == -ELOOP);
	CHECK_SOUND(&vm);
	CHECK(undo(MEMREQ_REVOKE, a, 0, 1) == 0 && list_is_empty(&vm.safemaps));
	CHECK(map(SAFEMAP_DEPTH_MAX % 2 == 0 ? a : b, SAFEMAP_DEPTH_MAX, c, 0, 1, true) == 0);
	end();
}

/* GRT-12: what either side moves elsewhere is its own from then on, and can be revoked no more. */
static void test_move(void)
{
	const uint64_t far = BASE + 64 * PAGE;

	begin();
	CHECK(map(a, 0, b, 0, 4, false) == 0);
	CHECK(fake_call(&vm, b, LINUX_NR_mremap, BASE + PAGE, 2 * PAGE, 2 * PAGE,
		      MREMAP_MAYMOVE | MREMAP_FIXED, far, 0) == (int64_t)far);
	CHECK_SOUND(&vm);
	put(a, 1, 11);
	CHECK(get(b, 64) == 1);
	put(b, 65, 22);
	CHECK(get(a, 2) == 2 && get(b, 65) == 22);
	CHECK(map(a, 0, b, 0, 1, true) == 0 && map(b, 0, c, 0, 1, true) == 0);
	CHECK(fake_call(&vm, a, LINUX_NR_mremap, BASE, PAGE, 2 * PAGE,
		      MREMAP_MAYMOVE | MREMAP_FIXED, far, 0) == (int64_t)far);
	CHECK_SOUND(&vm);
	put(a, 64, 33);
	CHECK(get(b, 0) == 0 && get(c, 0) == 0);
	put(b, 0, 44);
	CHECK(get(a, 64) == 33 && get(c, 0) == 0);
	CHECK_SOUND(&vm);
	end();
}

/* GRT-07: whole pages are copied when one side writes. */
static void test_copy_on_write(void)
{
	struct memreq wanted = {.kind = MEMREQ_COW, .address = BASE, .source_address = BASE};
	uint64_t before;

	begin();
	before = vm.pool.count[PAGE_FREE];
	wanted.requestor = wanted.target = b;
	wanted.source = a;
	wanted.bytes = 4 * PAGE;
	CHECK(request(&wanted) == 0 && get(b, 3) == 3);
	CHECK(vm.pool.count[PAGE_FREE] == before + 4);
	put(a, 0, 10);
	put(b, 1, 11);
	CHECK(get(b, 0) == 0 && get(a, 1) == 1);
	CHECK_SOUND(&vm);
	/* With a page that is mapped by a grant on either side it is a real copy. */
	CHECK(map(a, 0, c, 0, 1, true) == 0 && request(&wanted) == -EAGAIN);
	CHECK(undo(MEMREQ_UNMAP, c, 0, 1) == 0 && map(c, 0, b, 0, 1, true) == 0);
	CHECK(request(&wanted) == -EAGAIN);
	CHECK_SOUND(&vm);
	end();
}

/* What a page of each process holds, and with which others it is one page. */
struct model {
	uint8_t value[3][PAGES];
	int granter[3][PAGES]; /* process * PAGES + page it was mapped from; -1: none */
};

/* The page that all who share it got it from. */
static int root_of(const struct model *model, int page)
{
	while (model->granter[page / PAGES][page % PAGES] >= 0) {
		page = model->granter[page / PAGES][page % PAGES];
	}
	return page;
}

/* Through how many mappings a page came. */
static int depth_of(const struct model *model, int page)
{
	int depth = 0;

	while (model->granter[page / PAGES][page % PAGES] >= 0) {
		page = model->granter[page / PAGES][page % PAGES];
		depth++;
	}
	return depth;
}

/* The page is nobody's source any more; neither are those that were mapped from it. */
static void model_revoke(struct model *model, int page)
{
	for (int i = 0; i < 3 * PAGES; i++) {
		if (model->granter[i / PAGES][i % PAGES] == page) {
			model_revoke(model, i);
			model->granter[i / PAGES][i % PAGES] = -1;
		}
	}
}

static void model_part(struct model *model, int page)
{
	model_revoke(model, page);
	model->granter[page / PAGES][page % PAGES] = -1;
}

static void model_put(struct model *model, int page, uint8_t value)
{
	int root = root_of(model, page);

	for (int i = 0; i < 3 * PAGES; i++) {
		if (root_of(model, i) == root) {
			model->value[i / PAGES][i % PAGES] = value;
		}
	}
}

static void step(uint64_t *seed, struct model *model)
{
	const endpoint_t eps[3] = {a, b, c};
	uint64_t random = random_next(seed);
	unsigned x = random % 3, y = (random >> 8) % 3, p = (random >> 16) % PAGES,
		 q = (random >> 24) % PAGES, count = 1 + (random >> 28) % 4;
	int64_t child;

	switch ((random >> 32) % 6) {
	case 0:
		if (x == y) {
			break;
		}
		model_part(model, (int)(y * PAGES + q));
		if (depth_of(model, (int)(x * PAGES + p)) == SAFEMAP_DEPTH_MAX) {
			CHECK(map(eps[x], p, eps[y], q, 1, true) == -ELOOP);
			break;
		}
		CHECK(map(eps[x], p, eps[y], q, 1, true) == 0);
		model->value[y][q] = model->value[x][p];
		model->granter[y][q] = (int)(x * PAGES + p);
		break;
	case 1:
		CHECK(undo(MEMREQ_UNMAP, eps[x], p, 1) == 0);
		if (model->granter[x][p] >= 0) {
			model_part(model, (int)(x * PAGES + p));
		}
		break;
	case 2:
		count = (unsigned)u64_min(count, PAGES - p);
		CHECK(undo(MEMREQ_REVOKE, eps[x], p, count) == 0);
		for (unsigned i = p; i < p + count; i++) {
			model_revoke(model, (int)(x * PAGES + i));
		}
		break;
	case 3:
		child = fake_fork(&vm, eps[x], 0);
		CHECK(child > 0 && get((endpoint_t)child, p) == model->value[x][p]);
		put((endpoint_t)child, p, 255);
		fake_exit(&vm, (endpoint_t)child);
		break;
	default:
		put(eps[x], p, (uint8_t)(random >> 40));
		model_put(model, (int)(x * PAGES + p), (uint8_t)(random >> 40));
		break;
	}
}

/* Random operations of three processes against a model of each page. */
static void test_random(void)
{
	uint64_t seed = 1;

	for (unsigned round = 0; round < 10; round++) {
		struct model model;

		begin();
		memset(model.granter, -1, sizeof(model.granter));
		for (unsigned i = 0; i < 3 * PAGES; i++) {
			model.value[i / PAGES][i % PAGES] = (uint8_t)(50 * (i / PAGES) + i % PAGES);
		}
		for (unsigned i = 0; i < 300; i++) {
			const endpoint_t eps[3] = {a, b, c};

			step(&seed, &model);
			CHECK_SOUND(&vm);
			for (unsigned j = 0; j < 3 * PAGES; j++) {
				CHECK(get(eps[j / PAGES], j % PAGES) ==
					model.value[j / PAGES][j % PAGES]);
			}
		}
		end();
	}
}

/* Where memory runs out, an operation fails or not, and all stays sound. */
static void test_injection(void)
{
	for (uint64_t n = 1;; n++) {
		uint64_t before = vm.pool.count[PAGE_FREE], left;

		begin();
		vm.pool.fail_countdown = n;
		(void)map(a, 0, b, 0, 8, true);
		(void)map(b, 4, c, 2, 8, false);
		(void)map(a, 2, c, 12, 4, true);
		(void)undo(MEMREQ_REVOKE, a, 2, 1);
		CHECK_SOUND(&vm);
		(void)undo(MEMREQ_UNMAP, c, 2, 3);
		fake_exit(&vm, b);
		left = vm.pool.fail_countdown;
		vm.pool.fail_countdown = 0;
		b = process(50);
		CHECK_SOUND(&vm);
		end();
		CHECK(vm.pool.count[PAGE_FREE] == before);
		if (left != 0) {
			CHECK(n > 10);
			break;
		}
	}
}

int main(void)
{
	fake_boot(&vm, 2048);
	test_map_and_undo();
	test_refusals();
	test_fork();
	test_chain();
	test_depth();
	test_move();
	test_copy_on_write();
	test_random();
	test_injection();
	fake_shutdown(&vm);
	puts("vm safemap: ok");
	return 0;
}
