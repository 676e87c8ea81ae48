/* SPDX-License-Identifier: BSD-2-Clause */
/* The reincarnation server: programs' control call, and what VFS asks of it. */
#pragma once

#include "abi/message.h"

enum rs_op {
	RS_FS_START = RS_BASE, /* VFS, asynchronous: rs_fs_start, answered by VFS_RS_FS_REPLY */
	RS_FS_STOP,            /* VFS, asynchronous: rs_ep: unmounted, let it go */
	RS_REPORT,             /* a service says that another misbehaves; reserved */
	RS_GETINFO, /* proc file system, asynchronous: rs_getinfo: the table of services as text;
		       answered by an asynchronous message of type RS_GETINFO | PROTO_REPLY:
		       rs_getinfo_rep */
};

struct rs_fs_start {
	uint32_t seq;
	char type[16];  /* "ext2", "tmp", "proc" */
	char label[24]; /* wanted label, e.g. "ext2.vda" */
};
struct rs_ep {
	endpoint_t ep;
};
struct rs_getinfo {
	grant_t to; /* to RS, writable */
	uint32_t bytes;
	uint32_t seq;
};
struct rs_getinfo_rep {
	int32_t result; /* bytes stored, or negative errno */
	uint32_t seq;
};

/*
 * System call LINUX_NR_axo_service(struct axo_service_req *): root only, else -EPERM. The caller is
 * a Linux program (commands/service, commands/init). Returns what the command says, or a negative
 * errno.
 */
enum axo_service_cmd {
	AXO_SERVICE_UP = 1,  /* name, conf, binary, args: starts it; 0 when its init succeeded, else
				its error */
	AXO_SERVICE_DOWN,    /* name */
	AXO_SERVICE_RESTART, /* name */
	AXO_SERVICE_STATUS,  /* name or "" for all: text lines into out -> bytes */
	AXO_SERVICE_TEMPLATE, /* as UP: registers a file-system type, started at each mount */
	AXO_SERVICE_BOOTED    /* init: the system is up (RS may log, start heartbeats) */
};
struct axo_service_req {
	uint32_t cmd;
	uint32_t flags;
	char name[24];
	uint64_t conf, conf_len;     /* text of the declaration */
	uint64_t binary, binary_len; /* ELF file in memory */
	uint64_t args, args_len;     /* string for the service */
	uint64_t out, out_len;
};
