/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/memory/ramdisk.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "proto/vm.h"

#define MINOR_RAM0 0u

void ramdisk_init(struct ramdisk *disk)
{
	struct message m = {.type = VM_BOOTDISK};

	memset(disk, 0, sizeof(*disk));
	if (ipc_call(EP_VM, &m) < 0 || MSG(&m, vm_bootdisk_rep)->len == 0) {
		return;
	}
	disk->memory = (uint8_t *)MSG(&m, vm_bootdisk_rep)->addr;
	disk->bytes = MSG(&m, vm_bootdisk_rep)->len;
}

static int ramdisk_geometry(void *ctx, uint32_t minor, uint64_t *bytes, uint32_t *flags)
{
	const struct ramdisk *disk = ctx;

	if (minor != MINOR_RAM0) {
		return -ENXIO;
	}
	*bytes = disk->bytes;
	*flags = 0;
	return 0;
}

static int ramdisk_transfer(void *ctx, const struct blk_request *req)
{
	const struct ramdisk *disk = ctx;
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

/* How often it is open, by clients that live. */
static uint32_t count_opens(struct ramdisk *disk)
{
	uint32_t opens = 0;

	for (uint32_t i = 0; i < RAMDISK_OPENERS_MAX; i++) {
		if (disk->openers[i].count > 0 && !is_alive(disk->openers[i].client)) {
			disk->openers[i].count = 0;
		}
		opens += disk->openers[i].count;
	}
	return opens;
}

static int ramdisk_open(void *ctx, const struct blk_request *req)
{
	struct ramdisk *disk = ctx;
	uint32_t unused = RAMDISK_OPENERS_MAX;

	(void)count_opens(disk);
	for (uint32_t i = 0; i < RAMDISK_OPENERS_MAX; i++) {
		if (disk->openers[i].count == 0) {
			unused = i;
		} else if (disk->openers[i].client == req->client) {
			disk->openers[i].count++;
			return 0;
		}
	}
	if (unused == RAMDISK_OPENERS_MAX) {
		return -EBUSY;
	}
	disk->openers[unused].client = req->client;
	disk->openers[unused].count = 1;
	return 0;
}

static int ramdisk_close(void *ctx, const struct blk_request *req)
{
	struct ramdisk *disk = ctx;

	for (uint32_t i = 0; i < RAMDISK_OPENERS_MAX; i++) {
		if (disk->openers[i].client == req->client) {
			disk->openers[i].count = 0;
		}
	}
	return 0;
}

/* MIOCRAMSIZE: the boot image's memory cannot grow; any size means 0: it is given back. */
static int ramdisk_free(struct ramdisk *disk)
{
	struct message m = {.type = VM_BOOTDISK_FREE};
	int r;

	if (count_opens(disk) > 1) {
		return -EBUSY;
	}
	if (disk->memory == NULL) {
		return 0;
	}
	r = ipc_call(EP_VM, &m);
	if (r < 0) {
		return r;
	}
	diag_printf("boot ramdisk freed, %llu KiB", (unsigned long long)disk->bytes / 1024);
	disk->memory = NULL;
	disk->bytes = 0;
	return 0;
}

static int ramdisk_ioctl(void *ctx, const struct blk_request *req)
{
	return req->ioctl == MIOCRAMSIZE ? ramdisk_free(ctx) : -ENOTTY;
}

const struct blk_driver ramdisk_driver = {
	.geometry = ramdisk_geometry,
	.transfer = ramdisk_transfer,
	.ioctl = ramdisk_ioctl,
	.open = ramdisk_open,
	.close = ramdisk_close,
};
