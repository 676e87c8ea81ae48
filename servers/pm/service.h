/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Services whose signals PM manages (`signal_manager pm` in their declarations), so that they can
 * be traced (PM-09, KRN-18). RS does not bring them up again meanwhile.
 */
#pragma once

#include "servers/pm/process.h"

/* The kernel gives the service's signals to PM. */
bool service_is_managed(const struct thread *service);
/* The kernel gives PM a signal of the service: its tracer comes first. */
void service_signalled(struct pm *pm, struct thread *service, const struct ksig *ksig);
/* It takes a signal: what ends a program ends it (RS is told), the rest is nothing to it. True: it
 * goes on. */
bool service_takes(struct pm *pm, struct thread *service, int signo);
