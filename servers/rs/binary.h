/* SPDX-License-Identifier: BSD-2-Clause */
/* Executables that RS keeps, counted by references. */
#pragma once

#include "servers/rs/rs.h"

/* Take `len` bytes of malloc()ed memory as a binary, with one reference; NULL: no memory, `data`
 * stays the caller's. */
struct binary *binary_new(uint8_t *data, size_t len);

/* One reference more. NULL is fine. */
struct binary *binary_hold(struct binary *binary);

/* One reference less; frees it with the last one. NULL is fine. */
void binary_release(struct binary *binary);

/* A binary with the same bytes that a service or template has already takes its place, if there is
 * one; the reference goes over. */
struct binary *binary_share(struct rs *rs, struct binary *binary);
