/* SPDX-License-Identifier: BSD-2-Clause */
/* Random bit flips in a running service: faults of the hardware, and bugs that strike anywhere. */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/exec/exec.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "proto/vm.h"
#include "servers/rs/process.h"

struct span {
	vaddr_t start;
	uint64_t bytes;
	int prot;
};

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 11;
}

/* The first segment of the program that can be executed, or written. */
static int find_span(const struct binary *binary, bool is_text, struct span *span)
{
	Elf64_Ehdr header;

	memcpy(&header, binary->data, sizeof(header)); /* parsed before: process_check() */
	for (unsigned i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr segment;

		memcpy(&segment, binary->data + header.e_phoff + i * sizeof(segment),
			sizeof(segment));
		if (segment.p_type == PT_LOAD && segment.p_memsz > 0 &&
			(segment.p_flags & (is_text ? PF_X : PF_W))) {
			*span = (struct span){
				.start = segment.p_vaddr + PROCESS_BASE,
				.bytes = segment.p_memsz,
				.prot = PROT_READ | (is_text ? PROT_EXEC : PROT_WRITE),
			};
			return 0;
		}
	}
	return -ENOEXEC;
}

static int protect(endpoint_t ep, const struct span *span, int prot)
{
	struct message m = {.type = VM_MPROTECT_FOR};
	vaddr_t start = AXO_PAGE_DOWN(span->start);

	*MSG(&m, vm_mprotect_for_req) = (struct vm_mprotect_for_req){
		.ep = ep,
		.prot = prot,
		.addr = start,
		.len = AXO_PAGE_UP(span->start + span->bytes) - start,
	};
	return ipc_call(EP_VM, &m);
}

static int flip_one(endpoint_t ep, const struct span *span, uint64_t *random)
{
	vaddr_t where = span->start + next_random(random) % span->bytes;
	uint8_t byte;
	int r = sys_copyin(ep, where, &byte, 1);

	if (r < 0) {
		return r;
	}
	byte ^= (uint8_t)(1u << (next_random(random) & 7));
	return sys_copyout(ep, where, &byte, 1);
}

int process_flip_bits(const struct service *s, bool is_text, uint32_t count, uint64_t seed)
{
	uint64_t random = seed;
	struct span span;
	int r = find_span(s->binary, is_text, &span);

	if (r == 0 && is_text) {
		r = protect(s->ep, &span, PROT_READ | PROT_WRITE);
	}
	for (uint32_t i = 0; i < count && r == 0; i++) {
		r = flip_one(s->ep, &span, &random);
	}
	if (is_text && protect(s->ep, &span, span.prot) < 0) {
		process_kill(s->ep); /* it could not run on */
	}
	return r;
}
