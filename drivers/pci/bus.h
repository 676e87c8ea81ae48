/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices on the PCI buses, as found by a scan. */
#pragma once

#include "abi/endpoint.h"
#include "proto/pci.h"

#define BUS_DEVICES_MAX 128u
#define BUS_BARS        6u

struct bus_device {
	uint32_t bdf;
	uint16_t vendor, device, sub_vendor, sub_device;
	uint32_t class_code; /* class << 16 | subclass << 8 | programming interface */
	uint8_t header_type;
	int32_t irq;      /* line, -1: none */
	endpoint_t owner; /* driver that uses it, EP_NONE */
};

struct bus {
	uint32_t count;
	struct bus_device devices[BUS_DEVICES_MAX];
};

/* Finds all devices, behind bridges as well. */
void bus_scan(struct bus *bus);

/*
 * Where BAR `number` of a device lies and how large it is. The device must not be in use: sizing
 * switches its decoders off for a moment. -ENXIO: there is no such BAR, or firmware gave it no
 * address.
 */
int bus_bar(const struct bus_device *device, uint32_t number, struct pci_bar *bar);
