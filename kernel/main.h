/* SPDX-License-Identifier: BSD-2-Clause */
/* The portable part of booting: called by the architecture when machine and memory are known
 * (kernel.kinfo). */
#pragma once

#include "kernel/proc/proc.h"

/* Before anything else: a struct cpu for the boot processor, lists, options of the command line. */
void kernel_early(void);
/* Everything up to the first process, which is returned ready to run. */
struct proc *kernel_boot(void);
