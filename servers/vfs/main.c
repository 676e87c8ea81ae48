/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual file system server. The main loop receives from anyone and never waits for file
 * systems, drivers, PM or RS: a request that must wait runs in a coroutine (call.h), and answers
 * come as messages like any other (trans.h).
 */
#include <errno.h>

#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef.h"
#include "lib/undo/undo.h"
#include "servers/vfs/call.h"
#include "servers/vfs/crash.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/trans.h"
#include "servers/vfs/update.h"
#include "servers/vfs/vfs.h"

/* generated */
#ifdef VFS_NEXT
#include "servers/vfs/vfs_next_layout.h"
#else
#include "servers/vfs/vfs_layout.h"
#endif

static int init(const struct sef_info *info)
{
	struct message m = {0};
	int r = vfs_init();

	(void)info;
	if (r < 0) {
		return r;
	}
	proc_create_init(EP_INIT);
	return call_start_worker(&m, NULL, mount_boot_root);
}

/* It is known only when the window ends that the receiver is gone: who waits for it hears then. */
static void on_unsent(endpoint_t dst, int error)
{
	trans_fail(dst, -EIO);
}

static const struct sef_kept kept = {.name = "vfs",
	.root = (void **)&vfs,
	.version = VFS_STATE_VERSION,
	.layout = VFS_LAYOUT,
	.upgrade = vfs_upgrade};

int main(void)
{
	sef_keep_heap(&kept);
	sef_on_init(init);
	sef_on_init_type(SEF_INIT_RESTART, crash_recover);
	sef_on_init_type(SEF_INIT_LU, update_take_over);
	sef_on_update(&update_callbacks);
	sef_on_waiter(crash_knows_waiter);
	undo_start(on_unsent);
	sef_start();
	if (vfs->is_resting) {
		update_resume();
	}
	coro_run();
	for (;;) {
		struct message m;
		uint32_t status;

		if (sef_receive(EP_ANY, &m, &status) == 0) {
			vfs_handle(&m, status);
		}
	}
}
