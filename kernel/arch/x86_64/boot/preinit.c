/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C half of the unpaged boot part: reads the loader's multiboot information, keeps the list of
 * free memory, builds the bootstrap page table (direct map and high kernel) and fills the handoff.
 *
 * It runs at its physical address, on the identity map that head.S made. Its symbols get the prefix
 * unpaged_, so that it cannot name high code nor be named by it; the few names it shares with the
 * linker script are declared below.
 *
 * Invariants:
 *  1. Kernel image and modules stay where the loader put them.
 *  2. The free list never contains a byte of the kernel, a module, or a page table; a cut that does
 * not lie within one free range although it should is fatal.
 */
#include "kernel/arch/x86_64/boot/handoff.h"
#include "kernel/arch/x86_64/boot/multiboot.h"
#include "kernel/arch/x86_64/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* From the linker script: physical addresses. */
extern char image_start[], image_end[], low_end[];
extern char text_start[], text_end[], rodata_end[];
extern uint64_t identity_pdpt[];

struct handoff *preinit(uint32_t magic, const struct multiboot_info *info);

static struct handoff handoff __attribute__((aligned(64)));

#define PAGE         4096ul
#define LOW_RESERVED PAGE /* the real-mode vectors: page 0 is never handed out */

static void early_putc(char c)
{
	__asm__ volatile("outb %0, %1" : : "a"(c), "Nd"((uint16_t)0x3f8));
}

static _Noreturn void early_panic(const char *text)
{
	const char *prefix = "\r\naxolotl: panic before paging: ";

	for (; *prefix != '\0'; prefix++) {
		early_putc(*prefix);
	}
	for (; *text != '\0'; text++) {
		early_putc(*text);
	}
	early_putc('\r');
	early_putc('\n');
	for (;;) {
		__asm__ volatile("cli; hlt");
	}
}

static void free_add(uint64_t base, uint64_t end)
{
	base = (base + PAGE - 1) & ~(PAGE - 1);
	end &= ~(PAGE - 1);
	if (base < LOW_RESERVED) {
		base = LOW_RESERVED;
	}
	if (end <= base) {
		return;
	}
	if (handoff.free_count == HANDOFF_RANGES) {
		early_panic("memory map has too many entries");
	}
	handoff.free[handoff.free_count].base = base;
	handoff.free[handoff.free_count].length = end - base;
	handoff.free_count++;
}

/* Take [base, end) out of the free list. It must be free in whole where it is RAM at all (invariant
 * 2). */
static void free_cut(uint64_t base, uint64_t end)
{
	uint32_t i;

	base &= ~(PAGE - 1);
	end = (end + PAGE - 1) & ~(PAGE - 1);
	for (i = 0; i < handoff.free_count; i++) {
		struct handoff_range *range = &handoff.free[i];
		uint64_t range_end = range->base + range->length;

		if (end <= range->base || base >= range_end) {
			continue;
		}
		if (base < range->base || end > range_end) {
			early_panic("kernel or module overlaps something else");
		}
		range->length = base - range->base;
		if (end < range_end) {
			free_add(end, range_end);
		}
		return;
	}
	early_panic("kernel or module outside of free memory");
}

/* One zeroed page from the first range that has one above 1 MiB; low memory is kept for drivers
 * that need it. */
static uint64_t *page_alloc(void)
{
	uint32_t i;

	for (i = 0; i < handoff.free_count; i++) {
		struct handoff_range *range = &handoff.free[i];

		if (range->base >= 0x100000 && range->length >= PAGE && range->base < 0x100000000) {
			uint64_t page = range->base;

			range->base += PAGE;
			range->length -= PAGE;
			handoff.table_bytes += PAGE;
			memset((void *)page, 0, PAGE);
			return (uint64_t *)page;
		}
	}
	early_panic("no memory for page tables");
}

static void sort_free(void)
{
	for (uint32_t i = 1; i < handoff.free_count; i++) {
		struct handoff_range range = handoff.free[i];
		uint32_t at = i;

		for (; at > 0 && handoff.free[at - 1].base > range.base; at--) {
			handoff.free[at] = handoff.free[at - 1];
		}
		handoff.free[at] = range;
	}
}

static void read_memory_map(const struct multiboot_info *info)
{
	uint64_t at = info->mmap_addr;
	uint64_t end = at + info->mmap_length;

	if ((info->flags & MULTIBOOT_INFO_MMAP) == 0) {
		if ((info->flags & MULTIBOOT_INFO_MEMORY) == 0) {
			early_panic("the boot loader gave no memory information");
		}
		free_add(0, (uint64_t)info->mem_lower * 1024);
		free_add(0x100000, 0x100000 + (uint64_t)info->mem_upper * 1024);
	} else {
		while (at + sizeof(struct multiboot_mmap) <= end) {
			const struct multiboot_mmap *entry = (const struct multiboot_mmap *)at;

			if (entry->type == MULTIBOOT_AVAILABLE &&
				entry->length <= UINT64_MAX - entry->base) {
				free_add(entry->base, entry->base + entry->length);
			}
			at += entry->size + sizeof(entry->size);
		}
	}
	sort_free();
	memcpy(handoff.usable, handoff.free, sizeof(handoff.usable));
	handoff.usable_count = handoff.free_count;
	for (uint32_t i = 0; i < handoff.free_count; i++) {
		uint64_t range_end = handoff.free[i].base + handoff.free[i].length;

		handoff.ram_bytes += handoff.free[i].length;
		if (range_end > handoff.ram_end) {
			handoff.ram_end = range_end;
		}
	}
}

static void read_modules(const struct multiboot_info *info)
{
	const struct multiboot_module *module =
		(const struct multiboot_module *)(uintptr_t)info->mods_addr;

	if ((info->flags & MULTIBOOT_INFO_MODULES) == 0) {
		return;
	}
	if (info->mods_count > HANDOFF_MODULES) {
		early_panic("too many boot modules");
	}
	for (uint32_t i = 0; i < info->mods_count; i++) {
		if (module[i].end <= module[i].start) {
			early_panic("empty boot module");
		}
		handoff.modules[i].base = module[i].start;
		handoff.modules[i].length = module[i].end - module[i].start;
		handoff.module_count++;
	}
}

static void read_cmdline(const struct multiboot_info *info)
{
	const char *text = (const char *)(uintptr_t)info->cmdline;
	size_t i;

	if ((info->flags & MULTIBOOT_INFO_CMDLINE) == 0) {
		return;
	}
	for (i = 0; i < HANDOFF_CMDLINE - 1 && text[i] != '\0'; i++) {
		handoff.cmdline[i] = text[i];
	}
	handoff.cmdline_cut = text[i] != '\0';
}

/* The table under *entry, made if it is not there. */
static uint64_t *next_table(uint64_t *entry)
{
	if ((*entry & PTE_PRESENT) == 0) {
		*entry = (uint64_t)page_alloc() | PTE_PRESENT | PTE_WRITE;
	}
	return (uint64_t *)(*entry & PTE_ADDR_MASK);
}

static void map_page(uint64_t *pml4, uint64_t vaddr, uint64_t paddr, uint64_t flags, bool large)
{
	uint64_t *pdpt = next_table(&pml4[(vaddr >> 39) & 511]);
	uint64_t *pd = next_table(&pdpt[(vaddr >> 30) & 511]);
	uint64_t *pt;

	if (large) {
		pd[(vaddr >> 21) & 511] = paddr | flags | PTE_LARGE | PTE_PRESENT;
		return;
	}
	pt = next_table(&pd[(vaddr >> 21) & 511]);
	pt[(vaddr >> 12) & 511] = paddr | flags | PTE_PRESENT;
}

static bool cpu_has_no_execute(void)
{
	uint32_t eax = 0x80000001, ebx, ecx, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	return (edx & (1u << 20)) != 0;
}

static void build_page_table(void)
{
	uint64_t *pml4 = page_alloc();
	uint64_t paddr;

	handoff.no_execute = cpu_has_no_execute() ? PTE_NO_EXECUTE : 0;
	/* All RAM, and at least the first GiB, where firmware tables may lie past the end of RAM.
	 */
	handoff.direct_end = (handoff.ram_end + PAGE_2M - 1) & ~(uint64_t)(PAGE_2M - 1);
	for (paddr = 0; paddr < handoff.direct_end; paddr += PAGE_2M) {
		map_page(pml4, DIRECT_MAP_BASE + paddr, paddr,
			PTE_WRITE | PTE_GLOBAL | handoff.no_execute, true);
	}
	for (paddr = (uint64_t)low_end; paddr < (uint64_t)image_end; paddr += PAGE) {
		uint64_t flags = PTE_GLOBAL;

		if (paddr < (uint64_t)text_start || paddr >= (uint64_t)text_end) {
			flags |= handoff.no_execute;
		}
		if (paddr >= (uint64_t)rodata_end) {
			flags |= PTE_WRITE;
		}
		map_page(pml4, KERNEL_VIRT + paddr, paddr, flags, false);
	}
	/* The page table of the device-register window, empty; and the upper half's PML4 entries
	 * are now complete. */
	map_page(pml4, MMIO_BASE, 0, 0, false);
	next_table(&next_table(&next_table(&pml4[(MMIO_BASE >> 39) & 511])[(MMIO_BASE >> 30) &
		511])[(MMIO_BASE >> 21) & 511])[0] = 0;
	/* This code's own mapping, until the high kernel drops it. */
	pml4[0] = (uint64_t)identity_pdpt | PTE_PRESENT | PTE_WRITE;
	handoff.root = (uint64_t)pml4;
}

/* Called by head.S with the loader's magic and information; returns the handoff for the high
 * kernel. */
struct handoff *preinit(uint32_t magic, const struct multiboot_info *info)
{
	if (magic != MULTIBOOT_LOADER_MAGIC) {
		early_panic("not started by a multiboot loader");
	}
	read_cmdline(info);
	read_memory_map(info);
	read_modules(info);
	free_cut((uint64_t)image_start, (uint64_t)image_end);
	for (uint32_t i = 0; i < handoff.module_count; i++) {
		free_cut(handoff.modules[i].base,
			handoff.modules[i].base + handoff.modules[i].length);
	}
	handoff.low_base = (uint64_t)image_start;
	handoff.low_length = (uint64_t)low_end - (uint64_t)image_start;
	build_page_table();
	sort_free();
	__asm__ volatile("mov %0, %%cr3" : : "r"(handoff.root) : "memory");
	return &handoff;
}
