/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel calls as C functions; what each does, takes and returns stands in abi/kcall.h. All return
 * 0 or a non-negative value, or a negative error.
 */
#pragma once

#include "abi/grant.h"
#include "abi/kcall.h"
#include "lib/sys/trap.h"

#define SYS_KCALL(name, a, b, c, d, e, f)                                                \
	sys_trap(KCALL_BASE + KCALL_##name, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), \
		(uint64_t)(d), (uint64_t)(e), (uint64_t)(f))

/* processes */
static inline int64_t sys_fork(
	endpoint_t parent, uint32_t flags, uint32_t as_id, paddr_t root, vaddr_t stack, vaddr_t tls)
{
	return SYS_KCALL(fork, parent, flags, as_id, root, stack, tls);
}
static inline int64_t sys_newproc(uint32_t as_id, paddr_t root, int slot)
{
	return SYS_KCALL(newproc, as_id, root, slot, 0, 0, 0);
}
static inline int sys_exec(endpoint_t ep, const struct exec_spec *spec)
{
	return (int)SYS_KCALL(exec, ep, spec, 0, 0, 0, 0);
}
static inline int sys_clear(endpoint_t ep)
{
	return (int)SYS_KCALL(clear, ep, 0, 0, 0, 0, 0);
}
_Noreturn static inline void sys_exit(void)
{
	for (;;) {
		(void)SYS_KCALL(exit, 0, 0, 0, 0, 0, 0);
	}
}
static inline int sys_setids(endpoint_t ep, const struct proc_ids *ids)
{
	return (int)SYS_KCALL(setids, ep, ids, 0, 0, 0, 0);
}
static inline int sys_stop(endpoint_t ep, struct stop_info *info)
{
	return (int)SYS_KCALL(stop, ep, info, 0, 0, 0, 0);
}
static inline int sys_resume(endpoint_t ep)
{
	return (int)SYS_KCALL(resume, ep, 0, 0, 0, 0, 0);
}
static inline int sys_schedule(endpoint_t ep, int priority, time_ns_t quantum_ns)
{
	return (int)SYS_KCALL(schedule, ep, priority, quantum_ns, 0, 0, 0);
}
static inline int sys_schedctl(endpoint_t ep, endpoint_t scheduler)
{
	return (int)SYS_KCALL(schedctl, ep, scheduler, 0, 0, 0, 0);
}
static inline int sys_privctl(enum privctl_op op, endpoint_t ep, const void *arg)
{
	return (int)SYS_KCALL(privctl, op, ep, arg, 0, 0, 0);
}
static inline int sys_privctl_irq(endpoint_t ep, int irq)
{
	return (int)SYS_KCALL(privctl, PRIV_ADD_IRQ, ep, irq, 0, 0, 0);
}
static inline int sys_update(endpoint_t a, endpoint_t b, uint32_t flags)
{
	return (int)SYS_KCALL(update, a, b, flags, 0, 0, 0);
}

/* signals */
static inline int sys_kill(endpoint_t ep, int signo, int code, vaddr_t address)
{
	return (int)SYS_KCALL(kill, ep, signo, code, address, 0, 0);
}
static inline int sys_getksig(struct ksig *ksig)
{
	return (int)SYS_KCALL(getksig, ksig, 0, 0, 0, 0, 0);
}
static inline int sys_endksig(endpoint_t ep)
{
	return (int)SYS_KCALL(endksig, ep, 0, 0, 0, 0, 0);
}
static inline int sys_sigsend(endpoint_t ep, const struct sigsend_spec *spec)
{
	return (int)SYS_KCALL(sigsend, ep, spec, 0, 0, 0, 0);
}
static inline int sys_sigreturn(endpoint_t ep, struct sigreturn_info *info)
{
	return (int)SYS_KCALL(sigreturn, ep, info, 0, 0, 0, 0);
}
static inline int sys_cleartid(endpoint_t ep, enum cleartid_op op, vaddr_t address)
{
	return (int)SYS_KCALL(cleartid, ep, op, address, 0, 0, 0);
}
/* The meaning of `arg` and `bytes` is the operation's. */
static inline int64_t sys_trace(enum tracee_op op, endpoint_t ep, uint64_t arg, uint64_t bytes)
{
	return SYS_KCALL(trace, op, ep, arg, bytes, 0, 0);
}

/* copying (of nothing: 0, though the kernel would refuse it); addresses are in the address space of
 * the endpoint beside them */
static inline int sys_vircopy(
	endpoint_t src_ep, vaddr_t src, endpoint_t dst_ep, vaddr_t dst, size_t bytes)
{
	return bytes == 0 ? 0 : (int)SYS_KCALL(vircopy, src_ep, src, dst_ep, dst, bytes, 0);
}
static inline int sys_vircopy_try(
	endpoint_t src_ep, vaddr_t src, endpoint_t dst_ep, vaddr_t dst, size_t bytes)
{
	return bytes == 0 ? 0 : (int)SYS_KCALL(vircopy, src_ep, src, dst_ep, dst, bytes, COPY_TRY);
}
/* From another process into the caller's memory, and out of it. */
static inline int sys_copyin(endpoint_t src_ep, vaddr_t src, void *to, size_t bytes)
{
	return sys_vircopy(src_ep, src, EP_SELF, (vaddr_t)to, bytes);
}
static inline int sys_copyout(endpoint_t dst_ep, vaddr_t dst, const void *from, size_t bytes)
{
	return sys_vircopy(EP_SELF, (vaddr_t)from, dst_ep, dst, bytes);
}
static inline int sys_physcopy(
	endpoint_t src_ep, uint64_t src, endpoint_t dst_ep, uint64_t dst, size_t bytes)
{
	return bytes == 0 ? 0 : (int)SYS_KCALL(physcopy, src_ep, src, dst_ep, dst, bytes, 0);
}
/* The string at src with its NUL into buf: its length, or -ENAMETOOLONG when no NUL is among the
 * first max bytes. */
static inline int64_t sys_strcopy(endpoint_t src_ep, vaddr_t src, char *buf, size_t max)
{
	return SYS_KCALL(strcopy, src_ep, src, buf, max, 0, 0);
}
static inline int sys_vvircopy(const struct vircopy_vec *vec, int count)
{
	return (int)SYS_KCALL(vvircopy, vec, count, 0, 0, 0, 0);
}
static inline int sys_memset(endpoint_t ep, uint64_t address, int byte, size_t bytes)
{
	return (int)SYS_KCALL(memset, ep, address, byte, bytes, 0, 0);
}
/* Copies to the program that waits in a call to the caller, and answers that call with result: one
   kernel entry. When the copy fails the program is not answered and the error is returned. */
static inline int sys_reply_copy(
	endpoint_t ep, vaddr_t to, const void *from, size_t bytes, int64_t result)
{
	return (int)SYS_KCALL(reply_copy, ep, to, from, bytes, result, 0);
}
static inline int sys_setgrant(const struct grant *table, uint32_t count)
{
	return (int)SYS_KCALL(setgrant, table, count, 0, 0, 0, 0);
}
static inline int sys_safecopyfrom(
	endpoint_t granter, grant_t grant, uint64_t offset, void *to, size_t bytes)
{
	return (int)SYS_KCALL(safecopyfrom, granter, grant, offset, to, bytes, 0);
}
static inline int sys_safecopyto(
	endpoint_t granter, grant_t grant, uint64_t offset, const void *from, size_t bytes)
{
	return (int)SYS_KCALL(safecopyto, granter, grant, offset, from, bytes, 0);
}
static inline int sys_vsafecopy(const struct safecopy_vec *vec, int count)
{
	return (int)SYS_KCALL(vsafecopy, vec, count, 0, 0, 0, 0);
}
static inline int sys_safememset(
	endpoint_t granter, grant_t grant, uint64_t offset, int byte, size_t bytes)
{
	return (int)SYS_KCALL(safememset, granter, grant, offset, byte, bytes, 0);
}
/* Maps [offset, offset + bytes) of a MAP grant at `address`, whose pages it replaces; all
 * page-aligned. */
static inline int sys_safemap(endpoint_t granter, grant_t grant, uint64_t offset, void *address,
	size_t bytes, bool writable)
{
	return (int)SYS_KCALL(safemap, granter, grant, offset, address, bytes, writable);
}
/* Undoes what the caller has mapped at `address`; the contents stay, for itself. */
static inline int sys_safeunmap(void *address)
{
	return (int)SYS_KCALL(safeunmap, address, 0, 0, 0, 0, 0);
}
/* Undoes whatever others have mapped by the caller's grant, or of its memory at `address`. */
static inline int sys_saferevmap_grant(grant_t grant)
{
	return (int)SYS_KCALL(saferevmap, SAFEREV_GRANT, grant, 0, 0, 0, 0);
}
static inline int sys_saferevmap_address(void *address)
{
	return (int)SYS_KCALL(saferevmap, SAFEREV_ADDRESS, address, 0, 0, 0, 0);
}
static inline int sys_umap(const void *address, size_t bytes, paddr_t *paddr)
{
	return (int)SYS_KCALL(umap, address, bytes, paddr, 0, 0, 0);
}
static inline int sys_vumap(const struct vumap_spec *spec)
{
	return (int)SYS_KCALL(vumap, spec, 0, 0, 0, 0, 0);
}

/* memory: VM only */
static inline int64_t sys_vmctl(enum vmctl_op op, endpoint_t ep, uint64_t a, uint64_t b, uint64_t c)
{
	return SYS_KCALL(vmctl, op, ep, a, b, c, 0);
}

/* devices */
static inline int64_t sys_in(uint16_t port, int width)
{
	return SYS_KCALL(devio, port, width, 0, 0, 0, 0);
}
static inline int sys_out(uint16_t port, int width, uint32_t value)
{
	return (int)SYS_KCALL(devio, port, width | DEVIO_OUT, value, 0, 0, 0);
}
static inline int sys_vdevio(struct devio_vec *vec, int count)
{
	return (int)SYS_KCALL(vdevio, vec, count, 0, 0, 0, 0);
}
/* count units of the width, from or to the caller's memory */
static inline int sys_sdevio(uint16_t port, int flags, void *address, size_t count)
{
	return (int)SYS_KCALL(sdevio, port, flags, address, count, 0, 0);
}
static inline int sys_irqctl(enum irqctl_op op, int irq, int hook)
{
	return (int)SYS_KCALL(irqctl, op, irq, hook, 0, 0, 0);
}

/* time */
static inline int sys_setalarm(time_ns_t monotonic_ns)
{
	return (int)SYS_KCALL(setalarm, monotonic_ns, 0, 0, 0, 0, 0);
}
static inline int sys_times(endpoint_t ep, struct proc_times *times)
{
	return (int)SYS_KCALL(times, ep, times, 0, 0, 0, 0);
}
static inline int sys_settime(time_ns_t realtime_ns)
{
	return (int)SYS_KCALL(settime, realtime_ns, 0, 0, 0, 0, 0);
}
static inline time_ns_t sys_monotonic_ns(void)
{
	struct proc_times t = {0};

	(void)sys_times(EP_SELF, &t);
	return t.uptime_ns;
}
static inline time_ns_t sys_realtime_ns(void)
{
	struct proc_times t = {0};

	(void)sys_times(EP_SELF, &t);
	return t.realtime_ns;
}

/* information and control */
static inline int64_t sys_getinfo(enum getinfo_what what, void *to, size_t bytes, int64_t argument)
{
	return SYS_KCALL(getinfo, what, to, bytes, argument, 0, 0);
}
static inline int64_t sys_diagctl(enum diag_op op, void *address, size_t bytes, uint64_t argument)
{
	return SYS_KCALL(diagctl, op, address, bytes, argument, 0, 0);
}
static inline int sys_abort(enum abort_how how)
{
	return (int)SYS_KCALL(abort, how, 0, 0, 0, 0, 0);
}
