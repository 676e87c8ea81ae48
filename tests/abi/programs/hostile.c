/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program may not do: wild pointers, unknown calls, privileged instructions, kernel addresses. */
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
	struct sigaction action = {.sa_sigaction = fault_handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
	int list[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
	for (int i = 0; i < 5; i++) {
		sigaction(list[i], &action, NULL);
	}
}

/* Runs an assembly text and tells what came of it. */
#define TRY(NAME, TEXT, ...)                                                                       \
	do {                                                                                       \
		int signo_ = sigsetjmp(resume, 1);                                                 \
		if (signo_ == 0) {                                                                 \
			__asm__ volatile(TEXT : : __VA_ARGS__ : "rax", "rcx", "rdx", "memory");    \
			printf("%s: nothing\n", NAME);                                             \
		} else {                                                                           \
			printf("%s: signal %d code %d\n", NAME, signo_, fault_code);               \
		}                                                                                  \
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

static uintptr_t targets[] = {0xffffffff80000000, 0xffffffff80100000, 0xffff800000000000, 0xffff800000100000,
	0xffffffffffffffff, 0xfffffffffffff000, 0x0000800000000000, 0x00007ffffffff000, 0, 0x10};

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

#define CALL(NAME, POINTER, ...) {#NAME, SYS_##NAME, POINTER, {__VA_ARGS__}}

static char text[] = "text", path[] = "/etc/passwd", room[4096];
static int file, ends[2];

CASE(wild_pointers)
{
	file = open("f", O_CREAT | O_RDWR, 0644);
	write(file, room, sizeof room);
	lseek(file, 0, SEEK_SET);
	pipe(ends);
	write(ends[1], text, 4);
	symlink("x", "l");
	int directory = open("/", O_RDONLY);
	long p = (long)path, r = (long)room;
	struct pointer_call calls[] = {
		CALL(read, 1, file, 0, 10),
		CALL(read, 1, ends[0], 0, 4),
		CALL(write, 1, file, 0, 10),
		CALL(write, 1, ends[1], 0, 10),
		CALL(open, 0, 0, O_RDONLY),
		CALL(openat, 1, AT_FDCWD, 0, O_RDONLY),
		CALL(stat, 0, 0, r),
		CALL(stat, 1, p, 0),
		CALL(lstat, 0, 0, r),
		CALL(fstat, 1, file, 0),
		CALL(newfstatat, 1, AT_FDCWD, 0, r, 0),
		CALL(newfstatat, 2, AT_FDCWD, p, 0, 0),
		CALL(statx, 1, AT_FDCWD, 0, 0, 0x7ff, r),
		CALL(statx, 4, AT_FDCWD, p, 0, 0x7ff, 0),
		CALL(pread64, 1, file, 0, 10, 0),
		CALL(pwrite64, 1, file, 0, 10, 0),
		CALL(readv, 1, file, 0, 2),
		CALL(writev, 1, file, 0, 2),
		CALL(access, 0, 0, 0),
		CALL(faccessat, 1, AT_FDCWD, 0, 0),
		CALL(pipe, 0, 0),
		CALL(pipe2, 0, 0, 0),
		CALL(poll, 0, 0, 2, 0),
		CALL(ppoll, 0, 0, 2, 0, 0, 8),
		CALL(select, 1, 5, 0, 0, 0, 0),
		CALL(pselect6, 1, 5, 0, 0, 0, 0, 0),
		CALL(getdents64, 1, directory, 0, 1000),
		CALL(getcwd, 0, 0, 1000),
		CALL(chdir, 0, 0),
		CALL(mkdir, 0, 0, 0755),
		CALL(rmdir, 0, 0),
		CALL(unlink, 0, 0),
		CALL(unlinkat, 1, AT_FDCWD, 0, 0),
		CALL(rename, 0, 0, p),
		CALL(rename, 1, p, 0),
		CALL(link, 0, 0, p),
		CALL(link, 1, p, 0),
		CALL(symlink, 0, 0, p),
		CALL(symlink, 1, p, 0),
		CALL(readlink, 0, 0, r, 100),
		CALL(readlink, 1, (long)"l", 0, 100),
		CALL(chmod, 0, 0, 0),
		CALL(chown, 0, 0, 0, 0),
		CALL(lchown, 0, 0, 0, 0),
		CALL(truncate, 0, 0, 0),
		CALL(utimensat, 1, AT_FDCWD, 0, 0, 0),
		CALL(utimensat, 2, AT_FDCWD, (long)"f", 0, 0),
		CALL(mknod, 0, 0, S_IFIFO, 0),
		CALL(mount, 1, 0, 0, (long)"ext2", 0, 0),
		CALL(umount2, 0, 0, 0),
		CALL(chroot, 0, 0),
		CALL(statfs, 0, 0, r),
		CALL(statfs, 1, p, 0),
		CALL(fstatfs, 1, file, 0),
		CALL(sendfile, 2, file, ends[0], 0, 1),
		CALL(ioctl, 2, ends[0], 0x541b, 0),
		CALL(fcntl, 2, file, F_GETLK, 0),
		CALL(execve, 0, 0, 0, 0),
		CALL(execve, 1, p, 0, 0),
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
		CALL(getresuid, 0, 0, r, r),
		CALL(getresgid, 2, r, r, 0),
		CALL(sethostname, 0, 0, 5),
		CALL(getrandom, 0, 0, 100, 0),
		CALL(arch_prctl, 1, 0x1003, 0),
		CALL(futex, 0, 0, 0, 0, 0, 0, 0),
		CALL(sched_getaffinity, 2, 0, 128, 0),
		CALL(set_robust_list, 0, 0, 24),
	};
	long wild[] = {1, 0x5000, (long)0xffffffff80000000, (long)0xffff800000000000, 0x7ffffffff000, -8};
	char *edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(edge + 4096, 4096);
	for (unsigned c = 0; c < sizeof calls / sizeof *calls; c++) {
		printf("%s argument %d:", calls[c].name, calls[c].pointer);
		for (unsigned w = 0; w < sizeof wild / sizeof *wild; w++) {
			long *a = calls[c].arguments;
			a[calls[c].pointer] = wild[w];
			long result = syscall(calls[c].number, a[0], a[1], a[2], a[3], a[4], a[5]);
			printf(" %s", result == -1 ? error_name(errno) : "accepted");
		}
		puts("");
	}
	memset(edge, 'p', 4096);
	errno = 0;
	printf("path to the end of memory: %ld", syscall(SYS_open, edge + 4090, O_RDONLY));
	printf(" %s\n", error_name(errno));
	lseek(file, 0, SEEK_SET);
	show("read across the edge", syscall(SYS_read, file, edge + 4086, 100) > 0 ? 1 : -1);
	show("write across the edge", syscall(SYS_pwrite64, file, edge + 4086, 100, 0) > 0 ? 1 : -1);
}

CASE(unknown_calls)
{
	int known = 0, unknown = 0;
	long numbers[] = {340, 400, 420, 500, 511, 512, 547, 600, 1000, 2000, 4000, 4095, 4096 + 100000,
		1 << 20, 0x7fffffff, -1, -4096};
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
			/* A frame at the stack pointer, of nothing, or of addresses that are the kernel's. */
			for (int i = 0; i < 200; i++) {
				frame[i] = variant == 0 ? 0 : variant == 1 ? 0xffffffff80000000 : 0x4141414141414141;
			}
			__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall" : : "r"(frame) : "memory");
			_exit(1);
		}
		int status;
		waitpid(child, &status, 0);
		show_status("sigreturn", status);
	}
}

CASE(random_calls) /* timeout 60 */
{
	/* Nothing is compared but that the system stands: the calls that would end or stop the caller are left out. */
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
				long kinds[] = {seed >> 24, (long)seed << 20, (long)room, -(long)(seed >> 28), 0, 1};
				a[k] = kinds[(seed >> 8) % 6];
			}
			long number = (seed >> 4) % 340;
			switch (number) {
			case SYS_exit: case SYS_exit_group: case SYS_pause: case SYS_rt_sigsuspend:
			case SYS_fork: case SYS_vfork: case SYS_clone: case SYS_kill: case SYS_tkill:
			case SYS_tgkill: case SYS_reboot: case SYS_rt_sigreturn: case SYS_execve:
			case SYS_execveat: case SYS_munmap: case SYS_mremap: case SYS_mprotect: case SYS_mmap:
			case SYS_brk: case SYS_unlink: case SYS_rename: case SYS_rmdir: case SYS_ptrace:
			case SYS_rt_sigtimedwait: case SYS_select: case SYS_poll: case SYS_ppoll:
			case SYS_pselect6: case SYS_nanosleep: case SYS_clock_nanosleep: case SYS_futex:
			case SYS_wait4: case SYS_waitid: case SYS_settimeofday: case SYS_clock_settime:
			case SYS_adjtimex: case SYS_clock_adjtime: case SYS_sethostname: case SYS_setdomainname:
			case SYS_mount: case SYS_umount2: case SYS_chroot: case SYS_pivot_root:
			case SYS_swapon: case SYS_swapoff: case SYS_init_module: case SYS_delete_module:
			case SYS_finit_module: case SYS_kexec_load: case SYS_kexec_file_load: case SYS_syslog:
			case SYS_vhangup: case SYS_acct: case SYS_quotactl: case SYS_unshare: case SYS_setns:
			case SYS_seccomp: case SYS_bpf: case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo:
			case SYS_arch_prctl: case SYS_set_robust_list: case SYS_ioctl: case SYS_iopl:
			case SYS_ioperm: case SYS_modify_ldt: case SYS_madvise: case SYS_remap_file_pages:
			case SYS_chmod: case SYS_fchmodat: case SYS_chown: case SYS_fchownat: case SYS_truncate:
			case SYS_fchmod: case SYS_fchown: case SYS_lchown: case SYS_ftruncate:
			case SYS_unlinkat: case SYS_renameat: case SYS_renameat2: case SYS_prctl: case SYS_fcntl:
			case SYS_epoll_wait: case SYS_epoll_pwait: case SYS_semop: case SYS_msgrcv: case SYS_flock:
			case SYS_accept: case SYS_recvfrom: case SYS_setrlimit: case SYS_prlimit64:
			case SYS_rt_sigaction: case SYS_rt_sigprocmask: case SYS_alarm: case SYS_setitimer:
			case SYS_dup2: case SYS_dup3: case SYS_close: case SYS_setsid: case SYS_setpgid:
			case SYS_read: case SYS_readv: case SYS_preadv: case SYS_mincore: case SYS_userfaultfd:
			case SYS_mlockall: case SYS_write: case SYS_writev: case SYS_pwritev: case SYS_fallocate:
			case SYS_setuid: case SYS_setreuid: case SYS_setresuid: case SYS_sched_setaffinity:
			case SYS_sched_setscheduler: case SYS_sched_setparam: case SYS_sched_setattr:
			case SYS_setpriority: case SYS_io_getevents: case SYS_mq_timedreceive:
			case SYS_process_vm_writev: case SYS_process_vm_readv: case SYS_vmsplice: case SYS_tee:
			case SYS_splice: case SYS_sendfile: case SYS_copy_file_range: case SYS_sync:
			case SYS_pkey_mprotect: case SYS_shmdt: case SYS_shmat: case SYS_keyctl:
			case SYS_add_key: case SYS_request_key: case SYS_personality: case SYS_rt_sigpending:
				break;
			default:
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
