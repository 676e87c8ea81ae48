/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What gcc's and clang's -fsanitize=kernel-address calls before each store; its calls before loads
 * are switched off (meson.build), and it has nothing else: no red zones, no shadow memory. Stores
 * to the function's own variables on the stack, and gcc's to static variables, come without a call.
 */
#include "lib/undo/log.h"

/* What the program stores, whatever it takes it for. */
typedef uint16_t any16 __attribute__((aligned(1), may_alias));
typedef uint32_t any32 __attribute__((aligned(1), may_alias));
typedef uint64_t any64 __attribute__((aligned(1), may_alias));

/* For a store within the frame of the window's opener or deeper nothing is logged. */
#define LOG_STORE(p, type)                                                                  \
	do {                                                                                \
		uint64_t *at = undo.at;                                                     \
		uintptr_t sp;                                                               \
                                                                                            \
		__asm__("movq %%rsp, %0" : "=r"(sp));                                       \
		if (__builtin_expect(at >= undo.limit, 0)) {                                \
			undo_store_slow(p, sizeof(type));                                   \
		} else if ((uintptr_t)(p)-sp >= undo.stack_top - sp) {                      \
			at[0] = *(const type *)(p);                                         \
			at[1] = (uintptr_t)(p) | (uint64_t)sizeof(type) << UNDO_KIND_SHIFT; \
			undo_barrier();                                                     \
			undo.at = at + 2;                                                   \
		}                                                                           \
	} while (0)

#define HOOK_STORE(bytes, type)                      \
	void __asan_store##bytes##_noabort(void *p); \
	void __asan_store##bytes##_noabort(void *p)  \
	{                                            \
		LOG_STORE(p, type);                  \
	}

HOOK_STORE(1, uint8_t)
HOOK_STORE(2, any16)
HOOK_STORE(4, any32)
HOOK_STORE(8, any64)

void __asan_store16_noabort(void *p);
void __asan_store16_noabort(void *p)
{
	LOG_STORE(p, any64);
	LOG_STORE((char *)p + 8, any64);
}

void __asan_storeN_noabort(void *p, size_t bytes);
void __asan_storeN_noabort(void *p, size_t bytes)
{
	undo_store(p, bytes);
}

/* Before a call that does not return. */
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
}
