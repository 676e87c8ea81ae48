/* SPDX-License-Identifier: BSD-2-Clause */
/* Which handler serves which system call. */
#pragma once

#include <stdint.h>

struct call;

enum call_mode {
	CALL_NONE = 0,
	CALL_FAST,  /* tried in the main loop, deferred to a worker if it must wait */
	CALL_WORKER /* always in a worker */
};

struct call_entry {
	int64_t (*handler)(struct call *call);
	enum call_mode mode;
};

/* NULL: no such call. */
const struct call_entry *call_entry(int nr);
