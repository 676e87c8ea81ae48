/* SPDX-License-Identifier: BSD-2-Clause */
/* Live update and recovery of services. */
#pragma once

#include "servers/vm/vm.h"

/* VM_UPDATE. */
int update_swap(struct vm *vm, endpoint_t old, endpoint_t successor, uint32_t flags);

/* VM_STANDBY. */
int update_set_standby(struct vm *vm, endpoint_t ep);

/* An endpoint is gone: it is nobody's predecessor or standby any more. */
void update_forget(struct vm *vm, endpoint_t ep);
