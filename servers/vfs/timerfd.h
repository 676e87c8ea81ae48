/* SPDX-License-Identifier: BSD-2-Clause */
/* timerfd_create(2): expirations of a timer as a file. */
#pragma once

#include <stdint.h>

struct call;
struct timer;

/* A timer of a timer file went off. */
void timerfd_expired(struct timer *timer);

int64_t sys_timerfd_create(struct call *call);
int64_t sys_timerfd_settime(struct call *call);
int64_t sys_timerfd_gettime(struct call *call);
