/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "servers/rs/binary.h"
#include "servers/rs/peers.h"
#include "servers/rs/process.h"
#include "servers/rs/service.h"

static struct template *find(struct rs *rs, const char *type)
{
	for (int i = 0; i < RS_TEMPLATES_MAX; i++) {
		if (rs->templates[i].used && strcmp(rs->templates[i].conf.name, type) == 0) {
			return &rs->templates[i];
		}
	}
	return NULL;
}

static struct template *free_template(struct rs *rs)
{
	for (int i = 0; i < RS_TEMPLATES_MAX; i++) {
		if (!rs->templates[i].used) {
			return &rs->templates[i];
		}
	}
	return NULL;
}

int mounts_register(struct rs *rs, const char *type, const struct conf_service *conf,
	struct binary *binary, const char *args)
{
	struct template *t = find(rs, type);
	char *copy;
	int r;

	if (conf->class != CONF_CLASS_FS) {
		return -EINVAL;
	}
	r = process_check(binary);
	if (r < 0) {
		return r;
	}
	copy = strdup(args);
	if (!copy) {
		return -ENOMEM;
	}
	if (!t) {
		t = free_template(rs);
	}
	if (!t) {
		free(copy);
		return -ENOSPC;
	}
	(void)binary_hold(binary);
	if (t->used) {
		binary_release(t->binary);
		free(t->args);
	}
	*t = (struct template){.used = true, .conf = *conf, .binary = binary, .args = copy};
	snprintf(t->conf.name, sizeof(t->conf.name), "%s", type);
	return 0;
}

/* The wanted label, or with a number behind it when it is taken. */
static void choose_label(
	struct rs *rs, const char *wanted, const char *type, char label[CONF_NAME_MAX])
{
	const char *base = conf_is_name(wanted) ? wanted : type;

	snprintf(label, CONF_NAME_MAX, "%s", base);
	for (unsigned n = 2; service_by_label(rs, label) && n <= RS_SERVICES_MAX + 1; n++) {
		snprintf(label, CONF_NAME_MAX, "%.*s.%u", CONF_NAME_MAX - 5, base, n);
	}
}

void mounts_start(struct rs *rs, const struct rs_fs_start *req)
{
	struct waiter waiter = {.kind = WAITER_MOUNT, .seq = req->seq};
	char type[sizeof(req->type)], wanted[sizeof(req->label)], label[CONF_NAME_MAX];
	struct template *t;
	int r = -ENODEV;

	memcpy(type, req->type, sizeof(type));
	memcpy(wanted, req->label, sizeof(wanted));
	type[sizeof(type) - 1] = '\0';
	wanted[sizeof(wanted) - 1] = '\0';
	t = find(rs, type);
	if (t) {
		struct service_plan plan = {
			.label = label,
			.conf = &t->conf,
			.binary = t->binary,
			.args = t->args,
			.is_mount = true,
			.waiter = waiter,
		};

		choose_label(rs, wanted, type, label);
		r = service_up(rs, &plan);
	}
	if (r < 0) {
		peers_answer(&waiter, r, EP_NONE);
	}
}

void mounts_stop(struct rs *rs, const struct rs_ep *req)
{
	struct service *service = service_by_endpoint(rs, req->ep);

	if (service && service->conf.class == CONF_CLASS_FS) {
		service_release(rs, service);
	}
}
