/* SPDX-License-Identifier: BSD-2-Clause */
/* vmctl: what VM tells the kernel about address spaces. For VM alone, by the call mask and once
 * more here. */
#include "kernel/arch.h"
#include "kernel/ipc/ipc.h"
#include "kernel/kcall/kcall.h"
#include "kernel/linux/call.h"
#include "kernel/mem/fault.h"
#include "kernel/state.h"
#include "lib/core/util.h"

#define INVALIDATE_ALL_PAGES 64 /* from so many on, forgetting everything is cheaper */

/* The address space that VM runs in is loaded; others are forgotten when they are loaded again. */
static void invalidate(struct proc *vm, paddr_t root, vaddr_t address, uint64_t pages)
{
	if (root != 0 && root != vm->root) {
		return;
	}
	if (pages >= INVALIDATE_ALL_PAGES) {
		arch_flush_all();
		return;
	}
	while (pages-- > 0) {
		arch_flush_page(address);
		address += AXO_PAGE_SIZE;
	}
}

static int64_t memreq_get(struct proc *vm, vaddr_t to)
{
	struct memreq request = {0};
	int64_t error = copy_out(vm, to, &request, sizeof(request));

	if (error != 0) {
		return error;
	}
	if (!memreq_fetch(&request)) {
		return 0;
	}
	error = copy_out(vm, to, &request, sizeof(request));
	return error != 0 ? error : 1;
}

/* Operations without a process. False: it needs one. */
static bool global_op(struct proc *caller, const uint64_t args[6], int64_t *result)
{
	*result = 0;
	switch (args[0]) {
	case VMCTL_MEMREQ_GET:
		*result = memreq_get(caller, args[2]);
		return true;
	case VMCTL_FLUSH:
		invalidate(caller, args[2], 0, INVALIDATE_ALL_PAGES);
		return true;
	case VMCTL_INVLPG:
		invalidate(caller, args[2], args[3], args[4]);
		return true;
	case VMCTL_MEMORY_TAKEN:
		kernel.memory_taken = true;
		return true;
	default:
		return false;
	}
}

/* Root 0: the page table is going to be freed; the process cannot run until it has another one. */
static void set_address_space(struct proc *proc, uint32_t as_id, paddr_t root)
{
	bool had_none = proc->root == 0;

	proc->as_id = as_id;
	proc->root = root;
	if (root == 0) {
		rts_set(proc, RTS_VMINHIBIT);
	} else if (had_none) {
		rts_clear(proc, RTS_VMINHIBIT);
	}
}

static int64_t restart_call(struct proc *proc, const struct proc *server)
{
	uint64_t number = arch_call_number(&proc->arch);

	if ((proc->flags & PROC_CALL) == 0 || !rts_is_set(proc, RTS_RECEIVING) ||
		proc->receive_from != server->endpoint) {
		return -EINVAL;
	}
	linux_call_finish(proc, -ERESTARTNOINTR);
	if ((proc->flags & PROC_CALL_ENDS) != 0) {
		proc->flags = (proc->flags & ~(uint32_t)PROC_RESTART) | PROC_CALL_AGAIN;
	} else {
		proc->call = (int32_t)number;
	}
	return 0;
}

/* vmctl(op, ep, a, b, c). -EPERM: not VM; -EINVAL: bad endpoint or operation. */
int64_t kcall_vmctl(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc;
	int64_t result;

	if (caller != proc_find(EP_VM)) {
		return -EPERM;
	}
	if (global_op(caller, args, &result)) {
		return result;
	}
	proc = kcall_proc(caller, args[1]);
	if (proc == NULL) {
		return -EINVAL;
	}
	switch (args[0]) {
	case VMCTL_CLEAR_PAGEFAULT:
		return fault_clear(proc);
	case VMCTL_MEMREQ_REPLY:
		memreq_answer(proc, (int64_t)args[2], (uint32_t)args[3]);
		return 0;
	case VMCTL_SETADDRSPACE:
		if (!is_aligned(args[3], AXO_PAGE_SIZE)) {
			return -EINVAL;
		}
		set_address_space(proc, (uint32_t)args[2], args[3]);
		return 0;
	case VMCTL_VMINHIBIT_SET:
		rts_set(proc, RTS_VMINHIBIT);
		return 0;
	case VMCTL_VMINHIBIT_CLEAR:
		rts_clear(proc, RTS_VMINHIBIT);
		return 0;
	case VMCTL_BOOTINHIBIT_CLEAR:
		rts_clear(proc, RTS_BOOTINHIBIT);
		return 0;
	case VMCTL_RESTART_CALL:
		return restart_call(proc, caller);
	default:
		return -EINVAL;
	}
}
