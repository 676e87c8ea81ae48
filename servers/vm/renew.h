/* SPDX-License-Identifier: BSD-2-Clause */
/* RS's own live update (VM_RENEW). */
#pragma once

#include "servers/vm/vm.h"

/* Whether another RS has RS's endpoint, and has not said yet that it goes on. */
bool renew_is_on(const struct vm *vm);

/* RS has died: true: it was the new one, and the old one is back. */
bool renew_died(struct vm *vm);

/* The new one has had all of its time. */
void renew_timeout(struct vm *vm);
