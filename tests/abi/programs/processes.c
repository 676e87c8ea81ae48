/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes: fork, exec, exit, wait, groups and sessions, credentials. */
#include "case.h"

#include <elf.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>

extern char **environ;

static int tree(int depth)
{
	if (depth == 0) {
		return 1;
	}
	pid_t children[3];
	for (int i = 0; i < 3; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			_exit(tree(depth - 1));
		}
	}
	int sum = 0;
	for (int i = 0; i < 3; i++) {
		int status = 0;
		if (waitpid(children[i], &status, 0) != children[i] || !WIFEXITED(status)) {
			return 255;
		}
		sum += WEXITSTATUS(status);
	}
	return sum;
}

CASE(fork_tree)
{
	printf("leaves: %d\n", tree(4));
}

CASE(exit_codes)
{
	for (int code = 0; code < 256; code += 51) {
		pid_t child = fork();
		if (child == 0) {
			_exit(code);
		}
		int status = 0;
		waitpid(child, &status, 0);
		show_status("child", status);
	}
	SHOW(wait(NULL));
	SHOW(waitpid(getpid(), NULL, 0));
	SHOW(waitpid(1 << 22, NULL, WNOHANG));
	SHOW(waitpid(-1, NULL, 0x40));
}

CASE(wait_options)
{
	int go[2];
	pipe(go);
	pid_t child = fork();
	if (child == 0) {
		char c;
		read(go[0], &c, 1);
		_exit(5);
	}
	int status = 0;
	SHOW(waitpid(child, &status, WNOHANG));
	kill(child, SIGSTOP);
	printf("stopped: %d\n", waitpid(child, &status, WUNTRACED) == child);
	show_status("child", status);
	kill(child, SIGCONT);
	printf("continued: %d\n", waitpid(child, &status, WCONTINUED) == child);
	show_status("child", status);
	siginfo_t info = {0};
	SHOW(waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG));
	printf("pid is zero: %d\n", info.si_pid == 0);
	write(go[1], "x", 1);
	SHOW(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
	printf("%d %d %d %d\n", info.si_signo, info.si_code, info.si_status, info.si_pid == child);
	struct rusage usage;
	printf("wait4: %d\n", wait4(child, &status, 0, &usage) == child);
	show_status("child", status);
	SHOW(waitid(P_ALL, 0, &info, WEXITED));
	SHOW(waitid(P_PID, (id_t)child, &info, 0));
}

CASE(wait_groups)
{
	pid_t first = fork();
	if (first == 0) {
		setpgid(0, 0);
		pause();
	}
	setpgid(first, first);
	pid_t second = fork();
	if (second == 0) {
		_exit(2);
	}
	int status;
	printf("own group: %d\n", waitpid(0, &status, 0) == second);
	SHOW(waitpid(0, &status, 0));
	SHOW(waitpid(-first, &status, WNOHANG));
	kill(-first, SIGTERM);
	printf("its group: %d\n", waitpid(-first, &status, 0) == first);
	show_status("first", status);
}

CASE(vfork_exec)
{
	volatile int shared = 1;
	pid_t child = vfork();
	if (child == 0) {
		shared = 2;
		execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
		_exit(99);
	}
	printf("shared %d\n", shared);
	int status;
	waitpid(child, &status, 0);
	show_status("vfork", status);
	child = vfork();
	if (child == 0) {
		_exit(3);
	}
	waitpid(child, &status, 0);
	show_status("vfork without exec", status);
}

CASE(exec_large_arguments)
{
	enum { COUNT = 2000, LENGTH = 40 };
	static char text[COUNT][LENGTH];
	static char *arguments[COUNT + 8] = {
		"sh", "-c", "echo $# ${#1} $1 $LARGE_SET; shift 1999; echo $1", "sh"};
	for (int i = 0; i < COUNT; i++) {
		snprintf(text[i], LENGTH, "argument-%d-%020d", i, i);
		arguments[4 + i] = text[i];
	}
	char *environment[] = {"LARGE_SET=yes", "PATH=/bin", NULL};
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		execve("/bin/sh", arguments, environment);
		_exit(99);
	}
	int status;
	waitpid(child, &status, 0);
	show_status("exec", status);
}

CASE(exec_one_huge_argument)
{
	char *huge = malloc(200000);
	memset(huge, 'h', 199999);
	huge[199999] = 0;
	char *arguments[] = {"sh", "-c", "echo ${#1}", "sh", huge, NULL};
	SHOW(execve("/bin/sh", arguments, environ));
	huge[120000] = 0;
	execve("/bin/sh", arguments, environ);
}

/* All that can fail cleanly fails before the old program is gone (EXE-02, EXE-04, EXE-07). */
CASE(exec_errors)
{
	char *arguments[] = {"x", NULL};
	char path[6000];
	memset(path, 'a', sizeof path - 1);
	path[sizeof path - 1] = 0;
	SHOW(execve("/nonexistent", arguments, environ));
	SHOW(execve("/etc/passwd", arguments, environ));
	SHOW(execve("/tmp", arguments, environ));
	SHOW(execve("/etc/passwd/x", arguments, environ));
	SHOW(execve("", arguments, environ));
	SHOW(execve(NULL, arguments, environ));
	show("long path", execve(path, arguments, environ));
	symlink("loop", "loop");
	SHOW(execve("loop", arguments, environ));
	int fd = open("text", O_CREAT | O_WRONLY, 0755);
	write(fd, "no program\n", 11);
	close(fd);
	SHOW(execve("./text", arguments, environ));
	close(open("empty", O_CREAT | O_WRONLY, 0755));
	SHOW(execve("./empty", arguments, environ));
	fd = open("script", O_CREAT | O_WRONLY, 0755);
	write(fd, "#!/none\n", 8);
	close(fd);
	SHOW(execve("./script", arguments, environ));
	fd = open("elf", O_CREAT | O_WRONLY, 0755);
	write(fd, "\177ELF\2\1\1 garbage follows here and is not a header", 50);
	close(fd);
	SHOW(execve("./elf", arguments, environ));
	SHOW(execve("/bin/sh", (char **)1, environ));
}

/* Past that point a failure is the program's end, and nobody else's (EXE-02, PM-06). */
CASE(exec_past_the_point_of_return)
{
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		char *arguments[] = {"sh", "-c", "echo ran", NULL};
		struct rlimit limit = {100 << 10, 100 << 10};
		setrlimit(RLIMIT_AS, &limit);
		execve("/bin/sh", arguments, environ);
		_exit(1);
	}
	int status;
	waitpid(child, &status, 0);
	printf("ended by a signal: %d\n", WIFSIGNALED(status));
	printf("the shell: %d\n", system("exit 3") >> 8);
}

CASE(exec_keeps)
{
	int kept = open("/etc/passwd", O_RDONLY);
	int closed = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	dup2(kept, 20);
	dup3(closed, 21, O_CLOEXEC);
	signal(SIGUSR1, SIG_IGN);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	umask(027);
	nice(3);
	fflush(stdout);
	execl("/bin/sh", "sh", "-c",
		"head -c 4 <&20; echo; (: <&21) 2>/dev/null; echo $?; umask; nice; "
		"grep -E 'Sig(Blk|Ign)' /proc/self/status; kill -USR1 $$; echo survived",
		(char *)NULL);
}

CASE(exec_self)
{
	char path[200];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
	path[length > 0 ? length : 0] = 0;
	puts(path);
	char *arguments[] = {path, "processes_ran", NULL};
	if (getenv("AGAIN")) {
		puts("again");
		return;
	}
	setenv("AGAIN", "1", 1);
	arguments[1] = "exec_self";
	fflush(stdout);
	execve("/proc/self/exe", arguments, environ);
}

CASE(process_image)
{
	Elf64_auxv_t *auxv;
	char **end = environ;
	while (*end) {
		end++;
	}
	auxv = (Elf64_auxv_t *)(end + 1);
	for (; auxv->a_type != AT_NULL; auxv++) {
		switch (auxv->a_type) {
		case AT_PAGESZ:
		case AT_PHENT:
		case AT_CLKTCK:
		case AT_UID:
		case AT_EUID:
		case AT_GID:
		case AT_EGID:
		case AT_SECURE:
		case AT_BASE:
		case AT_FLAGS:
			printf("auxv %d %d\n", (int)auxv->a_type, (int)auxv->a_un.a_val);
			break;
		case AT_PHDR:
		case AT_ENTRY:
		case AT_RANDOM:
		case AT_EXECFN:
			printf("auxv %d set %d\n", (int)auxv->a_type, auxv->a_un.a_val != 0);
			break;
		default:
			break;
		}
	}
	printf("%s\n", (char *)getauxval(AT_EXECFN));
	printf("%d\n", (int)((uintptr_t)__builtin_frame_address(0) >> 40));
}

static bool run_for_error(pid_t child)
{
	int status = 0;
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

CASE(orphan)
{
	int ends[2];
	pipe(ends);
	pid_t child = fork();
	if (child == 0) {
		pid_t parent = getpid();
		if (fork() == 0) {
			for (int i = 0; i < 200 && getppid() == parent; i++) {
				sleep_ms(10);
			}
			char answer = getppid() == 1 ? 'y' : 'n';
			write(ends[1], &answer, 1);
			_exit(0);
		}
		_exit(0);
	}
	printf("child: %d\n", run_for_error(child));
	char answer = 0;
	read(ends[0], &answer, 1);
	printf("adopted by 1: %c\n", answer);
}

CASE(many_zombies)
{
	for (int i = 0; i < 60; i++) {
		if (fork() == 0) {
			_exit(i);
		}
	}
	int sum = 0, count = 0, status;
	while (wait(&status) > 0) {
		sum += WEXITSTATUS(status);
		count++;
	}
	printf("%d children, sum %d\n", count, sum);
}

CASE(fork_bomb_500)
{
	int gate[2];
	pipe(gate);
	int made = 0;
	for (int i = 0; i < 500; i++) {
		pid_t child = fork();
		if (child == 0) {
			char c;
			close(gate[1]);
			read(gate[0], &c, 1);
			_exit(1);
		}
		if (child < 0) {
			printf("fork: %s\n", error_name(errno));
			break;
		}
		made++;
	}
	close(gate[1]);
	int ended = 0, status;
	while (wait(&status) > 0) {
		ended += WIFEXITED(status) && WEXITSTATUS(status) == 1;
	}
	printf("made %d ended %d\n", made, ended);
	in_child("afterwards", sync);
}

CASE(sessions)
{
	pid_t child = fork();
	if (child == 0) {
		SHOW(getsid(0) == getpid());
		SHOW(setsid() == getpid());
		SHOW(getsid(0) == getpid());
		SHOW(getpgrp() == getpid());
		SHOW(setsid());
		SHOW(setpgid(0, 0));
		int tty = open("/dev/tty", O_RDWR);
		show("open /dev/tty", tty);
		_exit(0);
	}
	int status;
	waitpid(child, &status, 0);
	show_status("leader", status);
}

CASE(groups)
{
	pid_t child = fork();
	if (child == 0) {
		pause();
	}
	SHOW(setpgid(child, 0));
	SHOW(getpgid(child) == child);
	SHOW(setpgid(child, getpgrp()));
	SHOW(getpgid(child) == getpgrp());
	SHOW(setpgid(1 << 22, 0));
	SHOW(setpgid(child, -1));
	SHOW(setpgid(child, 1 << 22));
	SHOW(getpgid(1 << 22));
	SHOW(getsid(1 << 22));
	kill(child, SIGKILL);
	int status;
	waitpid(child, &status, 0);
	child = fork();
	if (child == 0) {
		execl("/bin/sleep", "sleep", "20", (char *)NULL);
	}
	sleep_ms(200);
	SHOW(setpgid(child, child));
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	show_status("child", status);
}

static void drop_and_look(void)
{
	SHOW(setgid(100));
	SHOW(setuid(1000));
	printf("%d %d %d %d\n", getuid(), geteuid(), getgid(), getegid());
	SHOW(setuid(0));
	SHOW(seteuid(0));
	SHOW(setgid(0));
	SHOW(kill(1, SIGTERM));
	SHOW(setgroups(0, NULL));
	SHOW(chroot("/"));
	SHOW(open("/etc/none", O_CREAT | O_WRONLY, 0600));
}

static void saved_ids(void)
{
	uid_t real, effective, saved;
	SHOW(setresuid(1, 2, 3));
	SHOW(getresuid(&real, &effective, &saved));
	printf("%d %d %d\n", real, effective, saved);
	SHOW(setresuid(-1, 3, -1));
	SHOW(setresuid(-1, 4, -1));
	SHOW(setreuid(3, 1));
	getresuid(&real, &effective, &saved);
	printf("%d %d %d\n", real, effective, saved);
	SHOW(seteuid(3));
}

CASE(credentials)
{
	printf("%d %d %d %d\n", getuid(), geteuid(), getgid(), getegid());
	gid_t list[4] = {10, 20, 30};
	SHOW(setgroups(3, list));
	SHOW(getgroups(0, NULL));
	SHOW(getgroups(2, list));
	SHOW(getgroups(4, list));
	printf("%d %d %d\n", list[0], list[1], list[2]);
	in_child("dropped", drop_and_look);
	in_child("saved", saved_ids);
}

CASE(resource_limits)
{
	struct rlimit limit;
	SHOW(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = 10;
	SHOW(setrlimit(RLIMIT_NOFILE, &limit));
	int last = -1, fd;
	while ((fd = open("/dev/null", O_RDONLY)) >= 0) {
		last = fd;
	}
	printf("last %d %s\n", last, error_name(errno));
	SHOW(dup2(0, 10));
	SHOW(fcntl(0, F_DUPFD, 10));
	limit.rlim_cur = 20;
	limit.rlim_max = 10;
	SHOW(setrlimit(RLIMIT_NOFILE, &limit));
	SHOW(getrlimit(1000, &limit));
	SHOW(getrlimit(RLIMIT_STACK, &limit));
	printf("stack %ld\n", (long)limit.rlim_cur);
	struct rusage usage;
	SHOW(getrusage(RUSAGE_SELF, &usage));
	SHOW(getrusage(RUSAGE_CHILDREN, &usage));
	SHOW(getrusage(99, &usage));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(setpriority(PRIO_PROCESS, 0, 5));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(getpriority(7, 0));
	SHOW(getpriority(PRIO_PROCESS, 1 << 22));
}

CASE(file_size_limit)
{
	struct rlimit limit = {1000, 1000};
	SHOW(setrlimit(RLIMIT_FSIZE, &limit));
	signal(SIGXFSZ, SIG_IGN);
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	char buffer[700] = {0};
	SHOW(write(fd, buffer, 700));
	SHOW(write(fd, buffer, 700));
	SHOW(write(fd, buffer, 700));
	SHOW(ftruncate(fd, 2000));
}

CASE(copy_on_write)
{
	enum { PAGES = 300 };
	char *area = mmap(
		NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(area, 'p', PAGES * 4096);
	pid_t child = fork();
	if (child == 0) {
		int wrong = 0;
		for (int i = 0; i < PAGES; i++) {
			wrong += area[i * 4096] != 'p';
			area[i * 4096] = 'c';
		}
		pid_t grandchild = fork();
		if (grandchild == 0) {
			for (int i = 0; i < PAGES; i++) {
				wrong += area[i * 4096] != 'c';
				area[i * 4096] = 'g';
			}
			_exit(wrong > 0);
		}
		int status;
		waitpid(grandchild, &status, 0);
		for (int i = 0; i < PAGES; i++) {
			wrong += area[i * 4096] != 'c';
		}
		_exit(wrong > 0 || status);
	}
	for (int i = 0; i < PAGES; i += 2) {
		area[i * 4096 + 1] = 'q';
	}
	int status;
	waitpid(child, &status, 0);
	show_status("child", status);
	int wrong = 0;
	for (int i = 0; i < PAGES; i++) {
		wrong += area[i * 4096] != 'p';
	}
	printf("wrong %d\n", wrong);
}

CASE(shared_descriptors)
{
	int fd = open("/etc/passwd", O_RDONLY);
	pid_t child = fork();
	if (child == 0) {
		lseek(fd, 7, SEEK_SET);
		close(fd);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	SHOW(lseek(fd, 0, SEEK_CUR));
	int other = open("/etc/passwd", O_RDONLY);
	SHOW(lseek(other, 0, SEEK_CUR));
	int copy = dup(fd);
	lseek(copy, 11, SEEK_SET);
	SHOW(lseek(fd, 0, SEEK_CUR));
}

CASE(names)
{
	struct utsname name;
	SHOW(uname(&name));
	printf("%s %s\n", name.sysname, name.machine);
	printf("6 or later: %d\n", atoi(name.release) >= 6);
	SHOW(getpgrp() > 0);
	SHOW(sched_yield());
	SHOW(syscall(SYS_gettid) == getpid());
}
