/* SPDX-License-Identifier: BSD-2-Clause */
/* The program behind an axo_service call. */
#pragma once

#include "abi/types.h"

/* Its effective user. A negative error: it is gone. */
int caller_uid(endpoint_t program, uint32_t *uid);

/*
 * Copy from and to its memory. -EFAULT also for pages that are not present: RS waits for no one on
 * a program's behalf, so callers hand in memory that they have touched.
 */
int caller_copy_in(endpoint_t program, vaddr_t from, void *to, size_t bytes);
int caller_copy_out(endpoint_t program, vaddr_t to, const void *from, size_t bytes);
