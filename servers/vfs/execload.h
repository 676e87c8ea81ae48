/* SPDX-License-Identifier: BSD-2-Clause */
/* The second half of exec: the new image through VM. */
#pragma once

#include "abi/bootinfo.h"
#include "lib/exec/exec.h"
#include "servers/vfs/mount.h"

struct cred;
struct exec_args;
struct pm_vfs_exec_reply;

/* Where images may lie: what is above is for stacks and mappings. */
#define EXEC_LOW  USER_BASE
#define EXEC_HIGH (USER_END - (1ull << 30))

/* A file to be loaded. */
struct exec_file {
	struct path path;
	char *header;
	uint64_t header_len;
	struct exec_image image;
};

struct exec_load {
	endpoint_t ep;
	struct exec_file *program, *interp; /* interp may be NULL */
	const struct exec_args *args;
	const char *name; /* AT_EXECFN */
	const struct cred *cred;
	const struct pm_vfs_exec_reply *reply; /* the ids the program will have */
	uint64_t stack_limit;
	bool *is_fatal; /* out: the old image is gone */
};

struct exec_result {
	vaddr_t ip, sp;
	vaddr_t arg_start, arg_end, env_start, env_end;
};

/* Workers only. */
int exec_load_image(struct exec_load *load, struct exec_result *result);
void exec_file_close(struct exec_file *file);
