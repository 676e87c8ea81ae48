/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/datapath.h"

#include <errno.h>

#include "abi/kcall.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "proto/vm.h"
#include "servers/vfs/call.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

#define BATCH_PAGES  16u /* pinned at a time */
#define BATCH_PIECES 48u
#define MAP_AROUND   16u /* pages asked of VM at a miss */
#define MISS_TRIES   4u
#define FAULT_TRIES  4u

_Static_assert(BATCH_PIECES <= VCOPY_MAX, "one kernel call copies a batch");

/* Pinned pages and where their bytes go. */
struct batch {
	unsigned pages, pieces;
	uint64_t bytes;
	uint32_t slots[BATCH_PAGES];
	struct vircopy_vec vec[BATCH_PIECES];
};

/* The window, opened at the first use; false: VM has no cache for VFS. */
static bool window_is_open(void)
{
	struct message m = {.type = VM_CACHE_OPEN};
	const struct vm_cache_open_rep *rep = MSG(&m, vm_cache_open_rep);

	if (vfs->window.slots > 0) {
		return true;
	}
	if (vfs->is_window_refused) {
		return false;
	}
	vfs->is_window_refused = ipc_call(EP_VM, &m) < 0 || rep->slots == 0 ||
		rep->slots >= WINDOW_NO_SLOT ||
		window_init(&vfs->window, (void *)rep->window, (uint8_t *)rep->marks,
			(uint32_t)rep->slots) < 0;
	return !vfs->is_window_refused;
}

bool datapath_serves(const struct vnode *node)
{
	return node->sb->has_peek && S_ISREG(node->mode) && window_is_open();
}

/* Ask VM for pages [first, first + count) that it has: they are in the window then. */
static void map_pages(const struct vnode *node, uint64_t first, uint64_t count)
{
	uint32_t slots[VM_CACHE_BATCH];
	struct message m = {.type = VM_CACHE_MAP};
	struct vm_cache_get_req *req = MSG(&m, vm_cache_get_req);
	uint32_t got;

	count = u64_min(count, VM_CACHE_BATCH);
	*req = (struct vm_cache_get_req){.dev = node->sb->dev,
		.ino = node->ino,
		.index = first,
		.count = (uint32_t)count,
		.to = (uint64_t)(uintptr_t)slots};
	if (ipc_call(EP_VM, &m) < 0) {
		return;
	}
	got = (uint32_t)u64_min(MSG(&m, vm_cache_get_rep)->count, count);
	for (uint32_t i = 0; i < got; i++) {
		if (slots[i] != VM_CACHE_NO_SLOT) {
			window_enter(&vfs->window, node->sb->dev, node->ino, first + i, slots[i]);
			if (slots[i] < vfs->window.slots) {
				window_unpin(&vfs->window, slots[i]);
			}
		}
	}
}

static uint64_t pages_from(const struct vnode *node, uint64_t first)
{
	uint64_t pages = (node->size + AXO_PAGE_MASK) >> AXO_PAGE_SHIFT;

	return pages > first ? pages - first : 0;
}

/*
 * Page `first` is not in the window, pages up to first + count are wanted. 0: look again; -EAGAIN:
 * it is not to be had; in the main loop it may defer.
 */
static int fetch(struct call *call, struct vnode *node, struct readahead *ra, uint64_t first,
	uint64_t count, bool is_sequential)
{
	uint64_t left = pages_from(node, first);
	uint64_t done;
	int r;

	map_pages(node, first, u64_min(u64_max(count, MAP_AROUND), left));
	if (window_has(&vfs->window, node->sb->dev, node->ino, first)) {
		return 0;
	}
	if (call && !call_may_wait(call)) {
		return call_defer(call);
	}
	count = u64_min(
		readahead_miss(ra, first, (uint32_t)u64_min(count, READAHEAD_MAX), is_sequential),
		left);
	r = fs_cache(FS_PEEK, node, first << AXO_PAGE_SHIFT, count << AXO_PAGE_SHIFT, &done);
	if (r < 0 || done == 0) {
		return -EAGAIN;
	}
	map_pages(node, first, count);
	return 0;
}

static void batch_drop(const struct batch *batch)
{
	for (unsigned i = 0; i < batch->pages; i++) {
		window_unpin(&vfs->window, batch->slots[i]);
	}
}

/* One page's bytes as pieces; those that continue the piece before, on both sides, make it longer.
 * False: no room. */
static bool batch_add(
	struct batch *batch, const struct uio *uio, uint64_t at, const char *from, uint64_t bytes)
{
	unsigned pieces = batch->pieces;

	while (bytes > 0) {
		struct vircopy_vec *last = pieces ? &batch->vec[pieces - 1] : NULL;
		uint64_t len, src = (uint64_t)(uintptr_t)from;
		vaddr_t to = uio_piece(uio, at, &len);

		len = u64_min(len, bytes);
		if (last && last->src + last->bytes == src && last->dst + last->bytes == to) {
			last->bytes += len;
		} else if (pieces == BATCH_PIECES) {
			return false;
		} else {
			batch->vec[pieces++] = (struct vircopy_vec){.src_ep = EP_SELF,
				.src = src,
				.dst_ep = uio->ep,
				.dst = to,
				.bytes = len};
		}
		at += len;
		from += len;
		bytes -= len;
	}
	batch->pieces = pieces;
	return true;
}

/*
 * Pin pages from pos on for up to `want` bytes, which go to byte `at` of the memory. True: all that
 * fit, or all; false: a page is missing, the one at pos + batch->bytes.
 */
static bool batch_fill(struct batch *batch, const struct vnode *node, const struct uio *uio,
	uint64_t at, uint64_t pos, uint64_t want)
{
	batch->pages = batch->pieces = 0;
	batch->bytes = 0;
	while (batch->bytes < want && batch->pages < BATCH_PAGES) {
		uint64_t here = pos + batch->bytes, offset = here & AXO_PAGE_MASK;
		uint64_t len = u64_min(AXO_PAGE_SIZE - offset, want - batch->bytes);
		uint32_t slot =
			window_pin(&vfs->window, node->sb->dev, node->ino, here >> AXO_PAGE_SHIFT);
		const char *page = vfs->window.base + (uint64_t)slot * AXO_PAGE_SIZE;

		if (slot == WINDOW_NO_SLOT) {
			return false;
		}
		batch->slots[batch->pages++] = slot;
		if (!batch_add(batch, uio, at + batch->bytes, page + offset, len)) {
			/* A page in many pieces: the rest of this one goes with the next batch. */
			batch->pages--;
			window_unpin(&vfs->window, slot);
			return true;
		}
		batch->bytes += len;
	}
	return true;
}

/* 0 or -EFAULT; `result`: answer the program with it, behind the last piece (negative: do not). */
static int batch_copy(struct call *call, const struct batch *batch, int64_t result)
{
	unsigned pieces = result >= 0 ? batch->pieces - 1 : batch->pieces;
	const struct vircopy_vec *last = &batch->vec[batch->pieces - 1];
	int r = 0;

	if (pieces == 1) {
		r = sys_vircopy(EP_SELF, batch->vec[0].src, batch->vec[0].dst_ep, batch->vec[0].dst,
			batch->vec[0].bytes);
	} else if (pieces > 1) {
		r = sys_vvircopy(batch->vec, (int)pieces);
	}
	if (r == 0 && result >= 0) {
		r = sys_reply_copy(
			last->dst_ep, last->dst, (const void *)last->src, last->bytes, result);
		/* A program that does not wait any more needs no answer. */
		call->is_answered = r != -EFAULT;
	}
	return r == -EFAULT ? r : 0;
}

static bool is_answerable(const struct call *call, const struct uio *uio)
{
	return call && call->thread && uio->ep == call->m.source;
}

/* The state of one read. */
struct reading {
	struct call *call;
	struct vnode *node;
	struct readahead *ra;
	const struct uio *uio;
	uint64_t total, pos, done;
	bool is_sequential;
	unsigned misses, faults;
};

/* The page behind `batch` is missing. True: try again (or the call has deferred). */
static bool on_miss(struct reading *rd, const struct batch *batch, uint64_t want)
{
	uint64_t at = rd->pos + rd->done + batch->bytes;
	uint64_t last = (rd->pos + rd->done + want - 1) >> AXO_PAGE_SHIFT,
		 first = at >> AXO_PAGE_SHIFT;

	if (rd->misses++ < MISS_TRIES) {
		int r = fetch(
			rd->call, rd->node, rd->ra, first, last - first + 1, rd->is_sequential);

		return r == 0 || (rd->call && rd->call->is_deferred);
	}
	return false;
}

/* The program's memory is not there: make it so, or shorten the read; false: none of it can be had.
 */
static bool on_fault(struct reading *rd, uint64_t bytes)
{
	uint64_t good;

	if (rd->call && !call_may_wait(rd->call)) {
		(void)call_defer(rd->call);
		return false;
	}
	if (rd->faults++ == FAULT_TRIES) {
		return false;
	}
	good = uio_make_present(rd->uio, rd->done, bytes, true);
	if (good < bytes) {
		rd->total = rd->done + good;
	}
	return good > 0;
}

/* One batch further: false at the end. */
static bool read_step(struct reading *rd)
{
	uint64_t start = rd->pos + rd->done, want;
	bool is_end = false, is_last;
	struct batch batch;
	int r;

	if (rd->done >= rd->total || start >= rd->node->size) {
		return false;
	}
	want = u64_min(rd->total - rd->done, rd->node->size - start);
	if (!batch_fill(&batch, rd->node, rd->uio, rd->done, start, want)) {
		batch_drop(&batch);
		if (on_miss(rd, &batch, want)) {
			return !(rd->call && rd->call->is_deferred);
		}
		is_end = true;
		(void)batch_fill(&batch, rd->node, rd->uio, rd->done, start, batch.bytes);
		if (batch.bytes == 0) {
			return false;
		}
	}
	if (batch.bytes == 0) {
		return false;
	}
	is_last = !is_end && batch.bytes == want && is_answerable(rd->call, rd->uio);
	r = batch_copy(rd->call, &batch, is_last ? (int64_t)(rd->done + batch.bytes) : -1);
	batch_drop(&batch);
	if (r < 0) {
		return on_fault(rd, batch.bytes);
	}
	rd->done += batch.bytes;
	rd->misses = 0;
	return !is_end;
}

int64_t datapath_read(struct call *call, struct vnode *node, struct readahead *ra,
	const struct uio *uio, uint64_t total, uint64_t pos)
{
	struct reading rd = {.call = call,
		.node = node,
		.ra = ra,
		.uio = uio,
		.total = total,
		.pos = pos,
		.is_sequential = readahead_is_sequential(ra, pos >> AXO_PAGE_SHIFT)};
	uint64_t start = 0, pages;

	while (read_step(&rd)) {
	}
	if (call && call->is_deferred) {
		return -EFAULT;
	}
	if (rd.done == 0) {
		return rd.faults > 0 ? -EFAULT : 0;
	}
	pages = readahead_passed(
		ra, (pos + rd.done + AXO_PAGE_MASK) >> AXO_PAGE_SHIFT, rd.is_sequential, &start);
	pages = u64_min(pages, pages_from(node, start));
	if (pages > 0 && !window_has(&vfs->window, node->sb->dev, node->ino, start)) {
		fs_peek_later(node, start << AXO_PAGE_SHIFT, pages << AXO_PAGE_SHIFT);
	}
	return (int64_t)rd.done;
}
