/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What gcc's and clang's -fsanitize=thread calls: before each load and store, and instead of each
 * atomic operation. A service is one thread: atomic operations are what their names say, and the
 * store is logged first.
 */
#include "lib/undo/log.h"

/* Loads and stores of the program's own, whatever it takes them for. */
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

#define HOOK_STORE(name, type)      \
	void name(void *p);         \
	void name(void *p)          \
	{                           \
		LOG_STORE(p, type); \
	}

HOOK_STORE(__tsan_write1, uint8_t)
HOOK_STORE(__tsan_write2, any16)
HOOK_STORE(__tsan_write4, any32)
HOOK_STORE(__tsan_write8, any64)
HOOK_STORE(__tsan_unaligned_write2, any16)
HOOK_STORE(__tsan_unaligned_write4, any32)
HOOK_STORE(__tsan_unaligned_write8, any64)

#define HOOK_STORE16(name)                       \
	void name(void *p);                      \
	void name(void *p)                       \
	{                                        \
		LOG_STORE(p, any64);             \
		LOG_STORE((char *)p + 8, any64); \
	}

HOOK_STORE16(__tsan_write16)
HOOK_STORE16(__tsan_unaligned_write16)

void __tsan_write_range(void *p, unsigned long bytes);
void __tsan_write_range(void *p, unsigned long bytes)
{
	undo_store(p, bytes);
}

/* clang: an element of an array of pointers to functions is stored as any other. */
void __tsan_vptr_update(void **p, void *value);
void __tsan_vptr_update(void **p, void *value)
{
	LOG_STORE(p, any64);
}

/* Loads, and the start of the program and of functions, mean nothing here. */
#define HOOK_EMPTY(name)    \
	void name(void *p); \
	void name(void *p)  \
	{                   \
	}

HOOK_EMPTY(__tsan_read1)
HOOK_EMPTY(__tsan_read2)
HOOK_EMPTY(__tsan_read4)
HOOK_EMPTY(__tsan_read8)
HOOK_EMPTY(__tsan_read16)
HOOK_EMPTY(__tsan_unaligned_read2)
HOOK_EMPTY(__tsan_unaligned_read4)
HOOK_EMPTY(__tsan_unaligned_read8)
HOOK_EMPTY(__tsan_unaligned_read16)
HOOK_EMPTY(__tsan_vptr_read)
HOOK_EMPTY(__tsan_func_entry)

void __tsan_read_range(void *p, unsigned long bytes);
void __tsan_read_range(void *p, unsigned long bytes)
{
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

void __tsan_init(void);
void __tsan_init(void)
{
}

#define HOOK_FETCH(bits, type, name, builtin)                                             \
	type __tsan_atomic##bits##_fetch_##name(volatile type *p, type value, int order); \
	type __tsan_atomic##bits##_fetch_##name(volatile type *p, type value, int order)  \
	{                                                                                 \
		LOG_STORE((const void *)(uintptr_t)p, type);                              \
		return builtin(p, value, __ATOMIC_SEQ_CST);                               \
	}

#define HOOK_ATOMICS(bits, type)                                                       \
	type __tsan_atomic##bits##_load(const volatile type *p, int order);            \
	type __tsan_atomic##bits##_load(const volatile type *p, int order)             \
	{                                                                              \
		return __atomic_load_n(p, __ATOMIC_SEQ_CST);                           \
	}                                                                              \
	void __tsan_atomic##bits##_store(volatile type *p, type value, int order);     \
	void __tsan_atomic##bits##_store(volatile type *p, type value, int order)      \
	{                                                                              \
		LOG_STORE((const void *)(uintptr_t)p, type);                           \
		__atomic_store_n(p, value, __ATOMIC_RELEASE);                          \
	}                                                                              \
	int __tsan_atomic##bits##_compare_exchange_strong(                             \
		volatile type *p, type *expected, type value, int order, int failure); \
	int __tsan_atomic##bits##_compare_exchange_strong(                             \
		volatile type *p, type *expected, type value, int order, int failure)  \
	{                                                                              \
		LOG_STORE((const void *)(uintptr_t)p, type);                           \
		LOG_STORE(expected, type);                                             \
		return __atomic_compare_exchange_n(                                    \
			p, expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);    \
	}                                                                              \
	type __tsan_atomic##bits##_exchange(volatile type *p, type value, int order);  \
	type __tsan_atomic##bits##_exchange(volatile type *p, type value, int order)   \
	{                                                                              \
		LOG_STORE((const void *)(uintptr_t)p, type);                           \
		return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST);                \
	}                                                                              \
	HOOK_FETCH(bits, type, add, __atomic_fetch_add)                                \
	HOOK_FETCH(bits, type, sub, __atomic_fetch_sub)                                \
	HOOK_FETCH(bits, type, and, __atomic_fetch_and)                                \
	HOOK_FETCH(bits, type, or, __atomic_fetch_or)                                  \
	HOOK_FETCH(bits, type, xor, __atomic_fetch_xor)

HOOK_ATOMICS(8, uint8_t)
HOOK_ATOMICS(16, uint16_t)
HOOK_ATOMICS(32, uint32_t)
HOOK_ATOMICS(64, uint64_t)

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}
