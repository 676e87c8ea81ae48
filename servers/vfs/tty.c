/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "abi/grant.h"
#include "proto/chr.h"
#include "proto/pm.h"
#include "servers/vfs/call.h"
#include "servers/vfs/device.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/file.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/signal.h"
#include "servers/vfs/trans.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vfs.h"

#define LFLAG_TOSTOP 0x100u /* kernel termios */
#define LFLAG_OFFSET 12

bool tty_is_terminal(uint64_t dev)
{
	uint32_t major = dev_major(dev);

	return major == 4 || (major == 5 && dev_minor(dev) <= 1) || (major >= 136 && major < 144);
}

/* The console (5:1) is a terminal, but opening it does not make it controlling. */
static bool is_controlling_by_open(uint64_t dev)
{
	return tty_is_terminal(dev) && dev_major(dev) != 5;
}

struct tty *tty_of(const struct proc *proc)
{
	if (proc->has_no_tty) {
		return NULL;
	}
	list_for_each(tty, &vfs->ttys, struct tty, link)
	{
		if (tty->sid == proc->sid && tty->sid != 0) {
			return tty;
		}
	}
	return NULL;
}

static struct tty *tty_find(uint64_t dev)
{
	list_for_each(tty, &vfs->ttys, struct tty, link)
	{
		if (tty->dev == dev) {
			return tty;
		}
	}
	return NULL;
}

static struct tty *tty_get(uint64_t dev)
{
	struct tty *tty = tty_find(dev);

	if (!tty) {
		tty = calloc(1, sizeof(*tty));
		if (tty) {
			tty->dev = dev;
			list_add_tail(&vfs->ttys, &tty->link);
		}
	}
	return tty;
}

/* Tell the driver whom its signals are for; the answer is not waited for. */
static void tell_group(const struct tty *tty)
{
	struct message m = {.type = CHR_IOCTL};
	struct chr_ioctl_req *req = MSG(&m, chr_ioctl_req);
	endpoint_t driver = device_chr_driver(tty->dev);

	req->seq = trans_unwaited_seq();
	req->major = dev_major(tty->dev);
	req->minor = dev_minor(tty->dev);
	req->request = TIOCSPGRP;
	req->grant = GRANT_INVALID;
	req->pgid = tty->pgid;
	if (driver != EP_NONE) {
		(void)asyn_send(driver, &m);
	}
}

static void tty_give(struct tty *tty, int32_t sid, int32_t pgid)
{
	tty->sid = sid;
	tty->pgid = pgid;
	tell_group(tty);
}

void tty_opened(struct proc *proc, uint64_t dev, unsigned flags)
{
	struct tty *tty = tty_find(dev);

	if ((flags & O_NOCTTY) || !is_controlling_by_open(dev) || proc->pid != proc->sid ||
		tty_of(proc) || (tty && tty->sid != 0)) {
		return;
	}
	tty = tty_get(dev);
	if (tty) {
		proc->has_no_tty = false;
		tty_give(tty, proc->sid, proc->pgid);
	}
}

/* The session has no terminal any more; its foreground group is hung up. */
static void session_release(struct tty *tty)
{
	int32_t pgid = tty->pgid, sid = tty->sid;

	tty_give(tty, 0, 0);
	if (pgid > 0) {
		signal_group(pgid, sid, SIGHUP, 1);
	}
}

void tty_leader_exit(struct proc *proc)
{
	struct tty *tty = tty_of(proc);

	if (tty) {
		session_release(tty);
	}
}

/* PM decides what becomes of a background process: 0, -EIO, -ERESTARTSYS. */
static int ask_jobctl(struct call *call, int signo)
{
	struct message m = {.type = PM_JOBCTL}, answer;
	struct pm_jobctl *req = MSG(&m, pm_jobctl);
	struct trans trans;
	int r;

	trans_begin(&trans, EP_PM, &answer);
	req->ep = call->m.source;
	req->signo = signo;
	req->seq = trans.seq;
	trans_send(&trans, &m);
	r = trans_wait(&trans);
	return r < 0 ? r : MSG(&answer, vfs_pm_jobctl_reply)->result;
}

static bool is_background(const struct proc *proc, uint64_t dev, struct tty **found)
{
	struct tty *tty = tty_find(dev);

	*found = tty;
	return tty && tty == tty_of(proc) && tty->pgid != 0 && tty->pgid != proc->pgid;
}

int tty_check_read(struct call *call, uint64_t dev)
{
	struct tty *tty;

	return is_background(call->proc, dev, &tty) ? ask_jobctl(call, SIGTTIN) : 0;
}

static bool stops_output(const struct tty *tty)
{
	uint32_t lflag;

	memcpy(&lflag, tty->termios + LFLAG_OFFSET, sizeof(lflag));
	return tty->has_termios && (lflag & LFLAG_TOSTOP);
}

int tty_check_write(struct call *call, uint64_t dev)
{
	struct tty *tty;

	return is_background(call->proc, dev, &tty) && stops_output(tty) ? ask_jobctl(call, SIGTTOU)
									 : 0;
}

static int64_t set_controlling(struct call *call, uint64_t dev, uint64_t steal)
{
	struct proc *proc = call->proc;
	struct tty *tty = tty_find(dev);

	if (tty && tty->sid == proc->sid && tty_of(proc) == tty) {
		return 0;
	}
	if (proc->pid != proc->sid || tty_of(proc)) {
		return -EPERM;
	}
	if (tty && tty->sid != 0) {
		if (steal != 1 || proc->cred.euid != 0) {
			return -EPERM;
		}
		tty->sid = 0;
	}
	tty = tty_get(dev);
	if (!tty) {
		return -ENOMEM;
	}
	proc->has_no_tty = false;
	tty_give(tty, proc->sid, proc->pgid);
	return 0;
}

static int64_t give_up(struct call *call, uint64_t dev)
{
	struct tty *tty = tty_of(call->proc);

	if (!tty || tty->dev != dev) {
		return -ENOTTY;
	}
	if (call->proc->pid == call->proc->sid) {
		session_release(tty);
	} else {
		call->proc->has_no_tty = true;
	}
	return 0;
}

/* A group of the caller's session. */
static bool group_is_in_session(int32_t pgid, int32_t sid)
{
	list_for_each(proc, &vfs->procs, struct proc, link)
	{
		if (proc->pgid == pgid && proc->sid == sid && !proc->is_exiting) {
			return true;
		}
	}
	return false;
}

static bool group_exists(int32_t pgid)
{
	list_for_each(proc, &vfs->procs, struct proc, link)
	{
		if (proc->pgid == pgid && !proc->is_exiting) {
			return true;
		}
	}
	return false;
}

static int64_t set_group(struct call *call, struct tty *tty, vaddr_t arg)
{
	int32_t pgid;
	int r = 0;

	if (tty != tty_of(call->proc) || !tty) {
		return -ENOTTY;
	}
	if (tty->pgid != call->proc->pgid) {
		r = ask_jobctl(call, SIGTTOU);
	}
	if (r < 0) {
		return r;
	}
	if (user_copy_in(call, &pgid, arg, sizeof(pgid)) < 0) {
		return -EFAULT;
	}
	if (pgid < 0) {
		return -EINVAL;
	}
	if (!group_exists(pgid)) {
		return -ESRCH;
	}
	if (!group_is_in_session(pgid, call->proc->sid)) {
		return -EPERM;
	}
	tty_give(tty, tty->sid, pgid);
	return 0;
}

static int64_t get_number(struct call *call, const struct tty *tty, bool is_session, vaddr_t arg)
{
	int32_t number;

	if (!tty || tty != tty_of(call->proc)) {
		return -ENOTTY;
	}
	number = is_session ? tty->sid : tty->pgid;
	return user_copy_out(call, arg, &number, sizeof(number));
}

int64_t tty_ioctl(
	struct call *call, struct file *file, unsigned request, uint64_t arg, bool *is_done)
{
	uint64_t dev = file->chr->dev;
	struct tty *tty;

	*is_done = true;
	switch (request) {
	case TIOCSCTTY:
		return set_controlling(call, dev, arg);
	case TIOCNOTTY:
		return give_up(call, dev);
	case TIOCGPGRP:
		return get_number(call, tty_find(dev), false, arg);
	case TIOCGSID:
		return get_number(call, tty_find(dev), true, arg);
	case TIOCSPGRP:
		return set_group(call, tty_find(dev), arg);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
	case TCFLSH:
	case TCSBRK:
	case TCSBRKP:
	case TCXONC:
		*is_done = false;
		return is_background(call->proc, dev, &tty) ? ask_jobctl(call, SIGTTOU) : 0;
	default:
		*is_done = false;
		return 0;
	}
}

void tty_ioctl_done(struct call *call, struct file *file, unsigned request, uint64_t arg)
{
	struct tty *tty;

	if (request != TCSETS && request != TCSETSW && request != TCSETSF) {
		return;
	}
	tty = tty_get(file->chr->dev);
	if (tty) {
		tty->has_termios = user_copy_in(call, tty->termios, arg, sizeof(tty->termios)) == 0;
	}
}

void tty_restore(uint32_t major)
{
	/* Terminals are never forgotten, so the list stays as it is while the driver works. */
	list_for_each(tty, &vfs->ttys, struct tty, link)
	{
		if (dev_major(tty->dev) == major) {
			tell_group(tty);
		}
	}
}

int64_t sys_vhangup(struct call *call)
{
	struct tty *tty = tty_of(call->proc);

	if (call->proc->cred.euid != 0) {
		return -EPERM;
	}
	if (tty) {
		session_release(tty);
	}
	return 0;
}
