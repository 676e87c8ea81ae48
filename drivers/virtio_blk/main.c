/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver of virtio disks: minor 16 * n is disk n (/dev/vda, /dev/vdb, ...). File systems and
 * VFS call it (proto/blk.h); it finds its devices through the PCI service.
 *
 * State: none survives. The devices are reset at start; clients issue again what was in flight.
 */
#include <errno.h>

#include "drivers/virtio_blk/disk.h"
#include "lib/drv/driver.h"
#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"

#define DISKS_MAX       8u
#define MINORS_PER_DISK 16u
#define ALARM_SLACK_NS  5000000000ull

struct virtio_blk {
	uint32_t count;
	time_ns_t alarm_ns; /* as set with sys_setalarm; 0: none */
	struct disk disks[DISKS_MAX];
};

static struct virtio_blk state;

static struct disk *find_disk(struct virtio_blk *vb, uint32_t minor)
{
	uint32_t index = minor / MINORS_PER_DISK;

	return minor % MINORS_PER_DISK == 0 && index < vb->count ? &vb->disks[index] : NULL;
}

static int vb_geometry(void *ctx, uint32_t minor, uint64_t *bytes, uint32_t *flags)
{
	const struct disk *disk = find_disk(ctx, minor);

	if (disk == NULL) {
		return -ENXIO;
	}
	*bytes = disk->sectors * BLK_SECTOR;
	*flags = disk->is_read_only ? BLK_FLAG_RDONLY : 0;
	return 0;
}

static int vb_start(void *ctx, const struct blk_request *req)
{
	return disk_start(
		find_disk(ctx, req->minor), req); /* the frame has asked for the geometry before */
}

static void vb_interrupt(void *ctx, uint64_t hooks)
{
	struct virtio_blk *vb = ctx;

	for (uint32_t i = 0; i < vb->count; i++) {
		if ((hooks & 1ull << i) != 0) {
			disk_interrupt(&vb->disks[i]);
		}
	}
}

static void vb_alarm(void *ctx)
{
	struct virtio_blk *vb = ctx;

	vb->alarm_ns = 0;
	for (uint32_t i = 0; i < vb->count; i++) {
		disk_check_time(&vb->disks[i]);
	}
}

/* Keeps an alarm set while something is with a device; late by a little, so that it is seldom set
 * anew. */
static void vb_settle(void *ctx)
{
	struct virtio_blk *vb = ctx;
	time_ns_t deadline = 0;

	for (uint32_t i = 0; i < vb->count; i++) {
		time_ns_t other = disk_deadline(&vb->disks[i]);

		deadline = deadline == 0 || (other != 0 && other < deadline) ? other : deadline;
	}
	if (deadline != 0 && vb->alarm_ns == 0) {
		vb->alarm_ns = deadline + ALARM_SLACK_NS;
		(void)sys_setalarm(vb->alarm_ns);
	}
}

static int vb_init(const struct sef_info *info)
{
	struct pci_found found;
	int r;

	for (r = pci_first(&found); r == 0 && state.count < DISKS_MAX; r = pci_next(&found)) {
		struct disk *disk = &state.disks[state.count];
		int error = disk_init(disk, &found, (int)state.count);

		if (error < 0) {
			diag_printf("device %04x:%04x cannot be used: %d", found.vendor,
				found.device, error);
			continue;
		}
		diag_printf("vd%c: %llu sectors%s", (char)('a' + state.count),
			(unsigned long long)disk->sectors, disk->is_read_only ? ", read-only" : "");
		state.count++;
	}
	if (state.count == 0) {
		diag_printf("no disk: %d", r);
		return r < 0 ? r : -ENODEV;
	}
	return 0;
}

static const struct blk_driver blk = {
	.geometry = vb_geometry,
	.transfer = vb_start,
	.flush = vb_start,
};

static const struct driver driver = {
	.ctx = &state,
	.blk = &blk,
	.interrupt = vb_interrupt,
	.alarm = vb_alarm,
	.settle = vb_settle,
};

int main(void)
{
	sef_on_init(vb_init);
	sef_start();
	driver_run(&driver);
}
