/* SPDX-License-Identifier: BSD-2-Clause */
/* Live update and recovery of services. */
#pragma once

#include "servers/vm/vm.h"

/* An endpoint is gone: it is nobody's predecessor or standby any more. */
void update_forget(struct vm *vm, endpoint_t ep);
