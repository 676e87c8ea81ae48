/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFS -> character drivers, asynchronous; the answer is a message of type (op | PROTO_REPLY) with
 * struct chr_rep. A read or write that cannot go on at once is answered later; CANCEL makes the
 * driver answer it now (with what was done, or -EINTR). (major, minor) names the device, seq the
 * request.
 */
#pragma once

#include "abi/message.h"

enum chr_op {
	CHR_OPEN = CHR_BASE, /* chr_req: flags O_* */
	CHR_CLOSE,           /* chr_req */
	CHR_READ,            /* chr_io_req */
	CHR_WRITE,           /* chr_io_req */
	CHR_IOCTL,           /* chr_ioctl_req */
	CHR_CANCEL, /* chr_cancel_req: not answered itself; the request it names is, if it was still
		       waiting */
	CHR_POLL    /* chr_poll_req -> value: events ready now; with `watch` one VFS_CHR_READY when
		       others become so */
};

struct chr_req {
	uint32_t seq;
	uint32_t major, minor;
	uint32_t flags;
	endpoint_t user;
};

struct chr_io_req {
	uint32_t seq;
	uint32_t major, minor;
	uint32_t flags; /* O_NONBLOCK: -EAGAIN instead of waiting */
	grant_t grant;
	uint32_t pad;
	uint64_t bytes;
	uint64_t position; /* for devices that have one (mem) */
	endpoint_t user;
};
PROTO_FITS(chr_io_req);

struct chr_ioctl_req {
	uint32_t seq;
	uint32_t major, minor;
	uint32_t request;
	grant_t grant; /* to the argument, readable and writable, when the request has one of known
			  size; else invalid */
	uint32_t bytes;
	uint64_t value; /* the raw third argument */
	endpoint_t user;
	int32_t pgid; /* TIOCSPGRP forwarded by VFS: the foreground group */
};
PROTO_FITS(chr_ioctl_req);

struct chr_cancel_req {
	uint32_t seq; /* of the request to end */
	uint32_t major, minor;
};

struct chr_poll_req {
	uint32_t seq;
	uint32_t major, minor;
	uint32_t events; /* POLLIN, POLLOUT ... */
	uint32_t watch;
};

struct chr_rep {
	uint32_t seq;
	uint32_t pad;
	int64_t result; /* bytes or value, or negative errno */
	uint32_t events;
};
