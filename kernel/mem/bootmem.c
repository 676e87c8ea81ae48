/* SPDX-License-Identifier: BSD-2-Clause */
/* See bootmem.h. Takes whole pages from kinfo.free; small requests share a page. */
#include "kernel/mem/bootmem.h"

#include <string.h>

#include "kernel/arch.h"
#include "kernel/debug/panic.h"
#include "kernel/state.h"
#include "lib/core/util.h"

#define LOW_MEMORY_END 0x1000000ul /* below 16 MiB: left to devices that reach no further */

/* A run of whole pages; the highest range that has it, so that low memory stays for those that need
 * it. */
static paddr_t take_pages(uint64_t bytes)
{
	uint32_t i = kernel.kinfo.free_count;

	if (kernel.memory_taken) {
		panic("the kernel allocates memory that is VM's now");
	}
	while (i-- > 0) {
		struct mem_range *range = &kernel.kinfo.free[i];
		paddr_t start;

		if (range->bytes < bytes) {
			continue;
		}
		/* From the start of a range past low memory, else from its end. */
		start = range->start >= LOW_MEMORY_END ? range->start
						       : range->start + range->bytes - bytes;
		if (start == range->start) {
			range->start += bytes;
		}
		range->bytes -= bytes;
		memset(arch_phys(start), 0, bytes);
		return start;
	}
	panic("out of memory at boot (%lu bytes)", bytes);
}

void *bootmem_alloc(uint64_t bytes)
{
	char *memory;

	bytes = align_up(bytes, 64);
	if (bytes > kernel.boot_rest_bytes) {
		uint64_t whole = align_up(bytes, AXO_PAGE_SIZE);

		kernel.kinfo.kernel_boot_bytes += whole;
		memory = arch_phys(take_pages(whole));
		if (whole - bytes >= kernel.boot_rest_bytes) {
			kernel.boot_rest = memory + bytes;
			kernel.boot_rest_bytes = whole - bytes;
		}
		return memory;
	}
	memory = kernel.boot_rest;
	kernel.boot_rest += bytes;
	kernel.boot_rest_bytes -= bytes;
	return memory;
}

paddr_t bootmem_page_for_vm(void)
{
	kernel.kinfo.vm_boot_bytes += AXO_PAGE_SIZE;
	return take_pages(AXO_PAGE_SIZE);
}
