/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device behind PCI, modern transport only (Virtual I/O Device 1.2, section 4.1): finding
 * its registers, the negotiation, queues, notifications. 0 or a negative errno.
 */
#pragma once

#include "abi/types.h"
#include "lib/drv/pci.h"
#include "lib/drv/virtqueue.h"

#define VIRTIO_PCI_VENDOR 0x1af4

#define VIRTIO_F_VERSION_1 (1ull << 32)

/* Bits of virtio_interrupt_status. */
#define VIRTIO_ISR_QUEUE  1
#define VIRTIO_ISR_CONFIG 2

struct virtio_device {
	struct pci_found pci;
	volatile uint8_t *common;
	volatile uint8_t *notify;
	volatile uint8_t *isr;
	volatile uint8_t *config; /* of the kind of device; may be NULL */
	uint32_t common_bytes;
	uint32_t notify_bytes;
	uint32_t config_bytes;
	uint32_t notify_multiplier;
};

/* Memory of a queue, allocated once and used again after each reset. */
struct virtio_queue {
	struct virtqueue vq;
	uint16_t index;
	uint16_t size_max; /* what the memory is for */
	uint32_t notify_offset;
	void *memory;
	paddr_t paddr;
};

/* Maps the device's registers, resets it, whatever it was doing, and lets it use memory. -ENXIO: it
 * has no modern interface. */
int virtio_open(struct virtio_device *dev, const struct pci_found *found);

/* Resets the device: it forgets its queues and touches memory no more. -EIO: it does not answer. */
int virtio_reset(struct virtio_device *dev);

/*
 * From reset to the point where queues are set up. `features`: in, what the driver knows; out, what
 * both have (VIRTIO_F_VERSION_1 always). -ENOTSUP: they do not agree.
 */
int virtio_negotiate(struct virtio_device *dev, uint64_t *features);

/* Sets a queue up, empty; allocates its memory the first time. `size_max`: most descriptors wanted.
 */
int virtio_queue_start(
	struct virtio_device *dev, struct virtio_queue *queue, uint16_t index, uint16_t size_max);

/* The queues are set up: the device may work. */
void virtio_start(struct virtio_device *dev);

/* Publishes what was added to the queue, and notifies the device if it wants to know. */
void virtio_submit(struct virtio_device *dev, struct virtio_queue *queue);

/* Why the device interrupts; reading it ends the interrupt. */
uint8_t virtio_interrupt_status(struct virtio_device *dev);

/* A field of the device's own configuration; 0 past its end. */
uint32_t virtio_config32(const struct virtio_device *dev, uint32_t offset);
uint64_t virtio_config64(const struct virtio_device *dev, uint32_t offset);
