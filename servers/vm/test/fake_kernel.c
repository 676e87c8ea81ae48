/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/test/fake_kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "lib/sys/trap.h"
#include "proto/vfs.h"
#include "servers/vm/thread.h"

#define FIRST_FREE_PAGE 16 /* below: what the fake kernel keeps, its boot table among it */
#define BOOT_ROOT_PAGE  8

struct fake_kernel fake;

static int64_t fake_vmctl(uint64_t op, endpoint_t ep, uint64_t a, uint64_t b)
{
	(void)ep;
	switch (op) {
	case VMCTL_CLEAR_PAGEFAULT:
		fake.fault_cleared = true;
		return 0;
	case VMCTL_MEMREQ_GET:
		if (fake.memreq.bytes == 0) {
			return 0;
		}
		memcpy((void *)(uintptr_t)a, &fake.memreq, sizeof(fake.memreq));
		fake.memreq.bytes = 0;
		return 1;
	case VMCTL_MEMREQ_REPLY:
		fake.memreq_result = (int)a;
		return 0;
	default:
		(void)b;
		return 0;
	}
}

static int64_t take_slot(void)
{
	return fake.fork_error != 0 ? fake.fork_error : EP_MAKE(1, fake.next_slot++ % FAKE_PROCS);
}

int64_t sys_trap(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	const struct message *m = (const struct message *)(uintptr_t)a1;

	(void)a4;
	(void)a5;
	switch (nr) {
	case TRAP_SENDNB:
		fake.has_reply = true;
		fake.reply_to = (endpoint_t)a0;
		fake.reply = m->reply.result;
		fake.reply_type = m->type;
		return 0;
	case TRAP_NOTIFY:
		fake.notified = (endpoint_t)a0;
		return 0;
	case KCALL_BASE + KCALL_vmctl:
		return fake_vmctl(a0, (endpoint_t)a1, a2, a3);
	case KCALL_BASE + KCALL_kill:
		fake.signal_to = (endpoint_t)a0;
		fake.signal = (int)a1;
		fake.signal_code = (int)a2;
		fake.signal_address = a3;
		return 0;
	case KCALL_BASE + KCALL_update:
		return fake.update_error;
	case KCALL_BASE + KCALL_privctl:
		fake.allowed = a0 == PRIV_ALLOW ? (endpoint_t)a1 : EP_NONE;
		return a0 == PRIV_QUERY_MEM ? fake.query_mem_error : 0;
	case KCALL_BASE + KCALL_abort:
		fake.aborts++;
		return 0;
	case KCALL_BASE + KCALL_getksig:
		if (fake.ksig.signals == 0) {
			return 0;
		}
		*(struct ksig *)(uintptr_t)a0 = fake.ksig;
		fake.ksig.signals = 0;
		return 1;
	case KCALL_BASE + KCALL_fork:
	case KCALL_BASE + KCALL_newproc:
		return take_slot();
	default:
		return 0;
	}
}

int asyn_send(endpoint_t dst, const struct message *m)
{
	(void)dst;
	if (fake.asyn_error != 0) {
		return fake.asyn_error;
	}
	fake.present_answers += m->type == (VM_MAKE_PRESENT | PROTO_REPLY);
	if (m->type == VFS_VM_REQUEST) {
		if (MSG(m, vfs_vm_request)->what == VFS_VM_DROP) {
			fake.dropped_handles++;
		} else {
			fake.vfs_request = *m;
		}
	}
	return 0;
}

void diag_printf(const char *format, ...)
{
	(void)format;
}

void fake_boot(struct vm *vm, uint64_t pages)
{
	memset(vm, 0, sizeof(*vm));
	memset(&fake, 0, sizeof(fake));
	fake.bytes = pages * AXO_PAGE_SIZE;
	fake.memory =
		mmap(NULL, fake.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fake.memory == MAP_FAILED) {
		abort();
	}
	vm->kinfo = (struct kinfo){
		.usable = {{0, fake.bytes}},
		.usable_count = 1,
		.free = {{FIRST_FREE_PAGE * AXO_PAGE_SIZE,
			fake.bytes - FIRST_FREE_PAGE * AXO_PAGE_SIZE}},
		.free_count = 1,
		.boot_root = BOOT_ROOT_PAGE * AXO_PAGE_SIZE,
		.highest = fake.bytes,
		.user_base = USER_BASE,
		.user_end = USER_END,
		.procs_max = FAKE_PROCS,
	};
	if (vm_init(vm, fake.memory) != 0) {
		abort();
	}
}

void fake_shutdown(struct vm *vm)
{
	(void)vm;
	munmap(fake.memory, fake.bytes);
}

endpoint_t fake_process(struct vm *vm)
{
	struct space *space = space_create(vm, false);
	endpoint_t ep = (endpoint_t)take_slot();

	if (space == NULL || thread_add(vm, ep, space) != 0) {
		abort();
	}
	return ep;
}

int64_t fake_call(struct vm *vm, endpoint_t ep, int nr, uint64_t a, uint64_t b, uint64_t c,
	uint64_t d, uint64_t e, uint64_t f)
{
	const struct message m = {
		.source = ep, .type = LINUX_CALL(nr), .call = {.arg = {a, b, c, d, e, f}}};

	fake.has_reply = false;
	vm_linux_call(vm, &m);
	return fake.has_reply ? fake.reply : INT64_MIN;
}

int64_t fake_fork(struct vm *vm, endpoint_t parent, uint32_t flags)
{
	struct message req = {.source = EP_PM, .type = VM_FORK}, rep = {.type = 0};
	const struct call call = {.source = EP_PM, .req = &req, .rep = &rep};
	int result;

	MSG(&req, vm_fork_req)->parent = parent;
	MSG(&req, vm_fork_req)->flags = flags;
	result = vm_call_fork(vm, &call);
	return result != 0 ? result : MSG(&rep, vm_fork_rep)->child;
}

void fake_exit(struct vm *vm, endpoint_t ep)
{
	struct message req = {.source = EP_PM, .type = VM_EXIT}, rep = {.type = 0};
	const struct call call = {.source = EP_PM, .req = &req, .rep = &rep};

	MSG(&req, vm_ep_req)->ep = ep;
	if (vm_call_exit(vm, &call) != 0) {
		abort();
	}
}

uint8_t *fake_touch(struct vm *vm, endpoint_t ep, vaddr_t addr, bool write)
{
	struct space *space = thread_space(vm, ep);

	fake.signal = 0;
	fake.fault_cleared = true;
	for (int tries = 0;; tries++) {
		pte_t pte = space_lookup(vm, space, addr);
		struct message m = {.source = ep, .type = VM_PAGEFAULT};

		if (write ? pte_is_writable(pte) : pte_is_present(pte)) {
			return fake.memory + pte_paddr(pte) + (addr & AXO_PAGE_MASK);
		}
		if (tries == 2) {
			abort(); /* the fault did not help */
		}
		MSG(&m, vm_pagefault)->address = addr;
		MSG(&m, vm_pagefault)->error = PF_ERROR_USER | (write ? PF_ERROR_WRITE : 0);
		fake.fault_cleared = false;
		vm_pagefault(vm, &m);
		if (fake.signal != 0 || !fake.fault_cleared) {
			return NULL;
		}
	}
}

static void answer(struct vm *vm, const struct vm_vfs_reply *reply)
{
	struct message m = {.source = EP_VFS, .type = VM_VFS_REPLY}, rep = {.type = 0};
	const struct call call = {.source = EP_VFS, .req = &m, .rep = &rep};

	if (fake.vfs_request.type == 0) {
		abort();
	}
	*MSG(&m, vm_vfs_reply) = *reply;
	MSG(&m, vm_vfs_reply)->id = MSG(&fake.vfs_request, vfs_vm_request)->id;
	fake.vfs_request.type = 0;
	(void)vm_call_vfs_reply(vm, &call);
}

void fake_vfs_answer(
	struct vm *vm, int32_t result, uint64_t size, int32_t handle, uint64_t ino, uint32_t mode)
{
	const struct vm_vfs_reply reply = {
		.result = result, .file = handle, .mode = mode, .dev = 1, .ino = ino, .size = size};

	answer(vm, &reply);
}

void fake_vfs_looked_up(
	struct vm *vm, uint64_t size, int32_t handle, uint64_t dev, uint64_t ino, uint32_t mode)
{
	const struct vm_vfs_reply reply = {
		.file = handle, .mode = mode, .dev = dev, .ino = ino, .size = size};

	answer(vm, &reply);
}
