/* SPDX-License-Identifier: BSD-2-Clause */
/* RS <-> every service: its life. lib/sys/sef.h is the service's side; services see none of these
 * messages. */
#pragma once

#include "abi/message.h"

enum sef_op {
	SEF_INIT = SEF_BASE, /* RS -> service, asynchronous: sef_init */
	SEF_INIT_REPLY,      /* service -> RS: by sendrec; VM alone asynchronously */
	SEF_SIGNAL,          /* signal manager -> service, asynchronous: sef_signal */
	SEF_LU_PREPARE,      /* RS -> service, asynchronous: sef_lu_prepare */
	SEF_LU_REPLY, /* service -> RS, by sendrec: sef_lu_reply. Ready (0): the answer comes only
			 when the update was given up, with type 0: the service goes on. An error:
			 answered at once */
	SEF_FAULT     /* RS -> service, asynchronous: sef_fault: fail on purpose */
};

/* States in which a service may be replaced; from SEF_LU_CUSTOM on its own. */
enum sef_lu_state {
	SEF_LU_NULL,          /* cancels a preparation */
	SEF_LU_WORK_FREE,     /* between two messages */
	SEF_LU_REQUEST_FREE,  /* and no request is half done */
	SEF_LU_PROTOCOL_FREE, /* and no exchange of several requests is half done */
	SEF_LU_CUSTOM = 16
};
struct sef_lu_prepare {
	int32_t state; /* enum sef_lu_state */
	uint32_t flags;
};
struct sef_lu_reply {
	int32_t result; /* 0 ready; -EINVAL: no such state; -ENOSYS: no live update; -EBUSY */
	int32_t state;
};

/* Kinds of faults that a service can be made to have. */
enum sef_fault_kind {
	SEF_FAULT_POINTER = 1, /* a store through a wild pointer */
	SEF_FAULT_ASSERT,      /* as a failed assertion */
	SEF_FAULT_EXIT,        /* sys_exit */
	SEF_FAULT_LOOP,        /* runs for ever */
	SEF_FAULT_SILENT,      /* receives, and answers nobody, pings neither */
	SEF_FAULT_WRONG,       /* its next `count` replies are random */
	SEF_FAULT_MEMORY,      /* takes memory until there is none */
	SEF_FAULT_GRANTS,      /* takes grants until there are none */
	SEF_FAULT_TEXT,        /* RS flips `count` random bits of its text ... */
	SEF_FAULT_DATA         /* ... or of its data */
};
struct sef_fault {
	int32_t kind; /* enum sef_fault_kind */
	uint32_t count;
	uint64_t seed;
	uint32_t at_boundary; /* 1: between two messages; 0: in the middle of its next request,
				 after it has been received */
	uint32_t stands;      /* 1: a crash within a request is not rolled back (lib/undo) */
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
