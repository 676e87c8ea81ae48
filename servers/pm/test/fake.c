/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/test/fake.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/bootinfo.h"
#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "lib/sys/trap.h"
#include "lib/sys/vm.h"
#include "proto/vfs.h"
#include "proto/vm.h"
#include "servers/pm/check.h"
#include "servers/pm/notice.h"
#include "servers/pm/timers.h"

#define QUEUE_MAX 65536

struct pm fake_pm;
uint64_t fake_now_ns;
int fake_aborted;
int fake_room;

static struct fake_proc procs[FAKE_SLOTS];
static int generations[FAKE_SLOTS];
static struct message queue[QUEUE_MAX];
static int queue_len, queue_done;
static uint64_t alarm_ns;

struct fake_proc *fake_proc(endpoint_t ep)
{
	struct fake_proc *proc = &procs[EP_SLOT(ep) % FAKE_SLOTS];

	return proc->used && proc->ep == ep ? proc : NULL;
}

static endpoint_t slot_take(void)
{
	for (int slot = EP_BOOT_COUNT; slot < FAKE_SLOTS; slot++) {
		if (!procs[slot].used) {
			procs[slot] = (struct fake_proc){.used = true,
				.ep = EP_MAKE(++generations[slot], slot),
				.stopped = true};
			return procs[slot].ep;
		}
	}
	return EP_NONE;
}

static int copy(uint64_t from, uint64_t to, uint64_t bytes)
{
	if (from < 4096 || to < 4096) {
		return -EFAULT;
	}
	memcpy((void *)to, (const void *)from, bytes);
	return 0;
}

static int64_t kcall_stop(endpoint_t ep, struct stop_info *info)
{
	struct fake_proc *proc = fake_proc(ep);

	if (!proc) {
		return -EINVAL;
	}
	proc->stopped = true;
	info->traced = STOP_NO_CALL;
	info->where = proc->where == FAKE_USER ? STOP_USER : STOP_IN_CALL;
	info->server = proc->where == FAKE_IN_PM ? EP_PM
		: proc->where == FAKE_IN_VFS     ? EP_VFS
						 : EP_VM;
	proc->stop_notice = proc->where == FAKE_IN_OTHER;
	return 0;
}

static int64_t kcall_sigsend(endpoint_t ep, const struct sigsend_spec *spec)
{
	struct fake_proc *proc = fake_proc(ep);

	if (!proc) {
		return -EINVAL;
	}
	if (proc->where != FAKE_USER || !proc->stopped) {
		return -EBUSY;
	}
	if (proc->no_stack) {
		return -EFAULT;
	}
	proc->frame = *spec;
	proc->frames++;
	proc->stopped = false;
	return 0;
}

static int64_t kcall_times(endpoint_t ep, struct proc_times *times)
{
	struct fake_proc *proc = ep == EP_SELF ? NULL : fake_proc(ep);

	*times = (struct proc_times){.uptime_ns = fake_now_ns,
		.realtime_ns = fake_now_ns + 1000 * NS_PER_SECOND,
		.user_ns = proc ? proc->user_ns : 0};
	return 0;
}

static int64_t vm_request(struct message *m)
{
	m->source = EP_VM;
	if (m->type == VM_FORK) {
		if (fake_room <= 0) {
			m->type = -ENOMEM;
			return 0;
		}
		fake_room--;
		MSG(m, vm_fork_rep)->child = slot_take();
	}
	m->type = 0;
	return 0;
}

static int64_t program_answered(endpoint_t ep, const struct message *m)
{
	struct fake_proc *proc = fake_proc(ep);

	if (!proc || proc->where != FAKE_IN_PM) {
		return -ENOTREADY;
	}
	proc->where = FAKE_USER;
	proc->result = m->reply.result;
	return 0;
}

static int64_t with_proc(int nr, endpoint_t ep, uint64_t arg)
{
	struct fake_proc *proc = fake_proc(ep);

	if (!proc) {
		return -EINVAL;
	}
	switch (nr) {
	case KCALL_resume:
		proc->stopped = false;
		break;
	case KCALL_clear:
		assert(proc->stopped);
		proc->used = false;
		break;
	case KCALL_setids:
		proc->ids = *(const struct proc_ids *)arg;
		break;
	case KCALL_exec:
		proc->where = FAKE_USER;
		proc->execs++;
		break;
	case KCALL_sigreturn:
		((struct sigreturn_info *)arg)->mask = proc->return_mask;
		((struct sigreturn_info *)arg)->altstack_flags = LSS_DISABLE;
		proc->where = FAKE_USER;
		break;
	default:
		break;
	}
	return 0;
}

int64_t sys_trap(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	switch (nr) {
	case TRAP_SENDREC:
		return vm_request((struct message *)a1);
	case TRAP_SENDNB:
		return program_answered((endpoint_t)a0, (const struct message *)a1);
	case KCALL_BASE + KCALL_stop:
		return kcall_stop((endpoint_t)a0, (struct stop_info *)a1);
	case KCALL_BASE + KCALL_sigsend:
		return kcall_sigsend((endpoint_t)a0, (const struct sigsend_spec *)a1);
	case KCALL_BASE + KCALL_times:
		return kcall_times((endpoint_t)a0, (struct proc_times *)a1);
	case KCALL_BASE + KCALL_vircopy:
		return copy(a1, a3, a4);
	case KCALL_BASE + KCALL_setalarm:
		alarm_ns = a0;
		return 0;
	case KCALL_BASE + KCALL_abort:
		fake_aborted = (int)a0;
		return 0;
	case KCALL_BASE + KCALL_getinfo:
	case KCALL_BASE + KCALL_diagctl:
		return -EINVAL;
	default:
		return with_proc((int)(nr - KCALL_BASE), (endpoint_t)a0, a1);
	}
}

int asyn_send(endpoint_t dst, const struct message *m)
{
	if (dst == EP_VFS) {
		assert(queue_len < QUEUE_MAX);
		queue[queue_len++] = *m;
	}
	return 0;
}

int64_t vm_info(enum vm_info_what what, endpoint_t ep, void *to, size_t bytes, uint64_t *next)
{
	return -ENOSYS;
}

void diag_printf(const char *format, ...)
{
}

void diag_panic(const char *format, ...)
{
	fprintf(stderr, "panic: %s\n", format);
	abort();
}

/* A message or signal has been handled. */
static void check(void)
{
	const char *error = pm_check(&fake_pm);

	if (error) {
		fprintf(stderr, "invariant: %s\n", error);
		abort();
	}
}

static void pm_forget_all(void)
{
	pm_for_each_process(process, &fake_pm)
	{
		timers_process_ends(&fake_pm, process);
		while (!list_is_empty(&process->threads)) {
			thread_free(&fake_pm,
				list_first(&process->threads, struct thread, process_link));
		}
	}
	while (!list_is_empty(&fake_pm.processes)) {
		struct process *process = list_first(&fake_pm.processes, struct process, all_link);

		list_for_each_safe(child, &process->children, struct process, sibling)
		{
			list_remove(&child->sibling);
		}
		process_free(&fake_pm, process);
	}
	free(fake_pm.by_slot);
}

void fake_reset(void)
{
	if (fake_pm.by_slot) {
		pm_forget_all();
	}
	memset(procs, 0, sizeof(procs));
	for (int ep = 0; ep < EP_BOOT_COUNT; ep++) {
		procs[ep] = (struct fake_proc){.used = true, .ep = ep};
	}
	queue_len = queue_done = 0;
	fake_now_ns = NS_PER_SECOND;
	alarm_ns = 0;
	fake_aborted = 0;
	fake_room = 1000;
	if (pm_init(&fake_pm, FAKE_SLOTS) < 0) {
		abort();
	}
	pm_adopt_boot_processes(&fake_pm);
	(void)fake_vfs_run();
}

int64_t fake_call(endpoint_t ep, int nr, ...)
{
	struct fake_proc *proc = fake_proc(ep);
	struct message m = {.source = ep, .type = LINUX_CALL(nr)};
	va_list args;

	assert(proc && !proc->stopped && proc->where == FAKE_USER);
	va_start(args, nr);
	for (int i = 0; i < 6; i++) {
		m.call.arg[i] = va_arg(args, uint64_t);
	}
	va_end(args);
	proc->where = FAKE_IN_PM;
	proc->result = PENDING;
	pm_handle(&fake_pm, &m, IPC_STATUS_FROM_KERNEL | IPC_STATUS_SENDREC);
	check();
	return proc->result;
}

endpoint_t fake_clone(endpoint_t parent, uint64_t flags, int64_t *result)
{
	int sent = queue_len;

	*result = call(parent, clone, flags);
	for (int i = sent; i < queue_len; i++) {
		if (queue[i].type == VFS_PM_FORK) {
			return MSG(&queue[i], vfs_pm_fork)->child;
		}
	}
	return EP_NONE;
}

endpoint_t fake_fork(endpoint_t parent)
{
	int64_t result;
	endpoint_t child = fake_clone(parent, LSIGCHLD, &result);

	assert(result > 0 && result == fake_proc(child)->ids.pid && !fake_proc(child)->stopped);
	return child;
}

int32_t fake_pid(endpoint_t ep)
{
	return fake_proc(ep)->ids.pid;
}

void fake_enter(endpoint_t ep, enum fake_where where)
{
	struct fake_proc *proc = fake_proc(ep);

	assert(!proc->stopped);
	proc->where = where;
	proc->result = PENDING;
}

void fake_from_vfs(const struct message *m)
{
	struct message copy_of = *m;

	copy_of.source = EP_VFS;
	pm_handle(&fake_pm, &copy_of, IPC_STATUS_ASYNC);
	check();
}

static void vfs_reply(int32_t op, endpoint_t ep, uint32_t seq)
{
	struct message m = {.type = PM_VFS_REPLY};

	MSG(&m, pm_vfs_reply)->op = op;
	MSG(&m, pm_vfs_reply)->ep = ep;
	MSG(&m, pm_vfs_reply)->seq = seq;
	fake_from_vfs(&m);
}

static void vfs_handle(const struct message *m)
{
	struct message copy_of = *m;
	const struct vfs_pm_ep *request = MSG(&copy_of, vfs_pm_ep);
	struct fake_proc *proc;

	switch (m->type) {
	case VFS_PM_CANCEL:
		proc = fake_proc(request->ep);
		if (proc && proc->where == FAKE_IN_VFS) {
			proc->where = FAKE_USER;
			proc->result = -512;
		}
		vfs_reply(m->type, request->ep, request->seq);
		break;
	case VFS_PM_EXIT:
	case VFS_PM_UNMOUNT_ALL:
		vfs_reply(m->type, request->ep, request->seq);
		break;
	default:
		break;
	}
}

int fake_vfs_run(void)
{
	int count = 0;

	for (; queue_done < queue_len; count++) {
		vfs_handle(&queue[queue_done++]);
	}
	return count;
}

void fake_exec_done(endpoint_t ep, int result)
{
	struct message m = {.type = PM_VFS_EXEC_REPLY};
	struct pm_vfs_exec_reply *reply = MSG(&m, pm_vfs_exec_reply);

	reply->ep = ep;
	reply->result = result;
	reply->seq = thread_by_ep(&fake_pm, ep)->process->exec_seq;
	strcpy(reply->name, "image");
	fake_from_vfs(&m);
}

void fake_advance(uint64_t ns)
{
	struct message m = {.source = EP_CLOCK, .type = NOTIFY_MESSAGE};

	fake_now_ns += ns;
	if (alarm_ns != 0 && alarm_ns <= fake_now_ns) {
		alarm_ns = 0;
		pm_handle(&fake_pm, &m, IPC_STATUS_NOTIFY);
		check();
	}
}

void fake_other_call_ends(endpoint_t ep)
{
	struct fake_proc *proc = fake_proc(ep);
	struct ksig ksig = {.endpoint = ep, .signals = 1};

	proc->where = FAKE_USER;
	proc->result = 0;
	if (proc->stop_notice) {
		proc->stop_notice = false;
		(void)pm_handle_ksig(&fake_pm, &ksig);
		check();
	}
}

int fake_sent(int32_t type)
{
	int count = 0;

	for (int i = 0; i < queue_len; i++) {
		count += queue[i].type == type;
	}
	return count;
}
