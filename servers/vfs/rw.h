/* SPDX-License-Identifier: BSD-2-Clause */
/* The read and write families, lseek, sendfile and copy_file_range. */
#pragma once

#include <stdint.h>

struct call;
struct file;

/* Workers: bytes from one file to another through a buffer; positions NULL: the file's own. */
int64_t rw_copy(struct call *call, struct file *in, uint64_t *in_pos, struct file *out,
	uint64_t *out_pos, uint64_t bytes);

int64_t sys_read(struct call *call);
int64_t sys_write(struct call *call);
int64_t sys_pread64(struct call *call);
int64_t sys_pwrite64(struct call *call);
int64_t sys_readv(struct call *call);
int64_t sys_writev(struct call *call);
int64_t sys_preadv(struct call *call);
int64_t sys_pwritev(struct call *call);
int64_t sys_preadv2(struct call *call);
int64_t sys_pwritev2(struct call *call);
int64_t sys_lseek(struct call *call);
int64_t sys_sendfile(struct call *call);
int64_t sys_copy_file_range(struct call *call);
