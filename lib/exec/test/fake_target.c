/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/exec/test/fake_target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/util.h"

#define REQUIRE(condition)          \
	do {                        \
		if (!(condition)) { \
			abort();    \
		}                   \
	} while (0)

static bool fails(struct fake_target *target)
{
	return target->calls++ == target->fail_at;
}

static size_t page_of(vaddr_t addr, uint64_t len)
{
	REQUIRE(is_aligned(addr, AXO_PAGE_SIZE) && is_aligned(len, AXO_PAGE_SIZE) && len > 0);
	REQUIRE(range_within(addr, len, FAKE_LOW, FAKE_HIGH));
	return (addr - FAKE_LOW) / AXO_PAGE_SIZE;
}

static int fake_clear_process(void *opaque)
{
	struct fake_target *target = opaque;

	memset(target->is_mapped, 0, sizeof(target->is_mapped));
	target->was_cleared = true;
	return fails(target) ? -ENOMEM : 0;
}

static int fake_map_anon(void *opaque, vaddr_t addr, uint64_t len, int prot)
{
	struct fake_target *target = opaque;
	size_t first = page_of(addr, len);

	if (fails(target)) {
		return -ENOMEM;
	}
	for (size_t i = first; i < first + len / AXO_PAGE_SIZE; i++) {
		target->is_mapped[i] = true;
		target->prot[i] = prot;
	}
	memset(target->memory + (addr - FAKE_LOW), 0, len);
	return 0;
}

static int fake_map_file(void *opaque, vaddr_t addr, uint64_t len, uint64_t offset, int prot)
{
	struct fake_target *target = opaque;

	REQUIRE(is_aligned(offset, AXO_PAGE_SIZE) && offset < target->file_size);
	if (!target->can_map_file) {
		return -ENOSYS;
	}
	if (fake_map_anon(opaque, addr, len, prot) != 0) {
		return -ENOMEM;
	}
	memcpy(target->memory + (addr - FAKE_LOW), target->file + offset,
		u64_min(len, target->file_size - offset));
	return 0;
}

static uint8_t *writable_memory(struct fake_target *target, vaddr_t addr, uint64_t len)
{
	REQUIRE(len > 0 && range_within(addr, len, FAKE_LOW, FAKE_HIGH));
	for (vaddr_t page = AXO_PAGE_DOWN(addr); page < addr + len; page += AXO_PAGE_SIZE) {
		size_t i = (page - FAKE_LOW) / AXO_PAGE_SIZE;

		REQUIRE(target->is_mapped[i] && (target->prot[i] & EXEC_PROT_WRITE));
	}
	return target->memory + (addr - FAKE_LOW);
}

static int fake_copy(void *opaque, vaddr_t addr, uint64_t offset, uint64_t len)
{
	struct fake_target *target = opaque;
	uint8_t *memory = writable_memory(target, addr, len);

	REQUIRE(range_within(offset, len, 0, target->file_size));
	if (fails(target)) {
		return -EIO;
	}
	memcpy(memory, target->file + offset, len);
	return 0;
}

static int fake_clear(void *opaque, vaddr_t addr, uint64_t len)
{
	struct fake_target *target = opaque;
	uint8_t *memory = writable_memory(target, addr, len);

	if (fails(target)) {
		return -EFAULT;
	}
	memset(memory, 0, len);
	return 0;
}

static int fake_protect(void *opaque, vaddr_t addr, uint64_t len, int prot)
{
	struct fake_target *target = opaque;
	size_t first = page_of(addr, len);

	if (fails(target)) {
		return -ENOMEM;
	}
	for (size_t i = first; i < first + len / AXO_PAGE_SIZE; i++) {
		REQUIRE(target->is_mapped[i]);
		target->prot[i] = prot;
	}
	return 0;
}

const struct exec_ops fake_ops = {
	.clear_process = fake_clear_process,
	.map_anon = fake_map_anon,
	.map_file = fake_map_file,
	.copy = fake_copy,
	.clear = fake_clear,
	.protect = fake_protect,
};

void fake_init(struct fake_target *target, const uint8_t *file, uint64_t file_size)
{
	memset(target, 0, sizeof(*target));
	target->file = file;
	target->file_size = file_size;
	target->can_map_file = true;
	target->fail_at = -1;
}
