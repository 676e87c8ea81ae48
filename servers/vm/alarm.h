/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's one alarm for all that VM waits for. */
#pragma once

#include "servers/vm/vm.h"

/* From now on, instead of what was set for it before: 0: not any more. */
void alarm_set(struct vm *vm, enum vm_alarm alarm, uint64_t delay_ns);

/* The kernel's alarm went off. */
void alarm_rang(struct vm *vm);
