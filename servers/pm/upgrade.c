/* SPDX-License-Identifier: BSD-2-Clause */
/* Version 1 is the first: there is none to come from. tests/services/pm_new shows how it is done.
 */
#include "servers/pm/upgrade.h"

#include <errno.h>

int pm_upgrade(void **root, uint32_t from)
{
	return -EPROTO;
}
