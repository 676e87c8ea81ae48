/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of the VFS server: paths, descriptors, pipes, locks, poll, against a file system in
 * memory. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "abi/errno.h"
#include "abi/linux/calls.h"
#include "proto/fs.h"
#include "proto/vfs.h"
#include "servers/vfs/names.h"
#include "servers/vfs/test/fake_fs.h"
#include "servers/vfs/test/fake_kernel.h"
#include "servers/vfs/update.h"
#include "servers/vfs/vfs.h"
#include "servers/vfs/vnode.h"

#define CALL0(ep, name)       fake_call(ep, LINUX_NR_##name, 0, 0, 0, 0, 0)
#define CALL1(ep, name, a)    fake_call(ep, LINUX_NR_##name, (uint64_t)(a), 0, 0, 0, 0)
#define CALL2(ep, name, a, b) fake_call(ep, LINUX_NR_##name, (uint64_t)(a), (uint64_t)(b), 0, 0, 0)
#define CALL3(ep, name, a, b, c) \
	fake_call(ep, LINUX_NR_##name, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0)
#define P EP_INIT

/* Strings and buffers for the program, each in a place of its own. */
static uint64_t text(const char *s)
{
	static unsigned slot;
	char *to = fake_arena + 8192 + (slot++ % 32) * 4200;

	strcpy(to, s);
	return (uint64_t)(uintptr_t)to;
}

#define BUF (fake_arena + 512 * 1024)

static int64_t make_file(const char *name, const char *content)
{
	int64_t fd = CALL3(P, open, text(name), O_CREAT | O_RDWR, 0644);

	assert(fd >= 0);
	strcpy(BUF, content);
	assert(CALL3(P, write, fd, BUF, strlen(content)) == (int64_t)strlen(content));
	assert(CALL1(P, close, fd) == 0);
	return fd;
}

static bool file_has(const char *name, const char *content)
{
	int64_t fd = CALL3(P, open, text(name), O_RDONLY, 0), r;

	assert(fd >= 0);
	memset(BUF, 0, 256);
	r = CALL3(P, read, fd, BUF, 255);
	assert(CALL1(P, close, fd) == 0);
	return r == (int64_t)strlen(content) && strcmp(BUF, content) == 0;
}

static void test_paths(void)
{
	char *deep = BUF;

	make_file("/f", "hello");
	assert(file_has("f", "hello") && file_has("//f", "hello") && file_has("/./f", "hello"));
	assert(file_has("/../../f", "hello"));
	assert(CALL2(P, mkdir, text("/d"), 0777) == 0);
	assert(CALL2(P, mkdir, text("/d"), 0777) == -EEXIST);
	assert(CALL2(P, mkdir, text("/d/e/"), 0777) == 0);
	assert(CALL2(P, mkdir, text("/no/e"), 0777) == -ENOENT);
	make_file("/d/e/g", "deep");
	assert(CALL2(P, symlink, text("e"), text("/d/l")) == 0);
	assert(CALL2(P, symlink, text("/d/l/g"), text("/d/m")) == 0);
	assert(file_has("/d/l/g", "deep") && file_has("/d/m", "deep") &&
		file_has("/d/e/../l/./g", "deep"));
	assert(CALL3(P, open, text("/f/"), O_RDONLY, 0) == -ENOTDIR);
	assert(CALL3(P, open, text("/f/x"), O_RDONLY, 0) == -ENOTDIR);
	assert(CALL3(P, open, text(""), O_RDONLY, 0) == -ENOENT);
	assert(CALL3(P, open, text("/d/m"), O_RDONLY | O_NOFOLLOW, 0) == -ELOOP);
	assert(CALL3(P, open, text("/d/m"), O_RDONLY | O_DIRECTORY, 0) == -ENOTDIR);
	assert(CALL3(P, open, text("/d"), O_WRONLY, 0) == -EISDIR);
	assert(CALL3(P, open, text("/d/new/"), O_CREAT | O_WRONLY, 0644) == -EISDIR);
	assert(CALL3(P, open, text("/f"), O_CREAT | O_EXCL | O_RDWR, 0644) == -EEXIST);
	assert(CALL2(P, symlink, text("loop2"), text("/loop1")) == 0);
	assert(CALL2(P, symlink, text("loop1"), text("/loop2")) == 0);
	assert(CALL3(P, open, text("/loop1"), O_RDONLY, 0) == -ELOOP);
	assert(CALL2(P, symlink, text("/d/made"), text("/dangling")) == 0);
	make_file("/dangling", "made");
	assert(file_has("/d/made", "made"));
	assert(CALL1(P, chdir, text("/d/l")) == 0);
	assert(file_has("g", "deep") && file_has("../m", "deep"));
	assert(CALL2(P, getcwd, BUF, 100) == 5 && strcmp(BUF, "/d/e") == 0);
	assert(CALL2(P, getcwd, BUF, 4) == -ERANGE);
	assert(CALL3(P, readlink, text("/d/l"), BUF, 100) == 1 && BUF[0] == 'e');
	assert(CALL3(P, readlink, text("/f"), BUF, 100) == -EINVAL);
	memset(deep, 'n', 256);
	deep[256] = '\0';
	assert(CALL3(P, open, text(deep), O_RDONLY, 0) == -ENAMETOOLONG);
	assert(CALL3(P, open, 0, O_RDONLY, 0) == -EFAULT);
	assert(CALL3(P, open, (uint64_t)fake_arena + FAKE_ARENA_BYTES, O_RDONLY, 0) == -EFAULT);
	assert(CALL1(P, chdir, text("/")) == 0);
}

static void test_absent_memory(void)
{
	uint64_t name = text("/f");
	int64_t fd;

	fake_set_absent((void *)name);
	fd = CALL3(P, open, name, O_RDONLY, 0);
	assert(fd >= 0);
	memset(BUF, 0, 16);
	fake_set_absent(BUF);
	assert(CALL3(P, read, fd, BUF, 16) == 5 && strcmp(BUF, "hello") == 0);
	assert(CALL3(P, read, fd, BUF, 16) == 0);
	assert(CALL3(P, lseek, fd, 0, SEEK_SET) == 0);
	assert(CALL3(P, read, fd, 8, 16) == -EFAULT);
	/* The file system reaches only the part that is there. */
	assert(CALL3(P, read, fd, fake_arena + FAKE_ARENA_BYTES - 2, 16) == 2);
	assert(CALL1(P, close, fd) == 0);
}

static void test_name_cache(void)
{
	unsigned lookups;

	assert(file_has("/d/e/g", "deep"));
	lookups = fake_fs_count(FS_LOOKUP);
	assert(file_has("/d/e/g", "deep"));
	assert(CALL2(P, access, text("/nothing"), 0) == -ENOENT);
	assert(fake_fs_count(FS_LOOKUP) == lookups + 1);
	assert(CALL2(P, access, text("/nothing"), 0) == -ENOENT);
	assert(fake_fs_count(FS_LOOKUP) == lookups + 1);
	make_file("/nothing", "x");
	assert(file_has("/nothing", "x"));
	assert(CALL1(P, unlink, text("/nothing")) == 0);
	assert(CALL2(P, access, text("/nothing"), 0) == -ENOENT);
}

static void test_links_and_renames(void)
{
	int64_t fd;

	make_file("/a", "a");
	assert(CALL2(P, link, text("/a"), text("/b")) == 0);
	assert(CALL2(P, link, text("/a"), text("/b")) == -EEXIST);
	assert(CALL2(P, link, text("/d"), text("/c")) == -EPERM);
	assert(CALL2(P, rename, text("/a"), text("/d/a")) == 0);
	assert(CALL2(P, access, text("/a"), 0) == -ENOENT && file_has("/d/a", "a") &&
		file_has("/b", "a"));
	assert(CALL2(P, rename, text("/d"), text("/d/e/x")) == -EINVAL);
	assert(CALL2(P, rename, text("/d/e"), text("/d/a")) == -ENOTDIR);
	assert(CALL2(P, rename, text("/d/a"), text("/d/e")) == -EISDIR);
	assert(CALL1(P, rmdir, text("/d/e")) == -ENOTEMPTY);
	assert(CALL1(P, unlink, text("/d/e")) == -EISDIR);
	assert(CALL1(P, rmdir, text("/d/a")) == -ENOTDIR);
	assert(CALL1(P, rmdir, text("/d/.")) == -EINVAL);
	assert(CALL1(P, chdir, text("/d/e")) == 0);
	assert(CALL2(P, rename, text("/d"), text("/dd")) == 0);
	assert(CALL2(P, getcwd, BUF, 100) == 6 && strcmp(BUF, "/dd/e") == 0);
	/* A file without a name lives as long as it is open. */
	fd = CALL3(P, open, text("g"), O_RDWR, 0);
	assert(fd >= 0 && CALL1(P, unlink, text("g")) == 0);
	assert(CALL3(P, read, fd, BUF, 10) == 4);
	assert(CALL1(P, close, fd) == 0);
	/* A directory that is removed under a process's feet. */
	assert(CALL1(P, rmdir, text("/dd/e")) == 0);
	assert(CALL2(P, getcwd, BUF, 100) == -ENOENT);
	assert(CALL3(P, open, text("x"), O_CREAT | O_RDWR, 0644) == -ENOENT);
	assert(CALL1(P, chdir, text("..")) == 0);
	assert(CALL2(P, getcwd, BUF, 100) == 4 && strcmp(BUF, "/dd") == 0);
	assert(CALL1(P, chdir, text("/")) == 0);
}

static void test_permissions(void)
{
	endpoint_t user = FAKE_PROGRAM;

	fake_fork(P, user, 50);
	fake_set_ids(user, 50, 1000, 1000);
	make_file("/secret", "s");
	assert(CALL2(P, chmod, text("/secret"), 0600) == 0);
	assert(CALL3(user, open, text("/secret"), O_RDONLY, 0) == -EACCES);
	assert(CALL2(user, chmod, text("/secret"), 0666) == -EPERM);
	assert(CALL3(user, open, text("/new"), O_CREAT | O_RDWR, 0644) == -EACCES);
	assert(CALL1(user, unlink, text("/secret")) == -EACCES);
	assert(CALL2(P, mkdir, text("/tmp"), 0777) == 0 &&
		CALL2(P, chmod, text("/tmp"), 01777) == 0);
	make_file("/tmp/roots", "r");
	assert(CALL1(user, unlink, text("/tmp/roots")) == -EPERM);
	assert(CALL3(user, open, text("/tmp/mine"), O_CREAT | O_RDWR, 0666) == 0);
	assert(CALL1(user, unlink, text("/tmp/mine")) == 0);
	assert(CALL3(user, chown, text("/secret"), 1000, 1000) == -EPERM);
	assert(CALL1(user, chroot, text("/tmp")) == -EPERM);
	assert(CALL2(P, chmod, text("/tmp"), 0700) == 0);
	assert(CALL2(user, access, text("/tmp/roots"), 0) == -EACCES);
	fake_exit(user);
}

static void test_descriptors(void)
{
	int64_t fd = CALL3(P, open, text("/f"), O_RDONLY | O_CLOEXEC, 0);

	assert(fd == 0);
	assert(CALL1(P, dup, 0) == 1 && CALL2(P, dup2, 0, 5) == 5 && CALL2(P, dup2, 5, 5) == 5);
	assert(CALL3(P, fcntl, 0, F_GETFD, 0) == FD_CLOEXEC && CALL3(P, fcntl, 5, F_GETFD, 0) == 0);
	assert(CALL3(P, fcntl, 0, F_DUPFD, 5) == 6 && CALL3(P, fcntl, 0, F_DUPFD, 2000) == -EINVAL);
	assert(CALL2(P, dup2, 9, 1) == -EBADF && CALL2(P, dup2, 0, 5000) == -EBADF);
	assert(CALL3(P, dup3, 0, 0, 0) == -EINVAL);
	assert(CALL1(P, close, 7) == -EBADF);
	/* One position for all of them. */
	assert(CALL3(P, read, 0, BUF, 2) == 2 && CALL3(P, read, 5, BUF, 1) == 1 && BUF[0] == 'l');
	assert(CALL3(P, lseek, 6, 0, SEEK_CUR) == 3);
	assert(CALL3(P, write, 0, BUF, 1) == -EBADF);
	assert(CALL3(P, lseek, 0, -1, SEEK_SET) == -EINVAL && CALL3(P, lseek, 0, 0, 9) == -EINVAL);
	assert(CALL3(P, close_range, 0, 100, 0) == 0 && CALL1(P, close, 0) == -EBADF);
	for (int i = 0; i < 1024; i++) {
		assert(CALL3(P, open, text("/f"), O_RDONLY, 0) == i);
	}
	assert(CALL3(P, open, text("/f"), O_RDONLY, 0) == -EMFILE);
	assert(CALL3(P, close_range, 0, ~0u, 0) == 0);
}

static void test_pipes(void)
{
	endpoint_t child = FAKE_PROGRAM;
	int *fds = (int *)BUF;
	char *data = BUF + 4096;

	assert(CALL1(P, pipe, fds) == 0 && fds[0] == 0 && fds[1] == 1);
	fake_fork(P, child, 51);
	assert(CALL3(child, read, 0, data, 100) == FAKE_NO_ANSWER);
	strcpy(BUF + 64, "through");
	assert(CALL3(P, write, 1, BUF + 64, 8) == 8);
	assert(fake_answer(child) == 8 && strcmp(data, "through") == 0);
	/* Full: 64 KiB, then the writer waits until a page is free. */
	assert(CALL3(P, write, 1, data, 65536) == 65536);
	assert(CALL3(P, write, 1, data, 1) == FAKE_NO_ANSWER);
	assert(CALL3(child, read, 0, data + 65536, 4096) == 4096);
	assert(fake_answer(P) == 1);
	assert(CALL3(child, read, 0, data + 65536, 65536) == 61441);
	/* An atomic write does not go in by halves. */
	assert(CALL3(P, fcntl, 1, F_SETFL, O_NONBLOCK) == 0);
	assert(CALL3(P, write, 1, data, 65000) == 65000);
	assert(CALL3(P, write, 1, data, 4000) == -EAGAIN);
	assert(CALL3(P, write, 1, data, 5000) == 536);
	assert(CALL3(P, fcntl, 0, 1031, 4096) == -EBUSY &&
		CALL3(P, fcntl, 0, 1031, 100000) == 131072);
	assert(CALL3(child, read, 0, data, 70000) == 65536);
	/* The last writer goes: end of file; the last reader goes: SIGPIPE. */
	assert(CALL1(child, close, 1) == 0);
	assert(CALL3(child, read, 0, data, 1) == FAKE_NO_ANSWER);
	assert(CALL1(P, close, 1) == 0 && fake_answer(child) == 0);
	fake_exit(child);
	assert(CALL1(P, close, 0) == 0);
	assert(CALL1(P, pipe, fds) == 0 && CALL1(P, close, 0) == 0);
	assert(CALL3(P, write, 1, data, 1) == -EPIPE && fake_signals(SIGPIPE) == 1);
	assert(CALL1(P, close, 1) == 0);
}

/* What a splice is to move is read by another while it waits for room: it goes on waiting. */
static void test_splice(void)
{
	endpoint_t child = FAKE_PROGRAM;
	char *data = BUF + 4096;

	assert(CALL1(P, pipe, BUF) == 0 && CALL1(P, pipe, BUF) == 0);
	fake_fork(P, child, 53);
	strcpy(data, "moved");
	assert(CALL3(P, write, 1, data, 5) == 5 && CALL3(P, write, 3, data, 65536) == 65536);
	assert(fake_call(P, LINUX_NR_splice, 0, 0, 3, 0, 100) == FAKE_NO_ANSWER);
	assert(CALL3(child, read, 0, data, 100) == 5);
	assert(CALL3(child, read, 2, data, 65536) == 65536 && fake_answer(P) == FAKE_NO_ANSWER);
	strcpy(data, "moved");
	assert(CALL3(child, write, 1, data, 5) == 5 && fake_answer(P) == 5);
	assert(CALL3(child, read, 2, data + 8, 100) == 5 && memcmp(data + 8, "moved", 5) == 0);
	fake_exit(child);
	for (int fd = 0; fd < 4; fd++) {
		assert(CALL1(P, close, fd) == 0);
	}
}

static void cancel(endpoint_t ep)
{
	struct message m = {.type = VFS_PM_CANCEL};

	MSG(&m, vfs_pm_ep)->ep = ep;
	fake_send(EP_PM, &m);
}

static void test_fifos_and_cancelling(void)
{
	endpoint_t child = FAKE_PROGRAM;

	assert(CALL3(P, mknod, text("/fifo"), S_IFIFO | 0600, 0) == 0);
	fake_fork(P, child, 52);
	assert(CALL3(P, open, text("/fifo"), O_WRONLY | O_NONBLOCK, 0) == -ENXIO);
	assert(CALL3(P, open, text("/fifo"), O_RDONLY, 0) == FAKE_NO_ANSWER);
	assert(CALL3(child, open, text("/fifo"), O_WRONLY, 0) == 0 && fake_answer(P) == 0);
	assert(CALL3(P, read, 0, BUF, 1) == FAKE_NO_ANSWER);
	cancel(P);
	assert(fake_answer(P) == -ERESTARTSYS && fake_was_cancelled(P));
	cancel(child); /* waits for nothing: PM is told at once */
	assert(fake_was_cancelled(child));
	assert(CALL1(P, close, 0) == 0);
	assert(CALL3(child, open, text("/fifo"), O_WRONLY, 0) == FAKE_NO_ANSWER);
	fake_exit(child);
	assert(fake_answer(child) == FAKE_NO_ANSWER);
	assert(CALL1(P, unlink, text("/fifo")) == 0);
}

struct lock_arg {
	int16_t type, whence;
	int32_t pad;
	int64_t start, len;
	int32_t pid, pad2;
};

static int64_t lock(endpoint_t ep, int cmd, int type, int64_t start, int64_t len)
{
	struct lock_arg *arg = (struct lock_arg *)BUF;

	*arg = (struct lock_arg){
		.type = (int16_t)type, .whence = SEEK_SET, .start = start, .len = len};
	return CALL3(ep, fcntl, 0, cmd, arg);
}

static void test_locks(void)
{
	endpoint_t child = FAKE_PROGRAM;
	struct lock_arg *arg = (struct lock_arg *)BUF;

	assert(CALL3(P, open, text("/f"), O_RDWR, 0) == 0);
	fake_fork(P, child, 53);
	assert(lock(P, 6, F_WRLCK, 10, 10) == 0 && lock(P, 6, F_WRLCK, 20, 10) == 0);
	assert(lock(child, 6, F_RDLCK, 15, 1) == -EAGAIN && lock(child, 6, F_WRLCK, 30, 1) == 0);
	assert(lock(child, 5, F_WRLCK, 0, 0) == 0 && arg->type == F_WRLCK && arg->start == 10 &&
		arg->len == 20);
	assert(arg->pid == 1);
	assert(lock(P, 6, F_UNLCK, 15, 5) == 0); /* splits it */
	assert(lock(child, 6, F_RDLCK, 15, 5) == 0 && lock(child, 6, F_RDLCK, 14, 1) == -EAGAIN);
	assert(lock(child, 7, F_WRLCK, 10, 1) == FAKE_NO_ANSWER);
	assert(lock(P, 7, F_WRLCK, 15, 1) == -EDEADLK);
	assert(lock(P, 6, F_UNLCK, 0, 0) == 0 && fake_answer(child) == 0);
	assert(lock(P, 7, F_RDLCK, 30, 1) == FAKE_NO_ANSWER);
	fake_exit(child); /* its locks go */
	assert(fake_answer(P) == 0);
	fake_fork(P, child, 54);
	assert(CALL3(child, open, text("/f"), O_RDWR, 0) == 1);
	assert(CALL2(P, flock, 0, 2) == 0 && CALL2(child, flock, 0, 2 | 4) == 0 &&
		CALL2(child, flock, 1, 2 | 4) == -EAGAIN);
	assert(CALL2(child, flock, 1, 1) == FAKE_NO_ANSWER);
	assert(CALL2(P, flock, 0, 8) == 0 && fake_answer(child) == 0);
	fake_exit(child);
	assert(CALL1(P, close, 0) == 0);
}

static void test_poll(void)
{
	struct pollfd *set = (struct pollfd *)(BUF + 1024);
	endpoint_t child = FAKE_PROGRAM;

	assert(CALL1(P, pipe, BUF) == 0);
	fake_fork(P, child, 55);
	set[0] = (struct pollfd){.fd = 0, .events = POLLIN};
	set[1] = (struct pollfd){.fd = 1, .events = POLLOUT};
	set[2] = (struct pollfd){.fd = 77, .events = POLLIN};
	set[3] = (struct pollfd){.fd = -1, .events = POLLIN};
	assert(CALL3(P, poll, set, 4, -1) == 2 && set[0].revents == 0 && set[1].revents == POLLOUT);
	assert(set[2].revents == POLLNVAL && set[3].revents == 0);
	assert(CALL3(P, poll, set, 1, 0) == 0);
	fake_time(1000000000);
	assert(CALL3(P, poll, set, 1, 500) == FAKE_NO_ANSWER);
	fake_time(1400000000);
	assert(fake_answer(P) == FAKE_NO_ANSWER);
	fake_time(1500000000);
	assert(fake_answer(P) == 0);
	assert(CALL3(P, poll, set, 1, -1) == FAKE_NO_ANSWER);
	assert(CALL3(child, write, 1, BUF, 1) == 1);
	assert(fake_answer(P) == 1 && set[0].revents == POLLIN);
	assert(CALL3(P, read, 0, BUF, 1) == 1);
	assert(CALL3(P, poll, set, 1, -1) == FAKE_NO_ANSWER);
	cancel(P);
	assert(fake_answer(P) == -ERESTARTNOHAND);
	assert(CALL3(P, poll, set, 1, -1) == FAKE_NO_ANSWER);
	fake_exit(child);
	assert(CALL1(P, close, 99) == -ENOSYS); /* one call at a time */
	cancel(P);
	assert(fake_answer(P) == -ERESTARTNOHAND);
	assert(CALL1(P, close, 0) == 0 && CALL1(P, close, 1) == 0);
}

static void come_to_rest(void)
{
	assert(update_callbacks.prepare(SEF_LU_WORK_FREE, 0) == 0 && coro_count() == 0);
	assert(update_callbacks.save(SEF_LU_WORK_FREE, 0) == 0);
}

static void go_on(void)
{
	assert(update_take_over(NULL) == 0);
	update_resume();
	coro_run();
}

/* SEF-11: calls that wait are put back for a live update, and go on as if they had waited. */
static void test_rest(void)
{
	struct pollfd *set = (struct pollfd *)(BUF + 1024);
	char *data = BUF + 4096, *got = BUF + 128 * 1024;
	endpoint_t reader = FAKE_PROGRAM, writer = FAKE_PROGRAM + 1, poller = FAKE_PROGRAM + 2;

	assert(CALL1(P, pipe, BUF) == 0 && CALL1(P, pipe, BUF) == 0);
	fake_fork(P, reader, 56);
	fake_fork(P, writer, 57);
	fake_fork(P, poller, 58);
	set[0] = (struct pollfd){.fd = 0, .events = POLLIN};
	fake_time(2000000000);
	assert(CALL3(poller, poll, set, 1, 1000) == FAKE_NO_ANSWER);
	assert(CALL3(reader, read, 0, got, 100) == FAKE_NO_ANSWER);
	for (int i = 0; i < 100000; i++) {
		data[i] = (char)(i * 7 / 11);
	}
	assert(CALL3(writer, write, 3, data, 100000) == FAKE_NO_ANSWER);
	come_to_rest();
	/* New calls wait; who waited first and is interrupted now learns it afterwards. */
	assert(CALL3(P, read, 2, got, 1) == FAKE_NO_ANSWER);
	cancel(P);
	assert(fake_answer(P) == -ERESTARTNOINTR);
	cancel(reader);
	assert(fake_answer(reader) == FAKE_NO_ANSWER);
	fake_time(2600000000);
	go_on();
	assert(fake_answer(reader) == -ERESTARTSYS && fake_was_cancelled(reader));
	assert(fake_answer(writer) == FAKE_NO_ANSWER && fake_answer(poller) == FAKE_NO_ANSWER);
	/* The writer goes on where it was, over a second time. */
	assert(CALL3(P, read, 2, got, 20000) == 20000);
	come_to_rest();
	go_on();
	assert(CALL3(P, read, 2, got + 20000, 45536) == 45536);
	assert(fake_answer(writer) == 100000);
	assert(CALL3(P, read, 2, got + 65536, 65536) == 100000 - 65536);
	assert(memcmp(got, data, 100000) == 0);
	fake_time(2999000000);
	assert(fake_answer(poller) == FAKE_NO_ANSWER);
	fake_time(3000000000);
	assert(fake_answer(poller) == 0);
	fake_exit(reader);
	fake_exit(writer);
	fake_exit(poller);
	for (int fd = 0; fd < 4; fd++) {
		assert(CALL1(P, close, fd) == 0);
	}
}

int main(void)
{
	fake_start(false);
	test_paths();
	test_absent_memory();
	test_name_cache();
	test_links_and_renames();
	test_permissions();
	test_descriptors();
	test_pipes();
	test_splice();
	test_fifos_and_cancelling();
	test_locks();
	test_poll();
	test_rest();
	fake_stop();
	printf("vfs: ok\n");
	return 0;
}
