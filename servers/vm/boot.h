/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading the boot processes from the boot archive (BOOT-10). */
#pragma once

#include "abi/bootarch.h"
#include "servers/vm/vm.h"

/* Whether an archive of `bytes` bytes is sound: everything its entries say lies inside it. */
bool bootarch_is_sound(const struct bootarch_header *header, uint64_t bytes);

/* Load and start all boot processes, and free what held them. Panics when the archive is not usable. */
void boot_start_processes(struct vm *vm);
