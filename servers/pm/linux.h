/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structures and constants of the Linux kernel ABI that PM's calls use, as the manual pages of
 * section 2 describe them. The libc's headers are no substitute: their structures are the libc's,
 * and musl's differ.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "proto/vfs.h"

#define PM_GROUPS_MAX VFS_GROUPS_MAX

struct linux_timespec {
	int64_t sec, nsec;
};
struct linux_timeval {
	int64_t sec, usec;
};
struct linux_itimerval {
	struct linux_timeval interval, value;
};
struct linux_itimerspec {
	struct linux_timespec interval, value;
};
struct linux_rusage {
	struct linux_timeval utime, stime;
	int64_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd,
		msgrcv, nsignals, nvcsw, nivcsw;
};
struct linux_tms {
	int64_t utime, stime, cutime, cstime;
};
struct linux_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};
struct linux_sysinfo {
	int64_t uptime;
	uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad[3];
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit, pad2;
};
struct linux_sigevent {
	uint64_t value;
	int32_t signo, notify, tid;
	int32_t pad[11];
};
struct linux_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};
struct linux_cap_header {
	uint32_t version;
	int32_t pid;
};
struct linux_cap_data {
	uint32_t effective, permitted, inheritable;
};
struct linux_timex {
	uint32_t modes, pad1;
	int64_t offset, freq, maxerror, esterror;
	int32_t status, pad2;
	int64_t constant, precision, tolerance;
	struct linux_timeval time;
	int64_t tick, ppsfreq, jitter;
	int32_t shift, pad3;
	int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
	int32_t tai, reserved[11];
};

_Static_assert(sizeof(struct linux_rusage) == 144, "rusage");
_Static_assert(sizeof(struct linux_sysinfo) == 112, "sysinfo");
_Static_assert(sizeof(struct linux_utsname) == 390, "utsname");
_Static_assert(sizeof(struct linux_sigevent) == 64, "sigevent");
_Static_assert(sizeof(struct linux_clone_args) == 88, "clone_args");
_Static_assert(sizeof(struct linux_timex) == 208, "timex");

#define LCLONE_VM             0x100u
#define LCLONE_FS             0x200u
#define LCLONE_FILES          0x400u
#define LCLONE_SIGHAND        0x800u
#define LCLONE_PIDFD          0x1000u
#define LCLONE_PTRACE         0x2000u
#define LCLONE_VFORK          0x4000u
#define LCLONE_PARENT         0x8000u
#define LCLONE_THREAD         0x10000u
#define LCLONE_NEWNS          0x20000u
#define LCLONE_SYSVSEM        0x40000u
#define LCLONE_SETTLS         0x80000u
#define LCLONE_PARENT_SETTID  0x100000u
#define LCLONE_CHILD_CLEARTID 0x200000u
#define LCLONE_DETACHED       0x400000u
#define LCLONE_UNTRACED       0x800000u
#define LCLONE_CHILD_SETTID   0x1000000u
#define LCLONE_NEWCGROUP      0x2000000u
#define LCLONE_NEWUTS         0x4000000u
#define LCLONE_NEWIPC         0x8000000u
#define LCLONE_NEWUSER        0x10000000u
#define LCLONE_NEWPID         0x20000000u
#define LCLONE_NEWNET         0x40000000u
#define LCLONE_IO             0x80000000u
#define LCLONE_NEWTIME        0x80u
#define LCLONE_CLEAR_SIGHAND  0x100000000ull
#define LCLONE_INTO_CGROUP    0x200000000ull
#define LCLONE_EXIT_SIGNAL    0xffu
#define LCLONE_NAMESPACES                                                                   \
	(LCLONE_NEWNS | LCLONE_NEWCGROUP | LCLONE_NEWUTS | LCLONE_NEWIPC | LCLONE_NEWUSER | \
		LCLONE_NEWPID | LCLONE_NEWNET)

#define LWNOHANG    1u
#define LWUNTRACED  2u /* WSTOPPED */
#define LWEXITED    4u
#define LWCONTINUED 8u
#define LWNOWAIT    0x1000000u
#define LWNOTHREAD  0x20000000u
#define LWALL       0x40000000u
#define LWCLONE     0x80000000u
#define LP_ALL      0
#define LP_PID      1
#define LP_PGID     2
#define LP_PIDFD    3

#define STATUS_EXITED(code)   (((code)&0xff) << 8)
#define STATUS_KILLED(signo)  (signo)
#define STATUS_STOPPED(signo) (((signo) << 8) | 0x7f)
#define STATUS_CONTINUED      0xffff

enum linux_clock {
	LCLOCK_REALTIME = 0,
	LCLOCK_MONOTONIC = 1,
	LCLOCK_PROCESS_CPUTIME = 2,
	LCLOCK_THREAD_CPUTIME = 3,
	LCLOCK_BOOTTIME = 7,
	LCLOCK_TAI = 11
};
#define LTIMER_ABSTIME 1

#define LSIGEV_SIGNAL    0
#define LSIGEV_NONE      1
#define LSIGEV_THREAD    2
#define LSIGEV_THREAD_ID 4

#define LSIG_BLOCK   0
#define LSIG_UNBLOCK 1
#define LSIG_SETMASK 2

enum linux_rlimit {
	LRLIM_CPU,
	LRLIM_FSIZE,
	LRLIM_DATA,
	LRLIM_STACK,
	LRLIM_CORE,
	LRLIM_RSS,
	LRLIM_NPROC,
	LRLIM_NOFILE,
	LRLIM_MEMLOCK,
	LRLIM_AS,
	LRLIM_LOCKS,
	LRLIM_SIGPENDING,
	LRLIM_MSGQUEUE,
	LRLIM_NICE,
	LRLIM_RTPRIO,
	LRLIM_RTTIME,
	LRLIM_COUNT
};
#define LRLIM_INFINITY UINT64_MAX

enum linux_cap {
	LCAP_KILL = 5,
	LCAP_SETGID = 6,
	LCAP_SETUID = 7,
	LCAP_SETPCAP = 8,
	LCAP_SYS_PTRACE = 19,
	LCAP_SYS_BOOT = 22,
	LCAP_SYS_NICE = 23,
	LCAP_SYS_RESOURCE = 24,
	LCAP_SYS_TIME = 25,
	LCAP_SYS_ADMIN = 21,
	LCAP_SYSLOG = 34,
	LCAP_LAST = 40
};
#define LCAP_ALL                ((1ull << (LCAP_LAST + 1)) - 1)
#define LSECBIT_KEEP_CAPS       0x10u
#define LSECBIT_NO_SETUID_FIXUP 4u
#define LSECBIT_NOROOT          1u

#define LTICKS_PER_SECOND 100
#define NS_PER_SECOND     1000000000ull
#define NS_PER_TICK       (NS_PER_SECOND / LTICKS_PER_SECOND)
