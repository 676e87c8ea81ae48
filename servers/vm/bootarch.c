/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/bootarch.h"

#include <string.h>

#include "lib/core/util.h"

bool bootarch_is_sound(const struct bootarch_header *header, uint64_t bytes)
{
	const struct bootarch_entry *entries = (const struct bootarch_entry *)(header + 1);
	uint64_t table_end;

	if (bytes < sizeof(*header) || header->magic != BOOTARCH_MAGIC ||
		header->version != BOOTARCH_VERSION || header->count > BOOTARCH_ENTRIES_MAX ||
		header->total_bytes > AXO_PAGE_UP(bytes)) {
		return false;
	}
	table_end = sizeof(*header) + header->count * sizeof(*entries);
	if (table_end > bytes) {
		return false;
	}
	for (uint32_t i = 0; i < header->count; i++) {
		const struct bootarch_entry *entry = &entries[i];

		if (memchr(entry->name, '\0', sizeof(entry->name)) == NULL ||
			!is_aligned(entry->offset, AXO_PAGE_SIZE) || entry->offset < table_end ||
			!range_within(entry->offset, entry->bytes, 0, header->total_bytes)) {
			return false;
		}
		for (uint32_t j = 0; j < i; j++) {
			if (range_overlaps(entry->offset, AXO_PAGE_UP(entry->bytes),
				    entries[j].offset, AXO_PAGE_UP(entries[j].bytes))) {
				return false;
			}
		}
	}
	return true;
}
