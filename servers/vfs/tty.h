/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Controlling terminals and job control: VFS knows which terminal is whose session's, and its
 * foreground group. The terminal itself is the driver's.
 */
#pragma once

#include "lib/coro/coro.h"

struct call;
struct file;
struct proc;

/* A terminal that is some session's. */
struct tty {
	struct list link; /* in vfs->ttys */
	uint64_t dev;
	int32_t sid;  /* 0: no session's */
	int32_t pgid; /* foreground group */
	bool has_termios;
	uint8_t termios[36]; /* as last set: VFS looks at TOSTOP */
};

/* The device is a terminal that may control a session. */
bool tty_is_terminal(uint64_t dev);
/* The process's controlling terminal, or NULL. */
struct tty *tty_of(const struct proc *proc);
/* A terminal was opened: it becomes the controlling one of a session leader that has none. */
void tty_opened(struct proc *proc, uint64_t dev, unsigned flags);
/* A session leader ended. */
void tty_leader_exit(struct proc *proc);
/* A background process wants to read or write: 0, -EIO, -ERESTARTSYS. Workers only. */
int tty_check_read(struct call *call, uint64_t dev);
int tty_check_write(struct call *call, uint64_t dev);
/* The ioctls that VFS serves itself or must check first: *is_done when the driver is not to be
 * asked. */
int64_t tty_ioctl(
	struct call *call, struct file *file, unsigned request, uint64_t arg, bool *is_done);
/* A driver was restarted: it learns its terminals' groups; their settings it has kept. */
void tty_restore(uint32_t major);
/* After the driver has done an ioctl. */
void tty_ioctl_done(struct call *call, struct file *file, unsigned request, uint64_t arg);
int64_t sys_vhangup(struct call *call);
