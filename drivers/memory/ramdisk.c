/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/memory/ramdisk.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/core/util.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/vm.h"

/* Left to others when a disk is made, pages. */
#define SPARE_PAGES 512u

void ramdisk_init(struct ramdisks *disks)
{
	struct message m = {.type = VM_BOOTDISK};

	memset(disks, 0, sizeof(*disks));
	if (ipc_call(EP_VM, &m) < 0 || MSG(&m, vm_bootdisk_rep)->len == 0) {
		return;
	}
	disks->disks[RAMDISK_IMAGE].memory = (uint8_t *)MSG(&m, vm_bootdisk_rep)->addr;
	disks->disks[RAMDISK_IMAGE].bytes = MSG(&m, vm_bootdisk_rep)->len;
}

static uint32_t index_of(const struct ramdisks *disks, uint32_t minor)
{
	return minor == 0 && disks->disks[RAMDISK_IMAGE].memory != NULL ? RAMDISK_IMAGE : minor;
}

static struct ramdisk *disk_of(struct ramdisks *disks, uint32_t minor)
{
	return &disks->disks[index_of(disks, minor)];
}

static int ramdisk_geometry(void *ctx, uint32_t minor, uint64_t *bytes, uint32_t *flags)
{
	if (minor > RAMDISK_IMAGE) {
		return -ENXIO;
	}
	*bytes = disk_of(ctx, minor)->bytes;
	*flags = 0;
	return 0;
}

static int ramdisk_transfer(void *ctx, const struct blk_request *req)
{
	const struct ramdisk *disk = disk_of(ctx, req->minor);
	struct safecopy_vec vec[BLK_PIECES_MAX];
	uint64_t position = req->position;

	for (uint32_t i = 0; i < req->piece_count; i++) {
		vec[i] = (struct safecopy_vec){
			.granter = req->client,
			.grant = req->pieces[i].grant,
			.offset = req->pieces[i].offset,
			.address = (uint64_t)(disk->memory + position),
			.bytes = req->pieces[i].bytes,
			.write = req->op == BLK_READ,
		};
		position += req->pieces[i].bytes;
	}
	if (req->piece_count == 1) {
		const struct safecopy_vec *v = &vec[0];

		return v->write ? sys_safecopyto(v->granter, v->grant, v->offset,
					  (void *)v->address, v->bytes)
				: sys_safecopyfrom(v->granter, v->grant, v->offset,
					  (void *)v->address, v->bytes);
	}
	return sys_vsafecopy(vec, (int)req->piece_count);
}

static bool is_alive(endpoint_t ep)
{
	struct proc_info info;

	return sys_getinfo(GETINFO_PROC, &info, sizeof(info), ep) >= 0;
}

/* How often a disk is open, by clients that live. */
static uint32_t count_opens(struct ramdisks *disks, uint32_t disk)
{
	uint32_t opens = 0;

	for (uint32_t i = 0; i < RAMDISK_OPENERS_MAX; i++) {
		if (disks->openers[i].count > 0 && !is_alive(disks->openers[i].client)) {
			disks->openers[i].count = 0;
		}
		opens += disks->openers[i].disk == disk ? disks->openers[i].count : 0;
	}
	return opens;
}

static int ramdisk_open(void *ctx, const struct blk_request *req)
{
	struct ramdisks *disks = ctx;
	uint32_t disk = index_of(disks, req->minor), unused = RAMDISK_OPENERS_MAX;

	(void)count_opens(disks, disk);
	for (uint32_t i = 0; i < RAMDISK_OPENERS_MAX; i++) {
		if (disks->openers[i].count == 0) {
			unused = i;
		} else if (disks->openers[i].client == req->client &&
			disks->openers[i].disk == disk) {
			disks->openers[i].count++;
			return 0;
		}
	}
	if (unused == RAMDISK_OPENERS_MAX) {
		return -EBUSY;
	}
	disks->openers[unused].client = req->client;
	disks->openers[unused].disk = disk;
	disks->openers[unused].count = 1;
	return 0;
}

/* The client has it open no more, however often it opened it. */
static int ramdisk_close(void *ctx, const struct blk_request *req)
{
	struct ramdisks *disks = ctx;

	for (uint32_t i = 0; i < RAMDISK_OPENERS_MAX; i++) {
		if (disks->openers[i].client == req->client &&
			(disks->openers[i].disk == req->minor ||
				(disks->openers[i].disk == RAMDISK_IMAGE && req->minor == 0))) {
			disks->openers[i].count = 0;
		}
	}
	return 0;
}

/* The boot image cannot be made again: any size means 0, its memory goes back to VM. */
static int free_image(struct ramdisk *image)
{
	struct message m = {.type = VM_BOOTDISK_FREE};
	int r = image->memory == NULL ? 0 : ipc_call(EP_VM, &m);

	if (r == 0 && image->memory != NULL) {
		diag_printf(
			"boot ramdisk freed, %llu KiB", (unsigned long long)image->bytes / 1024);
		*image = (struct ramdisk){NULL, 0};
	}
	return r;
}

/* Whether so much memory may be had without harm. */
static bool is_available(uint64_t bytes)
{
	struct vm_stats stats;
	uint64_t kept, pages = bytes / AXO_PAGE_SIZE;

	if (vm_info(VM_INFO_STATS, EP_SELF, &stats, sizeof(stats), NULL) < 0) {
		return false;
	}
	kept = stats.dirty + stats.memory_files;
	return pages + SPARE_PAGES <= stats.free + (stats.cached > kept ? stats.cached - kept : 0);
}

static uint64_t resident_bytes(void)
{
	struct vm_usage usage = {0};

	(void)vm_info(VM_INFO_USAGE, EP_SELF, &usage, sizeof(usage), NULL);
	return usage.resident_pages * AXO_PAGE_SIZE;
}

/* Zeroed memory that is all there from the start; NULL when it cannot be had. */
static uint8_t *make_memory(uint64_t bytes)
{
	uint64_t before = resident_bytes();
	void *memory;

	if (!is_available(bytes)) {
		return NULL;
	}
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED) {
		return NULL;
	}
	if (resident_bytes() < before + bytes) {
		(void)munmap(memory, bytes);
		return NULL;
	}
	return memory;
}

/* Another size discards the contents; the old memory goes before the new is asked for. */
static int resize(struct ramdisk *disk, uint64_t size)
{
	uint64_t bytes;

	if (!checked_align_up(size, AXO_PAGE_SIZE, &bytes)) {
		return -ENOMEM;
	}
	if (bytes == disk->bytes) {
		return 0;
	}
	if (bytes > disk->bytes && !is_available(bytes - disk->bytes)) {
		return -ENOMEM;
	}
	if (disk->memory != NULL) {
		(void)munmap(disk->memory, disk->bytes);
	}
	*disk = (struct ramdisk){NULL, 0};
	if (bytes == 0) {
		return 0;
	}
	disk->memory = make_memory(bytes);
	if (disk->memory == NULL) {
		return -ENOMEM;
	}
	disk->bytes = bytes;
	return 0;
}

/* MIOCRAMSIZE. -EBUSY: it is open more than once. */
static int set_size(struct ramdisks *disks, const struct blk_request *req)
{
	uint32_t disk = index_of(disks, req->minor);
	uint64_t size;
	int r;

	if (req->grant == GRANT_INVALID || req->grant_bytes < sizeof(size)) {
		return -EINVAL;
	}
	r = sys_safecopyfrom(req->client, req->grant, 0, &size, sizeof(size));
	if (r < 0) {
		return r;
	}
	if (count_opens(disks, disk) > 1) {
		return -EBUSY;
	}
	return disk == RAMDISK_IMAGE ? free_image(&disks->disks[disk])
				     : resize(&disks->disks[disk], size);
}

static int ramdisk_ioctl(void *ctx, const struct blk_request *req)
{
	return req->ioctl == MIOCRAMSIZE ? set_size(ctx, req) : -ENOTTY;
}

const struct blk_driver ramdisk_driver = {
	.geometry = ramdisk_geometry,
	.transfer = ramdisk_transfer,
	.ioctl = ramdisk_ioctl,
	.open = ramdisk_open,
	.close = ramdisk_close,
};
