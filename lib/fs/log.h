/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log by which a request that a crash has cut off is undone.
 *
 * From fs_log_open() on, fs_cache_change() notes what a piece of metadata was before, in pages of
 * the cache that outlive the process (object FS_OBJECT_LOG, always dirty). fs_cache_commit() ends a
 * request: what was noted is dropped. A new process calls fs_log_recover(): the cached metadata is
 * then what it was at the last commit, and of file data nothing is missing that was there then.
 * This is about the death of the process only: what a power failure leaves on the device is the
 * file system's own affair.
 */
#pragma once

#include "lib/fs/cache.h"

/* Start. -ENOMEM, -EIO: there is no memory for it. */
int fs_log_open(struct fs_cache *cache);

/* Everything that was changed is in the cached blocks, and belongs together. */
void fs_cache_commit(struct fs_cache *cache);

/* Not everything could be put into the cached blocks: until the next commit a crash means repair.
 */
void fs_log_spoil(struct fs_cache *cache);

/*
 * Undo what was not committed. Returns 1: done; 0: there is no log, a process before had none; or a
 * negative errno: the log was incomplete or could not be applied, and the file system must be
 * repaired.
 */
int fs_log_recover(struct fs_cache *cache);
