/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals that VFS asks PM for: SIGPIPE, SIGXFSZ, hang-up of a terminal. */
#pragma once

#include <signal.h>
#include <stdint.h>

struct call;

/* For the calling thread; pending before its call is answered. */
void signal_thread(const struct call *call, int signo);
/* For a process group, and SIGCONT behind it when wanted. */
void signal_group(int32_t pgid, int32_t sid, int signo, int and_cont);
