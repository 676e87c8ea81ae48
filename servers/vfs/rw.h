/* SPDX-License-Identifier: BSD-2-Clause */
/* The read and write families, lseek, sendfile and copy_file_range. */
#pragma once

#include <stdint.h>

struct call;

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
