/* SPDX-License-Identifier: BSD-2-Clause */
/* privctl: RS gives and takes privileges. */
#include <string.h>

#include "kernel/kcall/kcall.h"
#include "kernel/proc/priv.h"

/* PRIV_SET: a process without privileges becomes a service. -EPERM: it has some; -EBUSY: none is
 * free. */
static int64_t set(struct proc *proc, const struct priv_spec *spec)
{
	struct priv *priv = proc_is_service(proc) ? proc->priv : NULL;

	if (!rts_is_set(proc, RTS_NO_PRIV)) {
		return -EPERM;
	}
	if (priv == NULL) {
		priv = priv_alloc(proc);
		if (priv == NULL) {
			return -EBUSY;
		}
		proc->priv = priv;
	}
	priv_apply(priv, spec);
	proc->ids.uid = proc->ids.euid = proc->ids.suid = (uint32_t)spec->uid;
	return priv->id;
}

static int64_t set_user(struct proc *proc)
{
	if (!rts_is_set(proc, RTS_NO_PRIV) || proc_is_service(proc)) {
		return -EPERM;
	}
	proc->priv = priv_user();
	return 0;
}

static int64_t add_range(struct priv_range *ranges, uint16_t *count, const struct priv_range *range)
{
	uint16_t i;

	if (range->start > range->end) {
		return -EINVAL;
	}
	for (i = 0; i < *count; i++) {
		if (ranges[i].start <= range->start && range->end <= ranges[i].end) {
			return 0;
		}
	}
	if (*count == PRIV_RANGES) {
		return -ENOSPC;
	}
	ranges[(*count)++] = *range;
	return 0;
}

/* Operations on a service's ranges; the argument is a struct priv_range. */
static int64_t range_op(struct proc *caller, struct proc *proc, uint64_t op, vaddr_t argument)
{
	struct priv_spec *spec = &proc->priv->spec;
	struct priv_range range;
	int64_t error = copy_in(caller, &range, argument, sizeof(range));

	if (error != 0) {
		return error;
	}
	if (op == PRIV_QUERY_MEM) {
		return proc_is_service(proc) && priv_may_mem(proc->priv, range.start, range.end)
			? 0
			: -EPERM;
	}
	if (!proc_is_service(proc)) {
		return -EPERM;
	}
	return op == PRIV_ADD_IO ? add_range(spec->io, &spec->io_count, &range)
				 : add_range(spec->mem, &spec->mem_count, &range);
}

static int64_t add_irq(struct proc *proc, uint64_t irq)
{
	struct priv_spec *spec = &proc->priv->spec;

	if (!proc_is_service(proc)) {
		return -EPERM;
	}
	if (priv_may_irq(proc->priv, (int)irq)) {
		return 0;
	}
	if (spec->irq_count == PRIV_IRQS) {
		return -ENOSPC;
	}
	spec->irq[spec->irq_count++] = (int32_t)irq;
	return 0;
}

static int64_t with_spec(struct proc *caller, struct proc *proc, uint64_t op, vaddr_t argument)
{
	struct priv_spec spec;
	int64_t error = copy_in(caller, &spec, argument, sizeof(spec));

	if (error != 0) {
		return error;
	}
	error = priv_spec_check(&spec);
	if (error != 0) {
		return error;
	}
	if (op == PRIV_SET) {
		return set(proc, &spec);
	}
	if (!proc_is_service(proc)) {
		return -EPERM;
	}
	priv_replace(proc->priv, &spec);
	return proc->priv->id;
}

/* privctl(op, ep, argument). -EPERM: not RS (VM may query, and let RS's successor run; bus drivers
   may add), or the process is not in the right state; -EINVAL. */
int64_t kcall_privctl(struct proc *caller, const uint64_t args[6])
{
	struct proc *proc = kcall_proc(caller, args[1]);
	uint32_t flags = caller->priv->spec.flags;
	bool adds = args[0] == PRIV_ADD_IO || args[0] == PRIV_ADD_MEM || args[0] == PRIV_ADD_IRQ;

	if ((flags & PRIV_FLAG_ROOT) == 0 &&
		!((flags & PRIV_FLAG_VM) != 0 &&
			(args[0] == PRIV_QUERY_MEM || args[0] == PRIV_ALLOW)) &&
		!((flags & PRIV_FLAG_DEVICES) != 0 && adds)) {
		return -EPERM;
	}
	if (proc == NULL) {
		return -EINVAL;
	}
	switch (args[0]) {
	case PRIV_SET:
	case PRIV_UPDATE:
		return with_spec(caller, proc, args[0], args[2]);
	case PRIV_ALLOW:
		if (!rts_is_set(proc, RTS_NO_PRIV)) {
			return -EPERM;
		}
		rts_clear(proc, RTS_NO_PRIV);
		return 0;
	case PRIV_DISALLOW:
		if (rts_is_set(proc, RTS_NO_PRIV)) {
			return -EPERM;
		}
		rts_set(proc, RTS_NO_PRIV);
		return 0;
	case PRIV_ADD_IO:
	case PRIV_ADD_MEM:
	case PRIV_QUERY_MEM:
		return range_op(caller, proc, args[0], args[2]);
	case PRIV_ADD_IRQ:
		return add_irq(proc, args[2]);
	case PRIV_SET_USER:
		return set_user(proc);
	default:
		return -EINVAL;
	}
}
