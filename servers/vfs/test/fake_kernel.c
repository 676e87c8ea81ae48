/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/test/fake_kernel.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/errno.h"
#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "proto/chr.h"
#include "proto/fs.h"
#include "proto/pm.h"
#include "proto/rs.h"
#include "proto/vfs.h"
#include "proto/vm.h"
#include "servers/vfs/call.h"
#include "servers/vfs/crash.h"
#include "servers/vfs/names.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/test/fake_cache.h"
#include "servers/vfs/test/fake_fs.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

#define QUEUE_MAX   4096
#define ANSWERS_MAX 1024

char *fake_arena;

static const void *absent_page;
static const struct grant *grant_table;
static uint32_t grant_count;
static struct message queue[QUEUE_MAX]; /* to VFS */
static unsigned queue_first, queue_last;
static struct {
	endpoint_t ep;
	int64_t result;
} answers[ANSWERS_MAX];
static unsigned answer_count;
static unsigned signals[65];
static endpoint_t cancelled[16];
static unsigned cancelled_count;
static uint64_t now;
static unsigned stopped_count;
static int crash_op; /* VFS crashes as it does this (fake_crash_at); 0: never */
static void *crash_to[5];
static bool is_fs_busy;
static bool is_redo; /* the message is to be handed out again */

static void queue_put(const struct message *m)
{
	assert(queue_last < QUEUE_MAX);
	queue[queue_last++] = *m;
}

static bool in_arena(uint64_t addr, uint64_t bytes)
{
	uint64_t base = (uint64_t)(uintptr_t)fake_arena, page = (uint64_t)(uintptr_t)absent_page;

	if (addr < base || addr + bytes > base + FAKE_ARENA_BYTES) {
		return false;
	}
	return page == 0 || addr + bytes <= page || addr >= page + AXO_PAGE_SIZE;
}

static int copy(endpoint_t src_ep, uint64_t src, endpoint_t dst_ep, uint64_t dst, uint64_t bytes)
{
	if ((src_ep != EP_SELF && !in_arena(src, bytes)) ||
		(dst_ep != EP_SELF && !in_arena(dst, bytes))) {
		return -EFAULT;
	}
	memcpy((void *)dst, (const void *)src, bytes);
	return 0;
}

/* A peer's copy through one of VFS's grants. */
static int grant_copy(grant_t id, uint64_t offset, uint64_t own, uint64_t bytes, bool write)
{
	const struct grant *g = &grant_table[GRANT_INDEX(id)];

	assert((uint32_t)GRANT_INDEX(id) < grant_count && (g->flags & GRANT_VALID));
	assert((int)g->seq == GRANT_SEQ(id) && (g->flags & (write ? GRANT_WRITE : GRANT_READ)));
	assert(offset + bytes <= g->len);
	if ((g->flags & GRANT_MAGIC) && !in_arena(g->start + offset, bytes)) {
		return -EFAULT;
	}
	if (write) {
		memcpy((void *)(g->start + offset), (const void *)own, bytes);
	} else {
		memcpy((void *)own, (const void *)(g->start + offset), bytes);
	}
	return 0;
}

static void pm_gets(const struct message *m)
{
	struct message *mm = (struct message *)(uintptr_t)m, reply = {.source = EP_PM};

	if (m->type == PM_SIGNAL_PROC) {
		signals[MSG(mm, pm_signal_proc)->signo]++;
	} else if (m->type == PM_VFS_REPLY && MSG(mm, pm_vfs_reply)->op == VFS_PM_CANCEL) {
		cancelled[cancelled_count++ % 16] = MSG(mm, pm_vfs_reply)->ep;
	} else if (m->type == PM_JOBCTL) {
		reply.type = VFS_PM_JOBCTL_REPLY;
		MSG(&reply, vfs_pm_jobctl_reply)->seq = MSG(mm, pm_jobctl)->seq;
		MSG(&reply, vfs_pm_jobctl_reply)->result = -EIO;
		queue_put(&reply);
	}
}

static void vm_gets(const struct message *m)
{
	const struct vm_make_present_req *req =
		MSG((struct message *)(uintptr_t)m, vm_make_present_req);
	struct message reply = {.source = EP_VM, .type = VM_MAKE_PRESENT | PROTO_REPLY};

	if (m->type != VM_MAKE_PRESENT) {
		return;
	}
	absent_page = NULL;
	MSG(&reply, vm_make_present_rep)->id = req->id;
	MSG(&reply, vm_make_present_rep)->result = in_arena(req->addr, req->len) ? 0 : -EFAULT;
	queue_put(&reply);
}

/* Each file system that is asked for is there at once, and never answers. */
static void rs_gets(const struct message *m)
{
	struct message reply = {.source = EP_RS, .type = VFS_RS_FS_REPLY};

	if (m->type == RS_FS_START) {
		MSG(&reply, vfs_rs_fs_reply)->seq =
			MSG((struct message *)(uintptr_t)m, rs_fs_start)->seq;
		MSG(&reply, vfs_rs_fs_reply)->ep = FAKE_DEAD_FS;
		queue_put(&reply);
	} else if (m->type == RS_FS_STOP) {
		stopped_count++;
	}
}

static void crash_if(int op)
{
	if (op == crash_op) {
		crash_op = 0;
		__builtin_longjmp(crash_to, 1);
	}
}

static void deliver(struct asyn_entry *e)
{
	struct message m = e->msg, reply;

	if (e->dst == EP_BOOTFS && is_fs_busy) {
		return;
	}
	m.source = EP_VFS;
	e->flags |= ASYN_DONE;
	e->result = 0;
	if (e->dst == EP_BOOTFS) {
		crash_if(m.type);
		if (fake_fs_serve(&m, &reply)) {
			queue_put(&reply);
		}
	} else if (e->dst == EP_RS) {
		rs_gets(&m);
	} else if (e->dst == EP_PM) {
		pm_gets(&m);
	} else if (e->dst == EP_VM) {
		vm_gets(&m);
	}
}

static void answer(endpoint_t ep, int64_t result)
{
	assert(answer_count < ANSWERS_MAX);
	answers[answer_count].ep = ep;
	answers[answer_count++].result = result;
}

static int64_t kcall(int nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
	switch (nr) {
	case KCALL_vircopy:
		return copy((endpoint_t)a0, a1, (endpoint_t)a2, a3, a4);
	case KCALL_vvircopy:
		for (uint64_t i = 0; i < a1; i++) {
			const struct vircopy_vec *v = &((const struct vircopy_vec *)a0)[i];

			if (copy(v->src_ep, v->src, v->dst_ep, v->dst, v->bytes) < 0) {
				return -EFAULT;
			}
		}
		return 0;
	case KCALL_memset:
		if ((endpoint_t)a0 != EP_SELF && !in_arena(a1, a3)) {
			return -EFAULT;
		}
		memset((void *)a1, (int)a2, a3);
		return 0;
	case KCALL_reply_copy:
		crash_if(FAKE_REPLY_COPY);
		if (copy(EP_SELF, a2, (endpoint_t)a0, a1, a3) < 0) {
			return -EFAULT;
		}
		answer((endpoint_t)a0, (int64_t)a4);
		return 0;
	case KCALL_setgrant:
		grant_table = (const struct grant *)a0;
		grant_count = (uint32_t)a1;
		return 0;
	case KCALL_safecopyfrom:
		return grant_copy((grant_t)a1, a2, a3, a4, false);
	case KCALL_safecopyto:
		return grant_copy((grant_t)a1, a2, a3, a4, true);
	case KCALL_times:
		((struct proc_times *)a1)->uptime_ns = now;
		return 0;
	default:
		return 0;
	}
}

int64_t sys_trap(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	(void)a5;
	if (nr >= KCALL_BASE) {
		return kcall((int)(nr - KCALL_BASE), a0, a1, a2, a3, a4);
	}
	if (nr == TRAP_SENDNB) {
		answer((endpoint_t)a0, ((const struct message *)a1)->reply.result);
	} else if (nr == TRAP_SENDREC && (endpoint_t)a0 == EP_VM) {
		fake_cache_call((struct message *)a1);
	} else if (nr == TRAP_SENDA) {
		struct asyn_entry *table = (struct asyn_entry *)a0;

		for (uint64_t i = 0; i < a1; i++) {
			if ((table[i].flags & ASYN_VALID) && !(table[i].flags & ASYN_DONE)) {
				deliver(&table[i]);
			}
		}
	}
	return 0;
}

void diag_printf(const char *format, ...)
{
	(void)format;
}

void diag_panic(const char *format, ...)
{
	fprintf(stderr, "panic: %s\n", format);
	abort();
}

bool sef_redo(void)
{
	is_redo = true;
	return true;
}

void fake_fs_busy(bool is_busy)
{
	is_fs_busy = is_busy;
}

void fake_crash_at(int op)
{
	crash_op = op;
}

static bool is_answered(endpoint_t ep)
{
	for (unsigned i = 0; i < answer_count; i++) {
		if (answers[i].ep == ep) {
			return true;
		}
	}
	return false;
}

/* What SEF does when VFS has crashed within a message. */
static void recover(struct message *m)
{
	struct sef_info info = {.type = SEF_INIT_RESTART, .interrupted = m};
	bool was_call = IS_LINUX_CALL(m->type);

	is_redo = false;
	assert(crash_recover(&info) == 0);
	if (is_redo) {
		vfs_handle(m, 0);
	} else if (was_call && !is_answered(m->source)) {
		answer(m->source, -EINTR);
	}
	coro_run();
}

/* VFS serves one message, and may crash in it. */
static void serve(const struct message *m)
{
	static struct message current;

	current = *m;
	if (__builtin_setjmp(crash_to) == 0) {
		vfs_handle(&current, 0);
	} else {
		recover(&current);
	}
}

void fake_send(endpoint_t source, const struct message *m)
{
	struct message first = *m;

	first.source = source;
	serve(&first);
	while (queue_first < queue_last) {
		struct message next = queue[queue_first++];

		serve(&next);
	}
	queue_first = queue_last = 0;
}

void fake_time(uint64_t now_ns)
{
	struct message m = {.type = NOTIFY_MESSAGE};

	now = now_ns;
	m.notify.timestamp_ns = now_ns;
	fake_send(EP_CLOCK, &m);
}

int64_t fake_answer(endpoint_t ep)
{
	for (unsigned i = 0; i < answer_count; i++) {
		if (answers[i].ep == ep) {
			int64_t result = answers[i].result;

			memmove(&answers[i], &answers[i + 1],
				(--answer_count - i) * sizeof(answers[0]));
			return result;
		}
	}
	return FAKE_NO_ANSWER;
}

int64_t fake_call(endpoint_t ep, int nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	struct message m = {.type = LINUX_CALL(nr), .call = {.arg = {a, b, c, d, e}}};

	fake_send(ep, &m);
	return fake_answer(ep);
}

void fake_set_absent(const void *addr)
{
	absent_page = (const void *)AXO_PAGE_DOWN((uint64_t)(uintptr_t)addr);
}

unsigned fake_fs_stopped(void)
{
	return stopped_count;
}

unsigned fake_signals(int signo)
{
	return signals[signo];
}

bool fake_was_cancelled(endpoint_t ep)
{
	for (int i = 0; i < 16; i++) {
		if (cancelled[i] == ep) {
			return true;
		}
	}
	return false;
}

void fake_fork(endpoint_t parent, endpoint_t child, int pid)
{
	struct message m = {.type = VFS_PM_FORK};
	struct vfs_pm_fork *req = MSG(&m, vfs_pm_fork);

	req->parent = parent;
	req->child = child;
	req->pid = pid;
	fake_send(EP_PM, &m);
}

void fake_exit(endpoint_t ep)
{
	struct message m = {.type = VFS_PM_EXIT};

	MSG(&m, vfs_pm_ep)->ep = ep;
	fake_send(EP_PM, &m);
}

void fake_set_ids(endpoint_t ep, int pid, uint32_t uid, uint32_t gid)
{
	struct message m = {.type = VFS_PM_SETIDS};
	struct vfs_pm_setids *req = MSG(&m, vfs_pm_setids);

	*req = (struct vfs_pm_setids){.ep = ep,
		.pid = pid,
		.pgid = pid,
		.sid = pid,
		.uid = uid,
		.euid = uid,
		.suid = uid,
		.fsuid = uid,
		.gid = gid,
		.egid = gid,
		.sgid = gid,
		.fsgid = gid};
	fake_send(EP_PM, &m);
}

void fake_start(bool has_peek)
{
	struct message m = {0}, nothing = {.type = NOTIFY_MESSAGE};

	fake_arena = mmap((void *)0x200000000, FAKE_ARENA_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(fake_arena != MAP_FAILED);
	absent_page = NULL;
	answer_count = 0;
	fake_cache_reset();
	memset(signals, 0, sizeof(signals));
	memset(cancelled, 0, sizeof(cancelled));
	fake_fs_reset();
	if (has_peek) {
		fake_fs_set_peek();
	}
	assert(vfs_init() == 0);
	proc_create_init(EP_INIT);
	assert(call_start_worker(&m, NULL, mount_boot_root) == 0);
	fake_send(EP_KERNEL, &nothing);
	assert(vfs->root);
}

/* Everything is given back: what is left then has leaked. */
void fake_stop(void)
{
	fake_exit(EP_INIT);
	assert(coro_count() == 0);
	assert(list_is_empty(&vfs->procs));
	assert(vfs->root->refs == 0);
	name_trim(0);
	assert(vnode_flush(vfs->root->sb) == 1); /* the root */
	assert(fake_fs_references() == vfs->root->root->fs_refs);
	assert(vfs->name_count == 0);
	while (vfs->spare_walk_count > 0) {
		free(vfs->spare_walks[--vfs->spare_walk_count]);
	}
	window_free(&vfs->window);
	munmap(fake_arena, FAKE_ARENA_BYTES);
	fake_fs_free();
}
