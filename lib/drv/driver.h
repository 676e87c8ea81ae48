/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Main loop of a driver: receives, tells messages of the character and block protocols, interrupts
 * and alarms apart, and calls the driver's handlers. Beneath it lies SEF (lib/sys/sef.h).
 *
 * What is in flight when a driver dies is issued again by those above; what else must survive it
 * registers (sef_state).
 */
#pragma once

#include "abi/message.h"

struct chr_driver;
struct blk_driver;

struct driver {
	void *ctx;
	const struct chr_driver *chr; /* NULL: serves no character devices */
	const struct blk_driver *blk; /* NULL: serves no block devices */
	/* Interrupts came: bit set of hook ids. May be NULL. */
	void (*interrupt)(void *ctx, uint64_t hooks);
	/* The alarm set with sys_setalarm went off. May be NULL. */
	void (*alarm)(void *ctx);
	/* A message of another protocol (pci). `is_call`: the sender waits for a reply. May be
	 * NULL. */
	void (*other)(void *ctx, struct message *m, bool is_call);
	/* Called after each message, before waiting for the next. May be NULL. */
	void (*settle)(void *ctx);
};

/* Runs for ever; sef_start must have been called. */
_Noreturn void driver_run(const struct driver *driver);
