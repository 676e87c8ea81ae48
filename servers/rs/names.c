/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/names.h"

#include <string.h>

#include "abi/kcall.h"
#include "proto/vm.h"

struct name_bit {
	const char *name;
	int bit;
};

#define KCALL(n, call) {#call, n},
static const struct name_bit kernel_calls[] = {KCALL_TABLE(KCALL)};
#undef KCALL

#define VM_NAME(name, op)          \
	{                          \
		name, (op)-VM_BASE \
	}
static const struct name_bit vm_calls[] = {
	VM_NAME("fork", VM_FORK),
	VM_NAME("exit", VM_EXIT),
	VM_NAME("willexit", VM_WILLEXIT),
	VM_NAME("thread_exit", VM_THREAD_EXIT),
	VM_NAME("setlimit", VM_SETLIMIT),
	VM_NAME("newproc", VM_NEWPROC),
	VM_NAME("setpriv", VM_SETPRIV),
	VM_NAME("force_store", VM_FORCE_STORE),
	VM_NAME("mmap_for", VM_MMAP_FOR),
	VM_NAME("munmap_for", VM_MUNMAP_FOR),
	VM_NAME("clear", VM_CLEAR),
	VM_NAME("setbrk", VM_SETBRK),
	VM_NAME("mprotect_for", VM_MPROTECT_FOR),
	VM_NAME("vfs_reply", VM_VFS_REPLY),
	VM_NAME("cache_bind", VM_CACHE_BIND),
	VM_NAME("cache_unbind", VM_CACHE_UNBIND),
	VM_NAME("cache_map", VM_CACHE_MAP),
	VM_NAME("map_phys", VM_MAP_PHYS),
	VM_NAME("unmap_phys", VM_UNMAP_PHYS),
	VM_NAME("alloc_contig", VM_ALLOC_CONTIG),
	VM_NAME("bootdisk", VM_BOOTDISK),
	VM_NAME("bootdisk_free", VM_BOOTDISK_FREE),
	VM_NAME("info", VM_INFO),
	VM_NAME("make_present", VM_MAKE_PRESENT),
	VM_NAME("cache_open", VM_CACHE_OPEN),
	VM_NAME("cache_get", VM_CACHE_GET),
	VM_NAME("cache_forget", VM_CACHE_FORGET),
	VM_NAME("cache_protect", VM_CACHE_PROTECT),
	VM_NAME("cache_list", VM_CACHE_LIST),
	VM_NAME("update", VM_UPDATE),
	VM_NAME("standby", VM_STANDBY),
	VM_NAME("bootbinary", VM_BOOTBINARY),
	VM_NAME("renew", VM_RENEW),
};
#undef VM_NAME

static int find(const struct name_bit *table, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(table[i].name, name) == 0) {
			return table[i].bit;
		}
	}
	return -1;
}

int names_kernel_call(const char *name)
{
	return find(kernel_calls, AXO_ARRAY_LEN(kernel_calls), name);
}

int names_vm_call(const char *name)
{
	return find(vm_calls, AXO_ARRAY_LEN(vm_calls), name);
}

static const char *name_of(const struct name_bit *table, size_t count, unsigned bit)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].bit == (int)bit) {
			return table[i].name;
		}
	}
	return NULL;
}

const char *names_of_kernel_call(unsigned bit)
{
	return name_of(kernel_calls, AXO_ARRAY_LEN(kernel_calls), bit);
}

const char *names_of_vm_call(unsigned bit)
{
	return name_of(vm_calls, AXO_ARRAY_LEN(vm_calls), bit);
}
