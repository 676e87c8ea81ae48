/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens when memory is used up: the largest program is killed, never a service. */
#pragma once

#include "servers/vm/space.h"

/*
 * Make memory be freed some day soon: true when there is hope (somebody was or is being killed, or
 * VM gave up caches); false when there is nobody to kill.
 */
bool oom_relieve(struct vm *vm);
