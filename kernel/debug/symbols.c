/* SPDX-License-Identifier: BSD-2-Clause */
/* See symbols.h. The table is sorted by address; offsets are from text_start. */
#include "kernel/debug/symbols.h"

struct symbol {
	uint32_t offset; /* from kernel_text */
	uint32_t name;   /* in symbol_names */
};

/* Defined by the generated object of the last link; the first link takes the empty weak ones. */
extern const uint32_t symbol_count __attribute__((weak));
extern const struct symbol symbol_table[] __attribute__((weak));
extern const char symbol_names[] __attribute__((weak));
extern const char kernel_text[], kernel_text_end[];

const char *symbol_find(uint64_t address, uint64_t *offset)
{
	uint64_t at = address - (uint64_t)kernel_text;
	uint32_t low = 0, high;

	if (&symbol_count == NULL || address < (uint64_t)kernel_text ||
		address >= (uint64_t)kernel_text_end) {
		return NULL;
	}
	high = symbol_count;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (symbol_table[middle].offset <= at) {
			low = middle;
		} else {
			high = middle;
		}
	}
	if (high == 0) {
		return NULL;
	}
	*offset = at - symbol_table[low].offset;
	return symbol_names + symbol_table[low].name;
}
