/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the random generator's entropy comes from: the processor's generators, and jitter of its
 * clock. */
#pragma once

#include "drivers/memory/random.h"

/* Gathers for a first seed: all sources, thoroughly. */
void entropy_gather(struct random *rng);

/* Adds a little, cheaply; called now and then. */
void entropy_refresh(struct random *rng);
