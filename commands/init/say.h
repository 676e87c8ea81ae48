/* SPDX-License-Identifier: BSD-2-Clause */
/* What init has to say: lines in the kernel's diagnostics, which dmesg and the log line show. */
#pragma once

/* Open /dev/kmsg, when there is one; again after /dev has changed. */
void say_open(void);
void say_close(void);

/* One line, without newline. Without /dev/kmsg it goes to the console, if that is open. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As say(), and on the console too. */
void say_aloud(const char *format, ...) __attribute__((format(printf, 1, 2)));
