/* SPDX-License-Identifier: BSD-2-Clause */
/* A file system for host tests of VM: what it puts in the page cache it keeps nowhere else. */
#pragma once

#include "servers/vm/test/fake_kernel.h"

#define FAKE_FS_EP   EP_MAKE(1, 1000)
#define FAKE_ANSWERS 0x10000 /* a page of each service, for what VM stores there */

/* A service with the given endpoint. */
void fake_service(struct vm *vm, endpoint_t ep);

/* The bytes at an address that is present in a process. */
uint8_t *fake_memory_of(struct vm *vm, endpoint_t ep, vaddr_t addr);

/* An operation of VM's protocol: its result. */
int fake_request(
	struct vm *vm, call_fn *fn, endpoint_t source, struct message *req, struct message *rep);

/* The file system of a device starts. */
void fake_fs_start(struct vm *vm, uint64_t dev);

/* A page of a file comes into the cache: `bytes` times `byte`, then zeros. */
void fake_fs_put(struct vm *vm, uint64_t ino, uint64_t index, uint64_t bytes, uint8_t byte);

/* Pages of a file from `first` on are gone. */
void fake_fs_truncate(struct vm *vm, uint64_t ino, uint64_t first);
