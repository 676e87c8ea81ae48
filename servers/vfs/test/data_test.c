/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host tests of what VFS does beside names: cached reads through the window (VM-38, VM-39: VFS's
 * side), read-ahead, a file system that dies and comes back, VFS's own crash.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/linux/calls.h"
#include "abi/types.h"
#include "proto/fs.h"
#include "proto/vfs.h"
#include "proto/vm.h"
#include "servers/vfs/readahead.h"
#include "servers/vfs/test/fake_cache.h"
#include "servers/vfs/test/fake_fs.h"
#include "servers/vfs/test/fake_kernel.h"
#include "servers/vfs/vfs.h"

#define CALL1(ep, name, a)    fake_call(ep, LINUX_NR_##name, (uint64_t)(a), 0, 0, 0, 0)
#define CALL2(ep, name, a, b) fake_call(ep, LINUX_NR_##name, (uint64_t)(a), (uint64_t)(b), 0, 0, 0)
#define CALL3(ep, name, a, b, c) \
	fake_call(ep, LINUX_NR_##name, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0)
#define CALL4(ep, name, a, b, c, d)                                                                \
	fake_call(ep, LINUX_NR_##name, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), \
		0)
#define P     EP_INIT
#define BUF   (fake_arena + 512 * 1024)
#define BYTES (100u * 4096 + 77)

static uint64_t text(const char *s)
{
	static unsigned slot;
	char *to = fake_arena + 8192 + (slot++ % 32) * 4200;

	strcpy(to, s);
	return (uint64_t)(uintptr_t)to;
}

static char pattern(uint64_t at)
{
	return (char)(at * 7 + at / 4096);
}

static bool is_pattern(const char *buf, uint64_t pos, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i++) {
		if (buf[i] != pattern(pos + i)) {
			return false;
		}
	}
	return true;
}

/* The window against a simple model: a page is found exactly when it was entered last and not taken
 * away. */
static void test_window(void)
{
	enum { SLOTS = 16, NAMES = 40, STEPS = 20000 };
	static char base[SLOTS * AXO_PAGE_SIZE];
	static uint8_t marks[SLOTS];
	uint32_t where[NAMES]; /* of index i */
	int holds[SLOTS];
	struct window window = {0};
	uint64_t seed = 1;

	assert(window_pin(&window, 1, 2, 3) == WINDOW_NO_SLOT && !window_has(&window, 1, 2, 3));
	assert(window_init(&window, base, marks, SLOTS) == 0);
	memset(where, 0xff, sizeof(where));
	memset(holds, 0xff, sizeof(holds));
	for (int step = 0; step < STEPS; step++) {
		uint32_t index, slot, found;

		seed = hash_u64(seed + 1);
		index = (uint32_t)(seed >> 8) % NAMES;
		slot = (uint32_t)(seed >> 32) % SLOTS;
		switch (seed % 3) {
		case 0: /* VM puts the page into a slot, unless it has one */
			slot = where[index] != WINDOW_NO_SLOT ? where[index] : slot;
			if (holds[slot] >= 0) {
				where[holds[slot]] = WINDOW_NO_SLOT;
			}
			marks[slot] = VM_CACHE_VALID;
			window_enter(&window, 5, index / 8, index, slot);
			where[index] = slot;
			holds[slot] = (int)index;
			break;
		case 1: /* VM takes it away */
			if (holds[slot] >= 0) {
				where[holds[slot]] = WINDOW_NO_SLOT;
				holds[slot] = -1;
				marks[slot] |= VM_CACHE_EVICTED;
			}
			break;
		default:
			assert(window_has(&window, 5, index / 8, index) ==
				(where[index] != WINDOW_NO_SLOT));
			found = window_pin(&window, 5, index / 8, index);
			assert(found == where[index]);
			if (found != WINDOW_NO_SLOT) {
				assert(marks[found] ==
					(VM_CACHE_VALID | VM_CACHE_PINNED | VM_CACHE_USED));
				window_unpin(&window, found);
				marks[found] = VM_CACHE_VALID;
			}
			assert(window_pin(&window, 6, index / 8, index) == WINDOW_NO_SLOT);
			break;
		}
	}
	window_enter(&window, 5, 0, 0, SLOTS); /* out of range: ignored */
	window_free(&window);
}

static void test_readahead(void)
{
	struct readahead ra = {0};
	uint64_t start = 0;

	assert(readahead_is_sequential(&ra, 0) && !readahead_is_sequential(&ra, 5));
	assert(readahead_miss(&ra, 0, 1, true) == 4);
	assert(readahead_passed(&ra, 1, true, &start) == 0);
	assert(readahead_passed(&ra, 2, true, &start) == 8 && start == 4 && ra.end == 12);
	assert(readahead_passed(&ra, 3, true, &start) == 0);
	assert(readahead_passed(&ra, 8, true, &start) == 16 && start == 12 && ra.end == 28);
	assert(readahead_passed(&ra, 24, true, &start) == 32 && ra.end == 60);
	assert(readahead_passed(&ra, 50, true, &start) == 32 && ra.end == 92);
	assert(readahead_miss(&ra, 500, 2, false) == 2);
	assert(readahead_passed(&ra, 502, false, &start) == 0 && ra.next == 502);
	assert(readahead_is_sequential(&ra, 502) && readahead_is_sequential(&ra, 501));
}

static int64_t make_pattern(const char *name)
{
	int64_t fd = CALL3(P, open, text(name), O_CREAT | O_RDWR, 0644);

	assert(fd >= 0);
	for (uint64_t i = 0; i < BYTES; i++) {
		BUF[i] = pattern(i);
	}
	assert(CALL3(P, write, fd, BUF, BYTES) == BYTES);
	return fd;
}

static void expect_read(int64_t fd, uint64_t pos, uint64_t want, uint64_t got)
{
	memset(BUF, 0x55, want);
	assert(CALL4(P, pread64, fd, BUF, want, pos) == (int64_t)got);
	assert(is_pattern(BUF, pos, got) && (got == want || BUF[got] == 0x55));
	assert(!fake_cache_has_pins());
}

/* A program asks again and again for what the file system does not get to. */
static void test_flood_of_hints(void)
{
	int64_t fd = make_pattern("/hints");
	unsigned peeks;

	fake_cache_evict(false);
	peeks = fake_fs_count(FS_PEEK);
	fake_fs_busy(true);
	for (int i = 0; i < 5000; i++) {
		assert(CALL3(P, readahead, fd, 0, BYTES) == 0);
	}
	fake_fs_busy(false);
	expect_read(fd, 0, 100, 100);
	assert(fake_fs_count(FS_PEEK) > peeks && fake_fs_count(FS_PEEK) < peeks + 50);
	assert(CALL1(P, close, fd) == 0 && CALL1(P, unlink, text("/hints")) == 0);
}

static void test_cached_reads(void)
{
	int64_t fd = make_pattern("/cached");
	unsigned peeks, reads = fake_fs_count(FS_READ);

	expect_read(fd, 0, 10, 10);
	assert(fake_fs_count(FS_PEEK) == 1);
	expect_read(fd, 5, 4096, 4096); /* beyond the middle: the next pages are asked for */
	peeks = fake_fs_count(FS_PEEK);
	assert(peeks == 2);
	expect_read(fd, 4095, 2, 2);
	assert(fake_fs_count(FS_PEEK) == peeks);
	expect_read(fd, 3 * 4096 + 1, 200000, 200000);
	expect_read(fd, BYTES - 100, 4096, 100);
	expect_read(fd, BYTES, 10, 0);
	fake_cache_evict(true);
	peeks = fake_fs_count(FS_PEEK);
	expect_read(fd, 8192, 4096, 4096); /* VM has it still */
	assert(fake_fs_count(FS_PEEK) == peeks);
	fake_cache_evict(false);
	expect_read(fd, 8192, 4096, 4096);
	assert(fake_fs_count(FS_PEEK) > peeks);
	assert(fake_fs_count(FS_READ) == reads);
	/* Memory of the program that is not there, in the middle of what is read; and at the end of
	 * it. */
	fake_set_absent(BUF + 5000);
	expect_read(fd, 100, 20000, 20000);
	assert(CALL4(P, pread64, fd, fake_arena + FAKE_ARENA_BYTES - 4096, 8192, 0) == 4096);
	assert(CALL4(P, pread64, fd, 8, 100, 0) == -EFAULT && !fake_cache_has_pins());
	/* The position moves, also by a read in the main loop. */
	assert(CALL3(P, lseek, fd, 4000, SEEK_SET) == 4000);
	assert(CALL3(P, read, fd, BUF, 200) == 200 && is_pattern(BUF, 4000, 200));
	assert(CALL3(P, read, fd, BUF, 200) == 200 && is_pattern(BUF, 4200, 200));
	/* Truncation takes pages away; what is longer again reads zero. */
	assert(CALL2(P, ftruncate, fd, 5000) == 0);
	expect_read(fd, 4000, 2000, 1000);
	assert(CALL1(P, close, fd) == 0);
}

static void fs_comes_back(void)
{
	struct message m = {.type = VFS_RS_RECOVERED};

	MSG(&m, vfs_rs_ep)->ep = EP_BOOTFS;
	fake_send(EP_RS, &m);
}

/* One request is lost with the file system, done or not: its caller sees it done once. */
static int64_t over_death(int op, bool is_done, int nr, uint64_t a, uint64_t b, uint64_t c)
{
	fake_fs_die_at(op, is_done);
	assert(fake_call(P, nr, a, b, c, 0, 0) == FAKE_NO_ANSWER);
	fs_comes_back();
	return fake_answer(P);
}

static void test_fs_death(void)
{
	int64_t held = make_pattern("/held"), fd;

	assert(CALL2(P, mkdir, text("/r"), 0755) == 0);
	assert(CALL1(P, unlink, text("/held")) == 0); /* lives as long as it is open */
	for (int is_done = 0; is_done < 2; is_done++) {
		fd = over_death(FS_CREATE, is_done, LINUX_NR_open, text("/r/f"),
			O_CREAT | O_EXCL | O_RDWR, 0644);
		assert(fd >= 0);
		strcpy(BUF, "kept");
		assert(over_death(FS_WRITE, is_done, LINUX_NR_write, (uint64_t)fd, (uint64_t)BUF,
			       4) == 4);
		assert(over_death(FS_MKDIR, is_done, LINUX_NR_mkdir, text("/r/d"), 0755, 0) == 0);
		assert(over_death(FS_SYMLINK, is_done, LINUX_NR_symlink, text("f"), text("/r/l"),
			       0) == 0);
		assert(over_death(FS_LINK, is_done, LINUX_NR_link, text("/r/f"), text("/r/g"), 0) ==
			0);
		assert(over_death(FS_RENAME, is_done, LINUX_NR_rename, text("/r/g"), text("/r/h"),
			       0) == 0);
		fake_cache_evict(false);
		assert(over_death(FS_PEEK, is_done, LINUX_NR_pread64, (uint64_t)held, (uint64_t)BUF,
			       50) == 50);
		assert(is_pattern(BUF, 0, 50));
		assert(CALL4(P, pread64, fd, BUF, 10, 0) == 4 && memcmp(BUF, "kept", 4) == 0);
		assert(over_death(FS_UNLINK, is_done, LINUX_NR_unlink, text("/r/h"), 0, 0) == 0);
		assert(CALL2(P, access, text("/r/h"), 0) == -ENOENT);
		assert(over_death(FS_RMDIR, is_done, LINUX_NR_rmdir, text("/r/d"), 0, 0) == 0);
		assert(CALL1(P, unlink, text("/r/l")) == 0 && CALL1(P, unlink, text("/r/f")) == 0);
		assert(CALL1(P, unlink, text("/r/f")) == -ENOENT);
		assert(CALL1(P, close, fd) == 0);
	}
	/* It dies again as it is mounted, then for good. */
	fake_fs_die_at(FS_STAT, false);
	assert(CALL2(P, fstat, held, BUF) == FAKE_NO_ANSWER);
	fake_fs_die_at(FS_REBIND, false);
	fs_comes_back();
	assert(fake_answer(P) == FAKE_NO_ANSWER);
	fs_comes_back();
	assert(fake_answer(P) == 0);
	assert(CALL1(P, close, held) == 0 && CALL1(P, rmdir, text("/r")) == 0);
}

/* An inode that did not come over: its open files are dead, all else goes on. */
static void test_lost_inode(void)
{
	int64_t lost = make_pattern("/lost"), kept = make_pattern("/kept");

	assert(CALL1(P, unlink, text("/lost")) == 0);
	assert(CALL4(P, pread64, lost, BUF, 10, 0) == 10);
	fake_fs_lose_unnamed();
	fake_fs_die_at(FS_SYNC, false);
	assert(CALL1(P, sync, 0) == FAKE_NO_ANSWER);
	fs_comes_back();
	assert(fake_answer(P) == 0);
	assert(CALL4(P, pread64, lost, BUF, 10, 0) == -EIO);
	assert(CALL4(P, pwrite64, lost, BUF, 10, 0) == -EIO && CALL2(P, fstat, lost, BUF) == -EIO);
	assert(CALL4(P, pread64, kept, BUF, 50, 0) == 50 && is_pattern(BUF, 0, 50));
	assert(CALL1(P, close, lost) == 0 && CALL1(P, close, kept) == 0);
	assert(CALL1(P, unlink, text("/kept")) == 0);
}

/* mount(2) says so, and the next one does not wait for ever. */
static void test_death_in_mount(void)
{
	struct message m = {.type = VFS_RS_RECOVERED};
	endpoint_t other = FAKE_PROGRAM;

	fake_fork(P, other, 62);
	assert(CALL2(P, mkdir, text("/m"), 0755) == 0);
	MSG(&m, vfs_rs_ep)->ep = FAKE_DEAD_FS;
	assert(CALL3(P, mount, text("none"), text("/m"), text("tmpfs")) == FAKE_NO_ANSWER);
	assert(CALL3(other, mount, text("none"), text("/m"), text("tmpfs")) == FAKE_NO_ANSWER);
	fake_send(EP_RS, &m);
	assert(fake_answer(P) == -EIO && fake_answer(other) == FAKE_NO_ANSWER);
	assert(fake_fs_stopped() == 1);
	m.type = VFS_RS_DEAD;
	fake_send(EP_RS, &m);
	assert(fake_answer(other) == -EIO);
	assert(CALL1(P, rmdir, text("/m")) == 0);
	fake_exit(other);
}

static void test_crash(void)
{
	endpoint_t child = FAKE_PROGRAM, other = FAKE_PROGRAM + 1;
	int64_t fd;

	/* In the main loop, with a page in use: before all others, which leave their stacks
	 * unfinished. */
	fd = make_pattern("/pinned");
	expect_read(fd, 0, 100, 100);
	fake_crash_at(FAKE_REPLY_COPY);
	assert(CALL4(P, pread64, fd, BUF, 100, 0) == -EINTR && !fake_cache_has_pins());
	expect_read(fd, 0, 100, 100);
	assert(CALL1(P, close, fd) == 0 && CALL1(P, unlink, text("/pinned")) == 0);
	assert(CALL1(P, pipe, BUF) == 0);
	fake_fork(P, child, 60);
	fake_fork(P, other, 61);
	assert(CALL3(child, read, 0, BUF, 10) == FAKE_NO_ANSWER);
	/* In a worker: its program is told; locks and descriptors are free again; others still
	 * wait. */
	fake_crash_at(FS_LOOKUP);
	assert(CALL3(P, open, text("/unknown"), O_RDONLY, 0) == -EINTR);
	assert(fake_answer(child) == FAKE_NO_ANSWER);
	assert(CALL3(P, open, text("/unknown"), O_RDONLY, 0) == -ENOENT);
	fd = CALL3(P, open, text("/new"), O_CREAT | O_RDWR, 0644);
	assert(fd == 2);
	fake_crash_at(FS_WRITE);
	assert(CALL3(P, write, fd, BUF, 10) == -EINTR);
	assert(CALL3(P, write, fd, BUF, 10) == 10);
	/* The wait of the child goes on, in the memory of the process before. */
	strcpy(BUF, "through");
	assert(CALL3(other, write, 1, BUF, 7) == 7);
	assert(fake_answer(child) == 7);
	assert(CALL1(P, close, fd) == 0 && CALL1(P, unlink, text("/new")) == 0);
	assert(CALL1(P, close, 0) == 0 && CALL1(P, close, 1) == 0);
	fake_exit(child);
	fake_exit(other);
}

int main(void)
{
	test_window();
	test_readahead();
	fake_start(true);
	test_cached_reads();
	test_flood_of_hints();
	test_fs_death();
	test_lost_inode();
	test_death_in_mount();
	test_crash();
	fake_stop();
	printf("vfs_data: ok\n");
	return 0;
}
