/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data store's client side (proto/ds.h). 0 or a negative error: -ESRCH: no such key; -EPERM:
 * not the caller's, private, or the caller has no label; -EEXIST: there is one (DS_FLAG_OVERWRITE);
 * -EINVAL: key or value; -ENOMEM: the store is full. Keys are NUL-terminated strings, at most
 * DS_KEY_MAX bytes with it. A call that DS's own crash interrupted is made again.
 */
#pragma once

#include "proto/ds.h"

int ds_publish_label(const char *label, endpoint_t ep, uint32_t flags);
int ds_retrieve_label(const char *label, endpoint_t *ep);
int ds_delete_label(const char *label);
/* The label of an endpoint, with NUL. -ESRCH: it has none; -E2BIG. */
int ds_retrieve_label_name(char *label, size_t size, endpoint_t ep);

int ds_publish_u32(const char *key, uint32_t value, uint32_t flags);
int ds_retrieve_u32(const char *key, uint32_t *value);
int ds_delete_u32(const char *key);

int ds_publish_str(const char *key, const char *value, uint32_t flags);
/* At most size - 1 bytes, and NUL. */
int ds_retrieve_str(const char *key, char *value, size_t size);
int ds_delete_str(const char *key);

int ds_publish_mem(const char *key, const void *data, size_t bytes, uint32_t flags);
/* What fits; *bytes: size of the buffer, then of what was stored in it. */
int ds_retrieve_mem(const char *key, void *data, size_t *bytes);
int ds_delete_mem(const char *key);

/* Mapped ranges: whole pages of the caller, which DS and others see change. */
int ds_publish_map(const char *key, void *data, size_t bytes, uint32_t flags);
/* What the range holds now, and what it held at a snapshot; sizes as ds_retrieve_mem. -EINVAL:
 * there is no such snapshot (any more). */
int ds_copy_map(const char *key, void *data, size_t *bytes);
int ds_copy_snapshot(const char *key, uint32_t number, void *data, size_t *bytes);
/* The range itself, read-only, over the caller's own pages at data: bytes of it. */
int ds_retrieve_map(const char *key, void *data, size_t bytes);
/* The number of the snapshot in *number; the last DS_SNAPSHOTS_MAX are kept. */
int ds_snapshot_map(const char *key, uint32_t *number);
int ds_delete_map(const char *key);

/* The caller is notified when a key that matches changes or goes; ds_check then names it: -ENOENT:
 * nothing (more) has changed. */
int ds_subscribe(const char *pattern, uint32_t types, uint32_t flags);
int ds_check(char key[DS_KEY_MAX], uint32_t *type, endpoint_t *owner);

/* Entries from place `first` on: how many were stored, at most max. */
int ds_getinfo(struct ds_info *info, uint32_t max, uint32_t first);
