/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/vm.h"

#include <errno.h>
#include <string.h>

#include "lib/core/util.h"
#include "servers/vm/arch/x86_64/entropy.h"
#include "servers/vm/file.h"
#include "servers/vm/space.h"

/* Requests until the cache is searched again after it had nothing to give to the reserve. */
#define REFILL_PAUSE 64

static uint64_t evict(struct page_pool *pool, uint64_t count)
{
	return cache_evict(container_of(pool, struct vm, pool), count);
}

pfn_t vm_alloc_page(struct vm *vm, enum page_kind kind, enum page_class class)
{
	return page_alloc(&vm->pool, kind, class);
}

void vm_refill(struct vm *vm)
{
	struct page_pool *pool = &vm->pool;

	if (page_missing(pool) == 0) {
		return;
	}
	if (vm->has_empty_tables) {
		vm->has_empty_tables = false;
		list_for_each(space, &vm->spaces, struct space, link)
		{
			space->must_flush |= pt_prune(vm, &space->pt, 0, vm->kinfo.user_end);
			space_flush(vm, space);
		}
		vm->memory_was_freed = true;
	}
	if (vm->refill_pause > 0) {
		vm->refill_pause--;
	} else if (page_missing(pool) != 0) {
		bool any = cache_evict(vm, page_missing(pool)) != 0;

		vm->memory_was_freed |= any;
		vm->refill_pause = any ? 0 : REFILL_PAUSE;
	}
}

uint64_t vm_random(struct vm *vm)
{
	vm->random_state += 0x9e3779b97f4a7c15ull + arch_entropy();
	return hash_u64(vm->random_state);
}

int vm_init(struct vm *vm, uint8_t *window)
{
	if (page_pool_init(&vm->pool, &vm->kinfo, window) != 0) {
		return -ENOMEM;
	}
	heap_init(&vm->heap, &vm->pool);
	list_init(&vm->spaces);
	list_init(&vm->jobs);
	list_init(&vm->safemaps);
	vm->next_space_id = 1;
	vm->threads = heap_alloc(&vm->heap, vm->kinfo.procs_max * sizeof(*vm->threads));
	vm->zero_page = page_alloc_zeroed(&vm->pool, PAGE_ANON, PAGE_FOR_VM);
	if (vm->threads == NULL || vm->zero_page == PFN_NONE ||
		(AXO_CHECKS && ledger_init(vm) != 0)) {
		return -ENOMEM;
	}
	ledger_hold(&vm->pool, vm->zero_page, 1);
	for (uint32_t slot = 0; slot < vm->kinfo.procs_max; slot++) {
		vm->threads[slot].ep = EP_NONE;
		vm->threads[slot].predecessor = EP_NONE;
	}
	vm->standby = EP_NONE;
	vm->renewing = EP_NONE;
	if (file_init(vm) != 0 || cache_init(vm) != 0) {
		return -ENOMEM;
	}
	vm->pool.evict = evict;
	return 0;
}
