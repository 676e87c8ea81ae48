/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program may not do: wild pointers, unknown calls, privileged instructions, kernel
 * addresses. */
#include "case.h"

#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>

static sigjmp_buf resume;
static volatile int fault_code;

static void fault_handler(int signo, siginfo_t *info, void *context)
{
	fault_code = info->si_code;
	(void)context;
	siglongjmp(resume, signo);
}

static void catch_faults(void)
{
	struct sigaction action = {
		.sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
	int list[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
	for (int i = 0; i < 5; i++) {
		sigaction(list[i], &action, NULL);
	}
}

/* Runs an assembly text and tells what came of it. */
#define TRY(NAME, TEXT, ...)                                                                    \
	do {                                                                                    \
		int signo_ = sigsetjmp(resume, 1);                                              \
		if (signo_ == 0) {                                                              \
			__asm__ volatile(TEXT : : __VA_ARGS__ : "rax", "rcx", "rdx", "memory"); \
			printf("%s: nothing\n", NAME);                                          \
		} else {                                                                        \
			printf("%s: signal %d code %d\n", NAME, signo_, fault_code);            \
		}                                                                               \
	} while (0)

CASE(privileged_instructions)
{
	char table[16] = {0};
	catch_faults();
	TRY("hlt", "hlt", "i"(0));
	TRY("cli", "cli", "i"(0));
	TRY("sti", "sti", "i"(0));
	TRY("in", "in $0x60, %%al", "i"(0));
	TRY("out", "out %%al, $0x80", "i"(0));
	TRY("mov from cr0", "mov %%cr0, %%rax", "i"(0));
	TRY("mov to cr3", "xor %%eax, %%eax; mov %%rax, %%cr3", "i"(0));
	TRY("mov from dr7", "mov %%dr7, %%rax", "i"(0));
	TRY("lgdt", "lgdt %0", "m"(table));
	TRY("lidt", "lidt %0", "m"(table));
	TRY("ltr", "xor %%eax, %%eax; ltr %%ax", "i"(0));
	TRY("invlpg", "invlpg (%%rsp)", "i"(0));
	TRY("wbinvd", "wbinvd", "i"(0));
	TRY("rdmsr", "mov $0xc0000080, %%ecx; rdmsr", "i"(0));
	TRY("wrmsr", "mov $0xc0000080, %%ecx; wrmsr", "i"(0));
	TRY("clts", "clts", "i"(0));
	TRY("swapgs", "swapgs", "i"(0));
	TRY("sysretq", "mov $0x1000, %%ecx; sysretq", "i"(0));
	TRY("xsetbv", "xor %%ecx, %%ecx; xsetbv", "i"(0));
	TRY("int 0x20", "int $0x20", "i"(0));
	TRY("int 0xf0", "int $0xf0", "i"(0));
	TRY("int 13", "int $13", "i"(0));
	TRY("load kernel ss", "mov $0x10, %%eax; mov %%eax, %%ds", "i"(0));
	TRY("load bad fs", "mov $0x33f8, %%eax; mov %%eax, %%fs", "i"(0));
	TRY("non-canonical read", "mov $0x8000000000000000, %%rax; mov (%%rax), %%rax", "i"(0));
	TRY("popf with iopl", "pushfq; orl $0x3000, (%%rsp); popfq; pushfq; pop %%rax", "i"(0));
}

static uintptr_t targets[] = {0xffffffff80000000, 0xffffffff80100000, 0xffff800000000000,
	0xffff800000100000, 0xffffffffffffffff, 0xfffffffffffff000, 0x0000800000000000,
	0x00007ffffffff000, 0, 0x10};

CASE(kernel_addresses)
{
	catch_faults();
	for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++) {
		char name[60];
		snprintf(name, sizeof name, "read %lx", targets[i]);
		TRY(name, "mov (%0), %%al", "r"(targets[i]));
		snprintf(name, sizeof name, "write %lx", targets[i]);
		TRY(name, "movb $1, (%0)", "r"(targets[i]));
	}
}

static uintptr_t jump_target;

static void jump_there(void)
{
	((void (*)(void))jump_target)();
}

CASE(jumps_to_kernel)
{
	for (unsigned i = 0; i < sizeof targets / sizeof *targets; i++) {
		char name[60];
		snprintf(name, sizeof name, "jump %lx", targets[i]);
		jump_target = targets[i];
		in_child(name, jump_there);
	}
}

/* Each call with a pointer at a wild address: which argument, and the others' values. */
struct pointer_call {
	const char *name;
	int number, pointer;
	long arguments[6];
};

#define CALL(NAME, POINTER, ...)            \
	{                                   \
#NAME, SYS_##NAME, POINTER, \
		{                           \
			__VA_ARGS__         \
		}                           \
	}

/* Stand for what is known only when the program runs. */
enum { OPEN_FILE = 1000001, PIPE_OUT, PIPE_IN, DIRECTORY, PATH, ROOM, LINK, FILE_NAME, TYPE };

static const struct pointer_call calls[] = {
	CALL(read, 1, OPEN_FILE, 0, 10),
	CALL(read, 1, PIPE_OUT, 0, 4),
	CALL(write, 1, OPEN_FILE, 0, 10),
	CALL(write, 1, PIPE_IN, 0, 10),
	CALL(open, 0, 0, O_RDONLY),
	CALL(openat, 1, AT_FDCWD, 0, O_RDONLY),
	CALL(stat, 0, 0, ROOM),
	CALL(stat, 1, PATH, 0),
	CALL(lstat, 0, 0, ROOM),
	CALL(fstat, 1, OPEN_FILE, 0),
	CALL(newfstatat, 1, AT_FDCWD, 0, ROOM, 0),
	CALL(newfstatat, 2, AT_FDCWD, PATH, 0, 0),
	CALL(statx, 1, AT_FDCWD, 0, 0, 0x7ff, ROOM),
	CALL(statx, 4, AT_FDCWD, PATH, 0, 0x7ff, 0),
	CALL(pread64, 1, OPEN_FILE, 0, 10, 0),
	CALL(pwrite64, 1, OPEN_FILE, 0, 10, 0),
	CALL(readv, 1, OPEN_FILE, 0, 2),
	CALL(writev, 1, OPEN_FILE, 0, 2),
	CALL(access, 0, 0, 0),
	CALL(faccessat, 1, AT_FDCWD, 0, 0),
	CALL(pipe, 0, 0),
	CALL(pipe2, 0, 0, 0),
	CALL(poll, 0, 0, 2, 0),
	CALL(ppoll, 0, 0, 2, 0, 0, 8),
	CALL(select, 1, 5, 0, 0, 0, 0),
	CALL(pselect6, 1, 5, 0, 0, 0, 0, 0),
	CALL(getdents64, 1, DIRECTORY, 0, 1000),
	CALL(getcwd, 0, 0, 1000),
	CALL(chdir, 0, 0),
	CALL(mkdir, 0, 0, 0755),
	CALL(rmdir, 0, 0),
	CALL(unlink, 0, 0),
	CALL(unlinkat, 1, AT_FDCWD, 0, 0),
	CALL(rename, 0, 0, PATH),
	CALL(rename, 1, PATH, 0),
	CALL(link, 0, 0, PATH),
	CALL(link, 1, PATH, 0),
	CALL(symlink, 0, 0, PATH),
	CALL(symlink, 1, PATH, 0),
	CALL(readlink, 0, 0, ROOM, 100),
	CALL(readlink, 1, LINK, 0, 100),
	CALL(chmod, 0, 0, 0),
	CALL(chown, 0, 0, 0, 0),
	CALL(lchown, 0, 0, 0, 0),
	CALL(truncate, 0, 0, 0),
	CALL(utimensat, 1, AT_FDCWD, 0, 0, 0),
	CALL(utimensat, 2, AT_FDCWD, FILE_NAME, 0, 0),
	CALL(mknod, 0, 0, S_IFIFO, 0),
	CALL(mount, 1, 0, 0, TYPE, 0, 0),
	CALL(umount2, 0, 0, 0),
	CALL(chroot, 0, 0),
	CALL(statfs, 0, 0, ROOM),
	CALL(statfs, 1, PATH, 0),
	CALL(fstatfs, 1, OPEN_FILE, 0),
	CALL(sendfile, 2, OPEN_FILE, PIPE_OUT, 0, 1),
	CALL(ioctl, 2, PIPE_OUT, 0x541b, 0),
	CALL(fcntl, 2, OPEN_FILE, F_GETLK, 0),
	CALL(execve, 0, 0, 0, 0),
	CALL(execve, 1, PATH, 0, 0),
	CALL(wait4, 1, -1, 0, 1, 0),
	CALL(rt_sigaction, 1, SIGUSR1, 0, 0, 8),
	CALL(rt_sigaction, 2, SIGUSR1, 0, 0, 8),
	CALL(rt_sigprocmask, 1, 0, 0, 0, 8),
	CALL(rt_sigprocmask, 2, 0, 0, 0, 8),
	CALL(rt_sigpending, 0, 0, 8),
	CALL(rt_sigsuspend, 0, 0, 8),
	CALL(rt_sigtimedwait, 0, 0, 0, 0, 8),
	CALL(rt_sigqueueinfo, 2, 1 << 22, SIGUSR1, 0),
	CALL(sigaltstack, 0, 0, 0),
	CALL(sigaltstack, 1, 0, 0),
	CALL(nanosleep, 0, 0, 0),
	CALL(clock_nanosleep, 2, 0, 0, 0, 0),
	CALL(clock_gettime, 1, 0, 0),
	CALL(clock_gettime, 1, 1, 0),
	CALL(clock_getres, 1, 0, 0),
	CALL(gettimeofday, 0, 0, 0),
	CALL(settimeofday, 0, 0, 0),
	CALL(time, 0, 0),
	CALL(getitimer, 1, 0, 0),
	CALL(setitimer, 1, 0, 0, 0),
	CALL(times, 0, 0),
	CALL(getrusage, 1, 0, 0),
	CALL(getrlimit, 1, 7, 0),
	CALL(setrlimit, 1, 7, 0),
	CALL(prlimit64, 3, 0, 7, 0, 0),
	CALL(uname, 0, 0),
	CALL(sysinfo, 0, 0),
	CALL(getgroups, 1, 65536, 0),
	CALL(setgroups, 1, 3, 0),
	CALL(getresuid, 0, 0, ROOM, ROOM),
	CALL(getresgid, 2, ROOM, ROOM, 0),
	CALL(sethostname, 0, 0, 5),
	CALL(getrandom, 0, 0, 100, 0),
	CALL(arch_prctl, 1, 0x1003, 0),
	CALL(futex, 0, 0, 0, 0, 0, 0, 0),
	CALL(sched_getaffinity, 2, 0, 128, 0),
	CALL(set_robust_list, 0, 0, 24),
};

static char path[] = "/etc/passwd", room[4096];
static int file, directory, ends[2];

static long meant(long argument)
{
	switch (argument) {
	case OPEN_FILE:
		return file;
	case PIPE_OUT:
		return ends[0];
	case PIPE_IN:
		return ends[1];
	case DIRECTORY:
		return directory;
	case PATH:
		return (long)path;
	case ROOM:
		return (long)room;
	case LINK:
		return (long)"l";
	case FILE_NAME:
		return (long)"f";
	case TYPE:
		return (long)"ext2";
	default:
		return argument;
	}
}

static void try_wild(const struct pointer_call *call)
{
	static const long wild[] = {
		1, 0x5000, (long)0xffffffff80000000, (long)0xffff800000000000, 0x7ffffffff000, -8};

	printf("%s argument %d:", call->name, call->pointer);
	for (unsigned w = 0; w < sizeof wild / sizeof *wild; w++) {
		long a[6];
		for (int i = 0; i < 6; i++) {
			a[i] = i == call->pointer ? wild[w] : meant(call->arguments[i]);
		}
		long result = syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
		printf(" %s", result == -1 ? error_name(errno) : "accepted");
	}
	puts("");
}

CASE(wild_pointers)
{
	file = open("f", O_CREAT | O_RDWR, 0644);
	write(file, room, sizeof room);
	lseek(file, 0, SEEK_SET);
	pipe(ends);
	write(ends[1], "text", 4);
	symlink("x", "l");
	directory = open("/", O_RDONLY);
	for (unsigned c = 0; c < sizeof calls / sizeof *calls; c++) {
		try_wild(&calls[c]);
	}
	char *edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(edge + 4096, 4096);
	memset(edge, 'p', 4096);
	errno = 0;
	printf("path to the end of memory: %ld", syscall(SYS_open, edge + 4090, O_RDONLY));
	printf(" %s\n", error_name(errno));
	lseek(file, 0, SEEK_SET);
	show("read across the edge", syscall(SYS_read, file, edge + 4086, 100) > 0 ? 1 : -1);
	show("write across the edge",
		syscall(SYS_pwrite64, file, edge + 4086, 100, 0) > 0 ? 1 : -1);
}

CASE(unknown_calls)
{
	int known = 0, unknown = 0;
	long numbers[] = {340, 400, 420, 500, 511, 512, 547, 600, 1000, 2000, 4000, 4095,
		4096 + 100000, 1 << 20, 0x7fffffff, -1, -4096};
	for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		long result = syscall(numbers[i], 0, 0, 0, 0, 0, 0);
		if (result == -1 && errno == ENOSYS) {
			unknown++;
		} else {
			known++;
			printf("%ld: %ld %s\n", numbers[i], result, error_name(errno));
		}
	}
	printf("unknown %d known %d\n", unknown, known);
}

CASE(sigreturn_to_kernel)
{
	for (int variant = 0; variant < 3; variant++) {
		fflush(stdout);
		pid_t child = fork();
		if (child == 0) {
			uintptr_t frame[200] = {0};
			/* A frame at the stack pointer, of nothing, or of addresses that are the
			 * kernel's. */
			for (int i = 0; i < 200; i++) {
				frame[i] = variant == 0 ? 0
					: variant == 1  ? 0xffffffff80000000
							: 0x4141414141414141;
			}
			__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall"
					 :
					 : "r"(frame)
					 : "memory");
			_exit(1);
		}
		int status;
		waitpid(child, &status, 0);
		show_status("sigreturn", status);
	}
}

/* Calls that would end, stop or block the caller, or change the machine that it runs on. */
static const short left_out[] = {SYS_exit, SYS_exit_group, SYS_pause, SYS_rt_sigsuspend, SYS_fork,
	SYS_vfork, SYS_clone, SYS_kill, SYS_tkill, SYS_tgkill, SYS_reboot, SYS_rt_sigreturn,
	SYS_execve, SYS_execveat, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_mmap, SYS_brk,
	SYS_unlink, SYS_rename, SYS_rmdir, SYS_ptrace, SYS_rt_sigtimedwait, SYS_select, SYS_poll,
	SYS_ppoll, SYS_pselect6, SYS_nanosleep, SYS_clock_nanosleep, SYS_futex, SYS_wait4,
	SYS_waitid, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime,
	SYS_sethostname, SYS_setdomainname, SYS_mount, SYS_umount2, SYS_chroot, SYS_pivot_root,
	SYS_swapon, SYS_swapoff, SYS_init_module, SYS_delete_module, SYS_finit_module,
	SYS_kexec_load, SYS_kexec_file_load, SYS_syslog, SYS_vhangup, SYS_acct, SYS_quotactl,
	SYS_unshare, SYS_setns, SYS_seccomp, SYS_bpf, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
	SYS_arch_prctl, SYS_set_robust_list, SYS_ioctl, SYS_iopl, SYS_ioperm, SYS_modify_ldt,
	SYS_madvise, SYS_remap_file_pages, SYS_chmod, SYS_fchmodat, SYS_chown, SYS_fchownat,
	SYS_truncate, SYS_fchmod, SYS_fchown, SYS_lchown, SYS_ftruncate, SYS_unlinkat, SYS_renameat,
	SYS_renameat2, SYS_prctl, SYS_fcntl, SYS_epoll_wait, SYS_epoll_pwait, SYS_semop, SYS_msgrcv,
	SYS_flock, SYS_accept, SYS_recvfrom, SYS_setrlimit, SYS_prlimit64, SYS_rt_sigaction,
	SYS_rt_sigprocmask, SYS_alarm, SYS_setitimer, SYS_dup2, SYS_dup3, SYS_close, SYS_setsid,
	SYS_setpgid, SYS_read, SYS_readv, SYS_preadv, SYS_mincore, SYS_userfaultfd, SYS_mlockall,
	SYS_write, SYS_writev, SYS_pwritev, SYS_fallocate, SYS_setuid, SYS_setreuid, SYS_setresuid,
	SYS_sched_setaffinity, SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setattr,
	SYS_setpriority, SYS_io_getevents, SYS_mq_timedreceive, SYS_process_vm_writev,
	SYS_process_vm_readv, SYS_vmsplice, SYS_tee, SYS_splice, SYS_sendfile, SYS_copy_file_range,
	SYS_sync, SYS_pkey_mprotect, SYS_shmdt, SYS_shmat, SYS_keyctl, SYS_add_key, SYS_request_key,
	SYS_personality, SYS_rt_sigpending};

static bool is_left_out(long number)
{
	for (unsigned i = 0; i < sizeof left_out / sizeof *left_out; i++) {
		if (left_out[i] == number) {
			return true;
		}
	}
	return false;
}

CASE(random_calls) /* timeout 60 */
{
	/* Nothing is compared but that the system stands: the calls that would end or stop the
	 * caller are left out. */
	pid_t child = fork();
	if (child == 0) {
		unsigned seed = 99;
		struct rlimit limit = {5, 5};
		setrlimit(RLIMIT_CPU, &limit);
		alarm(10);
		close(0);
		setuid(1234);
		for (int i = 0; i < 3000; i++) {
			long a[7];
			for (int k = 0; k < 7; k++) {
				seed = seed * 1664525 + 1013904223;
				long kinds[] = {seed >> 24, (long)seed << 20, (long)room,
					-(long)(seed >> 28), 0, 1};
				a[k] = kinds[(seed >> 8) % 6];
			}
			long number = (seed >> 4) % 340;
			if (!is_left_out(number)) {
				syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
			}
		}
		_exit(0);
	}
	int status;
	waitpid(child, &status, 0);
	puts("done");
	in_child("the system stands", sync);
}

static void eat_stack(void)
{
	static volatile int depth;
	volatile char frame[4096];
	frame[0] = (char)depth++;
	eat_stack();
	frame[1] = frame[0];
}

static void too_many_children(void)
{
	struct rlimit limit = {30, 30};
	setuid(1234);
	setrlimit(RLIMIT_NPROC, &limit);
	int made = 0;
	for (int i = 0; i < 60; i++) {
		pid_t child = fork();
		if (child == 0) {
			pause();
		}
		if (child < 0) {
			break;
		}
		made++;
	}
	printf("made %d %s\n", made, error_name(errno));
	fflush(stdout);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0) {
	}
}

static void count_children(void)
{
	setsid();
	too_many_children();
}

CASE(limits)
{
	in_child("endless recursion", eat_stack);
	in_child("RLIMIT_NPROC", count_children);
}

CASE(endless_loops_are_preempted)
{
	pid_t loops[4];
	for (int i = 0; i < 4; i++) {
		loops[i] = fork();
		if (loops[i] == 0) {
			for (;;) {
			}
		}
	}
	pid_t worker = fork();
	if (worker == 0) {
		volatile long sum = 0;
		for (long i = 0; i < 3000000; i++) {
			sum += i;
		}
		_exit(sum == 4499998500000 ? 0 : 1);
	}
	int status;
	waitpid(worker, &status, 0);
	show_status("worker", status);
	for (int i = 0; i < 4; i++) {
		kill(loops[i], SIGKILL);
		waitpid(loops[i], &status, 0);
		show_status("loop", status);
	}
}
