/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading the boot processes from the boot archive (BOOT-10). */
#pragma once

#include "servers/vm/vm.h"

/* Load and start all boot processes, and free what held them. Panics when the archive is not
 * usable. */
void boot_start_processes(struct vm *vm);

/* bootfile.c: keep a file of the archive until RS has said whether it wants it. */
void boot_keep_file(struct vm *vm, const char *name, paddr_t start, uint64_t bytes);

/* bootfile.c: free what of the archive is not kept. */
void boot_free_rest(struct vm *vm);
