/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel calls for drivers: devio, vdevio, sdevio, irqctl. -EPERM: the port or line is not the
 * caller's. */
#include "kernel/arch.h"
#include "kernel/irq/irq.h"
#include "kernel/kcall/kcall.h"
#include "kernel/proc/priv.h"

#define STRING_BYTES 512

static int check_port(struct proc *caller, uint64_t port, uint64_t flags)
{
	unsigned width = flags & DEVIO_WIDTH;

	if (width != DEVIO_8 && width != DEVIO_16 && width != DEVIO_32) {
		return -EINVAL;
	}
	return priv_may_io(caller->priv, port, width) ? 0 : -EPERM;
}

static uint32_t port_access(uint64_t port, uint64_t flags, uint32_t value)
{
	if ((flags & DEVIO_OUT) != 0) {
		arch_port_out((uint16_t)port, flags & DEVIO_WIDTH, value);
		return 0;
	}
	return arch_port_in((uint16_t)port, flags & DEVIO_WIDTH);
}

/* devio(port, DEVIO_*, value) -> value read. */
int64_t kcall_devio(struct proc *caller, const uint64_t args[6])
{
	int error = check_port(caller, args[0], args[1]);

	return error != 0 ? error : (int64_t)port_access(args[0], args[1], (uint32_t)args[2]);
}

/* vdevio(struct devio_vec *, count): all ports are checked before the first is touched. */
int64_t kcall_vdevio(struct proc *caller, const uint64_t args[6])
{
	struct devio_vec vec[DEVIO_VEC_MAX];
	uint64_t i;
	int64_t error;

	if (args[1] > DEVIO_VEC_MAX) {
		return -EINVAL;
	}
	error = copy_in(caller, vec, args[0], args[1] * sizeof(vec[0]));
	if (error == 0) {
		/* Makes the memory writable now: the accesses must not be made twice. */
		error = copy_out(caller, args[0], vec, args[1] * sizeof(vec[0]));
	}
	for (i = 0; error == 0 && i < args[1]; i++) {
		error = check_port(caller, vec[i].port, vec[i].flags);
	}
	if (error != 0) {
		return error;
	}
	for (i = 0; i < args[1]; i++) {
		uint32_t value = port_access(vec[i].port, vec[i].flags, vec[i].value);

		if ((vec[i].flags & DEVIO_OUT) == 0) {
			vec[i].value = value;
		}
	}
	return copy_out(caller, args[0], vec, args[1] * sizeof(vec[0]));
}

/* sdevio(port, DEVIO_*, address, count): count items between one port and memory; at most
 * STRING_BYTES bytes. */
int64_t kcall_sdevio(struct proc *caller, const uint64_t args[6])
{
	uint8_t buffer[STRING_BYTES];
	unsigned width = args[1] & DEVIO_WIDTH;
	uint64_t bytes, i;
	int64_t error = check_port(caller, args[0], args[1]);

	if (error != 0) {
		return error;
	}
	if (args[3] > STRING_BYTES / width) {
		return -EINVAL;
	}
	bytes = args[3] * width;
	error = copy_in(caller, buffer, args[2], bytes);
	if (error == 0 && (args[1] & DEVIO_OUT) == 0) {
		error = copy_out(caller, args[2], buffer, bytes);
	}
	if (error != 0) {
		return error;
	}
	for (i = 0; i < bytes; i += width) {
		uint32_t value = 0;

		__builtin_memcpy(&value, buffer + i, width);
		value = port_access(args[0], args[1], value);
		if ((args[1] & DEVIO_OUT) == 0) {
			__builtin_memcpy(buffer + i, &value, width);
		}
	}
	return (args[1] & DEVIO_OUT) != 0 ? 0 : copy_out(caller, args[2], buffer, bytes);
}

/* irqctl(op, irq, hook id). -EINVAL: no such hook; -EBUSY: the line is full. */
int64_t kcall_irqctl(struct proc *caller, const uint64_t args[6])
{
	unsigned line = (unsigned)args[1], id = (unsigned)args[2];

	if (args[1] >= IRQ_LINES || args[2] >= 64) {
		return -EINVAL;
	}
	if (!priv_may_irq(caller->priv, (int)line)) {
		return -EPERM;
	}
	switch (args[0]) {
	case IRQ_SET:
		return irq_hook_set(caller->priv, line, id);
	case IRQ_REMOVE:
		return irq_hook_remove(caller->priv, line, id);
	case IRQ_ENABLE:
		return irq_hook_enable(caller->priv, line, id, true);
	case IRQ_DISABLE:
		return irq_hook_enable(caller->priv, line, id, false);
	default:
		return -EINVAL;
	}
}
