/* SPDX-License-Identifier: BSD-2-Clause */
/* Size and storage of files: truncate, fallocate, sync and advice. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct call;

int64_t sys_truncate(struct call *call);
int64_t sys_ftruncate(struct call *call);
int64_t sys_fallocate(struct call *call);
int64_t sys_fadvise64(struct call *call);
int64_t sys_readahead(struct call *call);
int64_t sys_fsync(struct call *call);
int64_t sys_sync(struct call *call);
int64_t sys_syncfs(struct call *call);
int64_t sys_sync_file_range(struct call *call);

/* Write everything back; for power-off also make every volume read-only. */
void sync_all(bool is_final);
