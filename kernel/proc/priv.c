/* SPDX-License-Identifier: BSD-2-Clause */
/* See priv.h. */
#include "kernel/proc/priv.h"

#include <string.h>

#include "abi/linux/errno.h"
#include "kernel/debug/panic.h"
#include "kernel/state.h"

void priv_init(void)
{
	unsigned i;

	for (i = 0; i < PRIV_MAX; i++) {
		kernel.privs[i].id = (uint16_t)i;
	}
	kernel.privs[PRIV_ID_USER].used = true;
	kernel.privs[PRIV_ID_USER].spec.sig_mgr = EP_PM;
	kernel.privs[PRIV_ID_USER].spec.backup_mgr = EP_NONE;
}

struct priv *priv_user(void)
{
	return &kernel.privs[PRIV_ID_USER];
}

struct priv *priv_alloc(struct proc *proc)
{
	unsigned i;

	for (i = PRIV_ID_USER + 1; i < PRIV_MAX; i++) {
		struct priv *priv = &kernel.privs[i];

		if (!priv->used) {
			memset(priv, 0, sizeof(*priv));
			priv->id = (uint16_t)i;
			priv->used = true;
			priv->proc = proc;
			priv->spec.sig_mgr = EP_RS;
			priv->spec.backup_mgr = EP_NONE;
			return priv;
		}
	}
	return NULL;
}

void priv_free(struct priv *priv)
{
	unsigned i;

	if (priv->id == PRIV_ID_USER) {
		return;
	}
	for (i = 0; i < PRIV_MAX; i++) {
		bitmap_clear(kernel.privs[i].spec.send_mask, priv->id);
		bitmap_clear(kernel.privs[i].notify_pending, priv->id);
		bitmap_clear(kernel.privs[i].async_pending, priv->id);
		bitmap_clear(kernel.privs[i].stale_answers, priv->id);
	}
	priv->used = false;
	priv->proc = NULL;
}

int priv_spec_check(const struct priv_spec *spec)
{
	if (spec->io_count > PRIV_RANGES || spec->mem_count > PRIV_RANGES ||
		spec->irq_count > PRIV_IRQS) {
		return -EINVAL;
	}
	return 0;
}

void priv_apply(struct priv *priv, const struct priv_spec *spec)
{
	unsigned i;

	assert(priv->id != PRIV_ID_USER);
	priv->spec = *spec;
	priv->spec.kcall_mask |= KCALL_BASIC;
	priv->spec.label[sizeof(priv->spec.label) - 1] = '\0';
	priv->declared_io = spec->io_count;
	priv->declared_mem = spec->mem_count;
	priv->declared_irq = spec->irq_count;
	for (i = PRIV_ID_USER + 1; i < PRIV_MAX; i++) {
		struct priv *other = &kernel.privs[i];

		if (!other->used) {
			bitmap_clear(priv->spec.send_mask, i);
		} else if (bitmap_test(priv->spec.send_mask, i)) {
			bitmap_set(other->spec.send_mask, priv->id);
		} else if (bitmap_test(other->spec.send_mask, priv->id)) {
			bitmap_set(priv->spec.send_mask, i);
		}
	}
}

/* Append entries `first` to `count` of `from`, as far as there is room. */
static void carry_ranges(struct priv_range *to, uint16_t *to_count, const struct priv_range *from,
	unsigned first, unsigned count)
{
	for (; first < count && *to_count < PRIV_RANGES; first++) {
		to[(*to_count)++] = from[first];
	}
}

void priv_replace(struct priv *priv, struct priv_spec *spec)
{
	const struct priv_spec *old = &priv->spec;
	uint16_t io = spec->io_count, mem = spec->mem_count, irq = spec->irq_count;
	unsigned i;

	carry_ranges(spec->io, &spec->io_count, old->io, priv->declared_io, old->io_count);
	carry_ranges(spec->mem, &spec->mem_count, old->mem, priv->declared_mem, old->mem_count);
	for (i = priv->declared_irq; i < old->irq_count && spec->irq_count < PRIV_IRQS; i++) {
		spec->irq[spec->irq_count++] = old->irq[i];
	}
	for (i = PRIV_ID_USER + 1; i < PRIV_MAX; i++) {
		if (!bitmap_test(spec->send_mask, i)) {
			bitmap_clear(kernel.privs[i].spec.send_mask, priv->id);
		}
	}
	priv_apply(priv, spec);
	priv->declared_io = io;
	priv->declared_mem = mem;
	priv->declared_irq = irq;
}

bool priv_may_send(const struct priv *from, const struct priv *to)
{
	return bitmap_test(from->spec.send_mask, to->id);
}

bool priv_may_kcall(const struct priv *priv, unsigned call)
{
	return call < 64 && (priv->spec.kcall_mask >> call & 1) != 0;
}

bool priv_may_trap(const struct priv *priv, unsigned trap)
{
	return trap - TRAP_BASE < 32 && (priv->spec.trap_mask >> (trap - TRAP_BASE) & 1) != 0;
}

static bool in_ranges(
	const struct priv_range *ranges, unsigned count, uint64_t first, uint64_t last)
{
	unsigned i;

	for (i = 0; i < count; i++) {
		if (first >= ranges[i].start && last <= ranges[i].end) {
			return true;
		}
	}
	return false;
}

bool priv_may_io(const struct priv *priv, uint64_t port, unsigned bytes)
{
	uint64_t last = port + bytes - 1;

	if (port > 0xffff || last > 0xffff) {
		return false;
	}
	return (priv->spec.flags & PRIV_FLAG_ALL_IO) != 0 ||
		in_ranges(priv->spec.io, priv->spec.io_count, port, last);
}

bool priv_may_mem(const struct priv *priv, uint64_t first, uint64_t last)
{
	return first <= last && in_ranges(priv->spec.mem, priv->spec.mem_count, first, last);
}

bool priv_may_irq(const struct priv *priv, int irq)
{
	unsigned i;

	for (i = 0; i < priv->spec.irq_count; i++) {
		if (priv->spec.irq[i] == irq) {
			return true;
		}
	}
	return false;
}
