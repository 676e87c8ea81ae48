/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watcher PID... [mute]: hears signals and the end of these processes from PM (PM-10), and tells
 * the diagnostics. `mute` never answers.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef.h"
#include "proto/pm.h"

static bool mute;
static unsigned signals;

static void watch(int32_t pid)
{
	struct message m = {.type = PM_WATCH};

	MSG(&m, pm_watch)->ep = EP_NONE;
	MSG(&m, pm_watch)->pid = pid;
	MSG(&m, pm_watch)->kinds = PM_EVENT_SIGNAL | PM_EVENT_EXIT;
	(void)asyn_send(EP_PM, &m);
}

static int init(const struct sef_info *info)
{
	char *word = (char *)(uintptr_t)info->args;

	for (;;) {
		long pid = strtol(word, &word, 10);

		if (pid <= 0) {
			break;
		}
		watch((int32_t)pid);
	}
	mute = strstr(info->args, "mute") != NULL;
	return 0;
}

static void event(const struct message *m)
{
	const struct pm_event *event = MSG((struct message *)(uintptr_t)m, pm_event);
	struct message done = *m;

	if (event->kind == PM_EVENT_SIGNAL) {
		signals++;
	}
	diag_printf("event %u of %d, signals %u", event->kind, event->pid, signals);
	if (!mute) {
		done.type = PM_EVENT_DONE;
		(void)asyn_send(EP_PM, &done);
	}
}

int main(void)
{
	sef_on_init(init);
	sef_start();
	for (;;) {
		struct message m;

		if (sef_receive(EP_ANY, &m, NULL) != 0 || m.source != EP_PM) {
			continue;
		}
		if (m.type == PM_EVENT) {
			event(&m);
		} else if (m.type == (PM_WATCH | PROTO_REPLY)) {
			diag_printf("watch: %d", MSG(&m, pm_getproc_rep)->result);
		}
	}
}
