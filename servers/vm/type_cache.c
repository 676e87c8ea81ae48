/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window of a client of the page cache. Its entries are made and taken by the cache alone: an
 * access to a slot without a page is an error. Its process may unmap it as a whole or not at all:
 * slots are counted from its start, and all its clients' windows show the same.
 */
#include <errno.h>

#include "servers/vm/cache.h"

static void cache_reference(struct vm *vm, struct region *region)
{
	(void)vm;
	list_add_tail(&region->client->windows, &region->file_link);
}

static void cache_unreference(struct vm *vm, struct region *region)
{
	(void)vm;
	list_remove(&region->file_link);
}

static enum fork_how cache_fork(const struct region *region)
{
	(void)region;
	return FORK_OMIT;
}

static int cache_fault(struct vm *vm, struct region *region, struct fault *fault)
{
	(void)vm;
	(void)region;
	(void)fault;
	return -EFAULT;
}

static int cache_resize(const struct region *region, uint64_t bytes)
{
	(void)region;
	(void)bytes;
	return -EINVAL;
}

const struct memtype memtype_cache = {
	.name = "cache",
	.is_counted = true,
	.is_pinned = true,
	.reference = cache_reference,
	.unreference = cache_unreference,
	.fork = cache_fork,
	.fault = cache_fault,
	.resize = cache_resize,
	.continues = memtype_never_continues,
	.writable = memtype_always_writable,
	.pt_flags = memtype_no_pt_flags,
};
