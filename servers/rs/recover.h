/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Crash recovery: a second instance is made beside the dead one, the two swap places, so that the
 * endpoint stays, and the dead one is kept until the new one has taken over its state. Steps that
 * fail are undone in reverse order. docs/recovery.md.
 */
#pragma once

#include "servers/rs/rs.h"

/* A running service has died: restart it, now or later, or let its script decide, or give it up. */
void recover_died(struct rs *rs, struct service *service);

/* Bring up an instance in the place of the dead one. */
void recover_again(struct rs *rs, struct service *service, enum sef_init_type type);

/* The new instance has failed in its init: the dead one comes back to its place, for one more try.
 */
void recover_retreat(struct rs *rs, struct service *service, int result);
