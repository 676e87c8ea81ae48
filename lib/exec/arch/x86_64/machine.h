/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine whose programs the loader takes. */
#pragma once

#include "lib/exec/elf64.h"

#define EXEC_MACHINE ELF64_MACHINE_X86_64
