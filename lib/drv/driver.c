/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/drv/driver.h"

#include <errno.h>

#include "lib/drv/blk.h"
#include "lib/drv/chr.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef.h"

static void dispatch(const struct driver *driver, struct message *m, bool is_call)
{
	if (IS_NOTIFY(m)) {
		if (m->source == EP_HARDWARE && driver->interrupt != NULL) {
			driver->interrupt(driver->ctx, m->notify.irqs);
		} else if (m->source == EP_CLOCK && driver->alarm != NULL) {
			driver->alarm(driver->ctx);
		}
		return;
	}
	if (driver->chr != NULL && chr_dispatch(driver->chr, driver->ctx, m)) {
		return;
	}
	if (driver->blk != NULL && blk_dispatch(driver->blk, driver->ctx, m, is_call)) {
		return;
	}
	if (driver->other != NULL) {
		driver->other(driver->ctx, m, is_call);
	} else if (is_call) {
		ipc_reply(m->source, m, -ENOSYS);
	}
}

void driver_run(const struct driver *driver)
{
	for (;;) {
		struct message m;
		uint32_t status = 0;

		if (sef_receive(EP_ANY, &m, &status) < 0) {
			continue;
		}
		dispatch(driver, &m, (status & IPC_STATUS_SENDREC) != 0);
		if (driver->settle != NULL) {
			driver->settle(driver->ctx);
		}
	}
}
