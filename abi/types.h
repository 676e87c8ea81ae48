/* SPDX-License-Identifier: BSD-2-Clause */
/* The scalar types that kernel and user mode share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t; /* physical address, bytes */
typedef uint64_t vaddr_t; /* virtual address, bytes, in whatever address space the context names */
typedef int32_t endpoint_t; /* see abi/endpoint.h */
typedef int32_t grant_t;    /* see abi/grant.h */
typedef uint64_t time_ns_t; /* nanoseconds */

#define AXO_PAGE_SHIFT   12
#define AXO_PAGE_SIZE    4096ul
#define AXO_PAGE_MASK    (AXO_PAGE_SIZE - 1)
#define AXO_PAGE_DOWN(x) ((x) & ~AXO_PAGE_MASK)
#define AXO_PAGE_UP(x)   (((x) + AXO_PAGE_MASK) & ~AXO_PAGE_MASK)

#define AXO_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
