/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/upgrade.h"

#include <errno.h>

/* There has been one version. */
int rs_upgrade(void **root, uint32_t from)
{
	return -EPROTO;
}
