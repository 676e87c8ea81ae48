/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations written out again. */
#pragma once

#include "servers/rs/conf.h"

/* A text that a statement may be built in. */
struct conf_writer {
	char *text;
	size_t size;
	size_t len; /* bytes that there would be with room enough, without NUL */
};

void conf_write_text(struct conf_writer *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The names of the set bits of `calls`, each with a blank before it. */
void conf_write_kernel_calls(struct conf_writer *out, uint64_t calls);
void conf_write_vm_calls(struct conf_writer *out, uint64_t calls);

/* All but the last '}': read again it gives the same declaration. What is as by default is left
 * out, the class and the user id are not. */
void conf_write(struct conf_writer *out, const struct conf_service *conf);
