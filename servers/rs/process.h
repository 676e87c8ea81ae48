/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes behind services: made by VM and the kernel, filled from the kept binary. A process
 * that is to take a service's place gets an endpoint of its own first; process_swap() then gives it
 * the service's.
 */
#pragma once

#include "servers/rs/rs.h"

/*
 * A service is linked for address 0 and may stand anywhere (docs/architecture.md, "placement as
 * policy"). VM puts the boot services here: an instance that takes over the memory of another must
 * stand where that stood.
 */
#define PROCESS_BASE 0x0000555555554000ul

/* Check that a binary can be started at all: 0 or -ENOEXEC. */
int process_check(const struct binary *binary);

/*
 * Make a process for a service, with memory, stack and the service's privileges, which does not run
 * yet: its endpoint into *ep. Its privilege number, or a negative error; nothing is left of it
 * then.
 */
int process_create(
	struct rs *rs, const struct service *service, const struct binary *binary, endpoint_t *ep);

/* Give the process at `ep` the service's privileges and rights with VM. `op`: PRIV_SET or
 * PRIV_UPDATE. The number of its privileges, or a negative error. */
int process_give_privileges(
	const struct rs *rs, const struct service *service, endpoint_t ep, enum privctl_op op);

/*
 * Swap the contents of two processes: `ep` then names what `other` named. `other`'s must be at rest
 * (not running, or waiting for RS), `ep`'s as well, or dead. With is_rollback what `ep` names is
 * given up in whatever it does; -ESTALE: its memory is the former one's, which cannot go back.
 */
int process_swap(endpoint_t ep, endpoint_t other, bool is_rollback);

/* Let it run. */
int process_start(endpoint_t ep);

/* Whatever it is about, it does not run any more. */
void process_stop(endpoint_t ep);

/* It is to die: its death comes as that of any other. */
void process_kill(endpoint_t ep);

/* End it and free all it has. Whoever waits for this endpoint gets -EDEADSRCDST. */
void process_destroy(endpoint_t ep);

/* Why a process does not answer. */
struct process_look {
	bool is_at_fault;     /* it runs, or waits for no one in particular */
	endpoint_t waits_for; /* or for this one, or EP_NONE */
	uint64_t messages;    /* that it has sent so far */
};
void process_look(endpoint_t ep, struct process_look *look);

/* Whether it has died, and its signal has been fetched. */
bool process_is_dead(endpoint_t ep);

/* Say in the log by which signal, and where. */
void process_log_death(const struct service *service, int signo, vaddr_t address);

/* The process id that PM gave it, or 0. */
int process_pid(const struct service *service);

/* Which of the kernel's and of VM's calls it has made so far: bits as in a declaration. 0 or a
 * negative error. */
int process_calls_made(endpoint_t ep, uint64_t *kcalls, uint64_t *vm_calls);

/*
 * Processes that have no leave to run, in order of their slots from *slot on: up to `max`
 * endpoints, how many; *slot is where to go on. 0: there are no more.
 */
int process_stopped(unsigned *slot, endpoint_t *eps, int max);

/* Flip `count` random bits of its text, or else of its data. 0 or a negative error. */
int process_flip_bits(const struct service *service, bool is_text, uint32_t count, uint64_t seed);

/* The file of a boot service, from VM; NULL: VM has none, or there is no memory. */
struct binary *process_boot_binary(const char *name);

/* No more boot files are wanted. */
void process_boot_binaries_done(void);
