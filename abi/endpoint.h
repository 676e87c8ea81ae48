/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endpoints name the two ends of every message.
 *
 * An endpoint is (generation << EP_GEN_SHIFT) | slot. A slot's generation grows each time the slot
 * is taken again, from 1 and never 0 (boot processes keep generation 0 until they die), so an
 * endpoint that outlived its process never reaches the slot's next user: the kernel answers
 * -EDEADSRCDST.
 */
#pragma once

#include "abi/types.h"

#define EP_GEN_SHIFT       15
#define EP_SLOT_MASK       0x7fff
#define EP_GEN_MAX         0x7fff
#define EP_SLOT(ep)        ((ep)&EP_SLOT_MASK)
#define EP_GEN(ep)         ((ep) >> EP_GEN_SHIFT)
#define EP_MAKE(gen, slot) ((endpoint_t)(((gen) << EP_GEN_SHIFT) | (slot)))

/* Never the endpoint of a process: their slots are past the largest table. */
#define EP_SLOT_MAX 0x7f00 /* slots are below this */
#define EP_ANY      0x7ffe /* receive: from whoever sends */
#define EP_NONE     0x7ffd /* nobody; in copies: physical memory */
#define EP_SELF     0x7ffc /* the caller */

/* Sources of the kernel's own messages and notifications; nobody can send to them. */
#define EP_KERNEL   (-1) /* signals and memory requests: NOTIFY_* bits in the message */
#define EP_HARDWARE (-2) /* interrupts */
#define EP_CLOCK    (-3) /* alarms */

/* The boot image: slots, and endpoints until the first restart. */
enum boot_endpoint {
	EP_PM = 0,
	EP_VFS = 1,
	EP_RS = 2,
	EP_MEMORY = 3, /* drivers/memory */
	EP_SCHED = 4,
	EP_TTY = 5,
	EP_DS = 6,
	EP_VM = 7,
	EP_BOOTFS = 8, /* ext2 over the boot ramdisk */
	EP_INIT = 9,
	EP_BOOT_COUNT
};
