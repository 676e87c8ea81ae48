/* SPDX-License-Identifier: BSD-2-Clause */
/* Offsets that entry.S uses; checked against the structures in trap.c. */
#pragma once

#define CPU_FRAME_END 8
#define CPU_STACK_TOP 16
#define CPU_SCRATCH   24
#define FRAME_VECTOR  120
