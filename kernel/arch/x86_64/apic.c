/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC: timer and end of interrupt. Intel SDM volume 3, chapter "APIC". */
#include "kernel/arch/x86_64/machine.h"

#include "kernel/arch/x86_64/x86.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/panic.h"

#define REG_TASK_PRIORITY (0x80 / 4)
#define REG_END           (0xb0 / 4)
#define REG_SPURIOUS      (0xf0 / 4)
#define REG_LVT_TIMER     (0x320 / 4)
#define REG_LVT_LINT0     (0x350 / 4)
#define REG_LVT_LINT1     (0x360 / 4)
#define REG_LVT_ERROR     (0x370 / 4)
#define REG_TIMER_INITIAL (0x380 / 4)
#define REG_TIMER_CURRENT (0x390 / 4)
#define REG_TIMER_DIVIDE  (0x3e0 / 4)

#define SPURIOUS_ENABLE 0x100
#define LVT_MASKED      0x10000
#define LVT_NMI         0x400
#define LVT_EXTINT      0x700
#define DIVIDE_BY_16    0x3

#define APIC_BASE_ENABLE 0x800ul

void apic_init(void)
{
	uint64_t base = x86_rdmsr(MSR_APIC_BASE);

	if ((x86_cpuid(1, 0).edx & (1u << 9)) == 0) {
		panic("this CPU has no local APIC");
	}
	x86_wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	machine.local_apic_base = base & PTE_ADDR_MASK;
	machine.local_apic = mmio_map(machine.local_apic_base);
	machine.local_apic[REG_TASK_PRIORITY] = 0;
	/* With the old controllers as the source, LINT0 is their wire. */
	machine.local_apic[REG_LVT_LINT0] = machine.use_pic ? LVT_EXTINT : LVT_MASKED;
	machine.local_apic[REG_LVT_LINT1] = LVT_NMI;
	machine.local_apic[REG_LVT_ERROR] = LVT_MASKED;
	machine.local_apic[REG_LVT_TIMER] = VECTOR_TIMER;
	machine.local_apic[REG_TIMER_DIVIDE] = DIVIDE_BY_16;
	machine.local_apic[REG_TIMER_INITIAL] = 0;
	machine.local_apic[REG_SPURIOUS] = SPURIOUS_ENABLE | VECTOR_SPURIOUS;
}

void apic_end_of_interrupt(void)
{
	machine.local_apic[REG_END] = 0;
}

void apic_timer_set(uint64_t ticks)
{
	if (ticks == 0) {
		ticks = 1;
	}
	machine.local_apic[REG_TIMER_INITIAL] = ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks;
}

uint32_t apic_timer_count(void)
{
	return machine.local_apic[REG_TIMER_CURRENT];
}
