/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptor tables and features of a processor. */
#include "kernel/arch/x86_64/machine.h"

#include <string.h>

#include "kernel/arch/x86_64/x86.h"
#include "kernel/debug/diag.h"
#include "kernel/state.h"

#define GDT_ENTRIES       10
#define IST_STACK_BYTES   4096
#define IST_NMI           1
#define IST_DOUBLE_FAULT  2
#define IST_MACHINE_CHECK 3

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map;
} __attribute__((packed));

struct idt_entry {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* What the processor itself insists on. */
struct cpu_tables {
	uint64_t gdt[GDT_ENTRIES];
	uint8_t ist_stacks[3][IST_STACK_BYTES] __attribute__((aligned(16)));
};

/* A place in entry.S that becomes STAC or CLAC: by its last byte. */
struct smap_site {
	uint8_t *at;
	uint8_t last;
	uint8_t pad[7];
};

extern const struct smap_site smap_sites[], smap_sites_end[];

static struct cpu_tables tables[CPU_MAX];
static struct tss task_states[CPU_MAX]
	__attribute__((section(".bss.hot"))); /* rsp0 changes at each switch */
static struct idt_entry idt[256] __attribute__((aligned(16)));
struct machine machine __attribute__((section(".bss.hot")));

struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	__asm__("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

static void idt_fill(void)
{
	unsigned vector;

	for (vector = 0; vector < 256; vector++) {
		uint64_t stub = (uint64_t)interrupt_stubs + vector * 16ul;
		struct idt_entry *entry = &idt[vector];

		entry->offset_low = (uint16_t)stub;
		entry->offset_middle = (uint16_t)(stub >> 16);
		entry->offset_high = (uint32_t)(stub >> 32);
		entry->selector = SEL_KERNEL_CODE;
		/* Present interrupt gate; INT3 and INTO may come from user mode by instruction. */
		entry->type = vector == 3 || vector == 4 ? 0xee : 0x8e;
		entry->ist = 0;
	}
	idt[2].ist = IST_NMI;
	idt[8].ist = IST_DOUBLE_FAULT;
	idt[18].ist = IST_MACHINE_CHECK;
}

void cpu_set_frame_end(struct cpu *cpu, void *end)
{
	cpu->frame_end = end;
	task_states[cpu->number].rsp[0] = (uint64_t)end;
}

void cpu_tables_init(struct cpu *cpu)
{
	struct cpu_tables *t = &tables[cpu->number];
	struct tss *state = &task_states[cpu->number];
	uint64_t tss = (uint64_t)state;
	struct table_pointer pointer;
	int i;

	t->gdt[SEL_KERNEL_CODE / 8] = 0x00af9b000000ffff;
	t->gdt[SEL_KERNEL_DATA / 8] = 0x00cf93000000ffff;
	t->gdt[SEL_USER_DATA / 8] = 0x00cff3000000ffff;
	t->gdt[SEL_USER_CODE / 8] = 0x00affb000000ffff;
	t->gdt[SEL_TSS / 8] = (sizeof(*state) - 1) | (tss & 0xffffff) << 16 | 0x89ul << 40 |
		(tss >> 24 & 0xff) << 56;
	t->gdt[SEL_TSS / 8 + 1] = tss >> 32;
	for (i = 0; i < 3; i++) {
		state->ist[i] = (uint64_t)&t->ist_stacks[i + 1];
	}
	state->rsp[0] = (uint64_t)cpu->stack_top;
	state->io_map = sizeof(*state);

	pointer.limit = sizeof(t->gdt) - 1;
	pointer.base = (uint64_t)t->gdt;
	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tmovw %w2, %%ds\n\t"
			 "movw %w2, %%es\n\t"
			 "movw %w2, %%ss\n\t"
			 "ltr %w3"
			 :
			 : "m"(pointer), "i"(SEL_KERNEL_CODE), "r"(SEL_KERNEL_DATA), "r"(SEL_TSS)
			 : "rax", "memory");
	if (cpu->number == 0) {
		idt_fill();
	}
	pointer.limit = sizeof(idt) - 1;
	pointer.base = (uint64_t)idt;
	__asm__ volatile("lidt %0" : : "m"(pointer));
	__asm__ volatile("xorl %%eax, %%eax; movw %%ax, %%fs; movw %%ax, %%gs" : : : "rax");
	x86_wrmsr(MSR_GS_BASE, (uint64_t)cpu);
	x86_wrmsr(MSR_KERNEL_GS_BASE, 0);

	x86_wrmsr(MSR_EFER, x86_rdmsr(MSR_EFER) | EFER_SCE);
	x86_wrmsr(MSR_STAR, (uint64_t)SEL_USER_CODE32 << 48 | (uint64_t)SEL_KERNEL_CODE << 32);
	x86_wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
	x86_wrmsr(MSR_FMASK, RFLAGS_TF | RFLAGS_IF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC);
}

/* Kernel text is mapped read-only; the direct map has the same pages writable. */
static void patch_smap_sites(void)
{
	const struct smap_site *site;

	for (site = smap_sites; site < smap_sites_end; site++) {
		uint8_t *text = arch_phys((uint64_t)site->at - KERNEL_VIRT);

		text[0] = 0x0f;
		text[1] = 0x01;
		text[2] = site->last;
	}
}

void cpu_features_init(void)
{
	struct cpuid basic = x86_cpuid(0, 0);
	struct cpuid one = x86_cpuid(1, 0);
	struct cpuid seven = {0};
	struct cpuid extended = x86_cpuid(0x80000001, 0);
	uint64_t cr4 = x86_cr4();

	if (basic.eax >= 7) {
		seven = x86_cpuid(7, 0);
	}
	machine.has_1g = (extended.edx & (1u << 26)) != 0;
	x86_set_cr0((x86_cr0() | CR0_WP | CR0_NE | CR0_MP) & ~CR0_EM);
	cr4 |= CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	if ((one.edx & (1u << 13)) != 0) {
		cr4 |= CR4_PGE;
	}
	if ((seven.ebx & (1u << 7)) != 0) {
		cr4 |= CR4_SMEP;
	}
	if ((seven.ecx & (1u << 2)) != 0) {
		cr4 |= CR4_UMIP;
	}
	if ((seven.ebx & (1u << 20)) != 0) {
		machine.has_smap = true;
		patch_smap_sites();
		cr4 |= CR4_SMAP;
	}
	machine.has_xsave = (one.ecx & (1u << 26)) != 0;
	if (machine.has_xsave) {
		cr4 |= CR4_OSXSAVE;
	}
	x86_set_cr4(cr4);
	diag_printf("cpu: nx %d smep %d smap %d umip %d xsave %d\n", machine.no_execute != 0,
		(cr4 & CR4_SMEP) != 0, machine.has_smap, (cr4 & CR4_UMIP) != 0, machine.has_xsave);
}

bool arch_has_no_execute(void)
{
	return machine.no_execute != 0;
}

bool arch_has_1g_pages(void)
{
	return machine.has_1g;
}

static void copy_string(char *to, size_t size, const char *from)
{
	size_t i;

	while (*from == ' ') {
		from++;
	}
	for (i = 0; i + 1 < size && from[i] != '\0'; i++) {
		to[i] = from[i];
	}
	to[i] = '\0';
}

void arch_system_info(struct system_info *info)
{
	struct cpuid zero = x86_cpuid(0, 0);
	struct cpuid one = x86_cpuid(1, 0);
	uint32_t brand[13] = {0};
	uint32_t vendor[4] = {zero.ebx, zero.edx, zero.ecx, 0};
	uint32_t family = one.eax >> 8 & 15;
	uint32_t model = one.eax >> 4 & 15;
	uint32_t i;

	if (family == 6 || family == 15) {
		model |= (one.eax >> 16 & 15) << 4;
	}
	if (family == 15) {
		family += one.eax >> 20 & 255;
	}
	copy_string(info->cpu_vendor, sizeof(info->cpu_vendor), (const char *)vendor);
	if (x86_cpuid(0x80000000, 0).eax >= 0x80000004) {
		for (i = 0; i < 3; i++) {
			struct cpuid part = x86_cpuid(0x80000002 + i, 0);

			memcpy(&brand[i * 4], &part, sizeof(part));
		}
	}
	copy_string(info->cpu_model, sizeof(info->cpu_model), (const char *)brand);
	info->cpu_family = family;
	info->cpu_modelnr = model;
	info->cpu_stepping = one.eax & 15;
	info->cpuid1_ecx = one.ecx;
	info->cpuid1_edx = one.edx;
	if (zero.eax >= 7) {
		struct cpuid seven = x86_cpuid(7, 0);

		info->cpuid7_ebx = seven.ebx;
		info->cpuid7_ecx = seven.ecx;
	}
	info->tsc_hz = machine.tsc_hz;
	info->xsave_bytes = machine.xsave_bytes;
	info->hwcap2 = 0; /* FSGSBASE is off: the kernel holds the bases */
}
