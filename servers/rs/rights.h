/* SPDX-License-Identifier: BSD-2-Clause */
/* What a service may do, and what it has made use of. */
#pragma once

#include "servers/rs/rs.h"

/* The declaration in force, with what it names and the service has never called in comments. Bytes
 * without NUL, or -ENOSPC. */
int rights_text(const struct service *service, char *text, size_t size);

/* A line for each device number: "chr" or "blk", the number, the label. Bytes without NUL, or
 * -ENOSPC. */
int rights_devices(const struct rs *rs, char *text, size_t size);

/* The service that has one of the device numbers of `conf`; which, in *is_block and *major. NULL:
 * all are free. */
const struct service *rights_device_owner(
	const struct rs *rs, const struct conf_service *conf, bool *is_block, uint32_t *major);
