/* SPDX-License-Identifier: BSD-2-Clause */
/* A file system in memory that speaks proto/fs.h, and counts references. */
#pragma once

#include "abi/message.h"

void fake_fs_reset(void);
void fake_fs_free(void);
/* Serve a request; the answer goes into *reply. False: the request is not answered. */
bool fake_fs_serve(const struct message *m, struct message *reply);
/* References that VFS holds, the root's included. */
uint64_t fake_fs_references(void);
/* Its files are in VM's cache; before it is mounted. */
void fake_fs_set_peek(void);
/* The next request of this kind kills it, before or after it is done, without an answer; it serves
 * again from FS_MOUNT with FS_MOUNT_RECOVER on. */
void fake_fs_die_at(int op, bool is_done);
/* At its next recovery it has lost the inodes without a name. */
void fake_fs_lose_unnamed(void);
/* Requests of one operation so far. */
unsigned fake_fs_count(int op);
/* Inodes that are still stored. */
unsigned fake_fs_inodes(void);
