/* SPDX-License-Identifier: BSD-2-Clause */
/* The first half of init's life: from the boot ramdisk to the root file system on disk. */
#pragma once

#include "commands/init/options.h"

/* Where init and what it brings live once the disk is the root. */
#define RUN_DIR "/run/axolotl"

/* On the ramdisk: /dev in memory with its files, the console opened, the log opened. Says what
 * fails. */
void root_prepare(void);

/* Start the services that lead to the disk, and register the types of file systems. Says what
 * fails. */
void root_start_services(void);

/*
 * Mount the disk and all that belongs on it, copy what is needed from the ramdisk, and make it the
 * root. The working directory is the new root then. 0, or a negative errno that has been said; then
 * nothing has changed.
 */
int root_switch(const struct options *options);

/* Under the new root: let go of the ramdisk, and free its memory. */
void root_leave_ramdisk(void);
