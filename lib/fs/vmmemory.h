/* SPDX-License-Identifier: BSD-2-Clause */
/* VM's page cache as the memory of a cache (proto/vm.h, VM_CACHE_*). */
#pragma once

#include "lib/fs/cache.h"

struct fs_vm_memory {
	struct fs_cache_memory memory;
	uint64_t dev; /* bound to this process by VFS */
};

void fs_vm_memory_init(struct fs_vm_memory *memory, uint64_t dev);
