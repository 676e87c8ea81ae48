/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of kernel calls, and the check of the caller's mask. */
#include "kernel/kcall/kcall.h"

#include "kernel/debug/diag.h"
#include "kernel/debug/trace.h"
#include "kernel/state.h"

#define KCALL(n, name) [n] = kcall_##name,
static const kcall_fn table[KCALL_COUNT] = {KCALL_TABLE(KCALL)};
#undef KCALL

int64_t kcall_run(struct proc *caller, unsigned number, const uint64_t args[6])
{
	int64_t result;

	if (number >= KCALL_COUNT || table[number] == NULL) {
		diag_printf("%s (%d): no kernel call %u\n", caller->name, caller->endpoint, number);
		return -EBADREQUEST;
	}
	if (!priv_may_kcall(caller->priv, number)) {
		diag_printf(
			"%s (%d): kernel call %u denied\n", caller->name, caller->endpoint, number);
		return -ECALLDENIED;
	}
	kernel.kernel_calls++;
	caller->priv->kcalls_made |= 1ull << number;
	trace(TRACE_KCALL, number, args[0]);
	result = table[number](caller, args);
	trace(TRACE_KRESULT, number, (uint64_t)result);
	return result;
}

struct proc *kcall_proc(struct proc *caller, uint64_t arg)
{
	endpoint_t endpoint = (endpoint_t)arg;

	return endpoint == EP_SELF ? caller : proc_find(endpoint);
}
