/* SPDX-License-Identifier: BSD-2-Clause */
/* A test service that grants: see partner.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "tests/services/partner.h"

static uint8_t *buffer;

static int fill(const struct partner *req)
{
	for (uint64_t i = 0; i < req->bytes; i++) {
		buffer[req->offset + i] = partner_byte(req->offset + i, req->seed);
	}
	return 0;
}

static int check(const struct partner *req)
{
	for (uint64_t i = 0; i < req->bytes; i++) {
		if (buffer[req->offset + i] != partner_byte(req->offset + i, req->seed)) {
			return -EILSEQ;
		}
	}
	return 0;
}

/* Makes as many as asked for; every second one goes again; one in the middle is the answer. */
static int many(endpoint_t to, const struct partner *req)
{
	grant_t *ids = calloc(req->bytes, sizeof(*ids));
	int result = -ENOMEM;

	if (!ids) {
		return -ENOMEM;
	}
	for (uint64_t i = 0; i < req->bytes; i++) {
		ids[i] = grant_direct(to, buffer + i, 16, GRANT_READ);
		if (ids[i] == GRANT_INVALID) {
			free(ids);
			return -ENOSPC;
		}
	}
	for (uint64_t i = 0; i < req->bytes; i++) {
		if (i == req->offset) {
			result = ids[i];
		} else if (i % 2 == 0 && grant_revoke(ids[i]) != 0) {
			result = -EIO;
		}
	}
	for (uint64_t i = 1; i < req->bytes; i += 2) {
		if (i != req->offset && grant_revoke(ids[i]) != 0) {
			result = -EIO;
		}
	}
	free(ids);
	return result;
}

static int empty(void)
{
	void *old = mmap(buffer, PARTNER_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	return old == buffer ? 0 : -ENOMEM;
}

static int serve(const struct message *m)
{
	const struct partner *req = (const struct partner *)(const void *)m->raw;
	const struct partner_pass *pass = (const struct partner_pass *)(const void *)m->raw;
	bool in_buffer = req->offset <= PARTNER_BYTES && req->bytes <= PARTNER_BYTES - req->offset;

	switch (m->type) {
	case PARTNER_GRANT:
		return grant_direct(m->source, buffer + req->offset, req->bytes, req->access);
	case PARTNER_PASS:
		return grant_indirect(pass->to, pass->granter, pass->grant);
	case PARTNER_REVOKE:
		return grant_revoke(req->grant);
	case PARTNER_UNMAP_GRANT:
		return sys_saferevmap_grant(req->grant);
	case PARTNER_UNMAP_ADDRESS:
		return sys_saferevmap_address(buffer + req->offset);
	case PARTNER_FILL:
		return in_buffer ? fill(req) : -EINVAL;
	case PARTNER_CHECK:
		return in_buffer ? check(req) : -EINVAL;
	case PARTNER_POKE:
		buffer[req->offset % PARTNER_BYTES] = (uint8_t)req->seed;
		return 0;
	case PARTNER_PEEK:
		return buffer[req->offset % PARTNER_BYTES];
	case PARTNER_MANY:
		return many(m->source, req);
	case PARTNER_FREE:
		return empty();
	default:
		return -ENOSYS;
	}
}

static int init(const struct sef_info *info)
{
	buffer = mmap(
		NULL, PARTNER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return buffer == MAP_FAILED ? -ENOMEM : 0;
}

int main(void)
{
	sef_on_init(init);
	sef_start();
	for (;;) {
		struct message m;
		uint32_t status;

		if (sef_receive(EP_ANY, &m, &status) == 0 && (status & IPC_STATUS_SENDREC)) {
			ipc_reply(m.source, &m, serve(&m));
		}
	}
}
