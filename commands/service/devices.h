/* SPDX-License-Identifier: BSD-2-Clause */
/* `service devices`: what the entries of /dev are (DRV-08). */
#pragma once

/* A line for each device below `dir`: entry, kind, numbers, the service that has it, what it is.
 * 0, or an errno: ENODEV when there is one that nobody knows. */
int devices_list(const char *dir);
