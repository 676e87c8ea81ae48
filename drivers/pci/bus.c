/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/pci/bus.h"

#include <errno.h>
#include <string.h>

#include "drivers/pci/config.h"
#include "lib/sys/diag.h"

#define NO_VENDOR            0xffff
#define DEVICES_PER_BUS      32u
#define FUNCTIONS_PER_DEVICE 8u
#define BUSES_MAX            256u

#define BAR_IO          0x1u
#define BAR_TYPE_MASK   0x6u
#define BAR_TYPE_64     0x4u
#define BAR_PREFETCH    0x8u
#define BAR_MEMORY_MASK 0xfffffff0u
#define BAR_IO_MASK     0xfffffffcu

static void add_function(struct bus *bus, uint32_t bdf, uint32_t id)
{
	struct bus_device *device;
	uint32_t subsystem;
	uint32_t line = config_read(bdf, PCI_CFG_INTERRUPT_LINE, 1);

	if (bus->count == BUS_DEVICES_MAX) {
		diag_printf("too many devices, %04x:%04x ignored", id & 0xffff, id >> 16);
		return;
	}
	device = &bus->devices[bus->count++];
	subsystem = config_read(bdf, PCI_CFG_SUBSYSTEM, 4);
	*device = (struct bus_device){
		.bdf = bdf,
		.vendor = (uint16_t)id,
		.device = (uint16_t)(id >> 16),
		.sub_vendor = (uint16_t)subsystem,
		.sub_device = (uint16_t)(subsystem >> 16),
		.class_code = config_read(bdf, PCI_CFG_CLASS, 4) >> 8,
		.header_type = config_read(bdf, PCI_CFG_HEADER_TYPE, 1) & PCI_HEADER_TYPE_MASK,
		.irq = -1,
		.owner = EP_NONE,
	};
	if (config_read(bdf, PCI_CFG_INTERRUPT_PIN, 1) != 0 && line != 0 && line < 0x80) {
		device->irq = (int32_t)line;
	}
}

/* Scans the functions of a device; notes the buses behind bridges. */
static void scan_device(struct bus *bus, uint32_t first, bool is_pending[BUSES_MAX])
{
	uint32_t functions = 1;

	for (uint32_t function = 0; function < functions; function++) {
		uint32_t bdf = first | function;
		uint32_t id = config_read(bdf, PCI_CFG_VENDOR, 4);
		uint32_t header;

		if ((id & 0xffff) == NO_VENDOR) {
			continue;
		}
		header = config_read(bdf, PCI_CFG_HEADER_TYPE, 1);
		if (function == 0 && (header & PCI_HEADER_MULTI) != 0) {
			functions = FUNCTIONS_PER_DEVICE;
		}
		add_function(bus, bdf, id);
		if ((header & PCI_HEADER_TYPE_MASK) == PCI_HEADER_BRIDGE) {
			is_pending[config_read(bdf, PCI_CFG_SECONDARY_BUS, 1) & 0xff] = true;
		}
	}
}

void bus_scan(struct bus *bus)
{
	bool is_pending[BUSES_MAX] = {true};
	bool is_done[BUSES_MAX] = {false};
	uint32_t number = 0;

	memset(bus, 0, sizeof(*bus));
	while (number < BUSES_MAX) {
		if (!is_pending[number] || is_done[number]) {
			number++;
			continue;
		}
		is_done[number] = true;
		for (uint32_t device = 0; device < DEVICES_PER_BUS; device++) {
			scan_device(bus, number << 8 | device << 3, is_pending);
		}
		number = 0; /* a bridge may lead to a lower number */
	}
}

/* What of the address the device decodes: writes ones, reads back, restores. */
static uint32_t probe(uint32_t bdf, uint32_t offset)
{
	uint32_t old = config_read(bdf, offset, 4);
	uint32_t mask;

	config_write(bdf, offset, 4, UINT32_MAX);
	mask = config_read(bdf, offset, 4);
	config_write(bdf, offset, 4, old);
	return mask;
}

int bus_bar(const struct bus_device *device, uint32_t number, struct pci_bar *bar)
{
	uint32_t offset = PCI_CFG_BAR0 + 4 * number;
	uint32_t command;
	uint32_t low;
	uint64_t mask;
	bool is_64;

	if (number >= BUS_BARS || device->header_type != PCI_HEADER_DEVICE) {
		return -ENXIO;
	}
	low = config_read(device->bdf, offset, 4);
	is_64 = (low & BAR_IO) == 0 && (low & BAR_TYPE_MASK) == BAR_TYPE_64;
	if (is_64 && number + 1 == BUS_BARS) {
		return -ENXIO;
	}
	command = config_read(device->bdf, PCI_CFG_COMMAND, 2);
	config_write(device->bdf, PCI_CFG_COMMAND, 2,
		command & ~(uint32_t)(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	mask = probe(device->bdf, offset);
	mask |= is_64 ? (uint64_t)probe(device->bdf, offset + 4) << 32 : 0xffffffff00000000ull;
	config_write(device->bdf, PCI_CFG_COMMAND, 2, command);
	*bar = (struct pci_bar){.is_io = low & BAR_IO, .prefetch = (low & BAR_PREFETCH) != 0};
	if ((low & BAR_IO) != 0) {
		bar->prefetch = 0;
		bar->base = low & BAR_IO_MASK;
		mask = (mask & BAR_IO_MASK) | 0xffffffffffff0000ull;
	} else {
		bar->base = low & BAR_MEMORY_MASK;
		bar->base |= is_64 ? (uint64_t)config_read(device->bdf, offset + 4, 4) << 32 : 0;
		mask &= ~(uint64_t)0xf;
	}
	bar->bytes = ~mask + 1;
	if ((uint32_t)mask == 0 && !is_64) {
		bar->bytes = 0;
	}
	return bar->base == 0 || bar->bytes == 0 || (bar->bytes & (bar->bytes - 1)) != 0 ? -ENXIO
											 : 0;
}
