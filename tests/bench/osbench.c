/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * osbench - a small operating-system micro-benchmark.
 *
 * It needs only libc and the Linux system call ABI, so that the very same static
 * binary can be timed on two kernels.
 *     musl-gcc -std=c11 -static -O2 -Wall -Wextra -o osbench osbench.c
 * Each selected metric runs in a process and a scratch directory of its own, and
 * gives one line on standard output:
 *     NAME BEST UNIT MEDIAN       best and median of the repeats
 *     NAME unsupported ERRNO      a system call that it needs failed
 *     NAME crashed SIGNAL         or: NAME timeout
 * UNIT is ns (smaller is better), MiB/s or op/s (larger is better).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, MIB = 1 << 20, CHUNK = 64 << 10 };
enum { PAGES_1M = MIB / PAGE, PAGES_4M = 4 * PAGES_1M, AREAS = 8 };
enum { REPEATS_MAX = 101, PEERS_MAX = 64, POLL_MAX = 256, DIR_FILES = 1000 };
enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129 };

/* ---- the stopwatch, and what else a metric works with ------------------- */
/*
 * A metric is a function that does n turns of its work and times them. It may
 * be called several times in its process; first is true for the first of them.
 * It cleans up only what would be in the way of its own next call.
 */
static int first;
static long arg;       /* the metric's parameter, from its table */
static double elapsed; /* seconds timed so far */
static const char *metric_name;
static pid_t metric_pid; /* the process that runs the metric */
static char *self;       /* path of this program, for exec */
static char *no_env[] = {NULL}, *true_argv[] = {"osbench", "--true", NULL};
static char buf[CHUNK];
static volatile uint64_t sink;

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void start(void)
{
	elapsed -= now();
}
static void stop(void)
{
	elapsed += now();
}

/* A loop of n turns that is timed as a whole. */
#define TIMED(n) for (long i = (start(), 0); i < (n) || (stop(), 0); i++)

/* A metric that makes something ready and then does one thing n times. */
#define METRIC(name, ready, thing) \
	static void name(long n)   \
	{                          \
		ready;             \
		TIMED(n)           \
		{                  \
			thing;     \
		}                  \
	}

/* Gives the metric up: the kernel refused something that it needs. */
static _Noreturn void fail(int err)
{
	if (getpid() == metric_pid) {
		printf("%-20s unsupported %d\n", metric_name, err);
		fflush(stdout);
	}
	_exit(err & 127);
}

/* Passes a system call's result on, or gives the metric up. */
static long try(long result)
{
	if (result < 0)
		fail(errno);
	return result;
}

static void read_all(int fd, void *to, size_t len)
{
	for (size_t got = 0; got < len;) {
		long r = try(read(fd, (char *)to + got, len - got));
		if (r == 0)
			fail(EPIPE);
		got += r;
	}
}

static void write_all(int fd, const void *from, size_t len)
{
	for (size_t put = 0; put < len;)
		put += try(write(fd, (const char *)from + put, len - put));
}

/* Waits for a child, which exits with 0 or with an errno. */
static void await(pid_t pid)
{
	int status;
	try(waitpid(pid, &status, 0));
	if (status != 0)
		fail(WIFEXITED(status) ? WEXITSTATUS(status) : EINTR);
}

static char *map(long pages, int prot, int flags, int fd)
{
	void *p = mmap(NULL, pages * PAGE, prot, flags, fd, 0);
	try(p == MAP_FAILED ? -1 : 0);
	return p;
}

static char *map_anon(long pages)
{
	return map(pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void unmap(char *p, long pages)
{
	try(munmap(p, pages * PAGE));
}

static char *touch(char *p, long pages)
{
	for (long k = 0; k < pages; k++)
		*(volatile char *)(p + k * PAGE) = 1;
	return p;
}

/* A file of len bytes in the scratch directory, open for read and write. */
static int make_file(const char *name, long len)
{
	int fd = try(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
	for (; len > 0; len -= CHUNK)
		write_all(fd, buf, CHUNK);
	try(lseek(fd, 0, SEEK_SET));
	return fd;
}

/* ---- processor and plain system calls ----------------------------------- */
METRIC(cpu_loop, uint64_t x = 88172645463325252u, x ^= x << 13; x ^= x >> 7; sink = x ^= x << 17)
METRIC(null_syscall, , syscall(SYS_getppid))
METRIC(read_zero, int fd = try(open("/dev/zero", O_RDONLY)), try(read(fd, buf, 1)))
METRIC(write_null, int fd = try(open("/dev/null", O_WRONLY)), try(write(fd, buf, 1)))
METRIC(clock_get, struct timespec ts, try(clock_gettime(CLOCK_MONOTONIC, &ts)))
METRIC(open_close, make_file("file", 0), close(try(open("file", O_RDONLY))))
METRIC(stat_file, make_file("file", 0); struct stat st, try(stat("file", &st)))

static void poll_pipes(long n)
{
	static struct pollfd set[POLL_MAX];
	for (long k = 0; first && k < arg; k++) {
		int p[2];
		try(pipe(p));
		set[k] = (struct pollfd){.fd = p[0], .events = POLLIN};
	}
	TIMED(n)
	try(poll(set, arg, 0));
}

/* ---- between processes -------------------------------------------------- */
enum kind { PIPE, UNIX, TCP };
static int rd, wr, peer_rd, peer_wr; /* our ends of a channel, the peer's */

/* Connects two TCP sockets over the loopback interface. */
static void tcp_pair(int sv[2])
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof at;
	int one = 1, listener = try(socket(AF_INET, SOCK_STREAM, 0));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	try(bind(listener, (struct sockaddr *)&at, len));
	try(listen(listener, 1));
	try(getsockname(listener, (struct sockaddr *)&at, &len));
	sv[0] = try(socket(AF_INET, SOCK_STREAM, 0));
	try(connect(sv[0], (struct sockaddr *)&at, len));
	sv[1] = try(accept(listener, NULL, NULL));
	for (int k = 0; k < 2; k++)
		try(setsockopt(sv[k], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
}

static void open_channel(enum kind kind)
{
	int a[2], b[2];
	if (kind == TCP)
		tcp_pair(a);
	else if (kind == UNIX)
		try(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	else
		try(pipe(b) < 0 ? -1 : pipe(a));
	rd = a[0], peer_wr = a[1];
	wr = kind == PIPE ? b[1] : rd, peer_rd = kind == PIPE ? b[0] : peer_wr;
}

/* Starts a process that passes single bytes on. */
static void relay(int from, int to)
{
	char byte;
	if (try(fork()) == 0) {
		while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1)
			;
		_exit(0);
	}
}

METRIC(
	round_trip,
	if (first) {
		open_channel(arg);
		relay(peer_rd, peer_wr);
	},
	write_all(wr, buf, 1);
	read_all(rd, buf, 1))

/* The peer writes n chunks when it is told to. */
static void bandwidth(long n)
{
	if (first) {
		open_channel(arg);
		pid_t peer = try(fork());
		while (peer == 0)
			for (read_all(peer_rd, &n, sizeof n); n > 0; n--)
				write_all(peer_wr, buf, CHUNK);
	}
	write_all(wr, &n, sizeof n);
	TIMED(n)
	read_all(rd, buf, CHUNK);
}

/* A token goes round a ring of processes, each hop over a pipe. */
static void context_switch(long n)
{
	static int ring[PEERS_MAX][2];
	for (long k = 0; first && k < arg; k++)
		try(pipe(ring[k]));
	for (long k = 1; first && k < arg; k++)
		relay(ring[k][0], ring[(k + 1) % arg][1]);
	TIMED(n)
	{
		write_all(ring[1][1], buf, 1);
		read_all(ring[0][0], buf, 1);
	}
}

static void sem_add(int id, int which, int by)
{
	try(semop(id, &(struct sembuf){.sem_num = which, .sem_op = by}, 1));
}

static void sysv_sem(long n)
{
	int id = try(semget(IPC_PRIVATE, 2, IPC_CREAT | 0600));
	pid_t peer = try(fork());
	while (peer == 0) {
		sem_add(id, 0, -1);
		sem_add(id, 1, 1);
	}
	TIMED(n)
	{
		sem_add(id, 0, 1);
		sem_add(id, 1, -1);
	}
	kill(peer, SIGKILL);
	semctl(id, 0, IPC_RMID);
}

static void sysv_shm(long n)
{
	int id = try(shmget(IPC_PRIVATE, CHUNK, IPC_CREAT | 0600));
	TIMED(n)
	{
		char *p = shmat(id, NULL, 0);
		try(p == (char *)-1 ? -1 : shmdt(touch(p, 1)));
	}
	shmctl(id, IPC_RMID, NULL);
}

/* ---- signals ------------------------------------------------------------ */
static volatile long signals;
static char *guard;
/* Lets the faulting store succeed once enough faults have been taken. */
static void on_signal(int sig)
{
	if (sig == SIGSEGV && --signals == 0)
		mprotect(guard, PAGE, PROT_READ | PROT_WRITE);
}

static void handle(int sig)
{
	try(sigaction(sig, &(struct sigaction){.sa_handler = on_signal}, NULL));
}

METRIC(signal_install, , handle(SIGUSR1))
METRIC(signal_self, handle(SIGUSR1); pid_t me = getpid(), try(kill(me, SIGUSR1)))

static void signal_fault(long n)
{
	guard = touch(map_anon(1), 1);
	try(mprotect(guard, PAGE, PROT_READ));
	handle(SIGSEGV);
	signals = n;
	TIMED(1)
	touch(guard, 1);
}

/* ---- processes and threads ---------------------------------------------- */
/* A child made by fork or vfork does one thing; waits for its end. */
#define CHILD(make, thing)                  \
	do {                                \
		pid_t child_ = try(make()); \
		if (child_ == 0) {          \
			thing;              \
			_exit(errno);       \
		}                           \
		await(child_);              \
	} while (0)

METRIC(fork_exit, , CHILD(fork, _exit(0)))
METRIC(fork_exec, , CHILD(fork, execve(self, true_argv, no_env)))
METRIC(vfork_exec, , CHILD(vfork, execve(self, true_argv, no_env)))

static void fork_shell(long n)
{
	char command[PATH_MAX + 16];
	char *argv[] = {"sh", "-c", command, NULL};
	try(access("/bin/sh", X_OK));
	snprintf(command, sizeof command, "'%s' --true", self);
	TIMED(n)
	CHILD(fork, execve("/bin/sh", argv, no_env));
}

METRIC(spawn, pid_t pid, errno = posix_spawn(&pid, self, NULL, NULL, true_argv, no_env);
	try(-errno); await(pid))

/* Each of several processes does n turns of fork_exec. */
static void fork_exec_parallel(long n)
{
	pid_t worker[PEERS_MAX];
	start();
	for (long k = 0; k < arg; k++)
		if ((worker[k] = try(fork())) == 0) {
			fork_exec(n);
			_exit(0);
		}
	for (long k = 0; k < arg; k++)
		await(worker[k]);
	stop();
}

static pthread_t thread(void *(*fn)(void *), void *with)
{
	pthread_t t;
	errno = pthread_create(&t, NULL, fn, with);
	try(-errno);
	return t;
}

static void *idle_thread(void *with)
{
	return with;
}
METRIC(thread_create, , pthread_join(thread(idle_thread, NULL), NULL))

static atomic_int turn;

static void pass_turn(int from, int to)
{
	int seen;
	while ((seen = atomic_load(&turn)) != from)
		if (syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, NULL) < 0 &&
			errno != EAGAIN && errno != EINTR)
			fail(errno);
	atomic_store(&turn, to);
	try(syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1));
}

static void *futex_peer(void *turns)
{
	for (long n = *(long *)turns; n > 0; n--)
		pass_turn(1, 0);
	return NULL;
}

static void futex_round(long n)
{
	pthread_t peer = thread(futex_peer, &n);
	TIMED(n)
	pass_turn(0, 1);
	pthread_join(peer, NULL);
}

/* ---- memory: a turn handles arg pages ----------------------------------- */
METRIC(map_touch_unmap, , unmap(touch(map_anon(arg), arg), arg))

static void anon_fault(long n)
{
	while (n-- > 0) {
		char *p = map_anon(arg);
		TIMED(1)
		touch(p, arg);
		unmap(p, arg);
	}
}

/* A child writes to the pages it shares with its parent, and times that. */
static void cow_fault(long n)
{
	static char *pages;
	static int report[2];
	double taken;
	if (first) {
		pages = touch(map_anon(arg), arg);
		try(pipe(report));
	}
	while (n-- > 0) {
		pid_t pid = try(fork());
		if (pid == 0) {
			elapsed = 0;
			TIMED(1)
			touch(pages, arg);
			write_all(report[1], &elapsed, sizeof elapsed);
			_exit(0);
		}
		await(pid);
		read_all(report[0], &taken, sizeof taken);
		elapsed += taken;
	}
}

static void file_fault(long n)
{
	int fd = make_file("file", arg * PAGE);
	while (n-- > 0) {
		char *p = map(arg, PROT_READ, MAP_SHARED, fd);
		TIMED(arg)
		sink = p[i * PAGE];
		unmap(p, arg);
	}
	close(fd);
}

static void unmap_areas(long n)
{
	char *area[AREAS];
	while (n-- > 0) {
		for (int k = 0; k < AREAS; k++)
			area[k] = touch(map_anon(arg), arg);
		TIMED(AREAS)
		unmap(area[i], arg);
	}
}

METRIC(protect, char *p = touch(map_anon(1), 1),
	try(mprotect(p, PAGE, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ)))

/* ---- files -------------------------------------------------------------- */
METRIC(create_unlink, int fd, fd = try(open("new", O_WRONLY | O_CREAT | O_EXCL, 0644));
	write_all(fd, buf, arg); close(fd); try(unlink("new")))
METRIC(mkdir_rmdir, , try(mkdir("sub", 0755)); try(rmdir("sub")))

static void read_dir(long n)
{
	char name[32];
	if (first)
		try(mkdir("full", 0755));
	for (int k = 0; first && k < DIR_FILES; k++) {
		snprintf(name, sizeof name, "full/entry-%04d", k);
		close(make_file(name, 0));
	}
	TIMED(n)
	{
		int seen = 0;
		DIR *d = opendir("full");
		try(d == NULL ? -1 : 0);
		while (readdir(d) != NULL)
			seen++;
		closedir(d);
		if (seen < DIR_FILES)
			fail(EPROTO);
	}
}

static void read_cached(long n)
{
	static int fd;
	if (first)
		fd = make_file("file", 4 * MIB);
	TIMED(n)
	if (try(read(fd, buf, arg)) == 0) {
		try(lseek(fd, 0, SEEK_SET));
		i--;
	}
}

/* New blocks each time: the file is cut back to nothing between passes. */
static void write_sync(long n)
{
	int fd = make_file("file", 0);
	while (n-- > 0) {
		TIMED(arg / CHUNK)
		write_all(fd, buf, CHUNK);
		TIMED(1)
		try(fsync(fd));
		try(ftruncate(fd, 0));
		try(lseek(fd, 0, SEEK_SET));
	}
	close(fd);
}

/* ---- the metrics, and their timing -------------------------------------- */
enum unit { NS, MIB_S, OP_S };

static const char *const unit_name[] = {"ns", "MiB/s", "op/s"};
static const double unit_scale[] = {1e9, 1.0 / MIB, 1};

static const struct metric {
	const char *name;
	enum unit unit;
	void (*fn)(long n);
	long arg;
	long per_turn; /* operations or bytes in a turn */
	const char *what;
} metrics[] = {
	{"cpu_loop", NS, cpu_loop, 0, 1, "one xorshift64 step, no system call"},
	{"null_syscall", NS, null_syscall, 0, 1, "getppid"},
	{"read_zero", NS, read_zero, 0, 1, "read 1 byte of /dev/zero"},
	{"write_null", NS, write_null, 0, 1, "write 1 byte to /dev/null"},
	{"clock_gettime", NS, clock_get, 0, 1, "CLOCK_MONOTONIC, by libc's way"},
	{"open_close", NS, open_close, 0, 1, "open and close a file"},
	{"stat", NS, stat_file, 0, 1, "stat a file"},
	{"poll_10", NS, poll_pipes, 10, 1, "poll 10 idle pipes"},
	{"poll_100", NS, poll_pipes, 100, 1, "poll 100 idle pipes"},
	{"sig_install", NS, signal_install, 0, 1, "sigaction"},
	{"sig_self", NS, signal_self, 0, 1, "kill self, run the handler"},
	{"sig_fault", NS, signal_fault, 0, 1, "protection fault, handler, retry"},
	{"pipe_rt", NS, round_trip, PIPE, 1, "byte to a process and back, pipes"},
	{"unix_rt", NS, round_trip, UNIX, 1, "the same, AF_UNIX stream"},
	{"tcp_rt", NS, round_trip, TCP, 1, "the same, TCP on loopback"},
	{"sem_rt", NS, sysv_sem, 0, 1, "SysV semaphores, two processes"},
	{"futex_rt", NS, futex_round, 0, 1, "futex, two threads"},
	{"ctx_2", NS, context_switch, 2, 2, "a hop in a ring of 2 processes"},
	{"ctx_8", NS, context_switch, 8, 8, "a hop in a ring of 8"},
	{"ctx_16", NS, context_switch, 16, 16, "a hop in a ring of 16"},
	{"pipe_bw", MIB_S, bandwidth, PIPE, CHUNK, "64 KiB writes through a pipe"},
	{"unix_bw", MIB_S, bandwidth, UNIX, CHUNK, "the same, AF_UNIX stream"},
	{"tcp_bw", MIB_S, bandwidth, TCP, CHUNK, "the same, TCP on loopback"},
	{"fork_exit", NS, fork_exit, 0, 1, "fork, exit, wait"},
	{"fork_exec", NS, fork_exec, 0, 1, "fork, exec of this program, wait"},
	{"vfork_exec", NS, vfork_exec, 0, 1, "the same with vfork"},
	{"posix_spawn", NS, spawn, 0, 1, "the same with posix_spawn"},
	{"fork_sh", NS, fork_shell, 0, 1, "fork, /bin/sh -c this program, wait"},
	{"fork_exec_p1", OP_S, fork_exec_parallel, 1, 1, "fork_exec by 1 process"},
	{"fork_exec_p2", OP_S, fork_exec_parallel, 2, 2, "by 2 at once"},
	{"fork_exec_p4", OP_S, fork_exec_parallel, 4, 4, "by 4 at once"},
	{"thread_create", NS, thread_create, 0, 1, "pthread_create and join"},
	{"mmap_touch", NS, map_touch_unmap, PAGES_1M, PAGES_1M, "map, touch, unmap; a page"},
	{"anon_fault", NS, anon_fault, PAGES_4M, PAGES_4M, "first write to a page"},
	{"cow_fault", NS, cow_fault, PAGES_4M, PAGES_4M, "the same after a fork"},
	{"file_fault", NS, file_fault, PAGES_4M, PAGES_4M, "first read of a mapped, cached page"},
	{"munmap", NS, unmap_areas, PAGES_1M, AREAS *PAGES_1M, "unmap touched pages; a page"},
	{"mprotect", NS, protect, 0, 1, "change a touched page's protection"},
	{"shm_attach", NS, sysv_shm, 0, 1, "SysV shmat, one touch, shmdt"},
	{"create_0k", NS, create_unlink, 0, 1, "create, close, unlink a file"},
	{"create_10k", NS, create_unlink, 10 << 10, 1, "the same, 10 KiB written"},
	{"mkdir_rmdir", NS, mkdir_rmdir, 0, 1, "mkdir, rmdir"},
	{"readdir", NS, read_dir, 0, DIR_FILES, "list 1000 entries; an entry"},
	{"read_4k", MIB_S, read_cached, 4096, 4096, "cached file, 4 KiB reads"},
	{"read_64k", MIB_S, read_cached, CHUNK, CHUNK, "cached file, 64 KiB reads"},
	{"write_fsync", MIB_S, write_sync, 4 * MIB, 4 * MIB, "write 4 MiB by 64 KiB, fsync"},
};

static double target = 0.5; /* seconds that a repeat should time */
static int repeats = 3;
static unsigned limit = 120; /* seconds that a metric may take in all */

/* Does n turns; seconds for each operation in them. */
static double sample(const struct metric *m, long n)
{
	elapsed = 0;
	m->fn(n);
	first = 0;
	elapsed += 1e-9;
	return elapsed / ((double)n * (double)m->per_turn);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Finds how many turns fill the target time, then times the repeats. */
static void measure(const struct metric *m)
{
	double cost[REPEATS_MAX], grow;
	long n = 1;
	for (sample(m, n); (grow = target / elapsed) > 5; sample(m, n))
		n = (long)((double)n * (grow > 300 ? 100 : grow / 3)) + 1;
	n = (long)((double)n * grow) + 1;
	for (int k = 0; k < repeats; k++)
		cost[k] = sample(m, n);
	qsort(cost, repeats, sizeof cost[0], ascending);
	double best = cost[0], scale = unit_scale[m->unit];
	double median = (cost[(repeats - 1) / 2] + cost[repeats / 2]) / 2;
	printf("%-20s %12.2f %-6s %12.2f\n", m->name, m->unit == NS ? best * scale : scale / best,
		unit_name[m->unit], m->unit == NS ? median * scale : scale / median);
	fflush(stdout);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

/* Runs a metric in a process group of its own; false if that was killed. */
static int run_metric(const struct metric *m, const char *dir)
{
	char scratch[PATH_MAX];
	int status;
	snprintf(scratch, sizeof scratch, "%s/osbench.%ld", dir, (long)getpid());
	pid_t pid = mkdir(scratch, 0755) < 0 ? -1 : fork();
	if (pid == 0) {
		metric_pid = getpid();
		metric_name = m->name;
		arg = m->arg;
		first = 1;
		setpgid(0, 0);
		alarm(limit);
		try(chdir(scratch));
		measure(m);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		perror(scratch);
		exit(2);
	}
	kill(-pid, SIGKILL); /* the helpers that it left behind */
	nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		printf("%-20s timeout\n", m->name);
	else if (WIFSIGNALED(status))
		printf("%-20s crashed %d\n", m->name, WTERMSIG(status));
	fflush(stdout);
	return !WIFSIGNALED(status);
}

static int selected(const char *name, char **patterns)
{
	int found = *patterns == NULL;
	for (; !found && *patterns != NULL; patterns++)
		found = fnmatch(*patterns, name, 0) == 0;
	return found;
}

static const char usage[] = "usage: osbench [-l(ist)] [-d DIR] [-t MS_A_REPEAT] [-r REPEATS]\n"
			    "               [-T SECONDS_A_METRIC_AT_MOST] [METRIC_OR_PATTERN...]\n";

int main(int argc, char **argv)
{
	const char *dir = "/tmp";
	int opt, list = 0, lost = 0;
	if (argc == 2 && strcmp(argv[1], "--true") == 0)
		return 0; /* what the exec metrics run */
	while ((opt = getopt(argc, argv, "ld:t:r:T:")) != -1)
		switch (opt) {
		case 'l':
			list = 1;
			break;
		case 'd':
			dir = optarg;
			break;
		case 't':
			target = atof(optarg) / 1000;
			break;
		case 'r':
			repeats = atoi(optarg);
			break;
		case 'T':
			limit = atoi(optarg);
			break;
		default:
			repeats = 0;
		}
	if (target <= 0 || repeats < 1 || repeats > REPEATS_MAX) {
		fputs(usage, stderr);
		return 2;
	}
	self = realpath(strchr(argv[0], '/') != NULL ? argv[0] : "/proc/self/exe", NULL);
	if (self == NULL) {
		perror(argv[0]);
		return 2;
	}
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* 4 KiB pages everywhere */
	for (size_t k = 0; k < sizeof metrics / sizeof metrics[0]; k++) {
		const struct metric *m = &metrics[k];
		if (!selected(m->name, argv + optind))
			continue;
		if (list)
			printf("%-20s %-6s %s\n", m->name, unit_name[m->unit], m->what);
		else
			lost |= !run_metric(m, dir);
	}
	return lost;
}
