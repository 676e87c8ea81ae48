/* SPDX-License-Identifier: BSD-2-Clause */
/* libFuzzer target: any bytes as a boot archive; what is said to be sound is read, under ASan. */
#include <stdlib.h>
#include <string.h>

#include "lib/core/util.h"
#include "servers/vm/bootarch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t padded = AXO_PAGE_UP(size);
	uint8_t *copy = aligned_alloc(AXO_PAGE_SIZE, padded + AXO_PAGE_SIZE);
	const struct bootarch_header *header = (const struct bootarch_header *)(void *)copy;
	const struct bootarch_entry *entries = (const struct bootarch_entry *)(header + 1);

	memset(copy, 0, padded + AXO_PAGE_SIZE);
	memcpy(copy, data, size);
	if (bootarch_is_sound(header, size)) {
		for (uint32_t i = 0; i < header->count; i++) {
			if (strlen(entries[i].name) >= sizeof(entries[i].name)) {
				abort();
			}
			if (entries[i].bytes > 0) {
				uint64_t last = entries[i].offset + entries[i].bytes - 1;

				if (last >= padded) {
					abort();
				}
				copy[entries[i].offset] ^= copy[last];
			}
		}
	}
	free(copy);
	return 0;
}

#ifdef AXO_FUZZ_STANDALONE
/* Without libFuzzer: seeded mutations of a sound archive. */
int main(void)
{
	static uint8_t file[4 * AXO_PAGE_SIZE];
	uint64_t seed = 1;

	for (int round = 0; round < 20000; round++) {
		struct bootarch_header header = {.magic = BOOTARCH_MAGIC,
			.version = BOOTARCH_VERSION,
			.count = 3,
			.total_bytes = sizeof(file)};
		struct bootarch_entry entries[3] = {
			{"vm", 0x1000, 0x800}, {"pm", 0x2000, 0x1000}, {"ramdisk", 0x3000, 1}};

		memcpy(file, &header, sizeof(header));
		memcpy(file + sizeof(header), entries, sizeof(entries));
		for (int i = 0; i < round % 4; i++) {
			uint64_t random = hash_u64(++seed);

			file[random % (sizeof(header) + sizeof(entries))] =
				(uint8_t)(random >> 40) >> (random >> 50) % 8;
		}
		LLVMFuzzerTestOneInput(
			file, round % 5 == 0 ? hash_u64(seed) % sizeof(file) : sizeof(file));
	}
	return 0;
}
#endif
