/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random mmap, munmap, mprotect, mremap, madvise, fork, exit, loads and stores, in several
 * processes, against a model that knows each page's protection and contents (VM-01, VM-05, VM-08,
 * VM-19, VM-23). After each step the sanity check compares regions, page table entries (the array
 * of single-page references: VM-02, VM-03, VM-16) and pages (VM-15); the types differ in their
 * operations alone (VM-04).
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "servers/vm/test/vm_test.h"
#include "servers/vm/thread.h"

#define PAGES        1200 /* of the window that the test maps in: more than two leaf tables */
#define BASE         0x40000000ul
#define PROCESSES    5
#define SHARED_PAGES 20000

struct model_page {
	bool is_mapped, is_shared;
	int prot;
	uint32_t value;  /* private: contents */
	uint32_t shared; /* shared: index into shared_values */
};

struct model {
	endpoint_t ep; /* EP_NONE: no such process */
	struct model_page page[PAGES];
};

static struct vm vm;
static struct model models[PROCESSES];
static uint32_t shared_values[SHARED_PAGES];
static uint32_t shared_next;
static uint64_t seed;

static vaddr_t addr_of(unsigned page)
{
	return BASE + page * AXO_PAGE_SIZE;
}

static void do_mmap(struct model *model, unsigned first, unsigned count)
{
	int prot = (int)(random_next(&seed) % 4);
	bool is_shared = random_next(&seed) % 4 == 0 && shared_next + count <= SHARED_PAGES;
	int flags = MAP_ANONYMOUS | MAP_FIXED | (is_shared ? MAP_SHARED : MAP_PRIVATE);

	CHECK(fake_call(&vm, model->ep, LINUX_NR_mmap, addr_of(first), count * AXO_PAGE_SIZE,
		      (uint64_t)prot, (uint64_t)flags, UINT64_MAX, 0) == (int64_t)addr_of(first));
	for (unsigned i = first; i < first + count; i++) {
		model->page[i] = (struct model_page){
			.is_mapped = true, .is_shared = is_shared, .prot = prot};
		if (is_shared) {
			shared_values[shared_next] = 0;
			model->page[i].shared = shared_next++;
		}
	}
}

static void do_munmap(struct model *model, unsigned first, unsigned count)
{
	CHECK(fake_call(&vm, model->ep, LINUX_NR_munmap, addr_of(first), count * AXO_PAGE_SIZE - 7,
		      0, 0, 0, 0) == 0);
	memset(&model->page[first], 0, count * sizeof(model->page[0]));
}

static void do_mprotect(struct model *model, unsigned first, unsigned count)
{
	int prot = (int)(random_next(&seed) % 4);
	int64_t expected = 0;

	for (unsigned i = first; i < first + count; i++) {
		if (!model->page[i].is_mapped) {
			expected = -ENOMEM;
			break;
		}
		model->page[i].prot = prot;
	}
	CHECK(fake_call(&vm, model->ep, LINUX_NR_mprotect, addr_of(first), count * AXO_PAGE_SIZE,
		      (uint64_t)prot, 0, 0, 0) == expected);
}

static void do_dontneed(struct model *model, unsigned first, unsigned count)
{
	int64_t expected = 0;

	for (unsigned i = first; i < first + count; i++) {
		if (!model->page[i].is_mapped) {
			expected = -ENOMEM;
		} else if (!model->page[i].is_shared) {
			model->page[i].value = 0;
		}
	}
	CHECK(fake_call(&vm, model->ep, LINUX_NR_madvise, addr_of(first), count * AXO_PAGE_SIZE,
		      MADV_DONTNEED, 0, 0, 0) == expected);
}

/* Move pages that are alike to another place (MREMAP_FIXED), perhaps growing or shrinking them. */
static void do_mremap(struct model *model, unsigned first, unsigned count)
{
	unsigned to = (unsigned)(random_next(&seed) % (PAGES - 64));
	unsigned new_count = 1 + (unsigned)(random_next(&seed) % 64);
	const struct region *region = region_find(thread_space(&vm, model->ep), addr_of(first));
	struct model_page moved[64];
	bool overlaps = to < first + count && first < to + new_count;
	int64_t result;

	if (count > 64) {
		count = 64;
	}
	overlaps = to < first + count && first < to + new_count;
	if (overlaps || region == NULL || region->end < addr_of(first + count) ||
		(new_count > count && (region->flags & REGION_SHARED))) {
		return;
	}
	for (unsigned i = 0; i < new_count; i++) {
		moved[i] = model->page[first];
		moved[i].value = 0;
		if (i < count) {
			moved[i] = model->page[first + i];
		}
	}
	result = fake_call(&vm, model->ep, LINUX_NR_mremap, addr_of(first), count * AXO_PAGE_SIZE,
		new_count * AXO_PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, addr_of(to), 0);
	CHECK(result == (int64_t)addr_of(to));
	memset(&model->page[first], 0, count * sizeof(moved[0]));
	memcpy(&model->page[to], moved, new_count * sizeof(moved[0]));
}

static void do_access(struct model *model, unsigned index, bool write)
{
	struct model_page *page = &model->page[index];
	uint32_t *value = page->is_shared ? &shared_values[page->shared] : &page->value;
	vaddr_t addr = addr_of(index) + 8;
	uint8_t *byte = fake_touch(&vm, model->ep, addr, write);
	bool is_allowed =
		page->is_mapped && (write ? (page->prot & PROT_WRITE) != 0 : page->prot != 0);

	if (!is_allowed) {
		CHECK(byte == NULL && fake.signal == 11 && fake.fault_cleared);
		CHECK(fake.signal_code == (page->is_mapped ? 2 : 1) && fake.signal_address == addr);
		return;
	}
	CHECK(byte != NULL);
	if (write) {
		*value = (uint32_t)random_next(&seed);
		memcpy(byte, value, sizeof(*value));
	} else {
		CHECK(memcmp(byte, value, sizeof(*value)) == 0);
	}
}

static void do_fork(struct model *model)
{
	for (unsigned i = 0; i < PROCESSES; i++) {
		if (models[i].ep == EP_NONE) {
			int64_t child = fake_fork(&vm, model->ep, 0);

			CHECK(child >= 0);
			models[i] = *model;
			models[i].ep = (endpoint_t)child;
			return;
		}
	}
}

static void do_exit(struct model *model)
{
	unsigned alive = 0;

	for (unsigned i = 0; i < PROCESSES; i++) {
		alive += models[i].ep != EP_NONE;
	}
	if (alive > 1) {
		fake_exit(&vm, model->ep);
		model->ep = EP_NONE;
	}
}

static void step(void)
{
	struct model *model = &models[random_next(&seed) % PROCESSES];
	unsigned first = (unsigned)(random_next(&seed) % PAGES);
	unsigned count = 1 + (unsigned)(random_next(&seed) % u64_min(100, PAGES - first));
	unsigned what = (unsigned)(random_next(&seed) % 100);

	if (model->ep == EP_NONE) {
		return;
	}
	if (what < 10) {
		do_mmap(model, first, count);
	} else if (what < 16) {
		do_munmap(model, first, count);
	} else if (what < 24) {
		do_mprotect(model, first, count);
	} else if (what < 27) {
		do_dontneed(model, first, count);
	} else if (what < 31) {
		do_mremap(model, first, count);
	} else if (what < 34) {
		do_fork(model);
	} else if (what < 36) {
		do_exit(model);
	} else {
		do_access(model, first, what < 70);
	}
}

int main(void)
{
	for (uint64_t run = 1; run <= 30; run++) {
		uint64_t free_before;

		seed = run;
		shared_next = 0;
		fake_boot(&vm, 16384);
		CHECK_SOUND(&vm);
		free_before = vm.pool.count[PAGE_FREE];
		for (unsigned i = 0; i < PROCESSES; i++) {
			models[i].ep = EP_NONE;
		}
		memset(&models[0], 0, sizeof(models[0]));
		models[0].ep = fake_process(&vm);
		for (int i = 0; i < 6000; i++) {
			step();
			if (i % 100 == 0) {
				CHECK_SOUND(&vm);
			}
		}
		for (unsigned i = 0; i < PROCESSES; i++) {
			if (models[i].ep != EP_NONE) {
				fake_exit(&vm, models[i].ep);
			}
		}
		CHECK_SOUND(&vm);
		CHECK(vm.pool.count[PAGE_FREE] == free_before);
		fake_shutdown(&vm);
	}
	puts("vm model: ok");
	return 0;
}
