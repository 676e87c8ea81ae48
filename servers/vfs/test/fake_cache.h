/* SPDX-License-Identifier: BSD-2-Clause */
/* VM's page cache as VFS sees it: a small window, marks, eviction at will. */
#pragma once

#include "abi/message.h"

#define FAKE_CACHE_SLOTS 64u

void fake_cache_reset(void);
/* VM_CACHE_*: the answer replaces m. */
void fake_cache_call(struct message *m);
/* The file system has (new) contents of a page; bytes beyond `len` are zero. */
void fake_cache_put(uint64_t ino, uint64_t index, const char *data, size_t len);
/* All pages of a file are forgotten. */
void fake_cache_forget(uint64_t ino);
/* Takes all unpinned pages out of VFS's window; VM has them still if `keep`. */
void fake_cache_evict(bool keep);
/* Whether a page is pinned. */
bool fake_cache_has_pins(void);
