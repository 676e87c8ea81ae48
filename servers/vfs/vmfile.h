/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that VM knows: handles, pages (proto/vfs.h VFS_VM_REQUEST). */
#pragma once

#include "proto/vfs.h"
#include "servers/vfs/mount.h"

struct call;
struct vnode;

/* A handle for a place, with one reference to give away; -ENOMEM. Mappings through which the file
 * can be written have a handle of their own. */
int vmfile_new(const struct path *path, bool is_shared_writable);
/* Whether there is such a mapping of the file. */
bool vmfile_is_shared_writable(const struct vnode *node);
void vmfile_unref(int handle);
/* The place of a handle, or NULL. */
const struct path *vmfile_path(int handle);

/* From the main loop. */
void vmfile_request(const struct message *m);
