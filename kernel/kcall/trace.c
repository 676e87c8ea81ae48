/* SPDX-License-Identifier: BSD-2-Clause */
/* trace: registers of a traced thread, and letting it go on. */
#include "abi/linux/ptrace.h"
#include "kernel/arch.h"
#include "kernel/kcall/kcall.h"
#include "kernel/linux/traced.h"

#define IMAGE_MAX 4096 /* an FPU image fits */

static int64_t get_registers(struct proc *caller, struct proc *proc, vaddr_t to)
{
	struct linux_user_regs regs;

	arch_get_registers(&proc->arch, proc->call, (proc->flags & PROC_TRACE_STEP) != 0, &regs);
	return copy_out(caller, to, &regs, sizeof(regs));
}

/* Without a call number an interrupted call is not made again. */
static int64_t set_registers(struct proc *caller, struct proc *proc, vaddr_t from)
{
	struct linux_user_regs regs;
	int64_t error = copy_in(caller, &regs, from, sizeof(regs));

	if (error == 0) {
		error = arch_set_registers(&proc->arch, &regs);
	}
	if (error != 0) {
		return error;
	}
	proc->call = (int32_t)regs.orig_rax;
	if (proc->call < 0) {
		proc->flags &= ~(uint32_t)PROC_RESTART;
	}
	return 0;
}

static int64_t get_fpu(struct proc *caller, struct proc *proc, vaddr_t to, uint64_t room)
{
	uint64_t bytes = room < arch_xsave_bytes() ? room : arch_xsave_bytes();
	int64_t error = copy_out(caller, to, arch_fpu_image(&proc->arch), bytes);

	return error != 0 ? error : (int64_t)bytes;
}

static int64_t set_fpu(struct proc *caller, struct proc *proc, vaddr_t from, uint64_t bytes)
{
	static uint8_t image[IMAGE_MAX];
	int64_t error;

	if (bytes > sizeof(image)) {
		return -EINVAL;
	}
	error = copy_in(caller, image, from, bytes);
	return error != 0 ? error : arch_fpu_set(&proc->arch, image, (uint32_t)bytes);
}

/* trace(op, ep, address or flags, bytes): see abi/kcall.h. -EINVAL: no such process or operation.
 */
int64_t kcall_trace(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[1]);

	if (proc == NULL || proc == caller) {
		return -EINVAL;
	}
	switch (args[0]) {
	case TRACEE_GO:
		traced_go(caller, proc, (uint32_t)args[2]);
		return 0;
	case TRACEE_GET_REGS:
		return get_registers(caller, proc, args[2]);
	case TRACEE_SET_REGS:
		return set_registers(caller, proc, args[2]);
	case TRACEE_GET_FPU:
		return get_fpu(caller, proc, args[2], args[3]);
	case TRACEE_SET_FPU:
		return set_fpu(caller, proc, args[2], args[3]);
	default:
		return -EINVAL;
	}
}
