/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading the boot processes from the boot archive (BOOT-10). */
#pragma once

#include "servers/vm/vm.h"

/* Load and start all boot processes, and free what held them. Panics when the archive is not
 * usable. */
void boot_start_processes(struct vm *vm);
