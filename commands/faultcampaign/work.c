/* SPDX-License-Identifier: BSD-2-Clause */
/* The kinds of work. Each knows its result beforehand; what fails is told apart from what is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "commands/faultcampaign/load.h"

/* Of <linux/rtc.h>. */
#define RTC_RD_TIME 0x80247009ul

#define COPY_BYTES (256 * 1024)
#define PIPE_BYTES (128 * 1024)
#define BLOCK      16384

/* The bytes that belong to a seed. */
static void fill(uint8_t *block, size_t bytes, uint64_t *state)
{
	for (size_t i = 0; i < bytes; i += 8) {
		*state = *state * 6364136223846793005u + 1442695040888963407u;
		memcpy(block + i, state, 8);
	}
}

static bool fails(const char *what)
{
	load_say("%s: %s", what, strerror(errno));
	return true;
}

/* 0: all bytes; 1: something failed. What is only interrupted goes on, but has been noticed. */
static int transfer(bool writing, int fd, uint8_t *block, size_t bytes, bool *noticed)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = writing ? write(fd, block + done, bytes - done)
				    : read(fd, block + done, bytes - done);

		if (n < 0 && errno == EINTR) {
			*noticed = fails(writing ? "write" : "read");
			continue;
		}
		if (n <= 0) {
			if (n == 0) {
				errno = ENODATA;
			}
			*noticed = fails(writing ? "write" : "read");
			return 1;
		}
		done += (size_t)n;
	}
	return 0;
}

static int open_again(const char *path, int flags, bool *noticed)
{
	int fd;

	while ((fd = open(path, flags | O_CLOEXEC, 0644)) < 0 && errno == EINTR) {
		*noticed = fails("open");
	}
	if (fd < 0) {
		*noticed = fails(path);
	}
	return fd;
}

static enum outcome check_file(const char *path, uint64_t seed)
{
	static uint8_t block[BLOCK], wanted[BLOCK];
	bool noticed = false, wrong = false;
	int fd = open_again(path, O_RDONLY, &noticed);

	for (size_t at = 0; fd >= 0 && at < COPY_BYTES; at += BLOCK) {
		fill(wanted, BLOCK, &seed);
		if (transfer(false, fd, block, BLOCK, &noticed)) {
			break;
		}
		if (memcmp(block, wanted, BLOCK) != 0) {
			load_say("%s is wrong at %zu", path, at);
			wrong = true;
			break;
		}
	}
	if (fd >= 0) {
		close(fd);
	}
	return wrong ? WORK_WRONG : noticed ? WORK_NOTICED : WORK_FINE;
}

/* A file written, made permanent, copied, renamed, read back. */
static enum outcome copy_files(uint64_t seed)
{
	static uint8_t block[BLOCK];
	uint64_t state = seed;
	bool noticed = false, failed;
	int from = open_again("original", O_CREAT | O_TRUNC | O_RDWR, &noticed);
	int to = open_again("copy.part", O_CREAT | O_TRUNC | O_WRONLY, &noticed);

	failed = from < 0 || to < 0;
	for (size_t at = 0; !failed && at < COPY_BYTES; at += BLOCK) {
		fill(block, BLOCK, &state);
		failed = transfer(true, from, block, BLOCK, &noticed);
	}
	if (!failed && fsync(from) < 0) {
		noticed = fails("fsync");
		failed = errno != EINTR;
	}
	failed = failed || lseek(from, 0, SEEK_SET) != 0;
	for (size_t at = 0; !failed && at < COPY_BYTES; at += BLOCK) {
		failed = transfer(false, from, block, BLOCK, &noticed) ||
			transfer(true, to, block, BLOCK, &noticed);
	}
	close(from);
	close(to);
	if (!failed) {
		enum outcome outcome;

		if (rename("copy.part", "copy") < 0) {
			(void)fails("rename");
			return WORK_NOTICED;
		}
		outcome = check_file("copy", seed);
		unlink("original");
		unlink("copy");
		return outcome == WORK_FINE && noticed ? WORK_NOTICED : outcome;
	}
	return WORK_NOTICED;
}

/* A child that is to write into a pipe, from which its parent reads at ends[0]; as fork(), -1: it
 * has been said why. */
static pid_t fork_writer(int ends[2])
{
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		(void)fails("pipe");
		return -1;
	}
	child = fork();
	if (child < 0) {
		(void)fails("fork");
		close(ends[0]);
	}
	if (child != 0) {
		close(ends[1]);
	}
	return child;
}

/* A child writes what the parent knows through a pipe. */
static enum outcome use_pipe(uint64_t seed)
{
	static uint8_t block[BLOCK], wanted[BLOCK];
	bool noticed = false, wrong = false;
	uint64_t state = seed;
	int ends[2], status = 0;
	pid_t child = fork_writer(ends);

	if (child < 0) {
		return WORK_NOTICED;
	}
	if (child == 0) {
		for (size_t at = 0; at < PIPE_BYTES; at += BLOCK) {
			fill(block, BLOCK, &state);
			if (transfer(true, ends[1], block, BLOCK, &noticed)) {
				_exit(1);
			}
		}
		_exit(noticed);
	}
	for (size_t at = 0; at < PIPE_BYTES; at += BLOCK) {
		fill(wanted, BLOCK, &state);
		if (transfer(false, ends[0], block, BLOCK, &noticed)) {
			break;
		}
		if (memcmp(block, wanted, BLOCK) != 0) {
			load_say("a pipe gave other bytes at %zu", at);
			wrong = true;
			break;
		}
	}
	close(ends[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
		noticed = true;
	}
	noticed |= status != 0;
	return wrong ? WORK_WRONG : noticed ? WORK_NOTICED : WORK_FINE;
}

/* Runs a shell script and compares what it prints. */
static enum outcome run_script(const char *script, const char *wanted)
{
	char output[256] = "";
	size_t got = 0;
	int ends[2], status = 0;
	pid_t child = fork_writer(ends);

	if (child < 0) {
		return WORK_NOTICED;
	}
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(ends[1], 1);
		dup2(null, 2);
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(126);
	}
	while (got < sizeof(output) - 1) {
		ssize_t n = read(ends[0], output + got, sizeof(output) - 1 - got);

		if (n == 0 || (n < 0 && errno != EINTR)) {
			break;
		}
		got += n > 0 ? (size_t)n : 0;
	}
	close(ends[0]);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	if (status != 0) {
		load_say("a script ended with %x: %.60s", (unsigned)status, output);
		return WORK_NOTICED;
	}
	if (strcmp(output, wanted) != 0) {
		load_say("a script printed '%.60s', not '%.60s'", output, wanted);
		return WORK_WRONG;
	}
	return WORK_FINE;
}

static enum outcome loop_in_shell(uint64_t seed)
{
	char script[200], wanted[32];
	unsigned start = (unsigned)(seed % 1000);

	snprintf(script, sizeof(script),
		"set -e; i=%u; n=0; while [ $n -lt 4 ]; do n=$((n+1)); i=$(/bin/busybox expr $i + "
		"$n); done; echo $i",
		start);
	snprintf(wanted, sizeof(wanted), "%u\n", start + 10);
	return run_script(script, wanted);
}

/* As a compiler's run: small files made, read, transformed by pipelines, put together, and taken
 * away. */
static enum outcome build_something(uint64_t seed)
{
	char script[600], wanted[64];
	unsigned files = 2 + (unsigned)(seed % 2), lines = 40, words = files * lines;

	snprintf(script, sizeof(script),
		"set -e -o pipefail; rm -rf build; mkdir build; cd build; n=0; "
		"while [ $n -lt %u ]; do seq 1 %u | sed 's/.*/int f_&(int x) { return x + &; }/' > "
		"f$n.c; n=$((n+1)); done; "
		"for f in *.c; do sed 's/int /long /g' $f | tr -d '{}' > ${f%%.c}.s; gzip -c "
		"${f%%.c}.s > ${f%%.c}.o; done; "
		"cat *.o | gunzip -c | sort | uniq -c | awk '{ n += $1; k++ } END { print n, k }'; "
		"cd ..; rm -r build",
		files, lines);
	snprintf(wanted, sizeof(wanted), "%u %u\n", words, lines);
	return run_script(script, wanted);
}

const struct work works[] = {
	{"copies", copy_files},
	{"pipes", use_pipe},
	{"shell", loop_in_shell},
	{"build", build_something},
};
const unsigned works_count = sizeof(works) / sizeof(works[0]);

static bool labelled(const char *label, const char *name)
{
	size_t len = strlen(name);

	return strncmp(label, name, len) == 0 && (label[len] == 0 || label[len] == '.');
}

static bool poke_file(const char *path, int flags)
{
	char byte = 'x';
	int fd = open(path, flags | O_CLOEXEC, 0600);
	bool good = fd >= 0;

	if (good && (flags & O_ACCMODE) != O_RDONLY) {
		good = write(fd, &byte, 1) == 1 && fsync(fd) == 0;
	} else if (good) {
		good = read(fd, &byte, 1) == 1;
	}
	if (!good) {
		(void)fails(path);
	}
	if (fd >= 0) {
		close(fd);
	}
	return good;
}

static bool poke_device(const char *path, unsigned long request)
{
	uint8_t answer[64];
	int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	bool good = fd >= 0 && ioctl(fd, (int)request, answer) == 0;

	if (!good) {
		(void)fails(path);
	}
	if (fd >= 0) {
		close(fd);
	}
	return good;
}

bool work_poke(const char *label, enum outcome *outcome)
{
	bool good;

	if (labelled(label, "ext2") || labelled(label, "virtio_blk") || labelled(label, "vfs")) {
		good = poke_file("poked", O_CREAT | O_TRUNC | O_WRONLY);
	} else if (labelled(label, "tty")) {
		good = poke_device("/dev/console", TIOCGWINSZ);
	} else if (labelled(label, "memory")) {
		good = poke_file("/dev/urandom", O_RDONLY);
	} else if (labelled(label, "proc")) {
		good = poke_file("/proc/uptime", O_RDONLY);
	} else if (labelled(label, "hello")) {
		good = poke_file("/dev/hello", O_RDONLY);
	} else if (labelled(label, "tmp")) { /* the first of its name is that of /dev */
		good = poke_file("/dev/shm/poked", O_CREAT | O_TRUNC | O_WRONLY);
	} else if (labelled(label, "rtc")) {
		good = poke_device("/dev/rtc", RTC_RD_TIME);
	} else if (labelled(label, "sched") || labelled(label, "pm")) {
		good = run_script("exit 0", "") == WORK_FINE;
	} else {
		return false;
	}
	*outcome = good ? WORK_FINE : WORK_NOTICED;
	return true;
}
