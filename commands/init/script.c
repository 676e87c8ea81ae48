/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/init/script.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include "commands/init/say.h"
#include "commands/init/session.h"
#include "commands/service/client.h"

#define TEXT_MAX   256
#define WORD_COUNT 4

void script_start_pending(void)
{
	char text[TEXT_MAX];

	while (client_text(AXO_SERVICE_SCRIPT, "", text, sizeof(text)) > 0) {
		char *argv[2 + WORD_COUNT] = {"sh"}, *rest = text;
		int count = 1;
		pid_t pid;

		while (count <= WORD_COUNT && rest && *rest) {
			argv[count++] = strsep(&rest, "\n");
		}
		pid = count == 1 + WORD_COUNT ? session_start(SESSION_RC, argv, false) : -EINVAL;
		if (pid < 0) {
			say("init: script %s: %s", argv[1], strerror((int)-pid));
		}
	}
}
