/* SPDX-License-Identifier: BSD-2-Clause */
/* Diagnostics of services: lines in the kernel's buffer, which dmesg shows. */
#pragma once

/* One line (a newline at the end may be given or left out), at most 512 bytes; the service's name
 * goes before it. */
__attribute__((format(printf, 1, 2))) void diag_printf(const char *format, ...);

/* An own invariant is broken: the line is logged and the service dies; its signal manager decides
 * what comes next. */
__attribute__((format(printf, 1, 2))) _Noreturn void diag_panic(const char *format, ...);
