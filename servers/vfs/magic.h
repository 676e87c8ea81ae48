/* SPDX-License-Identifier: BSD-2-Clause */
/* The magic links of the proc file system (proto/fs.h): they lead to objects of VFS. */
#pragma once

#include "servers/vfs/mount.h"

struct call;
struct cred;
struct file;

/* Any magic link; one that leads to a place and not to a text. */
bool magic_is_link(const struct vnode *node);
bool magic_is_place(const struct vnode *node);

/* Where it leads, with a reference: -ENOENT, -EACCES. */
int magic_place(
	struct call *call, const struct cred *cred, const struct vnode *link, struct path *place);
/* What readlink says, with NUL: length. */
int64_t magic_text(struct call *call, const struct vnode *link, char *buf, size_t size);

/* The text for an open file as in /proc/PID/fd, seen from the root of the calling process (NULL:
 * the real one). */
int64_t magic_file_text(const struct path *path, const struct path *root, char *buf, size_t size);
