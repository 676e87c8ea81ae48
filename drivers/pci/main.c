/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI service: finds the devices of the bus and lets each driver touch those that its
 * declaration names, and no others (proto/pci.h). RS tells it the declarations, drivers call it at
 * their start.
 *
 * State: struct pci, registered with SEF: devices, their owners, drivers' rights.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "drivers/pci/bus.h"
#include "drivers/pci/config.h"
#include "lib/drv/driver.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"

#define STATE_VERSION 1 /* of struct pci */

#define RIGHTS_MAX 64u
#define IDS_MAX    AXO_ARRAY_LEN(((struct pci_acl *)NULL)->ids)
#define COMMAND_ALLOWED \
	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX)

/* Which devices a driver may have; ep EP_NONE: free. */
struct rights {
	endpoint_t ep;
	uint32_t count;
	uint32_t ids[IDS_MAX];
};

struct pci {
	struct bus bus;
	struct rights rights[RIGHTS_MAX];
};

static struct pci pci;

static bool is_alive(endpoint_t ep)
{
	struct proc_info info;

	return sys_getinfo(GETINFO_PROC, &info, sizeof(info), ep) >= 0;
}

static struct rights *find_rights(struct pci *p, endpoint_t ep)
{
	for (uint32_t i = 0; i < RIGHTS_MAX; i++) {
		if (p->rights[i].ep == ep) {
			return &p->rights[i];
		}
	}
	return NULL;
}

/* An entry for a new driver: a free one, or that of a dead driver. */
static struct rights *new_rights(struct pci *p)
{
	struct rights *unused = find_rights(p, EP_NONE);

	for (uint32_t i = 0; unused == NULL && i < RIGHTS_MAX; i++) {
		if (!is_alive(p->rights[i].ep)) {
			unused = &p->rights[i];
		}
	}
	return unused;
}

static void set_acl(struct pci *p, const struct message *m)
{
	const struct pci_acl *acl = MSG(m, pci_acl);
	struct rights *rights;

	if (m->source != EP_RS || acl->count > IDS_MAX) {
		return;
	}
	rights = find_rights(p, acl->ep);
	if (rights == NULL) {
		rights = new_rights(p);
	}
	if (rights == NULL) {
		diag_printf("too many drivers");
		return;
	}
	rights->ep = acl->ep;
	rights->count = acl->count;
	memcpy(rights->ids, acl->ids, sizeof(rights->ids));
}

static bool may_have(struct pci *p, endpoint_t ep, const struct bus_device *device)
{
	const struct rights *rights = find_rights(p, ep);

	for (uint32_t i = 0; rights != NULL && i < rights->count; i++) {
		if (rights->ids[i] == ((uint32_t)device->vendor << 16 | device->device)) {
			return true;
		}
	}
	return false;
}

static int find_device(struct pci *p, endpoint_t ep, uint32_t from, struct pci_found *found)
{
	for (uint32_t i = from; i < p->bus.count; i++) {
		const struct bus_device *device = &p->bus.devices[i];

		if (may_have(p, ep, device)) {
			*found = (struct pci_found){
				.index = i,
				.vendor = device->vendor,
				.device = device->device,
				.sub_vendor = device->sub_vendor,
				.sub_device = device->sub_device,
				.class_code = device->class_code,
				.bdf = device->bdf,
				.irq = device->irq,
			};
			return 0;
		}
	}
	return -ENODEV;
}

/* The device, if the caller may have it and no other living driver does; it is the caller's from
 * now on. */
static int claim(struct pci *p, endpoint_t ep, uint32_t index, struct bus_device **device)
{
	struct bus_device *d;
	int r;

	if (index >= p->bus.count) {
		return -ENODEV;
	}
	d = &p->bus.devices[index];
	if (!may_have(p, ep, d)) {
		return -EPERM;
	}
	if (d->owner != ep && d->owner != EP_NONE && is_alive(d->owner)) {
		return -EBUSY;
	}
	/* Each time: a new declaration of a driver takes what it was given here. */
	r = d->irq < 0 ? 0 : sys_privctl_irq(ep, d->irq);
	if (r < 0) {
		return r;
	}
	d->owner = ep;
	*device = d;
	return 0;
}

static int check_place(const struct pci_config *config)
{
	if (config->width != 1 && config->width != 2 && config->width != 4) {
		return -EINVAL;
	}
	return config->offset >= PCI_CFG_BYTES || config->offset % config->width != 0 ? -EINVAL : 0;
}

/* A driver may switch its device's decoders and interrupts, and write to its capabilities: no more.
 */
static int write_config(const struct bus_device *device, const struct pci_config *config)
{
	uint32_t value = config->value;

	if (config->offset == PCI_CFG_COMMAND && config->width == 2) {
		uint32_t old = config_read(device->bdf, PCI_CFG_COMMAND, 2);

		value = (old & ~(uint32_t)COMMAND_ALLOWED) | (value & COMMAND_ALLOWED);
	} else if (config->offset < PCI_CFG_FIRST_PRIVATE) {
		return -EPERM;
	}
	config_write(device->bdf, config->offset, config->width, value);
	return 0;
}

/* Gives the driver the right to the BAR. Rights to memory are for whole pages. */
static int give_bar(
	endpoint_t ep, const struct bus_device *device, uint32_t number, struct pci_bar *bar)
{
	struct priv_range range;
	int r = bus_bar(device, number, bar);

	if (r < 0) {
		return r;
	}
	range = (struct priv_range){.start = bar->base, .end = bar->base + bar->bytes - 1};
	if (bar->is_io == 0) {
		range.start = AXO_PAGE_DOWN(range.start);
		range.end = AXO_PAGE_UP(range.end + 1) - 1;
	}
	return sys_privctl(bar->is_io != 0 ? PRIV_ADD_IO : PRIV_ADD_MEM, ep, &range);
}

static int handle_config(struct pci *p, struct message *m)
{
	struct pci_config config = *MSG(m, pci_config);
	struct bus_device *device;
	int r = claim(p, m->source, config.index, &device);

	if (r < 0) {
		return r;
	}
	if (m->type == PCI_BAR) {
		struct pci_bar bar;

		r = give_bar(m->source, device, config.offset, &bar);
		*MSG(m, pci_bar) = bar;
		return r;
	}
	r = check_place(&config);
	if (r < 0) {
		return r;
	}
	if (m->type == PCI_WRITE) {
		return write_config(device, &config);
	}
	MSG(m, pci_config)->value = config_read(device->bdf, config.offset, config.width);
	return 0;
}

static int handle(struct pci *p, struct message *m)
{
	uint32_t from = 0;

	switch (m->type) {
	case PCI_NEXT:
		from = MSG(m, pci_find)->index;
		if (from >= p->bus.count) {
			return -ENODEV;
		}
		from++;
		__attribute__((fallthrough));
	case PCI_FIRST:
		return find_device(p, m->source, from, MSG(m, pci_found));
	case PCI_READ:
	case PCI_WRITE:
	case PCI_BAR:
		return handle_config(p, m);
	default:
		return -ENOSYS;
	}
}

static void pci_message(void *ctx, struct message *m, bool is_call)
{
	if (m->type == PCI_ACL) {
		set_acl(ctx, m);
	} else if (is_call) {
		endpoint_t client = m->source;

		ipc_reply(client, m, handle(ctx, m));
	}
}

static int pci_init(const struct sef_info *info)
{
	if (info->type != SEF_INIT_FRESH && pci.bus.count > 0 && pci.bus.count <= BUS_DEVICES_MAX) {
		return 0; /* devices in use are not to be looked at closely */
	}
	for (uint32_t i = 0; i < RIGHTS_MAX; i++) {
		pci.rights[i].ep = EP_NONE;
	}
	bus_scan(&pci.bus);
	for (uint32_t i = 0; i < pci.bus.count; i++) {
		const struct bus_device *d = &pci.bus.devices[i];

		diag_printf("%02x:%02x.%x %04x:%04x class %06x irq %d", d->bdf >> 8,
			d->bdf >> 3 & 31, d->bdf & 7, d->vendor, d->device, d->class_code, d->irq);
	}
	return 0;
}

static const struct driver driver = {
	.ctx = &pci,
	.other = pci_message,
};

int main(void)
{
	sef_on_init(pci_init);
	sef_state("pci", &pci, sizeof(pci), STATE_VERSION, NULL);
	sef_start();
	driver_run(&driver);
}
