/* SPDX-License-Identifier: BSD-2-Clause */
/* From a declaration to what the kernel and VM enforce. */
#pragma once

#include "servers/rs/rs.h"

/*
 * The privileges of `service`: masks, ranges, manager. Its send mask names the services that exist;
 * the kernel keeps masks symmetric, so those that come later are added with them.
 */
void privilege_spec(const struct rs *rs, const struct service *service, struct priv_spec *spec);

/* Whether a's declaration names b as somebody it sends to. */
bool privilege_names(const struct service *a, const struct service *b);
