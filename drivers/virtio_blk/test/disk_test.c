/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host tests of the disk logic: disk.c and the real virtqueue against a device made here, which
 * serves requests in any order from a disk in memory, fails, lies, or falls silent. Physical
 * addresses are the test's own addresses.
 */
#include "drivers/virtio_blk/disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "lib/sys/vm.h"

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

#define MEDIUM_BYTES (4u << 20)
#define BUFFER_BYTES (1u << 20)
#define REQUESTS_MAX 400u
#define BAD_GRANT    999

enum lie { LIE_NONE, LIE_ERROR, LIE_UNKNOWN_ID, LIE_SHORT, LIE_SILENT };

static uint8_t *medium;
static uint8_t *buffer; /* grant g is this memory */
static struct disk disk;
static time_ns_t now_ns;
static uint32_t resets;
static uint32_t flushes;
static enum lie lie;
static uint16_t device_seen; /* avail entries taken */
static uint32_t seed = 5;

/* Answers as they come. */
static uint32_t answers;
static int last_result;
static uint64_t last_value;
static bool is_answered[REQUESTS_MAX];

static uint32_t pick(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 12) % n;
}

/* ---- what the disk calls ---- */

void blk_answer(const struct blk_request *req, int result, uint64_t value)
{
	CHECK(req->seq < REQUESTS_MAX && !is_answered[req->seq]);
	is_answered[req->seq] = true;
	answers++;
	last_result = result;
	last_value = value;
}

void diag_printf(const char *format, ...)
{
	(void)format;
}

int vm_alloc_contig(size_t bytes, uint32_t flags, void **addr, paddr_t *paddr)
{
	(void)flags;
	*addr = aligned_alloc(AXO_PAGE_SIZE, bytes);
	memset(*addr, 0, bytes);
	*paddr = (paddr_t)(uintptr_t)*addr;
	return 0;
}

/* vumap: each page of the buffer is a piece of its own, but some neighbours join. */
static int64_t fake_vumap(const struct vumap_spec *spec)
{
	uint64_t done = 0;
	uint32_t count = 0;

	if (spec->grant == BAD_GRANT || spec->offset + spec->bytes > BUFFER_BYTES) {
		return -EPERM;
	}
	while (done < spec->bytes) {
		uint64_t at = spec->offset + done;
		uint64_t end = AXO_PAGE_DOWN(at) + AXO_PAGE_SIZE;
		uint64_t part;

		if ((at >> 12) % 3 == 0) {
			end += AXO_PAGE_SIZE;
		}
		part = end - at < spec->bytes - done ? end - at : spec->bytes - done;
		CHECK(count < spec->max);
		spec->pieces[count++] =
			(struct phys_piece){(paddr_t)(uintptr_t)(buffer + at), part};
		done += part;
	}
	return count;
}

int64_t sys_trap(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	switch (nr - KCALL_BASE) {
	case KCALL_vumap:
		return fake_vumap((const struct vumap_spec *)a0);
	case KCALL_times:
		((struct proc_times *)a1)->uptime_ns = now_ns;
		return 0;
	case KCALL_irqctl:
		return 0;
	default:
		abort();
	}
}

/* ---- the device ---- */

int virtio_open(struct virtio_device *dev, const struct pci_found *found)
{
	dev->pci = *found;
	return 0;
}

int virtio_reset(struct virtio_device *dev)
{
	resets++;
	return 0;
}

int virtio_negotiate(struct virtio_device *dev, uint64_t *features)
{
	*features |= VIRTIO_F_VERSION_1;
	*features &= ~(1ull << 5); /* not read-only */
	return virtio_reset(dev);
}

int virtio_queue_start(
	struct virtio_device *dev, struct virtio_queue *queue, uint16_t index, uint16_t size_max)
{
	uint16_t size = 64;

	if (queue->memory == NULL) {
		(void)vm_alloc_contig(
			AXO_PAGE_UP(virtqueue_bytes(size)), 0, &queue->memory, &queue->paddr);
	}
	memset(queue->memory, 0, virtqueue_bytes(size));
	virtqueue_init(&queue->vq, size, queue->memory);
	device_seen = 0;
	return 0;
}

void virtio_start(struct virtio_device *dev)
{
}

void virtio_submit(struct virtio_device *dev, struct virtio_queue *queue)
{
	(void)virtqueue_publish(&queue->vq);
}

uint8_t virtio_interrupt_status(struct virtio_device *dev)
{
	return VIRTIO_ISR_QUEUE;
}

uint32_t virtio_config32(const struct virtio_device *dev, uint32_t offset)
{
	return 40; /* seg_max */
}

uint64_t virtio_config64(const struct virtio_device *dev, uint32_t offset)
{
	return MEDIUM_BYTES / BLK_SECTOR;
}

/* Serves one chain as the specification says; returns the bytes written. */
static uint32_t serve_chain(struct virtqueue *vq, uint16_t head)
{
	const struct virtq_desc *d = &vq->desc[head];
	const struct disk_header *header = (const struct disk_header *)(uintptr_t)d->address;
	uint64_t at = header->sector * BLK_SECTOR;
	uint32_t written = 0;
	uint8_t status = lie == LIE_ERROR ? 1 : 0;

	CHECK(d->bytes == 16 && (d->flags & 3) == 1);
	flushes += header->type == 4;
	for (;;) {
		uint8_t *memory;

		d = &vq->desc[d->next];
		memory = (uint8_t *)(uintptr_t)d->address;
		if ((d->flags & 1) == 0) {
			CHECK(d->bytes == 1 && (d->flags & 2) != 0);
			*memory = status;
			break;
		}
		CHECK(at + d->bytes <= MEDIUM_BYTES && header->type != 4);
		CHECK(((d->flags & 2) != 0) == (header->type == 0));
		if (header->type == 0) {
			memcpy(memory, medium + at, d->bytes);
			written += d->bytes;
		} else {
			memcpy(medium + at, memory, d->bytes);
		}
		at += d->bytes;
	}
	CHECK(at % BLK_SECTOR == 0);
	return lie == LIE_SHORT ? 0 : written + 1;
}

/* Takes what was published and answers it in a random order; then the interrupt. */
static void device_work(void)
{
	struct virtqueue *vq = &disk.queue.vq;
	uint16_t heads[256];
	uint32_t count = 0;

	if (lie == LIE_SILENT) {
		return;
	}
	while (device_seen != vq->avail->index) {
		heads[count++] = vq->avail->ring[device_seen % vq->size];
		device_seen++;
	}
	while (count > 0) {
		uint32_t i = pick(count);
		uint32_t written = serve_chain(vq, heads[i]);

		vq->used->ring[vq->used->index % vq->size] = (struct virtq_used_element){
			lie == LIE_UNKNOWN_ID ? 4711u : heads[i], written};
		vq->used->index++;
		heads[i] = heads[--count];
	}
	disk_interrupt(&disk);
	CHECK(virtqueue_check(vq));
}

/* ---- tests ---- */

static void start(void)
{
	struct pci_found found = {.irq = 5};

	memset(is_answered, 0, sizeof(is_answered));
	answers = 0;
	resets = 0;
	flushes = 0;
	lie = LIE_NONE;
	free(disk.headers);
	free(disk.queue.memory);
	CHECK(disk_init(&disk, &found, 0) == 0);
	resets = 0;
}

static struct blk_request request(
	uint32_t seq, int op, uint64_t position, uint64_t offset, uint32_t bytes)
{
	return (struct blk_request){
		.seq = seq,
		.op = op,
		.position = position,
		.bytes = bytes,
		.piece_count = 1,
		.pieces = {{.grant = 1, .bytes = bytes, .offset = offset}},
	};
}

static void settle(void)
{
	for (uint32_t i = 0; i < 10000 && disk.active_count > 0; i++) {
		device_work();
	}
	CHECK(disk.active_count == 0 && list_is_empty(&disk.waiting));
	CHECK(disk.queue.vq.free_count == disk.queue.vq.size);
}

static void test_one(void)
{
	struct blk_request req = request(0, BLK_WRITE, 8192, 100, 4096);

	start();
	for (uint32_t i = 0; i < BUFFER_BYTES; i++) {
		buffer[i] = (uint8_t)(i * 13 + i / 256);
	}
	CHECK(disk_start(&disk, &req) == BLK_LATER && answers == 0);
	CHECK(disk_deadline(&disk) > now_ns);
	settle();
	CHECK(answers == 1 && last_result == 0 && last_value == 4096);
	CHECK(memcmp(medium + 8192, buffer + 100, 4096) == 0);
	CHECK(disk_deadline(&disk) == 0);
	req = request(1, BLK_READ, 8192, 500003, 4096);
	CHECK(disk_start(&disk, &req) == BLK_LATER);
	settle();
	CHECK(last_result == 0 && memcmp(medium + 8192, buffer + 500003, 4096) == 0);
	req = request(2, BLK_FLUSH, 0, 0, 0);
	req.piece_count = 0;
	CHECK(disk_start(&disk, &req) == BLK_LATER);
	settle();
	CHECK(flushes == 1 && last_result == 0);
}

/* More than the device takes at once goes in rounds. */
static void test_large(void)
{
	struct blk_request req = request(0, BLK_READ, 512, 77, 900 * 1024);

	start();
	for (uint32_t i = 0; i < MEDIUM_BYTES; i++) {
		medium[i] = (uint8_t)(i * 7 + i / 1024);
	}
	CHECK(disk_start(&disk, &req) == BLK_LATER);
	settle();
	CHECK(last_result == 0 && last_value == 900 * 1024);
	CHECK(memcmp(buffer + 77, medium + 512, 900 * 1024) == 0);
}

static void test_pieces(void)
{
	struct blk_request req = {.op = BLK_READ, .position = 1024, .piece_count = BLK_PIECES_MAX};
	uint64_t at = 1024;

	start();
	for (uint32_t i = 0; i < BLK_PIECES_MAX; i++) {
		req.pieces[i] = (struct blk_piece){
			.grant = 1, .bytes = 512 * (1 + i % 9), .offset = i * 8191};
		req.bytes += req.pieces[i].bytes;
	}
	CHECK(disk_start(&disk, &req) == BLK_LATER);
	settle();
	CHECK(last_result == 0 && last_value == req.bytes);
	for (uint32_t i = 0; i < BLK_PIECES_MAX; i++) {
		CHECK(memcmp(buffer + req.pieces[i].offset, medium + at, req.pieces[i].bytes) == 0);
		at += req.pieces[i].bytes;
	}
}

static void test_many(void)
{
	uint32_t started = 0;

	start();
	while (answers < REQUESTS_MAX) {
		if (started < REQUESTS_MAX && pick(4) != 0) {
			uint32_t bytes = 512 * (1 + pick(200));
			struct blk_request req =
				request(started++, pick(2) != 0 ? BLK_READ : BLK_WRITE,
					512ull * pick(4000), pick(100000), bytes);

			CHECK(disk_start(&disk, &req) == BLK_LATER);
		} else {
			device_work();
		}
	}
	settle();
}

static void start_four(void)
{
	for (uint32_t i = 0; i < 4; i++) {
		struct blk_request req = request(i, BLK_READ, 4096 * i, 8192 * i, 4096);

		CHECK(disk_start(&disk, &req) == BLK_LATER);
	}
}

static void test_bad_devices(void)
{
	struct blk_request req = request(9, BLK_READ, 0, 0, 512);

	start();
	lie = LIE_ERROR;
	start_four();
	settle();
	CHECK(answers == 4 && last_result == -EIO && resets == 0);

	start();
	lie = LIE_SHORT;
	start_four();
	settle();
	CHECK(answers == 4 && last_result == -EIO);

	start();
	lie = LIE_UNKNOWN_ID;
	start_four();
	device_work();
	CHECK(answers == 4 && last_result == -EIO && resets > 0);
	lie = LIE_NONE;
	CHECK(disk_start(&disk, &req) == BLK_LATER);
	settle();
	CHECK(answers == 5 && last_result == 0);

	start();
	lie = LIE_SILENT;
	start_four();
	disk_check_time(&disk);
	CHECK(answers == 0);
	now_ns = disk_deadline(&disk);
	disk_check_time(&disk);
	CHECK(answers == 4 && last_result == -EIO && resets > 0);
	lie = LIE_NONE;
	CHECK(disk_start(&disk, &req) == BLK_LATER);
	settle();
	CHECK(last_result == 0);
}

static void test_bad_grant(void)
{
	struct blk_request req = request(0, BLK_READ, 0, 0, 4096);

	start();
	req.pieces[0].grant = BAD_GRANT;
	CHECK(disk_start(&disk, &req) == BLK_LATER && answers == 1 && last_result == -EPERM);
	settle();
}

int main(void)
{
	medium = calloc(1, MEDIUM_BYTES);
	buffer = aligned_alloc(AXO_PAGE_SIZE, BUFFER_BYTES);
	CHECK(medium != NULL && buffer != NULL);
	test_one();
	test_large();
	test_pieces();
	test_many();
	test_bad_devices();
	test_bad_grant();
	free(medium);
	free(buffer);
	free(disk.headers);
	free(disk.queue.memory);
	printf("disk: ok\n");
	return 0;
}
