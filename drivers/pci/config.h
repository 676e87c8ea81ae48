/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI configuration space by the ports 0xcf8 and 0xcfc (PCI Local Bus Specification 3.0,
 * section 3.2.2.3.2). */
#pragma once

#include "abi/types.h"

/* Offsets in configuration space (section 6.1). */
#define PCI_CFG_VENDOR         0x00
#define PCI_CFG_COMMAND        0x04
#define PCI_CFG_CLASS          0x08
#define PCI_CFG_HEADER_TYPE    0x0e
#define PCI_CFG_BAR0           0x10
#define PCI_CFG_SECONDARY_BUS  0x19
#define PCI_CFG_SUBSYSTEM      0x2c
#define PCI_CFG_INTERRUPT_LINE 0x3c
#define PCI_CFG_INTERRUPT_PIN  0x3d
#define PCI_CFG_FIRST_PRIVATE  0x40
#define PCI_CFG_BYTES          0x100

#define PCI_COMMAND_IO      0x001
#define PCI_COMMAND_MEMORY  0x002
#define PCI_COMMAND_MASTER  0x004
#define PCI_COMMAND_NO_INTX 0x400

#define PCI_HEADER_MULTI     0x80
#define PCI_HEADER_TYPE_MASK 0x7f
#define PCI_HEADER_DEVICE    0
#define PCI_HEADER_BRIDGE    1

/* bdf: bus << 8 | device << 3 | function. width: 1, 2 or 4; offset a multiple of it. */
uint32_t config_read(uint32_t bdf, uint32_t offset, uint32_t width);
void config_write(uint32_t bdf, uint32_t offset, uint32_t width, uint32_t value);
