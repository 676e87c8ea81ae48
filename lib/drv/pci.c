/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/drv/pci.h"

#include "abi/errno.h"
#include "lib/sys/ds.h"
#include "lib/sys/ipc.h"

#define TRIES 4

/* Calls the service; looked up each time, and asked again when it was restarted meanwhile. */
static int call(struct message *m)
{
	struct message request = *m;
	endpoint_t pci;
	int r = ds_retrieve_label("pci", &pci);

	for (int i = 0; r == 0 && i < TRIES; i++) {
		*m = request;
		r = ipc_call(pci, m);
		if (r != -EDEADSRCDST) {
			return r;
		}
		r = ds_retrieve_label("pci", &pci);
	}
	return r < 0 ? r : -EDEADSRCDST;
}

static int find(int op, struct pci_found *found)
{
	struct message m = {.type = op};
	int r;

	MSG(&m, pci_find)->index = found->index;
	r = call(&m);
	if (r == 0) {
		*found = *MSG(&m, pci_found);
	}
	return r;
}

int pci_first(struct pci_found *found)
{
	found->index = 0;
	return find(PCI_FIRST, found);
}

int pci_next(struct pci_found *found)
{
	return find(PCI_NEXT, found);
}

int pci_read(const struct pci_found *device, uint32_t offset, uint32_t width, uint32_t *value)
{
	struct message m = {.type = PCI_READ};
	int r;

	*MSG(&m, pci_config) =
		(struct pci_config){.index = device->index, .offset = offset, .width = width};
	r = call(&m);
	*value = r == 0 ? MSG(&m, pci_config)->value : 0;
	return r;
}

int pci_write(const struct pci_found *device, uint32_t offset, uint32_t width, uint32_t value)
{
	struct message m = {.type = PCI_WRITE};

	*MSG(&m, pci_config) = (struct pci_config){
		.index = device->index, .offset = offset, .width = width, .value = value};
	return call(&m);
}

int pci_bar(const struct pci_found *device, uint32_t number, struct pci_bar *bar)
{
	struct message m = {.type = PCI_BAR};
	int r;

	*MSG(&m, pci_config) = (struct pci_config){.index = device->index, .offset = number};
	r = call(&m);
	if (r == 0) {
		*bar = *MSG(&m, pci_bar);
	}
	return r;
}
