/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/user.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/bootinfo.h"
#include "lib/core/util.h"
#include "lib/sys/kcall.h"
#include "proto/vm.h"
#include "servers/vfs/call.h"
#include "servers/vfs/trans.h"

#define PRESENT_TRIES 4
#define STRING_CHUNK  256u /* most paths are shorter */

int user_make_present(endpoint_t ep, vaddr_t addr, uint64_t bytes, bool write)
{
	struct message request = {.type = VM_MAKE_PRESENT}, answer;
	struct vm_make_present_req *req = MSG(&request, vm_make_present_req);
	struct trans trans;
	int r;

	if (bytes == 0) {
		return 0;
	}
	if (!range_within(addr, bytes, USER_BASE, USER_END)) {
		return -EFAULT;
	}
	trans_begin(&trans, EP_VM, &answer);
	req->ep = ep;
	req->id = trans.seq;
	req->addr = addr;
	req->len = bytes;
	req->write = write;
	trans_send(&trans, &request);
	r = trans_wait(&trans);
	return r < 0 ? r : MSG(&answer, vm_make_present_rep)->result;
}

uint64_t user_present_prefix(endpoint_t ep, vaddr_t addr, uint64_t bytes, bool write)
{
	uint64_t good = 0, bad = bytes + 1; /* good: known to be present; bad: known not to be */

	if (user_make_present(ep, addr, bytes, write) == 0) {
		return bytes;
	}
	bad = bytes;
	while (good < bad) {
		uint64_t middle = AXO_PAGE_DOWN(addr + good + (bad - good) / 2);

		/* Candidates are page boundaries: nothing changes inside a page. */
		if (middle <= addr + good) {
			middle = AXO_PAGE_DOWN(addr + good) + AXO_PAGE_SIZE;
			if (middle >= addr + bad) {
				break;
			}
		}
		if (user_make_present(ep, addr + good, middle - addr - good, write) == 0) {
			good = middle - addr;
		} else {
			bad = middle - addr;
		}
	}
	return good;
}

static int copy(endpoint_t src_ep, vaddr_t src, endpoint_t dst_ep, vaddr_t dst, size_t bytes)
{
	return bytes == 0 ? 0 : sys_vircopy(src_ep, src, dst_ep, dst, bytes);
}

int user_copy_in_from(endpoint_t ep, void *to, vaddr_t from, size_t bytes)
{
	for (int i = 0; i < PRESENT_TRIES; i++) {
		if (copy(ep, from, EP_SELF, (vaddr_t)to, bytes) == 0) {
			return 0;
		}
		if (user_make_present(ep, from, bytes, false) < 0) {
			break;
		}
	}
	return -EFAULT;
}

int user_copy_out_to(endpoint_t ep, vaddr_t to, const void *from, size_t bytes)
{
	for (int i = 0; i < PRESENT_TRIES; i++) {
		if (copy(EP_SELF, (vaddr_t)from, ep, to, bytes) == 0) {
			return 0;
		}
		if (user_make_present(ep, to, bytes, true) < 0) {
			break;
		}
	}
	return -EFAULT;
}

int user_clear(endpoint_t ep, vaddr_t to, size_t bytes)
{
	if (bytes == 0 || sys_memset(ep, to, 0, bytes) == 0) {
		return 0;
	}
	if (user_make_present(ep, to, bytes, true) < 0) {
		return -EFAULT;
	}
	return sys_memset(ep, to, 0, bytes) == 0 ? 0 : -EFAULT;
}

/* Whether the bytes can be a program's at all: the kernel's addresses never are. */
static bool is_user_range(vaddr_t addr, size_t bytes)
{
	return range_within(addr, bytes, 0, USER_END);
}

int user_copy_in(struct call *call, void *to, vaddr_t from, size_t bytes)
{
	if (bytes == 0) {
		return 0;
	}
	if (!is_user_range(from, bytes)) {
		return -EFAULT;
	}
	if (call_may_wait(call)) {
		return user_copy_in_from(call->m.source, to, from, bytes);
	}
	return copy(call->m.source, from, EP_SELF, (vaddr_t)to, bytes) == 0 ? 0 : call_defer(call);
}

int user_copy_out(struct call *call, vaddr_t to, const void *from, size_t bytes)
{
	if (bytes == 0) {
		return 0;
	}
	if (!is_user_range(to, bytes)) {
		return -EFAULT;
	}
	if (call_may_wait(call)) {
		return user_copy_out_to(call->m.source, to, from, bytes);
	}
	return copy(EP_SELF, (vaddr_t)from, call->m.source, to, bytes) == 0 ? 0 : call_defer(call);
}

int64_t user_answer(struct call *call, vaddr_t to, const void *from, size_t bytes, int64_t result)
{
	int r;

	if (!is_user_range(to, bytes)) {
		return -EFAULT;
	}
	/* A signal mask must go back first. */
	if (bytes > 0 && call->thread && !call->is_sigmask_set) {
		r = sys_reply_copy(call->m.source, to, from, bytes, result);
		if (r != -EFAULT) {
			call->is_answered = true;
			return result;
		}
	}
	r = user_copy_out(call, to, from, bytes);
	return r < 0 ? r : result;
}

int user_clear_call(struct call *call, endpoint_t ep, vaddr_t to, size_t bytes)
{
	if (ep != EP_SELF && !is_user_range(to, bytes)) {
		return -EFAULT;
	}
	if (call_may_wait(call)) {
		return user_clear(ep, to, bytes);
	}
	return sys_memset(ep, to, 0, bytes) == 0 ? 0 : call_defer(call);
}

int64_t user_string(struct call *call, char *to, vaddr_t from, size_t max)
{
	size_t done = 0;

	if (!is_user_range(from, 1)) {
		return -EFAULT;
	}
	while (done < max) {
		/* To the end of the page: what follows may not be there, and need not be. */
		size_t chunk = AXO_PAGE_SIZE - ((from + done) & AXO_PAGE_MASK);
		char *end;

		chunk = u64_min(u64_min(chunk, max - done), STRING_CHUNK);
		if (user_copy_in(call, to + done, from + done, chunk) < 0) {
			return -EFAULT;
		}
		end = memchr(to + done, '\0', chunk);
		if (end) {
			return end - to;
		}
		done += chunk;
	}
	return -ENAMETOOLONG;
}

void uio_single(struct uio *uio, endpoint_t ep, vaddr_t addr, uint64_t bytes)
{
	uio->ep = ep;
	uio->count = 1;
	uio->iov = uio->inline_iov;
	uio->iov[0].iov_base = (void *)addr;
	uio->iov[0].iov_len = bytes;
	uio->total = bytes;
}

int uio_import(struct call *call, struct uio *uio, vaddr_t iov, uint64_t count)
{
	int r;

	uio->ep = call->m.source;
	uio->iov = uio->inline_iov;
	uio->total = 0;
	uio->count = 0;
	if (count > UIO_MAX) {
		return -EINVAL;
	}
	if (count > UIO_INLINE) {
		uio->iov = malloc(count * sizeof(*uio->iov));
		if (!uio->iov) {
			uio->iov = uio->inline_iov;
			return -ENOMEM;
		}
	}
	r = user_copy_in(call, uio->iov, iov, count * sizeof(*uio->iov));
	if (r < 0) {
		return r;
	}
	uio->count = (unsigned)count;
	for (unsigned i = 0; i < uio->count; i++) {
		if (uio->iov[i].iov_len > INT64_MAX - uio->total) {
			return -EINVAL;
		}
		uio->total += uio->iov[i].iov_len;
	}
	return 0;
}

void uio_free(struct uio *uio)
{
	if (uio->iov != uio->inline_iov) {
		free(uio->iov);
		uio->iov = uio->inline_iov;
	}
}

void uio_skip(struct uio *uio, uint64_t bytes)
{
	assert(bytes <= uio->total);
	uio->total -= bytes;
	for (unsigned i = 0; bytes > 0; i++) {
		uint64_t len = u64_min(bytes, uio->iov[i].iov_len);

		uio->iov[i].iov_base = (char *)uio->iov[i].iov_base + len;
		uio->iov[i].iov_len -= len;
		bytes -= len;
	}
}

vaddr_t uio_piece(const struct uio *uio, uint64_t at, uint64_t *len)
{
	unsigned i = 0;

	assert(at < uio->total);
	while (at >= uio->iov[i].iov_len) {
		at -= uio->iov[i].iov_len;
		i++;
	}
	*len = uio->iov[i].iov_len - at;
	return (vaddr_t)uio->iov[i].iov_base + at;
}

enum uio_how { UIO_TRY, UIO_CALL };

static int uio_copy(struct call *call, const struct uio *uio, uint64_t at, char *own, size_t bytes,
	bool out, enum uio_how how)
{
	while (bytes > 0) {
		uint64_t len;
		vaddr_t addr = uio_piece(uio, at, &len);
		int r;

		len = u64_min(len, bytes);
		if (uio->ep == EP_SELF) {
			memcpy(out ? (void *)addr : own, out ? own : (void *)addr, len);
			r = 0;
		} else if (how == UIO_CALL) {
			r = out ? user_copy_out(call, addr, own, len)
				: user_copy_in(call, own, addr, len);
		} else if (!is_user_range(addr, len)) {
			r = -EFAULT;
		} else if (out) {
			r = copy(EP_SELF, (vaddr_t)own, uio->ep, addr, len);
		} else {
			r = copy(uio->ep, addr, EP_SELF, (vaddr_t)own, len);
		}
		if (r < 0) {
			return -EFAULT;
		}
		at += len;
		own += len;
		bytes -= len;
	}
	return 0;
}

int uio_copy_out(
	struct call *call, const struct uio *uio, uint64_t at, const void *from, size_t bytes)
{
	return uio_copy(call, uio, at, (char *)(uintptr_t)from, bytes, true, UIO_CALL);
}

int uio_copy_in(struct call *call, const struct uio *uio, uint64_t at, void *to, size_t bytes)
{
	return uio_copy(call, uio, at, to, bytes, false, UIO_CALL);
}

int uio_try_copy_out(const struct uio *uio, uint64_t at, const void *from, size_t bytes)
{
	return uio_copy(NULL, uio, at, (char *)(uintptr_t)from, bytes, true, UIO_TRY);
}

int uio_try_copy_in(const struct uio *uio, uint64_t at, void *to, size_t bytes)
{
	return uio_copy(NULL, uio, at, to, bytes, false, UIO_TRY);
}

uint64_t uio_make_present(const struct uio *uio, uint64_t at, uint64_t bytes, bool write)
{
	uint64_t done = 0;

	if (uio->ep == EP_SELF) {
		return bytes;
	}
	while (done < bytes) {
		uint64_t len, good;
		vaddr_t addr = uio_piece(uio, at + done, &len);

		len = u64_min(len, bytes - done);
		good = user_present_prefix(uio->ep, addr, len, write);
		done += good;
		if (good < len) {
			break;
		}
	}
	return done;
}
