/* SPDX-License-Identifier: BSD-2-Clause */
/* What the scenarios of PM's tests have in common. */
#pragma once

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "abi/errno.h"
#include "proto/vfs.h"
#include "servers/pm/deliver.h"
#include "servers/pm/signal.h"
#include "servers/pm/test/fake.h"

#define P(x)         ((uint64_t)(uintptr_t)(x))
#define HANDLER      0x5000ul
#define NOBODY       ((uint64_t)(uint32_t)-1)
#define THREAD_FLAGS (LCLONE_VM | LCLONE_FS | LCLONE_FILES | LCLONE_SIGHAND | LCLONE_THREAD)
#define BAD_ADDRESS  16ul

/* A shell: a child of init that the scenarios start from, leader of its session. */
static inline endpoint_t start(void)
{
	endpoint_t shell;

	fake_reset();
	shell = fake_fork(EP_INIT);
	assert(call(shell, setsid) == fake_pid(shell));
	(void)fake_vfs_run();
	return shell;
}

static inline void set_handler(endpoint_t ep, int signo, uint64_t handler, uint64_t flags)
{
	struct linux_sigaction action = {
		.handler = handler, .flags = flags | LSA_RESTORER, .restorer = 0x6000};

	assert(call(ep, rt_sigaction, (uint64_t)signo, P(&action), 0ul, 8ul) == 0);
}

static inline void set_mask(endpoint_t ep, uint64_t mask)
{
	assert(call(ep, rt_sigprocmask, (uint64_t)LSIG_SETMASK, P(&mask), 0ul, 8ul) == 0);
}

static inline int64_t kill_(endpoint_t ep, int32_t pid, int signo)
{
	return call(ep, kill, (uint64_t)(int64_t)pid, (uint64_t)signo);
}

static inline bool alive(endpoint_t ep)
{
	return fake_proc(ep) != NULL;
}

/* wait4 by `ep` for any child gives this pid and status. */
static inline void expect_wait(endpoint_t ep, int32_t pid, int32_t expected)
{
	int32_t status = -1;

	assert(call(ep, wait4, NOBODY, P(&status), 0ul, 0ul) == pid);
	assert(status == expected);
}

/* Runs the tests of one file. */
static inline int scenarios_run(void (*const tests[])(void), size_t count)
{
	for (size_t i = 0; i < count; i++) {
		tests[i]();
		printf("ok %zu\n", i + 1);
		fflush(stdout);
	}
	fake_reset();
	return 0;
}
