/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/drv/virtqueue.h"

#include <errno.h>
#include <string.h>

#define DESC_NEXT      1
#define DESC_WRITE     2
#define USED_NO_NOTIFY 1
#define USED_ALIGN     4u

size_t virtqueue_avail_offset(uint16_t size)
{
	return size * sizeof(struct virtq_desc);
}

size_t virtqueue_used_offset(uint16_t size)
{
	size_t end = virtqueue_avail_offset(size) + sizeof(struct virtq_avail) +
		(size + 1u) * sizeof(uint16_t);

	return (end + USED_ALIGN - 1) & ~(size_t)(USED_ALIGN - 1);
}

size_t virtqueue_bytes(uint16_t size)
{
	return virtqueue_used_offset(size) + sizeof(struct virtq_used) +
		size * sizeof(struct virtq_used_element) + sizeof(uint16_t);
}

void virtqueue_init(struct virtqueue *vq, uint16_t size, void *memory)
{
	uint8_t *base = memory;

	memset(vq, 0, sizeof(*vq));
	vq->size = size;
	vq->free_count = size;
	vq->desc = memory;
	vq->avail = (void *)(base + virtqueue_avail_offset(size));
	vq->used = (void *)(base + virtqueue_used_offset(size));
	for (uint16_t i = 0; i < size; i++) {
		vq->next[i] = (uint16_t)((i + 1) % size);
	}
}

bool virtqueue_add(struct virtqueue *vq, const struct virtqueue_piece *pieces, uint32_t readable,
	uint32_t writable, uint32_t token)
{
	uint32_t count = readable + writable;
	uint16_t head = vq->free_head;
	uint16_t at = head;
	uint16_t tail = head;
	uint32_t bytes = 0;

	if (count == 0 || count > vq->free_count) {
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		struct virtq_desc *desc = &vq->desc[at];

		desc->address = pieces[i].address;
		desc->bytes = pieces[i].bytes;
		desc->next = vq->next[at];
		desc->flags = (uint16_t)((i + 1 < count ? DESC_NEXT : 0) |
			(i >= readable ? DESC_WRITE : 0));
		bytes += i >= readable ? pieces[i].bytes : 0;
		tail = at;
		at = vq->next[at];
	}
	vq->free_head = at;
	vq->free_count = (uint16_t)(vq->free_count - count);
	vq->chain[head].length = (uint16_t)count;
	vq->chain[head].tail = tail;
	vq->chain[head].writable = bytes;
	vq->chain[head].token = token;
	vq->avail->ring[vq->next_avail % vq->size] = head;
	vq->next_avail++;
	return true;
}

bool virtqueue_publish(struct virtqueue *vq)
{
	__atomic_store_n(&vq->avail->index, vq->next_avail, __ATOMIC_RELEASE);
	__atomic_thread_fence(
		__ATOMIC_SEQ_CST); /* the index must be out before the device's wish is read */
	return (__atomic_load_n(&vq->used->flags, __ATOMIC_RELAXED) & USED_NO_NOTIFY) == 0;
}

int virtqueue_take(struct virtqueue *vq, uint32_t *token, uint32_t *written)
{
	uint16_t index = __atomic_load_n(&vq->used->index, __ATOMIC_ACQUIRE);
	struct virtq_used_element element;
	uint32_t id;

	if (index == vq->last_used) {
		return 0;
	}
	if ((uint16_t)(index - vq->last_used) > vq->size) {
		return -EIO;
	}
	/* Copied once: the device may change it under our eyes. */
	element.id =
		__atomic_load_n(&vq->used->ring[vq->last_used % vq->size].id, __ATOMIC_RELAXED);
	element.bytes =
		__atomic_load_n(&vq->used->ring[vq->last_used % vq->size].bytes, __ATOMIC_RELAXED);
	id = element.id;
	if (id >= vq->size || vq->chain[id].length == 0) {
		return -EIO;
	}
	vq->last_used++;
	*token = vq->chain[id].token;
	*written = element.bytes < vq->chain[id].writable ? element.bytes : vq->chain[id].writable;
	vq->next[vq->chain[id].tail] = vq->free_head;
	vq->free_head = (uint16_t)id;
	vq->free_count = (uint16_t)(vq->free_count + vq->chain[id].length);
	vq->chain[id].length = 0;
	return 1;
}

bool virtqueue_check(const struct virtqueue *vq)
{
	bool is_free[VIRTQUEUE_SIZE_MAX] = {false};
	uint32_t used = 0;
	uint16_t at = vq->free_head;

	for (uint32_t i = 0; i < vq->free_count; i++) {
		if (at >= vq->size || is_free[at] || vq->chain[at].length != 0) {
			return false;
		}
		is_free[at] = true;
		at = vq->next[at];
	}
	for (uint32_t i = 0; i < vq->size; i++) {
		used += vq->chain[i].length;
	}
	return used + vq->free_count == vq->size;
}
