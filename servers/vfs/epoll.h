/* SPDX-License-Identifier: BSD-2-Clause */
/* epoll(7). */
#pragma once

#include <stdint.h>

struct call;
struct file;
struct waiter;

int64_t sys_epoll_create(struct call *call);
int64_t sys_epoll_create1(struct call *call);
int64_t sys_epoll_ctl(struct call *call);
int64_t sys_epoll_wait(struct call *call);
int64_t sys_epoll_pwait(struct call *call);

/* The last reference to a file is gone: so are interests in it. */
void epoll_forget_file(struct file *file);
/* For waitq_on_watch: a file that an epoll file watches has changed. */
void epoll_notify(struct waiter *waiter);
