/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables, as far as the kernel reads them: it walks them through the direct map to copy
 * between processes. VM writes them; the kernel sets only the accessed and dirty bits.
 */
#include "kernel/arch/x86_64/machine.h"

#include "kernel/arch/x86_64/x86.h"
#include "kernel/debug/panic.h"
#include "kernel/mem/bootmem.h"
#include "kernel/state.h"

void *arch_phys(paddr_t paddr)
{
	return (void *)(DIRECT_MAP_BASE + paddr);
}

const void *boot_phys(paddr_t paddr, uint64_t bytes)
{
	if (paddr >= machine.direct_end || bytes > machine.direct_end - paddr) {
		return NULL;
	}
	return arch_phys(paddr);
}

bool arch_translate(paddr_t root, vaddr_t vaddr, bool write, paddr_t *paddr, uint64_t *bytes)
{
	const uint64_t need = PTE_PRESENT | PTE_USER | (write ? PTE_WRITE : 0);
	const uint64_t mark = PTE_ACCESSED | (write ? PTE_DIRTY : 0);
	uint64_t *table = arch_phys(root);
	uint64_t size, offset;
	int shift;

	for (shift = 39;; shift -= 9) {
		uint64_t *entry = &table[vaddr >> shift & 511];

		if ((*entry & need) != need) {
			return false;
		}
		if (shift == 12 || (shift < 39 && (*entry & PTE_LARGE) != 0)) {
			*entry |= mark;
			size = 1ul << shift;
			offset = vaddr & (size - 1);
			*paddr = (*entry & PTE_ADDR_MASK & ~(size - 1)) + offset;
			break;
		}
		table = arch_phys(*entry & PTE_ADDR_MASK);
	}
	if (*paddr >= machine.direct_end) {
		return false; /* device memory */
	}
	if (*bytes > size - offset) {
		*bytes = size - offset;
	}
	return true;
}

static bool checked_user_copy(void *to, const void *from, size_t bytes, vaddr_t *fault)
{
	if (user_copy(to, from, bytes) != 0) {
		*fault = machine.fault_address;
		return false;
	}
	return true;
}

static bool is_user_range(vaddr_t start, size_t bytes)
{
	return start < USER_END && bytes <= USER_END - start;
}

bool arch_copy_from_user(void *to, vaddr_t from, size_t bytes, vaddr_t *fault)
{
	if (!is_user_range(from, bytes)) {
		*fault = USER_END;
		return false;
	}
	return checked_user_copy(to, (const void *)from, bytes, fault);
}

bool arch_copy_to_user(vaddr_t to, const void *from, size_t bytes, vaddr_t *fault)
{
	if (!is_user_range(to, bytes)) {
		*fault = USER_END;
		return false;
	}
	return checked_user_copy((void *)to, from, bytes, fault);
}

bool arch_message_from_user(struct message *to, vaddr_t from, vaddr_t *fault)
{
	if (from > USER_END - sizeof(*to)) {
		*fault = USER_END;
		return false;
	}
	if (user_message_in(to, (const struct message *)from) != 0) {
		*fault = machine.fault_address;
		return false;
	}
	return true;
}

bool arch_message_to_user(vaddr_t to, const struct message *from, vaddr_t *fault)
{
	if (to > USER_END - sizeof(*from)) {
		*fault = USER_END;
		return false;
	}
	if (user_message_out((struct message *)to, from) != 0) {
		*fault = machine.fault_address;
		return false;
	}
	return true;
}

void arch_load_address_space(paddr_t root)
{
	if (x86_cr3() != root) {
		x86_set_cr3(root);
	}
}

void arch_flush_page(vaddr_t vaddr)
{
	x86_invlpg(vaddr);
}

void arch_flush_all(void)
{
	x86_set_cr3(x86_cr3());
}

volatile void *mmio_map(paddr_t paddr)
{
	uint64_t *table = arch_phys(machine.boot_root);
	vaddr_t vaddr = MMIO_BASE + machine.mmio_used * AXO_PAGE_SIZE;
	int shift;

	if (machine.mmio_used == MMIO_PAGES) {
		panic("no room for device registers at %lx", paddr);
	}
	for (shift = 39; shift > 12; shift -= 9) {
		uint64_t entry = table[vaddr >> shift & 511];

		assert((entry & PTE_PRESENT) != 0);
		table = arch_phys(entry & PTE_ADDR_MASK);
	}
	table[vaddr >> 12 & 511] = (paddr & PTE_ADDR_MASK) | PTE_PRESENT | PTE_WRITE |
		PTE_NO_CACHE | PTE_WRITE_THROUGH | PTE_GLOBAL | machine.no_execute;
	machine.mmio_used++;
	return (volatile void *)(vaddr + (paddr & AXO_PAGE_MASK));
}

/* Boot: the table under an entry, made if it is not there. */
static uint64_t *boot_next_table(uint64_t *entry)
{
	if ((*entry & PTE_PRESENT) == 0) {
		*entry = bootmem_page_for_vm() | PTE_PRESENT | PTE_WRITE | PTE_USER;
	}
	return arch_phys(*entry & PTE_ADDR_MASK);
}

static uint64_t *boot_entry(paddr_t root, vaddr_t vaddr, int last_shift)
{
	uint64_t *table = arch_phys(root);
	int shift;

	for (shift = 39; shift > last_shift; shift -= 9) {
		table = boot_next_table(&table[vaddr >> shift & 511]);
	}
	return &table[vaddr >> last_shift & 511];
}

void arch_boot_map(paddr_t root, vaddr_t vaddr, paddr_t paddr, bool write, bool execute)
{
	*boot_entry(root, vaddr, 12) = paddr | PTE_PRESENT | PTE_USER | (write ? PTE_WRITE : 0) |
		(execute ? 0 : machine.no_execute);
	arch_flush_page(vaddr);
}

void arch_boot_map_window(paddr_t root)
{
	paddr_t paddr;

	for (paddr = 0; paddr < machine.direct_end; paddr += PAGE_2M) {
		*boot_entry(root, VM_WINDOW_BASE + paddr, 21) =
			paddr | PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_LARGE | machine.no_execute;
	}
}
