/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A split virtqueue (Virtual I/O Device 1.2, section 2.7), driver's side. Pure logic over memory
 * that the device reads and writes: nothing that the device can write is trusted. What the driver
 * must know of its chains lies in memory of its own.
 *
 * Invariants: 1. Free descriptors form a list of free_count entries through `next`, from free_head.
 * 2. chain[h].length != 0 exactly when a chain with head h is with the device; the lengths of these
 * and free_count add up to size.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIRTQUEUE_SIZE_MAX 256u

struct virtq_desc {
	uint64_t address; /* physical */
	uint32_t bytes;
	uint16_t flags;
	uint16_t next;
};

struct virtq_avail {
	uint16_t flags;
	uint16_t index;
	uint16_t ring[];
};

struct virtq_used_element {
	uint32_t id;
	uint32_t bytes;
};

struct virtq_used {
	uint16_t flags;
	uint16_t index;
	struct virtq_used_element ring[];
};

/* A piece of a chain. */
struct virtqueue_piece {
	uint64_t address; /* physical */
	uint32_t bytes;
};

struct virtqueue {
	uint16_t size; /* power of two, at most VIRTQUEUE_SIZE_MAX */
	uint16_t free_head;
	uint16_t free_count;
	uint16_t next_avail; /* index that the device will see next */
	uint16_t last_used;  /* index up to which answers were taken */
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
	uint16_t next[VIRTQUEUE_SIZE_MAX];
	struct {
		uint16_t length; /* descriptors; 0: not a head in use */
		uint16_t tail;
		uint32_t writable; /* bytes that the device may write */
		uint32_t token;    /* the driver's name for it */
	} chain[VIRTQUEUE_SIZE_MAX];
};

/* Bytes of memory for a queue of `size` descriptors; offsets of the parts that the device is told
 * apart. */
size_t virtqueue_bytes(uint16_t size);
size_t virtqueue_avail_offset(uint16_t size);
size_t virtqueue_used_offset(uint16_t size);

/* Makes an empty queue in zeroed, physically contiguous memory, page-aligned. */
void virtqueue_init(struct virtqueue *vq, uint16_t size, void *memory);

/*
 * Hands a chain to the device: first `readable` pieces that it reads, then `writable` ones that it
 * writes. False if too few descriptors are free.
 */
bool virtqueue_add(struct virtqueue *vq, const struct virtqueue_piece *pieces, uint32_t readable,
	uint32_t writable, uint32_t token);

/* Makes what was added visible to the device; true if it must be notified. */
bool virtqueue_publish(struct virtqueue *vq);

/*
 * Takes an answer. 1: `token` of the chain and the bytes that the device says it wrote (at most
 * what it could); 0: there is none; -EIO: the device answered what was never asked: it must be
 * reset.
 */
int virtqueue_take(struct virtqueue *vq, uint32_t *token, uint32_t *written);

/* Checks the invariants; used by tests. */
bool virtqueue_check(const struct virtqueue *vq);
