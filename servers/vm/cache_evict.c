/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which cached pages go when memory is short. New pages are inactive; one that is found used twice
 * becomes active. The inactive ones are looked at in order; what is dirty, pinned or being filled
 * is put aside, and looked at again when nothing else is left.
 */
#include "lib/core/util.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "servers/vm/alarm.h"
#include "servers/vm/cache.h"
#include "servers/vm/file.h"
#include "servers/vm/space.h"

#define KEEP_MARKS (VM_CACHE_PINNED | VM_CACHE_DIRTY | VM_CACHE_WMAPPED)

/* Requests after which the number of clean pages is counted anew. */
#define CLEAN_AGE_MAX 64

/* Every so often what was dirty is looked at again before active pages go. */
#define BUSY_INTERVAL 16

/* So long jobs wait for a file system that writes nothing back. */
#define CLEAN_PATIENCE_NS 20000000000ull

enum verdict { FREED, USED, BUSY };

static void move_to(struct vm *vm, struct cache_page *page, enum cache_list list)
{
	list_remove(&page->lru_link);
	vm->cache.counts[page->list]--;
	page->list = (uint8_t)list;
	ledger_note_cached(&vm->pool, page->pfn);
	vm->cache.counts[list]++;
	list_add_tail(&vm->cache.lists[list], &page->lru_link);
}

static uint8_t load_marks(
	struct vm *vm, const struct cache_page *page, enum cache_window window, uint8_t if_none)
{
	const struct cache_client *client = cache_window_client(vm, page, window);

	return client == NULL
		? if_none
		: __atomic_load_n(cache_marks(vm, client, page->slot[window]), __ATOMIC_ACQUIRE);
}

/* Whether the page was used since this was asked last. */
static bool take_used(struct vm *vm, struct cache_page *page)
{
	bool is_used = page->is_used;

	page->is_used = false;
	for (int window = 0; window < CACHE_WINDOWS; window++) {
		const struct cache_client *client =
			cache_window_client(vm, page, (enum cache_window)window);

		if (client != NULL) {
			is_used |= __atomic_fetch_and(cache_marks(vm, client, page->slot[window]),
					   (uint8_t)~VM_CACHE_USED, __ATOMIC_ACQ_REL) &
				VM_CACHE_USED;
		}
	}
	return is_used;
}

/* Whether the page may be evicted as far as its marks say. */
static bool is_clean(struct vm *vm, const struct cache_page *page)
{
	uint8_t owner = load_marks(vm, page, CACHE_OWNER, 0);
	uint8_t reader = load_marks(vm, page, CACHE_READER, 0);

	return !(owner & KEEP_MARKS) && !(reader & VM_CACHE_PINNED);
}

/* Take the page out of a window if its marks still allow it. */
static bool close_slot(
	struct vm *vm, struct cache_page *page, enum cache_window window, uint8_t keep)
{
	const struct cache_client *client = cache_window_client(vm, page, window);
	uint8_t *marks, old;

	if (client == NULL) {
		return true;
	}
	marks = cache_marks(vm, client, page->slot[window]);
	old = __atomic_load_n(marks, __ATOMIC_ACQUIRE);
	do {
		if (old & keep) {
			return false;
		}
	} while (!__atomic_compare_exchange_n(
		marks, &old, VM_CACHE_EVICTED, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	cache_take(vm, page, window);
	return true;
}

void cache_close_reader(struct vm *vm, struct cache_page *page)
{
	(void)close_slot(vm, page, CACHE_READER, VM_CACHE_PINNED);
}

/* Free the page if it may go, from processes too; `used`: even if it was used lately. */
static enum verdict try_page(struct vm *vm, struct cache_page *page, bool used)
{
	const struct page_info *info = page_info(&vm->pool, page->pfn);
	bool is_used;

	if (!is_clean(vm, page)) {
		return BUSY;
	}
	is_used = take_used(vm, page);
	if (info->refs > cache_own_refs(vm, page)) {
		if (file_is_locked(page)) {
			return BUSY;
		}
		is_used |= file_take_accessed(vm, page);
		if (is_used && !used) {
			return USED;
		}
		file_unmap_page(vm, page);
		/* One more reference may be that of the fault in progress. */
		if (info->refs > cache_own_refs(vm, page)) {
			return BUSY;
		}
	}
	if (is_used && !used) {
		return USED;
	}
	if (!close_slot(vm, page, CACHE_READER, VM_CACHE_PINNED) ||
		!close_slot(vm, page, CACHE_OWNER, KEEP_MARKS)) {
		return BUSY;
	}
	cache_forget(vm, page);
	return FREED;
}

/* Look at each inactive page once, until `count` are free. */
static uint64_t scan(struct vm *vm, uint64_t count, bool used)
{
	struct list *list = &vm->cache.lists[CACHE_INACTIVE];
	uint64_t freed = 0;

	for (uint64_t left = vm->cache.counts[CACHE_INACTIVE]; left > 0 && freed < count; left--) {
		struct cache_page *page = list_first(list, struct cache_page, lru_link);

		switch (try_page(vm, page, used)) {
		case FREED:
			freed++;
			break;
		case USED:
			move_to(vm, page, page->uses > 0 ? CACHE_ACTIVE : CACHE_INACTIVE);
			page->uses = 1;
			break;
		case BUSY:
			move_to(vm, page, CACHE_BUSY);
			break;
		}
	}
	return freed;
}

/* Active pages that were not used lately become inactive, until half of all are. */
static void age_active(struct vm *vm)
{
	struct cache *cache = &vm->cache;

	for (uint64_t left = cache->counts[CACHE_ACTIVE];
		left > 0 && cache->counts[CACHE_ACTIVE] > cache->counts[CACHE_INACTIVE]; left--) {
		struct cache_page *page =
			list_first(&cache->lists[CACHE_ACTIVE], struct cache_page, lru_link);

		if (take_used(vm, page)) {
			move_to(vm, page, CACHE_ACTIVE);
		} else {
			page->uses = 0;
			move_to(vm, page, CACHE_INACTIVE);
		}
	}
}

static void move_all(struct vm *vm, enum cache_list from, enum cache_list to)
{
	struct list *list = &vm->cache.lists[from];

	while (!list_is_empty(list)) {
		move_to(vm, list_first(list, struct cache_page, lru_link), to);
	}
}

static uint32_t count_dirty(struct vm *vm, const struct cache_client *client)
{
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < client->used_end; slot++) {
		count += cache_at(client, slot) != NULL &&
			(__atomic_load_n(cache_marks(vm, client, slot), __ATOMIC_RELAXED) &
				VM_CACHE_DIRTY) != 0;
	}
	return count;
}

/* Ask file systems to write back, unless they are at it or could not do it just before. */
static void ask_to_clean(struct vm *vm)
{
	bool any = false;

	list_for_each(client, &vm->cache.clients, struct cache_client, link)
	{
		uint32_t dirty;

		if (client->dev == 0 || client->is_asked || client->marks == NULL ||
			list_is_empty(&client->windows)) {
			continue;
		}
		dirty = count_dirty(vm, client);
		if (dirty == 0 || (client->is_stuck && dirty == client->dirty)) {
			continue;
		}
		client->dirty = dirty;
		client->is_stuck = false;
		client->is_asked = ipc_notify(client->ep) == 0;
		any |= client->is_asked;
	}
	if (any) {
		alarm_set(vm, ALARM_CACHE, CLEAN_PATIENCE_NS);
	}
}

uint64_t cache_evict(struct vm *vm, uint64_t count)
{
	uint64_t freed;

	cache_sweep(vm);
	if (vm->cache.counts[CACHE_BUSY] > vm->cache.counts[CACHE_INACTIVE] &&
		vm->cache.evictions++ % BUSY_INTERVAL == 0) {
		move_all(vm, CACHE_BUSY, CACHE_INACTIVE);
	}
	freed = scan(vm, count, false);
	if (freed < count) {
		age_active(vm);
		freed += scan(vm, count - freed, false);
	}
	if (freed == 0 && vm->cache.pages > 0) {
		move_all(vm, CACHE_BUSY, CACHE_INACTIVE);
		freed = scan(vm, count, false);
	}
	if (freed == 0 && vm->cache.pages > 0) {
		move_all(vm, CACHE_ACTIVE, CACHE_INACTIVE);
		freed = scan(vm, count, true);
	}
	if (freed < count) {
		ask_to_clean(vm);
	}
	/* Processes must not reach pages any more that are free now. */
	space_flush_all(vm);
	return freed;
}

uint64_t cache_clean_pages(struct vm *vm)
{
	struct cache *cache = &vm->cache;

	if (cache->clean_age++ % CLEAN_AGE_MAX == 0) {
		uint64_t dirty = 0;

		list_for_each(client, &cache->clients, struct cache_client, link)
		{
			dirty += client->dev != 0 ? count_dirty(vm, client) : 0;
		}
		cache->clean = cache->pages - u64_min(cache->pages, dirty);
	}
	return u64_min(cache->clean, cache->pages);
}

uint64_t vm_available_pages(const struct vm *vm)
{
	return vm->pool.count[PAGE_FREE] + u64_min(vm->cache.clean, vm->cache.pages);
}

bool cache_is_cleaning(const struct vm *vm)
{
	list_for_each(client, &vm->cache.clients, struct cache_client, link)
	{
		if (client->is_asked && !list_is_empty(&client->windows)) {
			return true;
		}
	}
	return false;
}

void cache_client_replaced(struct vm *vm, endpoint_t ep)
{
	list_for_each(client, &vm->cache.clients, struct cache_client, link)
	{
		if (client->ep == ep && client->is_asked) {
			client->is_asked = false;
			vm->memory_was_freed = true; /* who waits asks again */
		}
	}
}

void cache_alarm(struct vm *vm)
{
	bool any = false;

	list_for_each(client, &vm->cache.clients, struct cache_client, link)
	{
		uint32_t dirty = client->is_asked ? count_dirty(vm, client) : 0;

		if (!client->is_asked) {
			continue;
		}
		if (dirty < client->dirty) {
			any = true;
		} else {
			client->is_asked = false;
			client->is_stuck = true;
			vm->memory_was_freed = true; /* who waits does without */
		}
		client->dirty = dirty;
	}
	if (any) {
		alarm_set(vm, ALARM_CACHE, CLEAN_PATIENCE_NS);
	}
}

void cache_cleaned(struct vm *vm, endpoint_t ep)
{
	list_for_each(client, &vm->cache.clients, struct cache_client, link)
	{
		if (client->ep == ep && client->is_asked) {
			uint32_t dirty = count_dirty(vm, client);

			client->is_asked = false;
			client->is_stuck = dirty >= client->dirty;
			client->dirty = dirty;
			vm->memory_was_freed = true;
			vm->cache.clean_age = 0;
			move_all(vm, CACHE_BUSY, CACHE_INACTIVE);
		}
	}
}
