/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page cache with a file system, VFS and processes of the test's own: random reads, writes,
 * write-back, truncation, mappings, restarts and pressure against a model of each page, found by
 * its file and by its place on the device, from where metadata comes and goes (VM-34, VM-35, VM-36,
 * VM-38, VM-39).
 */
#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "servers/vm/test/cache_world.h"

#define STEPS 30000

static void map_file(struct mapped *p)
{
	int64_t result;

	p->file = (int)random_below(FILES);
	p->is_shared = random_below(2);
	memset(p->is_copied, 0, sizeof(p->is_copied));
	result = fake_call(&w.vm, p->ep, LINUX_NR_mmap, 0, PAGES * AXO_PAGE_SIZE,
		PROT_READ | PROT_WRITE, p->is_shared ? MAP_SHARED : MAP_PRIVATE, 3, 0);
	CHECK(result == INT64_MIN);
	fake_vfs_looked_up(
		&w.vm, w.size[p->file] << AXO_PAGE_SHIFT, p->file, DEV, (uint64_t)p->file + 1, 3);
	CHECK(fake.has_reply && fake.reply > 0);
	p->at = (vaddr_t)fake.reply;
}

static void map_device(struct mapped *p)
{
	CHECK(fake_call(&w.vm, p->ep, LINUX_NR_mmap, 0, PLACES * AXO_PAGE_SIZE, PROT_READ,
		      MAP_SHARED, 3, 0) == INT64_MIN);
	fake_vfs_looked_up(&w.vm, PLACES << AXO_PAGE_SHIFT, DEVICE, DEV, 0, 1);
	CHECK(fake.has_reply && fake.reply > 0);
	p->file = DEVICE;
	p->at = (vaddr_t)fake.reply;
}

/* A process that maps the device sees what lies there now. */
static void touch_device(struct mapped *p)
{
	uint64_t place = random_below(PLACES), content;
	bool is_there = device_content(place, &content);
	uint8_t *byte = NULL;

	for (int tries = 0; byte == NULL && fake.signal == 0 && tries < 8; tries++) {
		byte = fake_touch(&w.vm, p->ep, p->at + place * AXO_PAGE_SIZE, false);
		serve_requests();
	}
	CHECK(is_there ? byte != NULL : fake.signal == 7);
	CHECK(!is_there || *(uint64_t *)(void *)byte == content);
	fake.signal = 0;
}

static void touch(struct mapped *p)
{
	uint64_t index = random_below(PAGES);
	bool write = random_below(2);
	uint8_t *byte = NULL;
	uint64_t *value;

	for (int tries = 0; byte == NULL && fake.signal == 0 && tries < 8; tries++) {
		byte = fake_touch(&w.vm, p->ep, p->at + index * AXO_PAGE_SIZE, write);
		serve_requests();
	}
	if (index >= w.size[p->file]) {
		CHECK(byte == NULL && fake.signal == 7);
		fake.signal = 0;
		return;
	}
	CHECK(byte != NULL);
	value = (uint64_t *)(void *)byte;
	CHECK(*value == (p->is_copied[index] ? p->copy[index] : w.content[p->file][index]));
	if (!write) {
		return;
	}
	*value = random_next(&w.seed);
	if (p->is_shared) {
		w.content[p->file][index] = *value;
	} else {
		p->is_copied[index] = true;
		p->copy[index] = *value;
	}
}

static void step_process(struct mapped *p)
{
	if (p->ep == EP_NONE) {
		p->ep = fake_process(&w.vm);
		p->at = 0;
	} else if (random_below(50) == 0) {
		fake_exit(&w.vm, p->ep);
		p->ep = EP_NONE;
		p->file = -1;
	} else if (p->at == 0) {
		(random_below(4) == 0 ? map_device : map_file)(p);
	} else if (random_below(30) == 0) {
		uint64_t pages = p->file == DEVICE ? PLACES : PAGES;

		CHECK(fake_call(&w.vm, p->ep, LINUX_NR_munmap, p->at, pages * AXO_PAGE_SIZE, 0, 0,
			      0, 0) == 0);
		p->at = 0;
		p->file = -1;
	} else {
		(p->file == DEVICE ? touch_device : touch)(p);
	}
}

/* Blocks change from file data to metadata, to nobody's, to another file's. */
static void step_places(void)
{
	int file = (int)random_below(FILES);
	uint64_t index = random_below(PAGES), place = random_below(PLACES);

	switch (random_below(4)) {
	case 0:
		if (index < w.size[file]) {
			fs_place(file, index, place);
		}
		break;
	case 1:
		fs_own(place);
		break;
	case 2:
		fs_free_own(place);
		break;
	default:
		(void)vfs_read_device(place);
		break;
	}
}

/* A program takes much memory for a while: caches shrink; it is served all the same. */
static void press(void)
{
	endpoint_t ep = fake_process(&w.vm);
	uint64_t pages = 1000;
	int64_t at = fake_call(&w.vm, ep, LINUX_NR_mmap, 0, pages * AXO_PAGE_SIZE,
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0);

	fs_write_all_back();
	for (uint64_t i = 0; i < pages; i++) {
		uint64_t *value = (uint64_t *)(void *)fake_touch(
			&w.vm, ep, (vaddr_t)at + i * AXO_PAGE_SIZE, true);

		CHECK(value != NULL && *value == 0);
		*value = i;
	}
	CHECK_SOUND(&w.vm);
	fake_exit(&w.vm, ep);
}
static void random_step(void)
{
	int file = (int)random_below(FILES);
	uint64_t index = random_below(PAGES);

	switch (random_below(24)) {
	case 20:
	case 21:
	case 22:
		step_places();
		break;
	case 0:
		fs_truncate(file, index);
		break;
	case 1:
	case 2:
		w.size[file] = u64_max(w.size[file], index + 1);
		fs_write(file, index);
		break;
	case 3:
	case 4:
		fs_write_back(file, index);
		break;
	case 5:
		if (random_below(20) == 0) {
			fs_restart();
		}
		break;
	case 6:
		if (random_below(20) == 0) {
			press();
		}
		break;
	case 7:
	case 8:
		vfs_read(file, random_below(PAGES - 4));
		break;
	case 9:
	case 10:
		if (index < w.size[file]) {
			fs_read(file, index);
		}
		break;
	default:
		step_process(&w.procs[random_below(PROCS)]);
		break;
	}
}

static void test_random(uint64_t seed)
{
	world_boot(MACHINE);
	w.seed = seed;
	for (int i = 0; i < STEPS; i++) {
		random_step();
		if (i % 64 == 0) {
			CHECK_SOUND(&w.vm);
		}
	}
	CHECK_SOUND(&w.vm);
	fake_shutdown(&w.vm);
}

int main(void)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		test_random(seed);
	}
	puts("vm cache: ok");
	return 0;
}
