/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What VM is asked for: the operations of proto/vm.h and programs' calls of the mmap family.
 *
 * An operation returns what goes into the reply's type, or -EDONTREPLY when the answer comes later
 * or never.
 */
#pragma once

#include "abi/errno.h"
#include "abi/message.h"
#include "proto/vm.h"
#include "servers/vm/space.h"

/* A request: copied from the message, which becomes the reply. */
struct call {
	endpoint_t source;
	const struct message *req;
	struct message *rep;
};

typedef int call_fn(struct vm *vm, const struct call *call);

/* process.c: PM and RS */
call_fn vm_call_fork, vm_call_exit, vm_call_willexit, vm_call_thread_exit, vm_call_setlimit,
	vm_call_newproc, vm_call_setpriv;

/* other.c: VFS and RS for another process; VFS's answers */
call_fn vm_call_mmap_for, vm_call_munmap_for, vm_call_clear, vm_call_setbrk, vm_call_mprotect_for,
	vm_call_vfs_reply, vm_call_make_present;

/* other.c: PM for a debugger */
call_fn vm_call_force_store;

/* cache_client.c, cache_call.c: VFS and file systems */
call_fn vm_call_cache_bind, vm_call_cache_unbind, vm_call_cache_open, vm_call_cache_get,
	vm_call_cache_map, vm_call_cache_forget, vm_call_cache_protect, vm_call_cache_list;

/* device.c: services */
call_fn vm_call_map_phys, vm_call_unmap_phys, vm_call_alloc_contig, vm_call_bootdisk,
	vm_call_bootdisk_free;

/* update.c: RS; services about themselves */
call_fn vm_call_update, vm_call_standby, vm_call_inherit, vm_call_renew;

/* bootfile.c: RS */
call_fn vm_call_bootbinary;

/* info.c */
call_fn vm_call_info;

/* job.c: a page fault, and memory requests of the kernel. */
void vm_pagefault(struct vm *vm, const struct message *m);
void vm_memory_requests(struct vm *vm);

/* update.c: services that VM manages the signals of have some. */
void vm_signals(struct vm *vm);

/* linux.c: a call of the mmap family by a program or service; answers it now or later. */
void vm_linux_call(struct vm *vm, const struct message *m);

/* linux.c: VFS has looked a descriptor up for mmap. */
void vm_lookup_done(struct vm *vm, const struct vm_vfs_reply *reply);
