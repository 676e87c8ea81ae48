/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PM, the process manager: processes, threads, signals, credentials and timers of programs. Called
 * by programs (the calls that abi/linux/calls.h gives to PM), and asynchronously by VFS, RS, tty
 * and the proc file system (proto/pm.h). It calls VM and the kernel, and waits for nobody else.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef.h"
#include "lib/undo/undo.h"
#include "servers/pm/pm.h"
#include "servers/pm/recover.h"
#include "servers/pm/upgrade.h"

#include "pm_layout.h" /* generated */

/* For the callbacks of SEF; handlers get it as an argument. On the heap, with all that it leads to:
 * another version goes on with it. */
static struct pm *the_pm UNDO_STATIC;

static int on_init(const struct sef_info *info)
{
	int r;

	the_pm = malloc(sizeof(*the_pm));
	r = the_pm ? pm_init(the_pm, 0) : -ENOMEM;
	if (r == 0) {
		pm_adopt_boot_processes(the_pm);
	}
	return r;
}

static int on_return(const struct sef_info *info)
{
	return pm_recover(the_pm, info);
}

static bool on_waiter(endpoint_t ep)
{
	return pm_knows_waiter(the_pm, ep);
}

static int on_ksig(const struct ksig *ksig)
{
	return pm_handle_ksig(the_pm, ksig);
}

static const struct sef_kept kept = {
	.name = "pm",
	.root = (void **)&the_pm,
	.version = PM_STATE_VERSION,
	.layout = PM_LAYOUT,
	.upgrade = pm_upgrade,
};

int main(void)
{
	sef_on_init(on_init);
	sef_on_init_type(SEF_INIT_RESTART, on_return);
	sef_on_init_type(SEF_INIT_LU, on_return);
	sef_on_ksig(on_ksig);
	sef_on_waiter(on_waiter);
	sef_keep_heap(&kept);
	undo_start(NULL);
	sef_start();
	for (;;) {
		struct message m;
		uint32_t status = 0;

		if (sef_receive(EP_ANY, &m, &status) == 0) {
			undo_open(UNDO_MAIN_STACK, sef_served);
			pm_handle(the_pm, &m, status);
			undo_commit();
		}
	}
}
