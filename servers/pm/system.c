/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/system.h"

#include <string.h>

#include "abi/kcall.h"
#include "lib/sys/vm.h"
#include "servers/pm/cred.h"
#include "servers/pm/pm.h"
#include "servers/pm/sleep.h"
#include "servers/pm/timers.h"
#include "servers/pm/usage.h"
#include "servers/pm/user.h"

#define NAME_MAX_BYTES   64
#define LOG_CHUNK        4096
#define LOG_BUFFER_BYTES 131072
#define RANDOM_CHUNK     1024
#define RANDOM_CALL_MAX  (1u << 20) /* more comes in several calls, as getrandom(2) allows */
#define LGRND_NONBLOCK   1u
#define LGRND_RANDOM     2u
#define LGRND_INSECURE   4u
#define LTICK_USEC       10000

int64_t call_uname(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct linux_utsname names = {.sysname = "Linux", .machine = "x86_64"};

	memcpy(names.nodename, pm->hostname, sizeof(names.nodename));
	memcpy(names.release, pm->release, sizeof(pm->release));
	memcpy(names.version, pm->version, sizeof(pm->version));
	memcpy(names.domainname, pm->domainname, sizeof(names.domainname));
	return user_write(thread, arg[0], &names, sizeof(names));
}

static int64_t name_set(struct thread *thread, const uint64_t *arg, char name[65])
{
	char new[65] = {0};

	if (!cred_capable(thread->process, LCAP_SYS_ADMIN)) {
		return -EPERM;
	}
	if (arg[1] > NAME_MAX_BYTES) {
		return -EINVAL;
	}
	if (arg[1] != 0 && user_read(thread, arg[0], new, arg[1]) < 0) {
		return -EFAULT;
	}
	memcpy(name, new, sizeof(new));
	return 0;
}

int64_t call_sethostname(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	return name_set(thread, arg, pm->hostname);
}

int64_t call_setdomainname(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	return name_set(thread, arg, pm->domainname);
}

int64_t call_sysinfo(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct system_info system = {0};
	struct vm_stats memory = {0};
	struct linux_sysinfo info = {.mem_unit = 1};

	(void)sys_getinfo(GETINFO_SYSTEM, &system, sizeof(system), 0);
	(void)vm_info(VM_INFO_STATS, EP_NONE, &memory, sizeof(memory), NULL);
	info.uptime = (int64_t)(system.uptime_ns / NS_PER_SECOND);
	for (int i = 0; i < 3; i++) {
		info.loads[i] = (uint64_t)system.load_avg[i]
			<< 5; /* 11 to 16 bits after the point */
	}
	info.totalram = memory.total * memory.page_size;
	info.freeram = memory.free * memory.page_size;
	info.bufferram = memory.cached * memory.page_size;
	info.sharedram = memory.shared * memory.page_size;
	info.procs = (uint16_t)pm->process_count;
	return user_write(thread, arg[0], &info, sizeof(info));
}

enum syslog_action {
	LOG_CLOSE,
	LOG_OPEN,
	LOG_READ,
	LOG_READ_ALL,
	LOG_READ_CLEAR,
	LOG_CLEAR,
	LOG_CONSOLE_OFF,
	LOG_CONSOLE_ON,
	LOG_CONSOLE_LEVEL,
	LOG_SIZE_UNREAD,
	LOG_SIZE_BUFFER
};

static uint64_t log_end(void)
{
	int64_t end = sys_diagctl(DIAG_END, NULL, 0, 0);

	return end < 0 ? 0 : (uint64_t)end;
}

/* The newest len bytes that have not been cleared; how many there were. */
static int64_t log_read(struct pm *pm, struct thread *thread, uint64_t address, uint64_t len)
{
	uint64_t end = log_end();
	uint64_t position = end > len ? end - len : 0;
	uint64_t done = 0;
	char chunk[LOG_CHUNK];

	position = u64_max(position, pm->log_clear);
	position = u64_max(position, end > LOG_BUFFER_BYTES ? end - LOG_BUFFER_BYTES : 0);
	while (position < end) {
		int64_t got = sys_diagctl(
			DIAG_READ, chunk, u64_min(sizeof(chunk), end - position), position);

		if (got <= 0) {
			break;
		}
		if (user_write(thread, address + done, chunk, (size_t)got) < 0) {
			return -EFAULT;
		}
		done += (uint64_t)got;
		position += (uint64_t)got;
	}
	return (int64_t)done;
}

int64_t call_syslog(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	int action = (int)arg[0];
	int64_t len = (int32_t)arg[2];
	bool reads = action >= LOG_READ && action <= LOG_READ_CLEAR;
	int64_t result;

	if (action < LOG_CLOSE || action > LOG_SIZE_BUFFER) {
		return -EINVAL;
	}
	if (action != LOG_READ_ALL && action != LOG_SIZE_BUFFER &&
		!cred_capable(thread->process, LCAP_SYSLOG)) {
		return -EPERM;
	}
	if (reads && (arg[1] == 0 || len < 0)) {
		return -EINVAL;
	}
	switch (action) {
	case LOG_READ:
	case LOG_READ_ALL:
		return log_read(pm, thread, arg[1], (uint64_t)len);
	case LOG_READ_CLEAR:
		result = log_read(pm, thread, arg[1], (uint64_t)len);
		pm->log_clear = log_end();
		return result;
	case LOG_CLEAR:
		pm->log_clear = log_end();
		return 0;
	case LOG_CONSOLE_LEVEL:
		return len < 1 || len > 8 ? -EINVAL : 0;
	case LOG_SIZE_UNREAD:
		return (int64_t)u64_min(log_end() - pm->log_clear, LOG_BUFFER_BYTES);
	case LOG_SIZE_BUFFER:
		return LOG_BUFFER_BYTES;
	default:
		return 0;
	}
}

static int64_t clock_set(struct pm *pm, uint64_t realtime_ns)
{
	int r = sys_settime(realtime_ns);

	if (r < 0) {
		return -EINVAL;
	}
	sleep_clock_was_set(pm);
	timers_clock_was_set(pm);
	return 0;
}

int64_t call_settimeofday(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct linux_timeval time;
	struct linux_timespec precise;
	uint64_t ns;
	int32_t zone[2];

	if (arg[0] != 0 && user_read(thread, arg[0], &time, sizeof(time)) < 0) {
		return -EFAULT;
	}
	if (arg[1] != 0 && user_read(thread, arg[1], zone, sizeof(zone)) < 0) {
		return -EFAULT;
	}
	if (!cred_capable(thread->process, LCAP_SYS_TIME)) {
		return -EPERM;
	}
	if (arg[0] == 0) {
		return 0; /* the kernel keeps no time zone */
	}
	precise = (struct linux_timespec){time.sec, time.usec * 1000};
	if (time.usec < 0 || time.usec >= 1000000 || !timespec_to_ns(&precise, &ns)) {
		return -EINVAL;
	}
	return clock_set(pm, ns);
}

int64_t call_clock_settime(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct linux_timespec time;
	uint64_t ns;

	if ((int32_t)arg[0] != LCLOCK_REALTIME) {
		return -EINVAL;
	}
	if (user_read(thread, arg[1], &time, sizeof(time)) < 0) {
		return -EFAULT;
	}
	if (!timespec_to_ns(&time, &ns)) {
		return -EINVAL;
	}
	if (!cred_capable(thread->process, LCAP_SYS_TIME)) {
		return -EPERM;
	}
	return clock_set(pm, ns);
}

/* The clock is not disciplined: what is asked can be read, nothing can be adjusted. */
int64_t call_adjtimex(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	struct linux_timex timex;
	const int state_unsynchronised = 5, status_unsynchronised = 0x40;

	if (user_read(thread, arg[0], &timex, sizeof(timex)) < 0) {
		return -EFAULT;
	}
	if (timex.modes != 0) {
		return cred_capable(thread->process, LCAP_SYS_TIME) ? -EINVAL : -EPERM;
	}
	memset(&timex, 0, sizeof(timex));
	timex.status = status_unsynchronised;
	timex.tick = LTICK_USEC;
	timex.precision = 1;
	timex.tolerance = 32768000;
	timex.time = timeval_from_ns(sys_realtime_ns());
	if (user_write(thread, arg[0], &timex, sizeof(timex)) < 0) {
		return -EFAULT;
	}
	return state_unsynchronised;
}

int64_t call_getrandom(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	uint64_t len = u64_min(arg[1], RANDOM_CALL_MAX);
	uint8_t chunk[RANDOM_CHUNK];

	if ((arg[2] & ~(uint64_t)(LGRND_NONBLOCK | LGRND_RANDOM | LGRND_INSECURE)) ||
		(arg[2] & (LGRND_RANDOM | LGRND_INSECURE)) == (LGRND_RANDOM | LGRND_INSECURE)) {
		return -EINVAL;
	}
	for (uint64_t done = 0; done < len;) {
		size_t part = u64_min(sizeof(chunk), len - done);

		random_bytes(&pm->random, chunk, part);
		if (user_write(thread, arg[0] + done, chunk, part) < 0) {
			return -EFAULT;
		}
		done += part;
	}
	return (int64_t)len;
}

int64_t call_unshare(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	uint64_t flags = arg[0];

	if (flags & (LCLONE_NAMESPACES | LCLONE_NEWTIME)) {
		return cred_capable(thread->process, LCAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	}
	/* Nothing to be taken apart where nothing is shared: a process of one thread, made by fork.
	 */
	if ((flags &
		    ~(uint64_t)(LCLONE_FS | LCLONE_FILES | LCLONE_SYSVSEM | LCLONE_VM |
			    LCLONE_SIGHAND | LCLONE_THREAD)) ||
		thread->process->thread_count > 1) {
		return -EINVAL;
	}
	return 0;
}
