/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RS's own live update, of which it is the only member: the old RS rests in a request to VM, which
 * puts the new one in its place, and back again when that fails (VM_RENEW).
 */
#pragma once

#include "servers/rs/rs.h"

/* Between two messages: if RS is to be updated and nothing is on its way any more, this is where it
 * ends, or goes on after a failure. */
void renew_try(struct rs *rs);

/* The process is the new RS: *root is what the old one had, and all is done. What fails ends the
 * process, and the old one goes on. */
void renew_take_over(struct rs **root);

/* RS has died within its update: it is finished, or forgotten. */
void renew_settle(struct rs *rs);
