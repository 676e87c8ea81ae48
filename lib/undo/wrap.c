/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C library is not compiled with the hooks: the linker sends what the services use of it that
 * writes memory here first (undo_link_args). musl's heap keeps its own order: within a window it
 * only grows, and a roll-back frees what was allocated.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/undo/log.h"

void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *p, size_t bytes);
void *__real_aligned_alloc(size_t align, size_t bytes);
void *__real_memset(void *to, int value, size_t bytes);
void *__real_memmove(void *to, const void *from, size_t bytes);
size_t malloc_usable_size(void *p);

void *__wrap_malloc(size_t bytes);
void __wrap_free(void *p);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *p, size_t bytes);
void *__wrap_aligned_alloc(size_t align, size_t bytes);
void *__wrap_memcpy(void *to, const void *from, size_t bytes);
void *__wrap_memmove(void *to, const void *from, size_t bytes);
void *__wrap_memset(void *to, int value, size_t bytes);
int __wrap_snprintf(char *to, size_t bytes, const char *format, ...);

void *__wrap_malloc(size_t bytes)
{
	void *p = __real_malloc(bytes);

	if (p) {
		undo_allocated(p, bytes);
	}
	return p;
}

void __wrap_free(void *p)
{
	if (p && !undo_defer_free(p)) {
		__real_free(p);
	}
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	size_t all;
	void *p;

	if (!undo_is_open() || __builtin_mul_overflow(count, bytes, &all)) {
		return __real_calloc(count, bytes);
	}
	p = __wrap_malloc(all);
	return p ? __real_memset(p, 0, all) : NULL;
}

void *__wrap_realloc(void *p, size_t bytes)
{
	size_t kept;
	void *new;

	if (!p || !undo_is_open()) {
		return p ? __real_realloc(p, bytes) : __wrap_malloc(bytes);
	}
	new = __wrap_malloc(bytes);
	if (new) {
		kept = malloc_usable_size(p);
		__real_memcpy(new, p, kept < bytes ? kept : bytes);
		__wrap_free(p);
	}
	return new;
}

void *__wrap_aligned_alloc(size_t align, size_t bytes)
{
	void *p = __real_aligned_alloc(align, bytes);

	if (p) {
		undo_allocated(p, bytes);
	}
	return p;
}

void *__wrap_memcpy(void *to, const void *from, size_t bytes)
{
	undo_store(to, bytes);
	return __real_memcpy(to, from, bytes);
}

void *__wrap_memmove(void *to, const void *from, size_t bytes)
{
	undo_store(to, bytes);
	return __real_memmove(to, from, bytes);
}

void *__wrap_memset(void *to, int value, size_t bytes)
{
	undo_store(to, bytes);
	return __real_memset(to, value, bytes);
}

int __wrap_snprintf(char *to, size_t bytes, const char *format, ...)
{
	va_list arguments;
	int length;

	undo_store(to, bytes);
	va_start(arguments, format);
	length = vsnprintf(to, bytes, format, arguments);
	va_end(arguments);
	return length;
}
