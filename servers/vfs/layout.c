/* SPDX-License-Identifier: BSD-2-Clause */
/* The structures that another version of VFS goes on with, those in headers: tools/layout.py makes
 * a number of them, and of those that are one source's own (meson.build). */
#include "servers/vfs/device.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/mount.h"
#include "servers/vfs/names.h"
#include "servers/vfs/pipe.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/tty.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

extern const struct blk_device *const layout_blk_device;
extern const struct chr_device *const layout_chr_device;
extern const struct mount *const layout_mount;
extern const struct name *const layout_name;
extern const struct pipe *const layout_pipe;
extern const struct proc *const layout_proc;
extern const struct superblock *const layout_superblock;
extern const struct thread *const layout_thread;
extern const struct tty *const layout_tty;
extern const struct vfs *const layout_vfs;
extern const struct vnode *const layout_vnode;
extern const struct walk *const layout_walk;

const struct blk_device *const layout_blk_device;
const struct chr_device *const layout_chr_device;
const struct mount *const layout_mount;
const struct name *const layout_name;
const struct pipe *const layout_pipe;
const struct proc *const layout_proc;
const struct superblock *const layout_superblock;
const struct thread *const layout_thread;
const struct tty *const layout_tty;
const struct vfs *const layout_vfs;
const struct vnode *const layout_vnode;
const struct walk *const layout_walk;
