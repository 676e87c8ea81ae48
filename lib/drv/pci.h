/* SPDX-License-Identifier: BSD-2-Clause */
/* Client side of the PCI service (proto/pci.h), for drivers. 0 or a negative errno. */
#pragma once

#include "proto/pci.h"

/* The first device that the driver's declaration names, or the next one after `found`. -ENODEV:
 * there is none. */
int pci_first(struct pci_found *found);
int pci_next(struct pci_found *found);

/* Configuration space of a device; width 1, 2 or 4. */
int pci_read(const struct pci_found *device, uint32_t offset, uint32_t width, uint32_t *value);
int pci_write(const struct pci_found *device, uint32_t offset, uint32_t width, uint32_t value);

/* Where a BAR lies; from now on the driver may map it (or use the ports). */
int pci_bar(const struct pci_found *device, uint32_t number, struct pci_bar *bar);
