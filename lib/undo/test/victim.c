/* SPDX-License-Identifier: BSD-2-Clause */
/* What is rolled back: compiled with the compiler's calls to lib/undo, as a service is. */
#include "lib/undo/test/victim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/undo/undo.h"

struct victim victim UNDO_STATIC;

static uint64_t draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* Stores of all widths, by the compiler's own means and by those of libc. */
static void store(struct victim_block *block, uint64_t value)
{
	switch (value % 9) {
	case 0:
		block->byte = (uint8_t)value;
		break;
	case 1:
		block->half = (uint16_t)value;
		break;
	case 2:
		block->flags ^= 1;
		block->word++;
		break;
	case 3:
		block->wide = value;
		block->odd = (uint32_t)value;
		break;
	case 4:
		memset(block->text, (int)value, 1 + value % sizeof(block->text));
		break;
	case 5:
		victim.spare = *block;
		*block = (struct victim_block){.wide = value};
		break;
	case 6:
		(void)snprintf(block->text, sizeof(block->text), "%llu", (unsigned long long)value);
		break;
	case 7:
		memmove(block->text + 1, block->text, sizeof(block->text) - 1);
		memcpy(&block->wide, block->text, 1 + value % 8);
		break;
	default:
		(void)__atomic_fetch_add(&block->word, 3, __ATOMIC_SEQ_CST);
		__atomic_store_n(&block->wide, value, __ATOMIC_RELEASE);
		break;
	}
}

static void allocate(unsigned at, uint64_t value)
{
	struct victim_block *block =
		value % 2 == 0 ? malloc(sizeof(*block)) : calloc(1, sizeof(*block));

	if (block && value % 2 == 0) {
		memset(block, 0x11, sizeof(*block));
	}
	victim.blocks[at] = block;
}

void victim_run(uint64_t seed, unsigned steps)
{
	for (unsigned i = 0; i < steps; i++) {
		unsigned at = (unsigned)draw(&seed) % VICTIM_BLOCKS;
		uint64_t value = draw(&seed);

		victim.steps++;
		if (!victim.blocks[at]) {
			allocate(at, value);
		} else if (value % 11 == 0) {
			free(victim.blocks[at]);
			victim.blocks[at] = NULL;
		} else if (value % 13 == 0) {
			struct victim_block *larger =
				realloc(victim.blocks[at], sizeof(*larger) + value % 64);

			victim.blocks[at] = larger ? larger : victim.blocks[at];
		} else {
			store(victim.blocks[at], value);
		}
		victim.sums[value % VICTIM_BLOCKS] += value;
	}
}
