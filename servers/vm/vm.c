/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/vm.h"

#include <errno.h>
#include <string.h>

#include "lib/core/util.h"
#include "servers/vm/arch/x86_64/entropy.h"
#include "servers/vm/file.h"

static uint64_t evict(struct page_pool *pool, uint64_t count)
{
	return cache_evict(container_of(pool, struct vm, pool), count);
}

pfn_t vm_alloc_page(struct vm *vm, enum page_kind kind, enum page_class class)
{
	return page_alloc(&vm->pool, kind, class);
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
	if (vm->threads == NULL || vm->zero_page == PFN_NONE) {
		return -ENOMEM;
	}
	for (uint32_t slot = 0; slot < vm->kinfo.procs_max; slot++) {
		vm->threads[slot].ep = EP_NONE;
		vm->threads[slot].predecessor = EP_NONE;
	}
	vm->standby = EP_NONE;
	if (file_init(vm) != 0 || cache_init(vm) != 0) {
		return -ENOMEM;
	}
	vm->pool.evict = evict;
	return 0;
}
