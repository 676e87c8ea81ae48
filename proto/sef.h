/* SPDX-License-Identifier: BSD-2-Clause */
/* RS <-> every service: its life. lib/sys/sef.h is the service's side; services see none of these
 * messages. */
#pragma once

#include "abi/message.h"

enum sef_op {
	SEF_INIT = SEF_BASE, /* RS -> service, asynchronous: sef_init */
	SEF_INIT_REPLY,      /* service -> RS: by sendrec; VM alone asynchronously */
	SEF_SIGNAL,          /* signal manager -> service, asynchronous: sef_signal */
	SEF_PING, /* reserved: pings are notifications from RS, answered by a notification to RS */
	SEF_LU_PREPARE, /* reserved */
	SEF_LU_REPLY    /* reserved */
};

enum sef_init_type { SEF_INIT_FRESH, SEF_INIT_LU, SEF_INIT_RESTART };

struct sef_init {
	int32_t type; /* enum sef_init_type */
	uint32_t flags;
	endpoint_t old;    /* the instance before, or EP_NONE */
	uint32_t restarts; /* so far */
	grant_t args;      /* service's arguments: RS's grant to a string, or GRANT_INVALID */
	uint32_t args_len;
	char label[24];
};
PROTO_FITS(sef_init);

struct sef_init_reply {
	int32_t result;
};
struct sef_signal {
	int32_t signo;
};
