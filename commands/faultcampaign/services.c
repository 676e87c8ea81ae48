/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/faultcampaign/services.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/sef.h"

#define NR_AXO_SERVICE 0x800
#define STATUS_MAX     8192

static const char *const names[FAULT_KINDS] = {
	[FAULT_KILL] = "kill",
	[SEF_FAULT_POINTER] = "pointer",
	[SEF_FAULT_ASSERT] = "assert",
	[SEF_FAULT_EXIT] = "exit",
	[SEF_FAULT_LOOP] = "loop",
	[SEF_FAULT_SILENT] = "silent",
	[SEF_FAULT_WRONG] = "wrong",
	[SEF_FAULT_MEMORY] = "memory",
	[SEF_FAULT_GRANTS] = "grants",
	[SEF_FAULT_TEXT] = "text",
	[SEF_FAULT_DATA] = "data",
};

const char *fault_name(int kind)
{
	return kind >= 0 && kind < FAULT_KINDS ? names[kind] : NULL;
}

int fault_by_name(const char *name)
{
	for (int i = 0; i < FAULT_KINDS; i++) {
		if (strcmp(names[i], name) == 0) {
			return i;
		}
	}
	return -EINVAL;
}

bool fault_is_deadly(int kind)
{
	return kind == FAULT_KILL || kind == SEF_FAULT_POINTER || kind == SEF_FAULT_ASSERT ||
		kind == SEF_FAULT_EXIT;
}

bool fault_is_silent(int kind)
{
	return kind == SEF_FAULT_LOOP || kind == SEF_FAULT_SILENT;
}

static int call(struct axo_service_req *req, uint32_t cmd, const char *label)
{
	long r;

	req->cmd = cmd;
	snprintf(req->name, sizeof(req->name), "%s", label);
	do {
		r = syscall(NR_AXO_SERVICE, req);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : (int)r;
}

int services_resolve(const char *name, char label[24])
{
	static char text[STATUS_MAX];
	struct axo_service_req req = {.out = (uint64_t)text, .out_len = sizeof(text) - 1};
	size_t len = strlen(name);
	int r;

	memset(text, 0, sizeof(text));
	r = call(&req, AXO_SERVICE_STATUS, "");
	if (r < 0) {
		return r;
	}
	for (char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
		size_t word = strcspn(line, " \t\n");

		if (word < 24 && strncmp(line, name, len) == 0 &&
			(word == len || line[len] == '.')) {
			memcpy(label, line, word);
			label[word] = 0;
			return 0;
		}
	}
	return -ESRCH;
}

int services_stats(const char *label, struct axo_service_stats *stats)
{
	struct axo_service_req req = {.out = (uint64_t)stats, .out_len = sizeof(*stats)};
	int r;

	memset(stats, 0, sizeof(*stats));
	r = call(&req, AXO_SERVICE_STATS, label);
	return r < 0 ? r : 0;
}

int services_ping(const char *label)
{
	struct axo_service_req req = {0};
	int r = call(&req, AXO_SERVICE_PING, label);

	return r < 0 ? r : 0;
}

int services_restart(const char *label)
{
	struct axo_service_req req = {0};

	return call(&req, AXO_SERVICE_RESTART, label);
}

int services_fault(const char *label, int kind, uint64_t seed, uint32_t flags)
{
	struct axo_service_req req = {
		.flags = AXO_SERVICE_NO_BACKOFF | flags,
		.arg = kind,
		.count = kind == SEF_FAULT_TEXT || kind == SEF_FAULT_DATA ? 20 : 1,
		.seed = seed,
	};

	return call(&req, AXO_SERVICE_FAULT, label);
}
