/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/alarm.h"

#include "lib/sys/kcall.h"
#include "servers/vm/cache.h"
#include "servers/vm/renew.h"

static void set_next(const struct vm *vm)
{
	time_ns_t next = 0;

	for (int i = 0; i < ALARM_COUNT; i++) {
		if (vm->alarms[i] != 0 && (next == 0 || vm->alarms[i] < next)) {
			next = vm->alarms[i];
		}
	}
	(void)sys_setalarm(next);
}

void alarm_set(struct vm *vm, enum vm_alarm alarm, uint64_t delay_ns)
{
	vm->alarms[alarm] = delay_ns == 0 ? 0 : sys_monotonic_ns() + delay_ns;
	set_next(vm);
}

static bool is_due(struct vm *vm, enum vm_alarm alarm)
{
	bool is = vm->alarms[alarm] != 0 && vm->alarms[alarm] <= sys_monotonic_ns();

	if (is) {
		vm->alarms[alarm] = 0;
	}
	return is;
}

void alarm_rang(struct vm *vm)
{
	if (is_due(vm, ALARM_CACHE)) {
		cache_alarm(vm);
	}
	if (is_due(vm, ALARM_RENEWAL)) {
		renew_timeout(vm);
	}
	set_next(vm);
}
