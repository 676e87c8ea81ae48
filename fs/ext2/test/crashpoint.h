/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Crashes of the file system at any point: its code is compiled so that each basic block calls in
 * here (-fsanitize-coverage=trace-pc). That code ends in the middle, as by SIGKILL; what models
 * VM, the device and the caller is not compiled so.
 */
#pragma once

#include <setjmp.h>
#include <stdint.h>

extern jmp_buf crashpoint;

/* 0: no crash; else the block with this number, counting down, is the last: longjmp(crashpoint). */
extern uint64_t crashpoint_left;
