/* SPDX-License-Identifier: BSD-2-Clause */
/* The high kernel's start on x86-64: takes the handoff over, prepares the machine, then the
 * portable kernel_boot(). */
#include <string.h>

#include "kernel/arch/x86_64/machine.h"
#include "kernel/arch/x86_64/x86.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/panic.h"
#include "kernel/main.h"
#include "kernel/state.h"
#include "lib/core/util.h"

#define COM1 0x3f8
#define COM2 0x2f8

extern char image_end_phys[];

static void add_free(uint64_t base, uint64_t bytes)
{
	struct kinfo *kinfo = &kernel.kinfo;
	uint32_t at = kinfo->free_count;

	if (bytes == 0) {
		return;
	}
	if (kinfo->free_count == KINFO_MMAP_MAX) {
		panic("too many pieces of free memory");
	}
	for (; at > 0 && kinfo->free[at - 1].start > base; at--) {
		kinfo->free[at] = kinfo->free[at - 1];
	}
	kinfo->free[at] = (struct mem_range){base, bytes};
	kinfo->free_count++;
}

/* The loader's word and what it means; all in the handoff, which lies in the low part and is given
 * up after this. */
static void take_handoff(const struct handoff *handoff)
{
	struct kinfo *kinfo = &kernel.kinfo;
	uint32_t i;

	memcpy(kernel.cmdline, handoff->cmdline, sizeof(handoff->cmdline));
	kernel.cmdline[sizeof(kernel.cmdline) - 1] = '\0';
	machine.direct_end = handoff->direct_end;
	machine.boot_root = handoff->root;
	machine.no_execute = handoff->no_execute;
	kinfo->boot_root = handoff->root;
	kinfo->highest = handoff->ram_end;
	kinfo->usable_count = handoff->usable_count;
	for (i = 0; i < handoff->usable_count; i++) {
		kinfo->usable[i] =
			(struct mem_range){handoff->usable[i].base, handoff->usable[i].length};
	}
	for (i = 0; i < handoff->free_count; i++) {
		add_free(handoff->free[i].base, handoff->free[i].length);
	}
	if (handoff->module_count > 0) {
		kinfo->module = (struct mem_range){handoff->modules[0].base,
			align_up(handoff->modules[0].length, AXO_PAGE_SIZE)};
	}
	/* Further modules are nobody's: their memory is free. */
	for (i = 1; i < handoff->module_count; i++) {
		add_free(handoff->modules[i].base,
			align_up(handoff->modules[i].length, AXO_PAGE_SIZE));
	}
	kinfo->kernel_boot_bytes = handoff->table_bytes;
}

static void free_low_part(const struct handoff *handoff)
{
	uint64_t *pml4 = arch_phys(machine.boot_root);

	kernel.kinfo.kernel_image_bytes =
		(uint64_t)image_end_phys - handoff->low_base - handoff->low_length;
	pml4[0] = 0;
	arch_flush_all();
	add_free(handoff->low_base, handoff->low_length);
}

void arch_main(paddr_t handoff_paddr)
{
	const struct handoff *handoff = arch_phys(handoff_paddr);
	bool cmdline_cut = handoff->cmdline_cut != 0;
	struct cpu *cpu = &kernel.cpus[0];

	cpu->self = cpu;
	cpu->stack_top = boot_stack_top;
	cpu_tables_init(cpu);
	take_handoff(handoff);
	free_low_part(handoff);
	serial_init(COM1);
	kernel_early();
	if (kernel.log_port) {
		serial_init(COM2);
	}
	if (cmdline_cut) {
		diag_printf("boot: the command line is too long: cut to %lu bytes\n",
			sizeof(kernel.cmdline) - 1);
	}
	cpu_features_init();
	fpu_init();
	acpi_init();
	irq_controller_init();
	apic_init();
	clock_init();
	arch_resume(kernel_boot());
}
