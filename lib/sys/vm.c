/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/sys/vm.h"

#include <string.h>

#include "lib/sys/ipc.h"

int vm_map_phys(paddr_t paddr, size_t bytes, uint32_t flags, void **addr)
{
	struct message m = {.type = VM_MAP_PHYS};
	int r;

	*MSG(&m, vm_map_phys_req) = (struct vm_map_phys_req){EP_SELF, flags, paddr, bytes};
	r = ipc_call(EP_VM, &m);
	if (r == 0) {
		*addr = (void *)MSG(&m, vm_addr_rep)->addr;
	}
	return r;
}

int vm_alloc_contig(size_t bytes, uint32_t flags, void **addr, paddr_t *paddr)
{
	struct message m = {.type = VM_ALLOC_CONTIG};
	int r;

	MSG(&m, vm_alloc_contig_req)->len = bytes;
	MSG(&m, vm_alloc_contig_req)->flags = flags;
	r = ipc_call(EP_VM, &m);
	if (r == 0) {
		*addr = (void *)MSG(&m, vm_contig_rep)->addr;
		*paddr = MSG(&m, vm_contig_rep)->paddr;
	}
	return r;
}

int64_t vm_info(enum vm_info_what what, endpoint_t ep, void *to, size_t bytes, uint64_t *next)
{
	struct message m = {.type = VM_INFO};
	struct vm_info_req *req = MSG(&m, vm_info_req);
	int r;

	req->what = what;
	req->ep = ep;
	req->to = (uint64_t)to;
	req->bytes = bytes;
	req->next = next ? *next : 0;
	r = ipc_call(EP_VM, &m);
	if (r < 0) {
		return r;
	}
	if (next) {
		*next = MSG(&m, vm_info_rep)->next;
	}
	return (int64_t)MSG(&m, vm_info_rep)->count;
}
