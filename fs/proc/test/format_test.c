/* SPDX-License-Identifier: BSD-2-Clause */
/* The formats of /proc, against what tools parse out of them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/proc/format.h"

static struct process example(void)
{
	struct process p = {0};

	p.pm.pid = 42;
	p.pm.ppid = 1;
	p.pm.pgid = 42;
	p.pm.sid = 40;
	p.pm.state = 'S';
	p.pm.threads = 2;
	p.pm.nice = 5;
	p.pm.user_ns = 1230000000;
	p.pm.exit_signal = 17;
	p.pm.start_ns = 5000000000;
	strcpy(p.pm.name, "a b) c");
	p.kernel.rts_flags = RTS_RECEIVING;
	p.memory.virtual_bytes = 8192 * 1024;
	p.memory.resident_pages = 100;
	p.files.tty_dev = 0x440;
	p.files.tty_pgrp = 42;
	return p;
}

static void test_stat_has_52_fields(void)
{
	struct process p = example();
	struct text text = {0};
	char *after;
	int fields = 0;

	format_stat(&text, &p, 42);
	text_append(&text, "", 1);
	assert(strncmp(text.bytes, "42 (a b) c) S 1 42 40 1088 42 ", 30) == 0);
	after = strrchr(text.bytes, ')') + 2;
	for (char *word = strtok(after, " \n"); word; word = strtok(NULL, " \n")) {
		fields++;
		if (fields == 14 - 2) {
			assert(strcmp(word, "123") == 0); /* utime */
		}
		if (fields == 20 - 2) {
			assert(strcmp(word, "2") == 0); /* threads */
		}
		if (fields == 22 - 2) {
			assert(strcmp(word, "500") == 0); /* start time */
		}
		if (fields == 24 - 2) {
			assert(strcmp(word, "100") == 0); /* rss */
		}
		if (fields == 38 - 2) {
			assert(strcmp(word, "17") == 0); /* exit signal */
		}
	}
	assert(fields == 50);
	text_free(&text);
}

static void test_status_lines(void)
{
	struct process p = example();
	struct text text = {0};

	p.kernel.rts_flags = 0;
	format_status(&text, &p, 42);
	text_append(&text, "", 1);
	assert(strstr(text.bytes, "\nState:\tR (running)\n"));
	assert(strstr(text.bytes, "\nVmRSS:\t     400 kB\n"));
	assert(strstr(text.bytes, "\nThreads:\t2\n"));
	text_free(&text);
}

static void test_zombie_has_no_memory(void)
{
	struct process p = example();
	struct text text = {0};

	p.pm.state = 'Z';
	format_status(&text, &p, 42);
	text_append(&text, "", 1);
	assert(strstr(text.bytes, "\nState:\tZ (zombie)\n"));
	assert(!strstr(text.bytes, "VmSize"));
	text_free(&text);
}

static void test_map_line(void)
{
	struct vm_region_info r = {.start = 0x400000,
		.end = 0x401000,
		.prot = 5,
		.flags = VM_REGION_FILE,
		.offset = 0x1000,
		.dev = 0xfe00,
		.ino = 12};
	struct text text = {0};

	format_map(&text, &r, "/bin/busybox");
	text_append(&text, "", 1);
	assert(strncmp(text.bytes, "00400000-00401000 r-xp 00001000 fe:00 12 ", 41) == 0);
	assert(strcmp(text.bytes + 73, "/bin/busybox\n") == 0);
	text_free(&text);
}

static void test_mounts_escape(void)
{
	struct vfs_mount_info m = {.type = "ext2", .source = "/dev/vda", .target = "/a b"};
	struct text text = {0};

	format_mount(&text, &m, false);
	text_append(&text, "", 1);
	assert(strcmp(text.bytes, "/dev/vda /a\\040b ext2 rw 0 0\n") == 0);
	text_free(&text);
}

static void test_loadavg(void)
{
	struct system_info info = {.load_avg = {1 << 11, 1 << 10, 205}, .runnable = 2};
	struct text text = {0};

	format_loadavg(&text, &info, 23, 45);
	text_append(&text, "", 1);
	assert(strcmp(text.bytes, "1.00 0.50 0.10 2/23 45\n") == 0);
	text_free(&text);
}

static void test_meminfo_and_limits(void)
{
	struct vm_stats stats = {.total = 65536, .free = 1000};
	struct pm_proc_info pm = {0};
	struct text text = {0};

	format_meminfo(&text, &stats);
	pm.rlimits[7][0] = 1024;
	pm.rlimits[7][1] = UINT64_MAX;
	format_limits(&text, &pm);
	text_append(&text, "", 1);
	assert(strncmp(text.bytes, "MemTotal:         262144 kB\n", 28) == 0);
	assert(strstr(text.bytes,
		"Max open files            1024                 unlimited            files"));
	text_free(&text);
}

int main(void)
{
	test_stat_has_52_fields();
	test_status_lines();
	test_zombie_has_no_memory();
	test_map_line();
	test_mounts_escape();
	test_loadavg();
	test_meminfo_and_limits();
	puts("format_test: 7 passed, 0 failed");
	return 0;
}
