/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/drv/virtio.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/sys/diag.h"
#include "lib/sys/vm.h"

/* PCI configuration space */
#define PCI_COMMAND             0x04
#define PCI_COMMAND_MEMORY      0x2
#define PCI_COMMAND_MASTER      0x4
#define PCI_COMMAND_NO_INTX     0x400
#define PCI_STATUS              0x06
#define PCI_STATUS_CAPABILITIES 0x10
#define PCI_CAPABILITIES        0x34
#define PCI_CAPABILITY_VENDOR   0x09
#define PCI_CAPABILITIES_MAX    48u /* more do not fit: a longer list is a loop */

/* struct virtio_pci_cap, section 4.1.4 */
#define CAP_NEXT              1
#define CAP_TYPE              3
#define CAP_BAR               4
#define CAP_OFFSET            8
#define CAP_BYTES             12
#define CAP_NOTIFY_MULTIPLIER 16
#define CAP_COMMON            1
#define CAP_NOTIFY            2
#define CAP_ISR               3
#define CAP_DEVICE            4

/* struct virtio_pci_common_cfg, section 4.1.4.3 */
#define COMMON_DEVICE_FEATURE_SELECT 0
#define COMMON_DEVICE_FEATURE        4
#define COMMON_DRIVER_FEATURE_SELECT 8
#define COMMON_DRIVER_FEATURE        12
#define COMMON_STATUS                20
#define COMMON_GENERATION            21
#define COMMON_QUEUE_SELECT          22
#define COMMON_QUEUE_SIZE            24
#define COMMON_QUEUE_ENABLE          28
#define COMMON_QUEUE_NOTIFY          30
#define COMMON_QUEUE_DESC            32
#define COMMON_QUEUE_DRIVER          40
#define COMMON_QUEUE_DEVICE          48
#define COMMON_BYTES                 56

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER      2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8

#define RESET_READS  100000u
#define CONFIG_READS 16u

static uint8_t read8(volatile uint8_t *base, uint32_t offset)
{
	return base[offset];
}

static void write8(volatile uint8_t *base, uint32_t offset, uint8_t value)
{
	base[offset] = value;
}

static uint16_t read16(volatile uint8_t *base, uint32_t offset)
{
	return *(volatile uint16_t *)(base + offset);
}

static void write16(volatile uint8_t *base, uint32_t offset, uint16_t value)
{
	*(volatile uint16_t *)(base + offset) = value;
}

static uint32_t read32(volatile uint8_t *base, uint32_t offset)
{
	return *(volatile uint32_t *)(base + offset);
}

static void write32(volatile uint8_t *base, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(base + offset) = value;
}

static void write64(volatile uint8_t *base, uint32_t offset, uint64_t value)
{
	write32(base, offset, (uint32_t)value);
	write32(base, offset + 4, (uint32_t)(value >> 32));
}

/* ---- finding the registers ---- */

/* Maps what a capability names; *bytes is how much. */
static int map_capability(
	const struct virtio_device *dev, uint32_t cap, volatile uint8_t **base, uint32_t *bytes)
{
	uint32_t number;
	uint32_t offset;
	struct pci_bar bar;
	void *address;
	int r;

	if (pci_read(&dev->pci, cap + CAP_BAR, 1, &number) < 0 ||
		pci_read(&dev->pci, cap + CAP_OFFSET, 4, &offset) < 0 ||
		pci_read(&dev->pci, cap + CAP_BYTES, 4, bytes) < 0) {
		return -EIO;
	}
	r = pci_bar(&dev->pci, number, &bar);
	if (r < 0) {
		return r;
	}
	if (bar.is_io != 0 || *bytes == 0 || (uint64_t)offset + *bytes > bar.bytes ||
		offset % 4 != 0) {
		return -ENXIO;
	}
	r = vm_map_phys(bar.base + offset, *bytes, VM_PHYS_UNCACHED, &address);
	if (r == 0) {
		*base = address;
	}
	return r;
}

static int take_capability(struct virtio_device *dev, uint32_t cap)
{
	uint32_t type;
	uint32_t bytes;
	int r = pci_read(&dev->pci, cap + CAP_TYPE, 1, &type);

	if (r < 0) {
		return r;
	}
	switch (type) {
	case CAP_COMMON:
		return dev->common != NULL
			? 0
			: map_capability(dev, cap, &dev->common, &dev->common_bytes);
	case CAP_NOTIFY:
		if (dev->notify != NULL) {
			return 0;
		}
		r = pci_read(&dev->pci, cap + CAP_NOTIFY_MULTIPLIER, 4, &dev->notify_multiplier);
		return r < 0 ? r : map_capability(dev, cap, &dev->notify, &dev->notify_bytes);
	case CAP_ISR:
		return dev->isr != NULL ? 0 : map_capability(dev, cap, &dev->isr, &bytes);
	case CAP_DEVICE:
		return dev->config != NULL
			? 0
			: map_capability(dev, cap, &dev->config, &dev->config_bytes);
	default:
		return 0;
	}
}

static int walk_capabilities(struct virtio_device *dev)
{
	uint32_t status;
	uint32_t cap;
	int r = pci_read(&dev->pci, PCI_STATUS, 2, &status);

	if (r < 0 || (status & PCI_STATUS_CAPABILITIES) == 0) {
		return r < 0 ? r : -ENXIO;
	}
	r = pci_read(&dev->pci, PCI_CAPABILITIES, 1, &cap);
	for (uint32_t i = 0; r == 0 && i < PCI_CAPABILITIES_MAX; i++) {
		uint32_t id;

		cap &= 0xfc;
		if (cap < 0x40) {
			return 0;
		}
		r = pci_read(&dev->pci, cap, 1, &id);
		if (r == 0 && id == PCI_CAPABILITY_VENDOR) {
			r = take_capability(dev, cap);
		}
		if (r == 0) {
			r = pci_read(&dev->pci, cap + CAP_NEXT, 1, &cap);
		}
	}
	return r;
}

int virtio_open(struct virtio_device *dev, const struct pci_found *found)
{
	uint32_t command;
	int r;

	memset(dev, 0, sizeof(*dev));
	dev->pci = *found;
	/* A driver before this one may have died with the device at work: it must not write to
	 * memory before it has been reset. */
	r = pci_read(&dev->pci, PCI_COMMAND, 2, &command);
	if (r == 0) {
		command &= ~(uint32_t)(PCI_COMMAND_NO_INTX | PCI_COMMAND_MASTER);
		r = pci_write(&dev->pci, PCI_COMMAND, 2, command | PCI_COMMAND_MEMORY);
	}
	if (r == 0) {
		r = walk_capabilities(dev);
	}
	if (r < 0) {
		return r;
	}
	if (dev->common == NULL || dev->notify == NULL || dev->isr == NULL ||
		dev->common_bytes < COMMON_BYTES) {
		return -ENXIO;
	}
	r = virtio_reset(dev);
	if (r < 0) {
		return r;
	}
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	return pci_write(&dev->pci, PCI_COMMAND, 2, command);
}

/* ---- negotiation ---- */

int virtio_reset(struct virtio_device *dev)
{
	write8(dev->common, COMMON_STATUS, 0);
	for (uint32_t i = 0; i < RESET_READS; i++) {
		if (read8(dev->common, COMMON_STATUS) == 0) {
			return 0;
		}
	}
	return -EIO;
}

static void add_status(struct virtio_device *dev, uint8_t bits)
{
	write8(dev->common, COMMON_STATUS, read8(dev->common, COMMON_STATUS) | bits);
}

int virtio_negotiate(struct virtio_device *dev, uint64_t *features)
{
	uint64_t offered;
	int r = virtio_reset(dev);

	if (r < 0) {
		return r;
	}
	add_status(dev, STATUS_ACKNOWLEDGE);
	add_status(dev, STATUS_DRIVER);
	write32(dev->common, COMMON_DEVICE_FEATURE_SELECT, 0);
	offered = read32(dev->common, COMMON_DEVICE_FEATURE);
	write32(dev->common, COMMON_DEVICE_FEATURE_SELECT, 1);
	offered |= (uint64_t)read32(dev->common, COMMON_DEVICE_FEATURE) << 32;
	if ((offered & VIRTIO_F_VERSION_1) == 0) {
		return -ENOTSUP;
	}
	*features = (*features | VIRTIO_F_VERSION_1) & offered;
	write32(dev->common, COMMON_DRIVER_FEATURE_SELECT, 0);
	write32(dev->common, COMMON_DRIVER_FEATURE, (uint32_t)*features);
	write32(dev->common, COMMON_DRIVER_FEATURE_SELECT, 1);
	write32(dev->common, COMMON_DRIVER_FEATURE, (uint32_t)(*features >> 32));
	add_status(dev, STATUS_FEATURES_OK);
	return (read8(dev->common, COMMON_STATUS) & STATUS_FEATURES_OK) != 0 ? 0 : -ENOTSUP;
}

static uint16_t power_of_two_below(uint16_t n)
{
	uint16_t power = 1;

	while (power * 2 <= n) {
		power = (uint16_t)(power * 2);
	}
	return power;
}

int virtio_queue_start(
	struct virtio_device *dev, struct virtio_queue *queue, uint16_t index, uint16_t size_max)
{
	uint16_t size;
	int r;

	size_max = size_max < VIRTQUEUE_SIZE_MAX ? size_max : VIRTQUEUE_SIZE_MAX;
	write16(dev->common, COMMON_QUEUE_SELECT, index);
	size = read16(dev->common, COMMON_QUEUE_SIZE);
	if (size == 0) {
		return -ENXIO;
	}
	size = power_of_two_below(size < size_max ? size : size_max);
	queue->index = index;
	if (queue->memory == NULL) {
		queue->size_max = size;
		r = vm_alloc_contig(
			AXO_PAGE_UP(virtqueue_bytes(size)), 0, &queue->memory, &queue->paddr);
		if (r < 0) {
			queue->memory = NULL;
			return r;
		}
	}
	size = size < queue->size_max ? size : queue->size_max;
	memset(queue->memory, 0, virtqueue_bytes(size));
	virtqueue_init(&queue->vq, size, queue->memory);
	queue->notify_offset = read16(dev->common, COMMON_QUEUE_NOTIFY) * dev->notify_multiplier;
	if ((uint64_t)queue->notify_offset + sizeof(uint16_t) > dev->notify_bytes) {
		return -EIO;
	}
	write16(dev->common, COMMON_QUEUE_SIZE, size);
	write64(dev->common, COMMON_QUEUE_DESC, queue->paddr);
	write64(dev->common, COMMON_QUEUE_DRIVER, queue->paddr + virtqueue_avail_offset(size));
	write64(dev->common, COMMON_QUEUE_DEVICE, queue->paddr + virtqueue_used_offset(size));
	write16(dev->common, COMMON_QUEUE_ENABLE, 1);
	return 0;
}

void virtio_start(struct virtio_device *dev)
{
	add_status(dev, STATUS_DRIVER_OK);
}

/* ---- work ---- */

void virtio_submit(struct virtio_device *dev, struct virtio_queue *queue)
{
	if (virtqueue_publish(&queue->vq)) {
		write16(dev->notify, queue->notify_offset, queue->index);
	}
}

uint8_t virtio_interrupt_status(struct virtio_device *dev)
{
	return read8(dev->isr, 0);
}

uint32_t virtio_config32(const struct virtio_device *dev, uint32_t offset)
{
	return offset + 4 <= dev->config_bytes ? read32(dev->config, offset) : 0;
}

uint64_t virtio_config64(const struct virtio_device *dev, uint32_t offset)
{
	/* Two reads: the generation tells whether they belong together (section 2.5.1). */
	for (uint32_t i = 0; i < CONFIG_READS; i++) {
		uint8_t before = read8(dev->common, COMMON_GENERATION);
		uint64_t value = virtio_config32(dev, offset);

		value |= (uint64_t)virtio_config32(dev, offset + 4) << 32;
		if (read8(dev->common, COMMON_GENERATION) == before) {
			return value;
		}
	}
	return 0;
}
