/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory manager: takes over all memory from the kernel, loads the boot processes, then serves
 * faults, memory requests of the kernel, programs' mmap family and the operations of proto/vm.h,
 * one at a time. It calls nobody but the kernel and waits for nobody: what needs VFS goes on when
 * VFS has answered (job.c).
 */
#include <errno.h>
#include <string.h>

#include "lib/core/util.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "servers/vm/alarm.h"
#include "servers/vm/boot.h"
#include "servers/vm/cache.h"
#include "servers/vm/call.h"
#include "servers/vm/check.h"
#include "servers/vm/job.h"
#include "servers/vm/thread.h"

/* FROM_SERVICE: any with the right; FROM_ANY_SERVICE: what needs no right. All others need it, too
 * (VM_SETPRIV). */
enum caller {
	FROM_PM = 1,
	FROM_RS = 2,
	FROM_VFS = 4,
	FROM_MEMORY = 8,
	FROM_SERVICE = 16,
	FROM_ANY_SERVICE = 32
};

static const struct {
	call_fn *fn;
	unsigned callers;
} call_table[] = {
#define ROW(op, function, who) [(op)-VM_BASE] = {function, who}
	ROW(VM_FORK, vm_call_fork, FROM_PM),
	ROW(VM_EXIT, vm_call_exit, FROM_PM | FROM_RS),
	ROW(VM_WILLEXIT, vm_call_willexit, FROM_PM | FROM_RS),
	ROW(VM_THREAD_EXIT, vm_call_thread_exit, FROM_PM),
	ROW(VM_SETLIMIT, vm_call_setlimit, FROM_PM),
	ROW(VM_NEWPROC, vm_call_newproc, FROM_RS),
	ROW(VM_SETPRIV, vm_call_setpriv, FROM_RS),
	ROW(VM_MMAP_FOR, vm_call_mmap_for, FROM_VFS | FROM_RS),
	ROW(VM_MUNMAP_FOR, vm_call_munmap_for, FROM_VFS | FROM_RS),
	ROW(VM_CLEAR, vm_call_clear, FROM_VFS | FROM_RS),
	ROW(VM_SETBRK, vm_call_setbrk, FROM_VFS | FROM_RS),
	ROW(VM_MPROTECT_FOR, vm_call_mprotect_for, FROM_VFS | FROM_RS),
	ROW(VM_VFS_REPLY, vm_call_vfs_reply, FROM_VFS),
	ROW(VM_CACHE_BIND, vm_call_cache_bind, FROM_VFS),
	ROW(VM_CACHE_UNBIND, vm_call_cache_unbind, FROM_VFS),
	ROW(VM_CACHE_MAP, vm_call_cache_map, FROM_VFS),
	ROW(VM_CACHE_OPEN, vm_call_cache_open, FROM_SERVICE),
	ROW(VM_CACHE_GET, vm_call_cache_get, FROM_SERVICE),
	ROW(VM_CACHE_FORGET, vm_call_cache_forget, FROM_SERVICE),
	ROW(VM_CACHE_PROTECT, vm_call_cache_protect, FROM_SERVICE),
	ROW(VM_CACHE_LIST, vm_call_cache_list, FROM_SERVICE),
	ROW(VM_MAP_PHYS, vm_call_map_phys, FROM_SERVICE),
	ROW(VM_UNMAP_PHYS, vm_call_unmap_phys, FROM_SERVICE),
	ROW(VM_ALLOC_CONTIG, vm_call_alloc_contig, FROM_SERVICE),
	ROW(VM_BOOTDISK, vm_call_bootdisk, FROM_MEMORY),
	ROW(VM_BOOTDISK_FREE, vm_call_bootdisk_free, FROM_MEMORY),
	ROW(VM_INFO, vm_call_info, FROM_SERVICE),
	ROW(VM_MAKE_PRESENT, vm_call_make_present, FROM_VFS),
	ROW(VM_UPDATE, vm_call_update, FROM_RS),
	ROW(VM_STANDBY, vm_call_standby, FROM_RS),
	ROW(VM_INHERIT, vm_call_inherit, FROM_ANY_SERVICE),
	ROW(VM_BOOTBINARY, vm_call_bootbinary, FROM_RS),
	ROW(VM_FORCE_STORE, vm_call_force_store, FROM_PM),
	ROW(VM_RENEW, vm_call_renew, FROM_RS),
#undef ROW
};

static bool is_allowed(struct vm *vm, endpoint_t source, uint32_t op, unsigned callers)
{
	struct space *space = thread_space(vm, source);
	unsigned who = source == EP_PM ? FROM_PM
		: source == EP_RS      ? FROM_RS
		: source == EP_VFS     ? FROM_VFS
		: source == EP_MEMORY  ? FROM_MEMORY
				       : 0;
	bool needs_right = !(callers & FROM_ANY_SERVICE);

	if (space == NULL || !space->is_service) {
		return false;
	}
	if (needs_right &&
		(!(callers & (who | FROM_SERVICE)) || !(space->call_mask & (1ull << op)))) {
		return false;
	}
	space->calls_made |= 1ull << op;
	return true;
}

/* An operation of the protocol; -ENOSYS: no such, or not for the caller (VM-30). */
static int dispatch(struct vm *vm, const struct message *request, struct message *reply)
{
	const struct call call = {.source = request->source, .req = request, .rep = reply};
	uint32_t op = (uint32_t)(request->type - VM_BASE);

	if (request->type < VM_BASE || op >= ARRAY_LEN(call_table) || call_table[op].fn == NULL) {
		return -ENOSYS;
	}
	if (!is_allowed(vm, request->source, op, call_table[op].callers)) {
		return -EPERM;
	}
	return call_table[op].fn(vm, &call);
}

static void serve(struct vm *vm, const struct message *request, uint32_t status)
{
	struct message reply = {.type = 0};
	int result;

	if (IS_NOTIFY(request)) {
		uint64_t bits = request->source == EP_KERNEL ? request->notify.signals : 0;

		if (bits & KSIG_SIGNAL) {
			vm_signals(vm);
		}
		if (bits & KSIG_MEMREQ) {
			vm_memory_requests(vm);
		}
		if (request->source == EP_CLOCK) {
			alarm_rang(vm);
		} else if (request->source != EP_KERNEL) {
			cache_cleaned(vm, request->source);
		}
	} else if (IS_LINUX_CALL(request->type)) {
		vm_linux_call(vm, request);
	} else if (request->type == VM_PAGEFAULT && (status & IPC_STATUS_FROM_KERNEL)) {
		vm_pagefault(vm, request);
	} else {
		result = dispatch(vm, request, &reply);
		if (result != -EDONTREPLY && (status & IPC_STATUS_SENDREC)) {
			ipc_reply(request->source, &reply, result);
		}
	}
	vm_refill(vm);
	job_retry_memory(vm);
}

/* The option "vmcheck" of the kernel command line has everything walked after each request. */
static bool wants_whole_check(void)
{
	char line[512] = "";

	(void)sys_getinfo(GETINFO_CMDLINE, line, sizeof(line) - 1, 0);
	return strstr(line, "vmcheck") != NULL;
}

static void start(struct vm *vm)
{
	if (sys_getinfo(GETINFO_KINFO, &vm->kinfo, sizeof(vm->kinfo), 0) < 0) {
		diag_panic("no boot information");
	}
	if (vm_init(vm, (uint8_t *)vm->kinfo.vm_window) != 0) {
		diag_panic("not enough memory to start");
	}
	vm_malloc_init(&vm->heap);
	(void)sys_vmctl(VMCTL_MEMORY_TAKEN, EP_NONE, 0, 0, 0);
	sef_start_self(EP_VM, "vm");
	boot_start_processes(vm);
	diag_printf("%lu KiB of memory, %lu KiB free", (unsigned long)(vm->pool.total * 4),
		(unsigned long)(vm->pool.count[PAGE_FREE] * 4));
}

int main(void)
{
	static struct vm vm;
	bool is_whole;

	start(&vm);
	is_whole = AXO_CHECKS && wants_whole_check();
	for (;;) {
		struct message m;
		uint32_t status = 0;

		if (sef_receive(EP_ANY, &m, &status) != 0) {
			continue;
		}
		serve(&vm, &m, status);
		if (AXO_CHECKS) {
			const char *fault = is_whole ? vm_check(&vm) : vm_check_request(&vm);

			if (fault != NULL) {
				diag_panic("after message %d of %d: %s", m.type, m.source, fault);
			}
		}
	}
}
