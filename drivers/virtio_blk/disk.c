/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/virtio_blk/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/util.h"
#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "lib/sys/vm.h"

#define FEATURE_SEG_MAX   (1ull << 2)
#define FEATURE_READ_ONLY (1ull << 5)
#define FEATURE_FLUSH     (1ull << 9)

#define CONFIG_CAPACITY 0
#define CONFIG_SEG_MAX  12

#define TYPE_READ  0u
#define TYPE_WRITE 1u
#define TYPE_FLUSH 4u

#define STATUS_OK            0
#define STATUS_NOT_SUPPORTED 2
#define STATUS_NONE          0xff

#define HEADER_BYTES 16u
#define QUEUE_SIZE   256u
#define SEGMENTS_MIN 4u
#define TIMEOUT_NS   60000000000ull

/* ---- the device ---- */

/* Brings the device from whatever state to working, with an empty queue. */
static int disk_bring_up(struct disk *disk)
{
	uint64_t features = FEATURE_SEG_MAX | FEATURE_READ_ONLY | FEATURE_FLUSH;
	uint32_t limit;
	int r = virtio_negotiate(&disk->dev, &features);

	if (r < 0) {
		return r;
	}
	r = virtio_queue_start(&disk->dev, &disk->queue, 0, QUEUE_SIZE);
	if (r < 0) {
		return r;
	}
	limit = (features & FEATURE_SEG_MAX) != 0 ? virtio_config32(&disk->dev, CONFIG_SEG_MAX)
						  : DISK_SEGMENTS_MAX;
	limit = (uint32_t)u64_min(limit, DISK_SEGMENTS_MAX);
	limit = disk->queue.vq.size > 2 ? (uint32_t)u64_min(limit, disk->queue.vq.size - 2u) : 0;
	if (limit < SEGMENTS_MIN) {
		return -ENOTSUP;
	}
	disk->segments_max = limit;
	disk->sectors = virtio_config64(&disk->dev, CONFIG_CAPACITY);
	if (disk->sectors > UINT64_MAX / BLK_SECTOR) {
		return -EIO;
	}
	disk->is_read_only = (features & FEATURE_READ_ONLY) != 0;
	disk->has_flush = (features & FEATURE_FLUSH) != 0;
	virtio_start(&disk->dev);
	return 0;
}

int disk_init(struct disk *disk, const struct pci_found *found, int hook)
{
	void *headers;
	int r;

	memset(disk, 0, sizeof(*disk));
	list_init(&disk->waiting);
	disk->hook = hook;
	if (found->irq < 0) {
		return -ENXIO;
	}
	r = virtio_open(&disk->dev, found);
	if (r < 0) {
		return r;
	}
	r = vm_alloc_contig(AXO_PAGE_UP(DISK_TAGS * sizeof(struct disk_header)), 0, &headers,
		&disk->headers_paddr);
	if (r < 0) {
		return r;
	}
	disk->headers = headers;
	r = disk_bring_up(disk);
	if (r < 0) {
		return r;
	}
	r = sys_irqctl(IRQ_SET, found->irq, hook);
	if (r == 0) {
		r = sys_irqctl(IRQ_ENABLE, found->irq, hook);
	}
	disk->is_usable = r == 0;
	return r;
}

/* ---- answering ---- */

static void finish(struct disk_transfer *transfer, int result)
{
	blk_answer(&transfer->req, result, result == 0 ? transfer->done : 0);
	list_remove(&transfer->link);
	free(transfer);
}

/* The device has broken the rules or does not answer: what it had fails, and it starts anew. */
static void disk_recover(struct disk *disk, const char *why)
{
	int r;

	diag_printf("%s: device reset", why);
	r = virtio_reset(&disk->dev);
	for (uint32_t tag = 0; tag < DISK_TAGS; tag++) {
		if (disk->active[tag] != NULL) {
			finish(disk->active[tag], -EIO);
			disk->active[tag] = NULL;
		}
	}
	disk->active_count = 0;
	if (r == 0) {
		r = disk_bring_up(disk);
	}
	if (r < 0) {
		diag_printf("device does not come back: %d", r);
		disk->is_usable = false;
		while (!list_is_empty(&disk->waiting)) {
			finish(list_first(&disk->waiting, struct disk_transfer, link), -EIO);
		}
	}
}

/* ---- rounds ---- */

/*
 * Gathers the physical pieces of the next round, from transfer->done on; at most `max`. Returns
 * their number, `bytes` what they are in all (a multiple of a sector), or a negative errno.
 */
static int gather(const struct disk_transfer *transfer, struct virtqueue_piece *pieces,
	uint32_t max, uint64_t *bytes)
{
	const struct blk_request *req = &transfer->req;
	struct phys_piece found[DISK_SEGMENTS_MAX];
	uint64_t skip = transfer->done;
	uint32_t count = 0;

	*bytes = 0;
	for (uint32_t i = 0; i < req->piece_count; i++) {
		uint64_t from = u64_min(skip, req->pieces[i].bytes);
		uint64_t left = req->pieces[i].bytes - from;

		skip -= from;
		while (left > 0 && count + 2 <= max) {
			/* So many bytes need at most max - count pieces, wherever they begin in a
			 * page. */
			uint64_t part = u64_min(left, (max - count - 1) * AXO_PAGE_SIZE);
			struct vumap_spec spec = {
				.granter = req->client,
				.grant = req->pieces[i].grant,
				.offset = req->pieces[i].offset + from,
				.bytes = part,
				.pieces = found,
				.max = max - count,
				.write = req->op == BLK_READ,
			};
			int n = sys_vumap(&spec);

			if (n < 0) {
				return n;
			}
			for (int j = 0; j < n; j++) {
				pieces[count++] = (struct virtqueue_piece){
					found[j].paddr, (uint32_t)found[j].bytes};
			}
			from += part;
			left -= part;
			*bytes += part;
		}
		if (left > 0) {
			break;
		}
	}
	/* Whole sectors: what is too much at the end waits for the next round. */
	for (uint64_t extra = *bytes % BLK_SECTOR; extra > 0;) {
		uint64_t cut = u64_min(extra, pieces[count - 1].bytes);

		pieces[count - 1].bytes -= (uint32_t)cut;
		count -= pieces[count - 1].bytes == 0 ? 1 : 0;
		extra -= cut;
		*bytes -= cut;
	}
	return (int)count;
}

static uint32_t free_tag(const struct disk *disk)
{
	uint32_t tag = 0;

	while (tag < DISK_TAGS && disk->active[tag] != NULL) {
		tag++;
	}
	return tag;
}

/* Most descriptors that the rest of a transfer can use. */
static uint32_t segments_wanted(const struct disk *disk, const struct disk_transfer *transfer)
{
	uint64_t pages = (transfer->req.bytes - transfer->done) / AXO_PAGE_SIZE +
		2ull * transfer->req.piece_count;

	return (uint32_t)u64_min(pages, disk->segments_max);
}

/* Hands the next round of a transfer to the device. False: there is no room, later. */
static bool start_round(struct disk *disk, struct disk_transfer *transfer)
{
	struct virtqueue_piece pieces[DISK_SEGMENTS_MAX + 2];
	uint32_t tag = free_tag(disk);
	bool is_read = transfer->req.op == BLK_READ;
	bool is_flush = transfer->req.op != BLK_READ && transfer->req.op != BLK_WRITE;
	struct disk_header *header;
	paddr_t paddr;
	int count = 0;

	if (tag == DISK_TAGS || disk->queue.vq.free_count < segments_wanted(disk, transfer) + 2) {
		return false;
	}
	transfer->round = 0;
	if (!is_flush) {
		count = gather(transfer, pieces + 1, disk->segments_max, &transfer->round);
		if (count <= 0) {
			finish(transfer, count < 0 ? count : -EIO);
			return true;
		}
	}
	header = &disk->headers[tag];
	paddr = disk->headers_paddr + tag * sizeof(*header);
	*header = (struct disk_header){
		.type = is_flush  ? TYPE_FLUSH
			: is_read ? TYPE_READ
				  : TYPE_WRITE,
		.sector = is_flush ? 0 : (transfer->req.position + transfer->done) / BLK_SECTOR,
		.status = STATUS_NONE,
	};
	pieces[0] = (struct virtqueue_piece){paddr, HEADER_BYTES};
	pieces[count + 1] =
		(struct virtqueue_piece){paddr + offsetof(struct disk_header, status), 1};
	if (!virtqueue_add(&disk->queue.vq, pieces, is_read ? 1 : (uint32_t)count + 1,
		    is_read ? (uint32_t)count + 1 : 1, tag)) {
		return false;
	}
	list_remove(&transfer->link);
	transfer->deadline_ns = sys_monotonic_ns() + TIMEOUT_NS;
	disk->active[tag] = transfer;
	disk->active_count++;
	return true;
}

/* Starts as many of the waiting transfers as there is room for, in order. */
static void start_waiting(struct disk *disk)
{
	bool has_started = false;

	while (!list_is_empty(&disk->waiting) &&
		start_round(disk, list_first(&disk->waiting, struct disk_transfer, link))) {
		has_started = true;
	}
	if (has_started) {
		virtio_submit(&disk->dev, &disk->queue);
	}
}

int disk_start(struct disk *disk, const struct blk_request *req)
{
	struct disk_transfer *transfer;

	if (!disk->is_usable) {
		return -EIO;
	}
	if (req->op != BLK_READ && req->op != BLK_WRITE && !disk->has_flush) {
		return 0;
	}
	transfer = calloc(1, sizeof(*transfer));
	if (transfer == NULL) {
		return -ENOMEM;
	}
	transfer->req = *req;
	list_add_tail(&disk->waiting, &transfer->link);
	start_waiting(disk);
	return BLK_LATER;
}

/* ---- answers of the device ---- */

/* The device is through with a round: 0, or the error that the transfer ends with. */
static int round_result(const struct disk_transfer *transfer, uint8_t status, uint32_t written)
{
	if (status != STATUS_OK) {
		return status == STATUS_NOT_SUPPORTED ? -ENOTSUP : -EIO;
	}
	if (transfer->req.op == BLK_READ && written < transfer->round + 1) {
		return -EIO;
	}
	return 0;
}

static void finish_round(struct disk *disk, uint32_t tag, uint32_t written)
{
	struct disk_transfer *transfer = disk->active[tag];
	uint8_t status = __atomic_load_n(&disk->headers[tag].status, __ATOMIC_RELAXED);
	int r = round_result(transfer, status, written);

	disk->active[tag] = NULL;
	disk->active_count--;
	if (r < 0) {
		diag_printf("I/O error, sector %llu, status %u",
			(unsigned long long)(transfer->req.position + transfer->done) / BLK_SECTOR,
			status);
		finish(transfer, r);
		return;
	}
	transfer->done += transfer->round;
	if (transfer->done < transfer->req.bytes) {
		list_add_head(&disk->waiting, &transfer->link);
	} else {
		finish(transfer, 0);
	}
}

/* Takes all answers; the queue never names a tag that is not active: tokens are the driver's own.
 */
static void take_answers(struct disk *disk)
{
	uint32_t tag;
	uint32_t written;
	int r;

	while ((r = virtqueue_take(&disk->queue.vq, &tag, &written)) > 0) {
		finish_round(disk, tag, written);
	}
	if (r < 0) {
		disk_recover(disk, "answer to what was never asked");
	}
}

void disk_interrupt(struct disk *disk)
{
	(void)virtio_interrupt_status(&disk->dev);
	if (disk->is_usable) {
		take_answers(disk);
		start_waiting(disk);
	}
	(void)sys_irqctl(IRQ_ENABLE, disk->dev.pci.irq, disk->hook);
}

time_ns_t disk_deadline(const struct disk *disk)
{
	time_ns_t deadline = 0;

	for (uint32_t tag = 0; disk->active_count > 0 && tag < DISK_TAGS; tag++) {
		const struct disk_transfer *transfer = disk->active[tag];

		if (transfer != NULL && (deadline == 0 || transfer->deadline_ns < deadline)) {
			deadline = transfer->deadline_ns;
		}
	}
	return deadline;
}

void disk_check_time(struct disk *disk)
{
	time_ns_t deadline = disk_deadline(disk);

	if (deadline == 0 || sys_monotonic_ns() < deadline) {
		return;
	}
	take_answers(disk); /* an interrupt may have got lost */
	deadline = disk_deadline(disk);
	if (deadline != 0 && sys_monotonic_ns() >= deadline) {
		disk_recover(disk, "no answer");
	}
	start_waiting(disk);
}
