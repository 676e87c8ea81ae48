/* SPDX-License-Identifier: BSD-2-Clause */
/* Where every page of the machine is. */
#pragma once

#include "proto/vm.h"
#include "servers/vm/cache.h"
#include "servers/vm/space.h"

/* Count all pages (BOOT-17, VM-40): the parts add up to the total. */
void stats_get(struct vm *vm, struct vm_stats *stats);
