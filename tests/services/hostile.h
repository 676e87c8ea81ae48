/* SPDX-License-Identifier: BSD-2-Clause */
/* A test service that does what it must not. Its arguments say what. */
#pragma once

#include "abi/message.h"

/* Everything is refused that its declaration does not give: 0, or -EIO with lines in the
 * diagnostics. */
int hostile_try_all(void);
/*
 * Sends `count` messages of every type with random content, to the service with this label, in
 * every way that does not wait for an answer. Reports what it did in the diagnostics.
 */
int hostile_fuzz(const char *label, uint64_t count, uint64_t seed);
/* As many messages as go, to everybody, `count` rounds: the queues, the tables and the receivers
 * are full. */
int hostile_flood(uint64_t count);
/* Lets SEF do what RS asks of it (pings), between two pieces of work. */
void hostile_breathe(void);
