/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of programs. A copy that meets a page which must first be read from its file fails in the
 * kernel; in a worker VM is then asked to bring the page in and the copy is repeated; in the main
 * loop the call is deferred to a worker.
 */
#pragma once

#include <sys/uio.h>

#include "abi/types.h"

struct call;

/* 0, -EFAULT; in the main loop also after call_defer(). */
int user_copy_in(struct call *call, void *to, vaddr_t from, size_t bytes);
int user_copy_out(struct call *call, vaddr_t to, const void *from, size_t bytes);

/* Copy out as the last act of a call that returns `result`: where it can be, the program is
 * answered in the same kernel entry. result, or -EFAULT (deferring as above). */
int64_t user_answer(struct call *call, vaddr_t to, const void *from, size_t bytes, int64_t result);
/* Zeros into any endpoint's memory for a call: 0, -EFAULT (deferring as above). */
int user_clear_call(struct call *call, endpoint_t ep, vaddr_t to, size_t bytes);

/* The same for any endpoint's memory, workers only. */
int user_copy_in_from(endpoint_t ep, void *to, vaddr_t from, size_t bytes);
int user_copy_out_to(endpoint_t ep, vaddr_t to, const void *from, size_t bytes);
int user_clear(endpoint_t ep, vaddr_t to, size_t bytes);

/* A string with its NUL into a buffer of max bytes: its length, -EFAULT, -ENAMETOOLONG. */
int64_t user_string(struct call *call, char *to, vaddr_t from, size_t max);

/* Workers: make the range accessible: 0; -EFAULT when a page of it is not the program's. */
int user_make_present(endpoint_t ep, vaddr_t addr, uint64_t bytes, bool write);
/* Workers: how many of the bytes from addr on can be made accessible. */
uint64_t user_present_prefix(endpoint_t ep, vaddr_t addr, uint64_t bytes, bool write);

/* Where the bytes of a read or write lie: pieces of one process's memory (EP_SELF: VFS's own). */
#define UIO_INLINE 8
#define UIO_MAX    1024
struct uio {
	endpoint_t ep;
	unsigned count;    /* pieces */
	struct iovec *iov; /* inline_iov, or allocated */
	uint64_t total;    /* bytes */
	struct iovec inline_iov[UIO_INLINE];
};

void uio_single(struct uio *uio, endpoint_t ep, vaddr_t addr, uint64_t bytes);
/* From a program's array of struct iovec: -EINVAL, -EFAULT, -ENOMEM. */
int uio_import(struct call *call, struct uio *uio, vaddr_t iov, uint64_t count);
void uio_free(struct uio *uio);
/* The first bytes are done with. */
void uio_skip(struct uio *uio, uint64_t bytes);

/* The piece that holds byte `at`: its address and how many bytes follow there. */
vaddr_t uio_piece(const struct uio *uio, uint64_t at, uint64_t *len);

/* Copy between VFS's memory and bytes [at, at + bytes): 0 or -EFAULT (deferring as above). */
int uio_copy_out(
	struct call *call, const struct uio *uio, uint64_t at, const void *from, size_t bytes);
int uio_copy_in(struct call *call, const struct uio *uio, uint64_t at, void *to, size_t bytes);
/* Copy without asking VM for anything: 0 or -EFAULT. */
int uio_try_copy_out(const struct uio *uio, uint64_t at, const void *from, size_t bytes);
int uio_try_copy_in(const struct uio *uio, uint64_t at, void *to, size_t bytes);
/* Workers: bytes from `at` on that can be made accessible, at most `bytes`. */
uint64_t uio_make_present(const struct uio *uio, uint64_t at, uint64_t bytes, bool write);
