/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel calls that tell and control: getinfo, diagctl, abort. */
#include <string.h>

#include "kernel/arch.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/panic.h"
#include "kernel/debug/trace.h"
#include "kernel/kcall/kcall.h"
#include "kernel/proc/signal.h"
#include "kernel/state.h"

#define DIAG_CHUNK 512

/* How many lines a service may write: so many in a row, and so many a second over time. */
#define DIAG_BURST  500
#define DIAG_PERIOD 10000000ull /* ns for one more line */

/* What is stored: as much as there is room for. */
static int64_t give(
	struct proc *caller, vaddr_t to, uint64_t room, const void *from, uint64_t bytes)
{
	int64_t error;

	if (bytes > room) {
		bytes = room;
	}
	error = copy_out(caller, to, from, bytes);
	return error != 0 ? error : (int64_t)bytes;
}

static struct proc_info proc_describe(const struct proc *proc)
{
	struct proc_info info = {
		.endpoint = proc->endpoint,
		.rts_flags = proc->rts,
		.ids = proc->ids,
		.priv_id = proc->priv != NULL ? proc->priv->id : -1,
		.priority = proc->priority,
		.blocked_on = EP_NONE,
		.call = (proc->flags & PROC_CALL) != 0 ? proc->call : -1,
		.user_ns = arch_ns_from_cycles(proc->user_cycles),
		.system_ns = arch_ns_from_cycles(proc->system_cycles),
		.start_ns = proc->start_ns,
		.ip = arch_ip(&proc->arch),
		.sp = arch_sp(&proc->arch),
		.as_id = proc->as_id,
		.cpu = proc->cpu,
		.messages = proc->messages,
	};

	memcpy(info.name, proc->name, sizeof(info.name));
	if (rts_is_set(proc, RTS_SENDING)) {
		info.blocked_on = proc->send_to;
	} else if (rts_is_set(proc, RTS_RECEIVING)) {
		info.blocked_on = proc->receive_from;
	}
	return info;
}

static int64_t give_proctab(struct proc *caller, vaddr_t to, uint64_t room, uint64_t first)
{
	uint64_t stored = 0;

	for (; first < kernel.proc_count && room - stored >= sizeof(struct proc_info); first++) {
		struct proc_info info = proc_describe(proc_slot((unsigned)first));
		int64_t error = copy_out(caller, to + stored, &info, sizeof(info));

		if (error != 0) {
			return error;
		}
		stored += sizeof(info);
	}
	return (int64_t)stored;
}

static int64_t give_system(struct proc *caller, vaddr_t to, uint64_t room)
{
	struct system_info info = {
		.uptime_ns = arch_now(),
		.boot_realtime_ns = (uint64_t)kernel.realtime_offset_ns,
		.context_switches = kernel.context_switches,
		.interrupts = kernel.interrupts,
		.kernel_calls = kernel.kernel_calls,
		.messages = kernel.messages,
		.procs = kernel.procs_used,
		.procs_max = kernel.proc_count,
		.cpus = kernel.cpu_count,
		.forks = kernel.forks,
	};
	uint32_t i;

	for (i = 0; i < kernel.cpu_count; i++) {
		info.idle_ns += arch_ns_from_cycles(kernel.cpus[i].idle_cycles);
		info.user_ns += arch_ns_from_cycles(kernel.cpus[i].program_cycles);
		info.runnable += kernel.cpus[i].run.count;
	}
	memcpy(info.load_avg, kernel.load_avg, sizeof(info.load_avg));
	arch_system_info(&info);
	return give(caller, to, room, &info, sizeof(info));
}

/* The newest records that fit, oldest first. */
static int64_t give_trace(struct proc *caller, vaddr_t to, uint64_t room)
{
	uint64_t have = kernel.trace_count < TRACE_RECORDS ? kernel.trace_count : TRACE_RECORDS;
	uint64_t count = room / sizeof(struct trace_record);
	uint64_t first, i;

	count = count < have ? count : have;
	first = kernel.trace_count - count;
	for (i = 0; i < count; i++) {
		struct trace_record record = kernel.trace[(first + i) % TRACE_RECORDS];
		int64_t error = copy_out(caller, to + i * sizeof(record), &record, sizeof(record));

		if (error != 0) {
			return error;
		}
	}
	return (int64_t)(count * sizeof(struct trace_record));
}

static int64_t give_whoami(struct proc *caller, vaddr_t to, uint64_t room)
{
	struct whoami whoami = {
		.endpoint = caller->endpoint,
		.flags = caller->priv->spec.flags,
		.priv_id = caller->priv->id,
	};

	memcpy(whoami.label, caller->priv->spec.label, sizeof(whoami.label));
	if (whoami.label[0] == '\0') {
		memcpy(whoami.label, caller->name, sizeof(caller->name));
	}
	return give(caller, to, room, &whoami, sizeof(whoami));
}

/* getinfo(GETINFO_*, to, bytes, argument) -> bytes stored. -EINVAL: nothing of the kind, or no such
 * process. */
int64_t kcall_getinfo(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc;
	struct proc_info info;

	switch (args[0]) {
	case GETINFO_WHOAMI:
		return give_whoami(caller, args[1], args[2]);
	case GETINFO_KINFO:
		return give(caller, args[1], args[2], &kernel.kinfo, sizeof(kernel.kinfo));
	case GETINFO_PROCTAB:
		return give_proctab(caller, args[1], args[2], args[3]);
	case GETINFO_CMDLINE:
		return give(caller, args[1], args[2], kernel.cmdline, strlen(kernel.cmdline) + 1);
	case GETINFO_SYSTEM:
		return give_system(caller, args[1], args[2]);
	case GETINFO_TRACE:
		return give_trace(caller, args[1], args[2]);
	default:
		break;
	}
	proc = kcall_proc(caller, args[3]);
	if (proc == NULL) {
		return -EINVAL;
	}
	switch (args[0]) {
	case GETINFO_PROC:
		info = proc_describe(proc);
		return give(caller, args[1], args[2], &info, sizeof(info));
	case GETINFO_IDS:
		return give(caller, args[1], args[2], &proc->ids, sizeof(proc->ids));
	case GETINFO_PRIV:
		return give(caller, args[1], args[2], &proc->priv->spec, sizeof(proc->priv->spec));
	case GETINFO_KCALLS:
		return give(caller, args[1], args[2], &proc->priv->kcalls_made,
			sizeof(proc->priv->kcalls_made));
	default:
		return -EINVAL;
	}
}

/* Whether the service has not written too much: one that is flooded, and complains of each message,
 * must not bury what others have to say, nor take the time of all. */
static bool may_write(struct proc *caller, const char *name)
{
	struct priv *priv = caller->priv;
	uint64_t now = arch_now();
	uint64_t earned = (now - priv->diag_since_ns) / DIAG_PERIOD;

	if (earned >= priv->diag_lines) {
		priv->diag_lines = 0;
		priv->diag_since_ns = now;
	} else {
		priv->diag_lines -= (uint32_t)earned;
		priv->diag_since_ns += earned * DIAG_PERIOD;
	}
	if (priv->diag_lines >= DIAG_BURST) {
		priv->diag_dropped++;
		return false;
	}
	priv->diag_lines++;
	if (priv->diag_dropped != 0) {
		diag_printf("%s: %u lines left out\n", name, priv->diag_dropped);
		priv->diag_dropped = 0;
	}
	return true;
}

static int64_t diag_text(struct proc *caller, const uint64_t args[6], bool raw)
{
	const char *name =
		caller->priv->spec.label[0] != '\0' ? caller->priv->spec.label : caller->name;
	uint64_t bytes = args[2] < DIAG_CHUNK ? args[2] : DIAG_CHUNK;
	char text[DIAG_CHUNK];
	int64_t error = copy_in(caller, text, args[1], bytes);

	if (error != 0) {
		return error;
	}
	if (args[0] != DIAG_PANIC && !may_write(caller, name)) {
		return (int64_t)bytes;
	}
	if (raw) {
		diag_write_raw(text, bytes);
	} else {
		diag_write_line(name, text, bytes);
	}
	return (int64_t)bytes;
}

static int64_t diag_give(struct proc *caller, vaddr_t to, uint64_t room, uint64_t position)
{
	uint64_t stored = 0;

	while (stored < room) {
		char text[DIAG_CHUNK];
		uint64_t want = room - stored < sizeof(text) ? room - stored : sizeof(text);
		size_t got = diag_read(&position, text, want);
		int64_t error;

		if (got == 0) {
			break;
		}
		error = copy_out(caller, to + stored, text, got);
		if (error != 0) {
			return error;
		}
		stored += got;
		position += got;
	}
	return (int64_t)stored;
}

/* diagctl(DIAG_*, address, bytes, argument): see abi/kcall.h. At most DIAG_CHUNK bytes a write. */
int64_t kcall_diagctl(struct proc *caller, const uint64_t args[6])
{
	int64_t result;

	switch (args[0]) {
	case DIAG_WRITE:
		return diag_text(caller, args, false);
	case DIAG_RAW:
		return diag_text(caller, args, true);
	case DIAG_READ:
		return diag_give(caller, args[1], args[2], args[3]);
	case DIAG_END:
		return (int64_t)kernel.diag_end;
	case DIAG_PANIC:
		result = diag_text(caller, args, false);
		if (result == KCALL_SUSPENDED) {
			return result;
		}
		if (caller == proc_find(EP_VM)) {
			panic("VM gives up: see the diagnostics");
		}
		signal_raise(caller, LSIGABRT);
		return KCALL_SUSPENDED;
	default:
		return -EINVAL;
	}
}

/* abort(ABORT_*). -EINVAL. */
int64_t kcall_abort(struct proc *caller, const uint64_t args[6])
{
	diag_printf("%s (%d) ends the system\n", caller->name, caller->endpoint);
	switch (args[0]) {
	case ABORT_POWEROFF:
		arch_poweroff();
	case ABORT_REBOOT:
		arch_reboot();
	case ABORT_HALT:
		arch_halt();
	case ABORT_PANIC:
		panic("asked for by %s (%d)", caller->name, caller->endpoint);
	default:
		return -EINVAL;
	}
}
