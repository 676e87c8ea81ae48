/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One virtio disk (Virtual I/O Device 1.2, section 5.2): its queue, and the transfers that wait or
 * are with the device.
 *
 * A transfer goes to the device in one round or several, each as large as the queue and the
 * device's limit of segments allow; the memory behind the client's grants is handed to the device
 * itself.
 *
 * Invariants: 1. A transfer is in `waiting`, or in `active` under exactly one tag, or answered and
 * freed.
 * 2. Tag t is in use exactly when active[t] is not NULL; the queue holds one chain for it.
 * A device that breaks the rules is reset, and all that it had is answered EIO.
 */
#pragma once

#include "lib/core/list.h"
#include "lib/drv/blk.h"
#include "lib/drv/virtio.h"

#define DISK_TAGS         64u
#define DISK_SEGMENTS_MAX 126u

/* What the device reads and writes beside the data, one a tag. */
struct disk_header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
	uint8_t status; /* written by the device */
	uint8_t pad[15];
};

struct disk_transfer {
	struct list link; /* in waiting */
	uint64_t done;    /* bytes */
	uint64_t round;   /* bytes with the device now */
	time_ns_t deadline_ns;
	struct blk_request req;
};

struct disk {
	struct virtio_device dev;
	struct virtio_queue queue;
	int hook; /* irq hook id */
	bool is_usable;
	bool is_read_only;
	bool has_flush;
	uint64_t sectors;
	uint32_t segments_max; /* of data, in one request to the device */
	uint32_t active_count;
	struct disk_header *headers;
	paddr_t headers_paddr;
	struct list waiting;
	struct disk_transfer *active[DISK_TAGS];
};

/* Sets the disk up. Negative errno: it cannot be used. */
int disk_init(struct disk *disk, const struct pci_found *found, int hook);

/* Starts a READ, WRITE or FLUSH (checked by the block frame). BLK_LATER, 0 or a negative errno. */
int disk_start(struct disk *disk, const struct blk_request *req);

/* Its interrupt came. */
void disk_interrupt(struct disk *disk);

/* When the device must have answered (monotonic); 0: nothing is with it. */
time_ns_t disk_deadline(const struct disk *disk);

/* Time has passed: a device that has not answered by its deadline is reset. */
void disk_check_time(struct disk *disk);
