/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFS's live update. The heap goes over to the new version; the stacks of coroutines cannot, for
 * they hold addresses of the old one's code. So VFS comes to rest first: calls of programs that
 * wait are put back (call.h) and begun again afterwards; new ones wait; what needs an answer of a
 * file system or a driver ends. If that takes longer than the update may, VFS goes on as it is.
 */
#pragma once

#include "lib/sys/sef.h"

extern const struct sef_update update_callbacks;

/* For sef_on_init_type(SEF_INIT_LU): the new version has the heap. */
int update_take_over(const struct sef_info *info);
/* After the update, or after it was given up: calls and requests that waited are begun. */
void update_resume(void);
/* A request came, of a server: true: VFS comes to rest, it is kept for afterwards. */
bool update_holds(const struct message *m);
