/* SPDX-License-Identifier: BSD-2-Clause */
/* The data store's client side (proto/ds.h). 0 or a negative error. Keys are NUL-terminated
 * strings. */
#pragma once

#include "proto/ds.h"

int ds_publish_label(const char *label, endpoint_t ep, uint32_t flags);
int ds_retrieve_label(const char *label, endpoint_t *ep);
int ds_delete_label(const char *label);
int ds_publish_u32(const char *key, uint32_t value, uint32_t flags);
int ds_retrieve_u32(const char *key, uint32_t *value);
int ds_publish_str(const char *key, const char *value, uint32_t flags);
/* At most size bytes with NUL; -E2BIG when it is longer. */
int ds_retrieve_str(const char *key, char *value, size_t size);
int ds_delete_u32(const char *key);
int ds_delete_str(const char *key);
/* The caller is notified when a key that matches changes; ds_check then names it. */
int ds_subscribe(const char *pattern, uint32_t types, uint32_t flags);
int ds_check(char key[DS_KEY_MAX], uint32_t *type, endpoint_t *owner);
