/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service event framework: start, pings and signals of a service, handled beneath its own main
 * loop.
 *
 *   int main(void)
 *   {
 *           sef_on_init(my_init);
 *           sef_on_signal(my_signal);
 *           sef_start();
 *           for (;;) {
 *                   struct message m;
 *                   uint32_t status;
 *                   if (sef_receive(EP_ANY, &m, &status) == 0) { ... }
 *           }
 *   }
 */
#pragma once

#include "abi/message.h"
#include "proto/sef.h"

struct sef_info {
	enum sef_init_type type;
	endpoint_t self;
	endpoint_t old;
	uint32_t restarts;
	char label[32];
	const char *args; /* "" when none; lives as long as the service */
};

/* 0, or a negative error: RS gives up on the service, and says why. */
typedef int sef_init_fn(const struct sef_info *info);
/* A signal for the service. Without a handler SIGTERM ends it and others are ignored. */
typedef void sef_signal_fn(int signo);
/* For signal managers (PM, RS): called for each bit of a process's pending signals.
   Nonzero: the target is gone or will be cleared: no endksig. */
struct ksig;
typedef int sef_ksig_fn(const struct ksig *ksig);

void sef_on_init(sef_init_fn *fn);
void sef_on_signal(sef_signal_fn *fn);
void sef_on_ksig(sef_ksig_fn *fn);

/* Waits for RS's init message, calls the init function, reports its result. */
void sef_start(void);
/* VM and RS start themselves: they hand later SEF messages to sef_handle through sef_receive all
 * the same. */
void sef_start_self(endpoint_t self, const char *label);

/* As ipc_receive; pings, signals and RS's messages to SEF are handled inside and not returned.
   Notifications of EP_KERNEL with KSIG_SIGNAL are worked off through sef_on_ksig; if they carry
   other bits they are returned too. */
int sef_receive(endpoint_t src, struct message *m, uint32_t *status);

const struct sef_info *sef_self(void);
