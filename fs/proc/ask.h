/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to PM, VFS and RS. They stand above a file system, so each is an asynchronous message,
 * and the coroutine that asks sleeps until the answer, a message of its own, has come. Coroutines
 * only. Results: negative errno as said.
 *
 * A question may be lost with its peer's process: it is asked again after a while, under the same
 * number, so that one answer counts.
 */
#pragma once

#include "proto/pm.h"
#include "proto/vfs.h"

/* The process with this pid, or (next) the first with at least this pid. 0, -ESRCH, -EIO (PM cannot
 * be reached). */
int ask_process(int pid, bool next, struct pm_proc_info *info);
/* Host name and the like, 0 or -EIO. */
int ask_names(struct pm_names *names);
/* The table of services, as text: its bytes. */
int ask_services(char *to, uint32_t bytes);
/* VFS_INFO_*: bytes stored in `to`; *next (may be NULL) is where to begin and where to go on. */
int ask_vfs(enum vfs_info_what what, int pid, uint64_t *next, void *to, uint32_t bytes);
/* Main loop: the alarm went off; who has waited too long asks again, and in the end gets -EIO. */
void ask_tick(void);
/* Main loop: a message that is an answer to a question. False: it is none. */
bool ask_take_answer(const struct message *m);
