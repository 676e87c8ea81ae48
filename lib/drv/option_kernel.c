/* SPDX-License-Identifier: BSD-2-Clause */
#include "abi/bootinfo.h"
#include "lib/drv/option.h"
#include "lib/sys/kcall.h"

bool option_get(const char *name, char *value, size_t size)
{
	static char line[KINFO_CMDLINE_MAX];

	if (sys_getinfo(GETINFO_CMDLINE, line, sizeof(line), 0) < 0) {
		return false;
	}
	line[sizeof(line) - 1] = '\0';
	return option_find(line, name, value, size);
}
