/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FPU, SSE and AVX state, by XSAVE where the CPU has it and FXSAVE else.
 *
 * Under an emulator the state is switched lazily: CR0.TS is set unless the registers hold the state
 * of the process that runs (cpu->fpu_owner), and #NM brings it in; services that never touch
 * vectors then cost nothing. On real processors, some of which let speculation read the registers
 * of the former owner, it is switched at once.
 *
 * Invariant: if cpu->fpu_owner is a process, the registers hold its newest state; else its area
 * does.
 */
#include "kernel/arch/x86_64/machine.h"

#include <string.h>

#include "abi/linux/signal.h"
#include "kernel/arch/x86_64/x86.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/panic.h"
#include "kernel/mem/bootmem.h"
#include "kernel/state.h"

#define XSAVE_X87          0x1u
#define XSAVE_SSE          0x2u
#define XSAVE_AVX          0x4u
#define XSAVE_AVX512       0xe0u
#define FXSAVE_BYTES       512
#define XSAVE_HEADER_BYTES 64
#define MXCSR_DEFAULT      0x1f80
#define FCW_DEFAULT        0x37f
#define FXSAVE_MXCSR       24
#define FXSAVE_MXCSR_MASK  28
#define MXCSR_DEFAULT_MASK 0xffbfu

/* The exception flags, at the same bits in MXCSR, status word and, as masks, in the control word.
 */
#define FPU_INVALID      0x01
#define FPU_DENORMAL     0x02
#define FPU_ZERO_DIVIDE  0x04
#define FPU_OVERFLOW     0x08
#define FPU_UNDERFLOW    0x10
#define FXSAVE_STATUS    2
#define MXCSR_MASK_SHIFT 7
/* si_code of SIGFPE; abi/linux/signal.h has the others */
#define LFPE_FLTDIV 3
#define LFPE_FLTOVF 4
#define LFPE_FLTUND 5
#define LFPE_FLTRES 6

static void xsetbv(uint64_t value)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* `exact`: also what is in its initial state, for somebody who reads the area. */
static void state_save(void *area, bool exact)
{
	if (machine.has_xsaveopt && !exact) {
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
	} else if (machine.has_xsave) {
		__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
	} else {
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
	}
}

static void state_restore(const void *area)
{
	if (machine.has_xsave) {
		__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(~0u), "d"(~0u) : "memory");
	} else {
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
	}
}

static bool is_tcg(void)
{
	struct cpuid hypervisor = x86_cpuid(0x40000000, 0);

	return (x86_cpuid(1, 0).ecx & (1u << 31)) != 0 && memcmp(&hypervisor.ebx, "TCGT", 4) == 0;
}

void fpu_init(void)
{
	uint16_t fcw = FCW_DEFAULT;
	uint32_t mxcsr = MXCSR_DEFAULT;

	machine.xsave_features = XSAVE_X87 | XSAVE_SSE;
	machine.xsave_bytes = FXSAVE_BYTES;
	x86_clts();
	if (machine.has_xsave) {
		struct cpuid leaf = x86_cpuid(0xd, 0);

		machine.xsave_features |= leaf.eax & XSAVE_AVX;
		if ((leaf.eax & (XSAVE_AVX | XSAVE_AVX512)) == (XSAVE_AVX | XSAVE_AVX512)) {
			machine.xsave_features |= XSAVE_AVX512;
		}
		xsetbv(machine.xsave_features);
		machine.xsave_bytes = x86_cpuid(0xd, 0).ebx;
		machine.has_xsaveopt = (x86_cpuid(0xd, 1).eax & 1) != 0;
	}
	machine.fpu_eager = !is_tcg();
	machine.fpu_initial = bootmem_alloc(machine.xsave_bytes);
	memcpy(machine.fpu_initial, &fcw, sizeof(fcw));
	memcpy((char *)machine.fpu_initial + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	diag_printf("fpu: %u bytes of state, features %lx, %s\n", machine.xsave_bytes,
		machine.xsave_features, machine.fpu_eager ? "eager" : "lazy");
}

uint32_t arch_xsave_bytes(void)
{
	return machine.xsave_bytes;
}

void fpu_save(struct arch_proc *arch)
{
	struct cpu *cpu = this_cpu();

	if (cpu->fpu_owner == arch) {
		x86_clts();
		state_save(arch->fpu, true);
	}
	if (!arch->fpu_used) {
		memcpy(arch->fpu, machine.fpu_initial, machine.xsave_bytes);
		arch->fpu_used = true;
	}
}

void fpu_discard(struct arch_proc *arch)
{
	struct cpu *cpu = this_cpu();

	if (cpu->fpu_owner == arch) {
		cpu->fpu_owner = NULL;
	}
}

void fpu_claim(struct cpu *cpu, struct arch_proc *arch)
{
	x86_clts();
	if (cpu->fpu_owner == arch) {
		return;
	}
	if (cpu->fpu_owner != NULL) {
		state_save(cpu->fpu_owner->fpu, false);
	}
	if (!arch->fpu_used) {
		memcpy(arch->fpu, machine.fpu_initial, machine.xsave_bytes);
		arch->fpu_used = true;
	}
	state_restore(arch->fpu);
	cpu->fpu_owner = arch;
}

int fpu_error_code(struct arch_proc *arch, bool vector)
{
	uint32_t flags, masks;
	uint16_t control, status;

	fpu_save(arch);
	if (vector) {
		memcpy(&flags, (const char *)arch->fpu + FXSAVE_MXCSR, sizeof(flags));
		masks = flags >> MXCSR_MASK_SHIFT;
	} else {
		memcpy(&control, arch->fpu, sizeof(control));
		memcpy(&status, (const char *)arch->fpu + FXSAVE_STATUS, sizeof(status));
		flags = status;
		masks = control;
	}
	flags &= ~masks;
	if ((flags & FPU_INVALID) != 0) {
		return LFPE_FLTINV;
	}
	if ((flags & FPU_ZERO_DIVIDE) != 0) {
		return LFPE_FLTDIV;
	}
	if ((flags & FPU_OVERFLOW) != 0) {
		return LFPE_FLTOVF;
	}
	if ((flags & (FPU_UNDERFLOW | FPU_DENORMAL)) != 0) {
		return LFPE_FLTUND;
	}
	return LFPE_FLTRES;
}

void fpu_tame(uint8_t *area, bool extended)
{
	uint32_t mxcsr, mask;
	uint64_t features;

	memcpy(&mask, (const uint8_t *)machine.fpu_initial + FXSAVE_MXCSR_MASK, sizeof(mask));
	if (mask == 0) {
		mask = MXCSR_DEFAULT_MASK;
	}
	memcpy(&mxcsr, area + FXSAVE_MXCSR, sizeof(mxcsr));
	mxcsr &= mask;
	memcpy(area + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	if (!machine.has_xsave) {
		return;
	}
	memcpy(&features, area + FXSAVE_BYTES, sizeof(features));
	features = extended ? features & machine.xsave_features : (XSAVE_X87 | XSAVE_SSE);
	memset(area + FXSAVE_BYTES, 0, XSAVE_HEADER_BYTES);
	memcpy(area + FXSAVE_BYTES, &features, sizeof(features));
}
