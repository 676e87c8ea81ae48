/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/reboot.h"

#include "lib/sys/diag.h"
#include "proto/vfs.h"
#include "servers/pm/cred.h"
#include "servers/pm/deliver.h"
#include "servers/pm/notice.h"
#include "servers/pm/pm.h"
#include "servers/pm/user.h"

#define REBOOT_MAGIC1       0xfee1deadu
#define REBOOT_RESTART      0x01234567u
#define REBOOT_HALT         0xcdef0123u
#define REBOOT_CAD_ON       0x89abcdefu
#define REBOOT_CAD_OFF      0u
#define REBOOT_POWER_OFF    0x4321fedcu
#define UNMOUNT_PATIENCE_NS (30 * NS_PER_SECOND)

static void reboot_now(struct pm *pm)
{
	(void)sys_abort((enum abort_how)pm->shutdown_how);
}

void reboot_patience_over(struct pm *pm, struct pm_timer *timer)
{
	diag_printf("VFS does not unmount: stopping without it");
	reboot_now(pm);
}

void reboot_start(struct pm *pm, int how)
{
	struct message m = {.type = VFS_PM_UNMOUNT_ALL};

	if (pm->shutdown_how != 0) {
		return;
	}
	pm->shutdown_how = how;
	pm->shutdown_seq = notice_next_seq(pm);
	MSG(&m, vfs_pm_ep)->ep = EP_NONE;
	MSG(&m, vfs_pm_ep)->seq = pm->shutdown_seq;
	notice_send(pm, EP_VFS, &m);
	pm->shutdown_timer.kind = TIMER_SHUTDOWN;
	timerq_arm(pm, &pm->shutdown_timer, sys_monotonic_ns() + UNMOUNT_PATIENCE_NS);
}

void reboot_unmounted(struct pm *pm, uint32_t seq)
{
	if (pm->shutdown_how != 0 && seq == pm->shutdown_seq) {
		reboot_now(pm);
	}
}

static bool magic_is_right(uint64_t magic1, uint64_t magic2)
{
	static const uint32_t magic[] = {672274793, 85072278, 369367448, 537993216};

	if ((uint32_t)magic1 != REBOOT_MAGIC1) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(magic); i++) {
		if ((uint32_t)magic2 == magic[i]) {
			return true;
		}
	}
	return false;
}

int64_t call_reboot(struct pm *pm, struct thread *thread, const uint64_t *arg)
{
	int how;

	if (!cred_capable(thread->process, LCAP_SYS_BOOT)) {
		return -EPERM;
	}
	if (!magic_is_right(arg[0], arg[1])) {
		return -EINVAL;
	}
	switch ((uint32_t)arg[2]) {
	case REBOOT_CAD_ON:
	case REBOOT_CAD_OFF:
		pm->ctrl_alt_del = (uint32_t)arg[2] == REBOOT_CAD_ON;
		return 0;
	case REBOOT_RESTART:
		how = ABORT_REBOOT;
		break;
	case REBOOT_HALT:
		how = ABORT_HALT;
		break;
	case REBOOT_POWER_OFF:
		how = ABORT_POWEROFF;
		break;
	default:
		return -EINVAL;
	}
	reboot_start(pm, how);
	thread_wait(thread, WAIT_REBOOT);
	return CALL_NO_REPLY;
}
