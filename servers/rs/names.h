/* SPDX-License-Identifier: BSD-2-Clause */
/* The names by which declarations call the calls of the kernel and of VM. */
#pragma once

#include "abi/types.h"

/* Bit number of a kernel call, or -1. */
int names_kernel_call(const char *name);

/* Bit number of an operation of VM (from VM_BASE), or -1. */
int names_vm_call(const char *name);

/* The names of these bits, or NULL: there is no such call. */
const char *names_of_kernel_call(unsigned bit);
const char *names_of_vm_call(unsigned bit);
