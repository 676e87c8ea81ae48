/* SPDX-License-Identifier: BSD-2-Clause */
/* Crashes of the file system at any point. */
#include "fs/ext2/test/crashpoint.h"

jmp_buf crashpoint;
uint64_t crashpoint_left;

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	if (crashpoint_left > 0 && --crashpoint_left == 0) {
		longjmp(crashpoint, 1);
	}
}
