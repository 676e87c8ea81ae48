/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world around VFS on the host: a kernel that copies and delivers, programs whose memory is one
 * arena, and peers (PM, VM, RS, a file system, a driver) that answer VFS's asynchronous messages.
 */
#pragma once

#include "abi/message.h"

#define FAKE_NO_ANSWER INT64_MIN /* the call still waits */

/* Program memory: below `end` all is there but the page marked absent, which VM can bring in. */
extern char *fake_arena;
#define FAKE_ARENA_BYTES (1u << 20)
#define FAKE_PROGRAM     100 /* endpoint of the first process beside init, and on */

#define FAKE_DEAD_FS 90 /* what RS says of each file system that is to be mounted */

/* How many file systems RS was asked to stop. */
unsigned fake_fs_stopped(void);

/* A fresh VFS with the boot file system mounted, with its files in the page cache or not. */
void fake_start(bool has_peek);
void fake_stop(void);

/* A page of the arena that copies fail on until VM has been asked. */
void fake_set_absent(const void *addr);

/* A program's call; FAKE_NO_ANSWER when it waits. Further answers: fake_answer. */
int64_t fake_call(
	endpoint_t ep, int nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e);
/* The answer that came meanwhile to a thread whose call waited; FAKE_NO_ANSWER: none yet. */
int64_t fake_answer(endpoint_t ep);

/* A message to VFS, and all that follows from it. */
void fake_send(endpoint_t source, const struct message *m);
/* VFS crashes when it sends the next request of this kind to the file system (FAKE_REPLY_COPY: when
 * it answers by sys_reply_copy), and is restarted with its memory. */
#define FAKE_REPLY_COPY (-1)
void fake_crash_at(int op);
/* The file system takes no messages meanwhile; what waits goes with the next that is sent. */
void fake_fs_busy(bool is_busy);
/* The alarm goes off when the clock reaches now_ns. */
void fake_time(uint64_t now_ns);

/* How many PM_SIGNAL_PROC with this number PM got; whether PM got an answer to a cancellation of
 * ep. */
unsigned fake_signals(int signo);
bool fake_was_cancelled(endpoint_t ep);

/* A process by fork of init or another. */
void fake_fork(endpoint_t parent, endpoint_t child, int pid);
void fake_exit(endpoint_t ep);
void fake_set_ids(endpoint_t ep, int pid, uint32_t uid, uint32_t gid);
