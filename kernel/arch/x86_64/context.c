/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of a process: made, copied, loaded. */
#include <string.h>

#include "abi/bootinfo.h"
#include "abi/linux/errno.h"
#include "kernel/arch/x86_64/machine.h"
#include "kernel/arch/x86_64/x86.h"
#include "kernel/state.h"

#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

void arch_proc_reset(struct arch_proc *arch)
{
	void *fpu = arch->fpu;

	fpu_discard(arch);
	memset(arch, 0, sizeof(*arch));
	arch->fpu = fpu;
	arch->frame.cs = SEL_USER_CODE;
	arch->frame.ss = SEL_USER_DATA;
	arch->frame.rflags = RFLAGS_USER_DEFAULT;
}

void arch_proc_exec(struct arch_proc *arch, vaddr_t ip, vaddr_t sp)
{
	arch_proc_reset(arch);
	arch->frame.rip = ip;
	arch->frame.rsp = sp;
}

void arch_proc_fork(struct arch_proc *child, struct arch_proc *parent)
{
	void *fpu = child->fpu;

	if (parent->fpu_used) {
		fpu_save(parent);
		memcpy(fpu, parent->fpu, machine.xsave_bytes);
	}
	*child = *parent;
	child->fpu = fpu;
	child->frame.rax = 0;
}

void arch_proc_set_stack(struct arch_proc *arch, vaddr_t sp)
{
	arch->frame.rsp = sp;
}

void arch_proc_set_tls(struct arch_proc *arch, vaddr_t tls)
{
	if (tls < USER_END) {
		arch->fs_base = tls;
	}
}

void arch_proc_release(struct arch_proc *arch)
{
	fpu_discard(arch);
}

void arch_proc_swap(struct arch_proc *a, struct arch_proc *b)
{
	struct arch_proc kept;

	if (a->fpu_used) {
		fpu_save(a);
	}
	if (b->fpu_used) {
		fpu_save(b);
	}
	fpu_discard(a);
	fpu_discard(b);
	kept = *a;
	*a = *b;
	*b = kept;
}

void arch_proc_load(struct cpu *cpu, struct arch_proc *arch)
{
	if (cpu->frame_end != &arch->frame + 1) {
		cpu_set_frame_end(cpu, &arch->frame + 1);
	}
	if (machine.loaded_fs != arch->fs_base) {
		machine.loaded_fs = arch->fs_base;
		x86_wrmsr(MSR_FS_BASE, machine.loaded_fs);
	}
	if (machine.loaded_gs != arch->gs_base) {
		machine.loaded_gs = arch->gs_base;
		x86_wrmsr(MSR_KERNEL_GS_BASE, machine.loaded_gs);
	}
	if (cpu->fpu_owner == arch) {
		if ((x86_cr0() & CR0_TS) != 0) {
			x86_clts();
		}
	} else if (machine.fpu_eager) {
		fpu_claim(cpu, arch);
	} else if ((x86_cr0() & CR0_TS) == 0) {
		x86_set_cr0(x86_cr0() | CR0_TS);
	}
}

int arch_prctl(
	struct arch_proc *arch, uint64_t code, uint64_t address, uint64_t *value, bool *stored)
{
	*stored = false;
	switch (code) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (address >= USER_END) {
			return -EPERM;
		}
		*(code == ARCH_SET_FS ? &arch->fs_base : &arch->gs_base) = address;
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		*value = code == ARCH_GET_FS ? arch->fs_base : arch->gs_base;
		*stored = true;
		return 0;
	default:
		return -EINVAL;
	}
}

uint32_t arch_port_in(uint16_t port, unsigned width)
{
	return width == DEVIO_8 ? x86_inb(port) : width == DEVIO_16 ? x86_inw(port) : x86_inl(port);
}

void arch_port_out(uint16_t port, unsigned width, uint32_t value)
{
	if (width == DEVIO_8) {
		x86_outb(port, (uint8_t)value);
	} else if (width == DEVIO_16) {
		x86_outw(port, (uint16_t)value);
	} else {
		x86_outl(port, value);
	}
}
