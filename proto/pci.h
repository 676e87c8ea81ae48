/* SPDX-License-Identifier: BSD-2-Clause */
/* The PCI service: drivers find their device, and get what they may touch of it. Synchronous calls
 * from drivers. */
#pragma once

#include "abi/message.h"

enum pci_op {
	PCI_FIRST = PCI_BASE, /* pci_find -> pci_found: first device that the caller's declaration
				 names, or -ENODEV */
	PCI_NEXT,             /* pci_find (index of the last) -> pci_found */
	PCI_READ,  /* pci_config -> value: configuration space of a device the caller owns */
	PCI_WRITE, /* pci_config: command register bits, capabilities */
	PCI_BAR,   /* pci_config (offset: number of the BAR) -> pci_bar; RS-independent: the caller
		      gets the right to it */
	PCI_ACL,   /* RS: pci_acl: which devices a driver may have */
};
struct pci_find {
	uint32_t index;
	uint32_t pad;
};
struct pci_found {
	uint32_t index; /* handle for the other calls */
	uint16_t vendor, device, sub_vendor, sub_device;
	uint32_t class_code;
	uint32_t bdf; /* bus << 8 | device << 3 | function */
	int32_t irq;  /* global interrupt line, -1 none */
};
struct pci_config {
	uint32_t index;
	uint32_t offset;
	uint32_t width; /* 1, 2, 4 */
	uint32_t value;
};
struct pci_bar {
	uint64_t base, bytes;
	uint32_t is_io, prefetch;
};
struct pci_acl {
	endpoint_t ep;
	uint32_t count;
	uint32_t ids[12]; /* vendor << 16 | device */
};
PROTO_FITS(pci_acl);
