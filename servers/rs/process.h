/* SPDX-License-Identifier: BSD-2-Clause */
/* The process behind a service: made by VM and the kernel, filled from the kept binary. */
#pragma once

#include "servers/rs/rs.h"

/* Check that a binary can be started at all: 0 or -ENOEXEC. */
int process_check(const struct binary *binary);

/*
 * Make the process of a service, with memory, stack and privileges, ready to run: sets ep and
 * priv_id. On failure nothing is left of it.
 */
int process_create(struct rs *rs, struct service *service);

/* Let it run. */
int process_start(struct service *service);

/* End it and free all it has; sets ep to EP_NONE. Whoever waits for it gets -EDEADSRCDST. */
void process_destroy(struct service *service);

/* Say in the log by which signal, and where. */
void process_log_death(const struct service *service, int signo, vaddr_t address);

/* The process id that PM gave it, or 0. */
int process_pid(const struct service *service);
