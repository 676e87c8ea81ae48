/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/info.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/sys/asyn.h"
#include "lib/sys/kcall.h"
#include "servers/rs/status.h"

static int store(struct rs *rs, endpoint_t client, const struct rs_getinfo *req)
{
	char *text = malloc(RS_STATUS_MAX);
	int len, r;

	if (!text) {
		return -ENOMEM;
	}
	len = status_text(rs, "", text, RS_STATUS_MAX);
	if (len > 0 && (uint32_t)len > req->bytes) {
		len = -ENOSPC;
	}
	if (len > 0) {
		r = sys_safecopyto(client, req->to, 0, text, (size_t)len);
		len = r < 0 ? r : len;
	}
	free(text);
	return len;
}

void info_request(struct rs *rs, endpoint_t client, const struct rs_getinfo *req)
{
	struct message m = {.type = RS_GETINFO | PROTO_REPLY};

	MSG(&m, rs_getinfo_rep)->result = store(rs, client, req);
	MSG(&m, rs_getinfo_rep)->seq = req->seq;
	(void)asyn_send(client, &m);
}
