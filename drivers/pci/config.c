/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/pci/config.h"

#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  0x80000000u

static uint32_t address_of(uint32_t bdf, uint32_t offset)
{
	return CONFIG_ENABLE | bdf << 8 | (offset & 0xfcu);
}

uint32_t config_read(uint32_t bdf, uint32_t offset, uint32_t width)
{
	int64_t value;

	(void)sys_out(CONFIG_ADDRESS, DEVIO_32, address_of(bdf, offset));
	value = sys_in((uint16_t)(CONFIG_DATA + (offset & 3)), (int)width);
	if (value < 0) {
		diag_printf("no access to configuration space: %d", (int)value);
		return UINT32_MAX;
	}
	return (uint32_t)value;
}

void config_write(uint32_t bdf, uint32_t offset, uint32_t width, uint32_t value)
{
	(void)sys_out(CONFIG_ADDRESS, DEVIO_32, address_of(bdf, offset));
	(void)sys_out((uint16_t)(CONFIG_DATA + (offset & 3)), (int)width, value);
}
