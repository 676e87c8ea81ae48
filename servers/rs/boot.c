/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/boot.h"

#include <string.h>

#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "servers/rs/peers.h"
#include "servers/rs/process.h"
#include "servers/rs/service.h"

/* In the order in which they get their privileges: who others depend on comes first. */
static const struct {
	const char *label;
	endpoint_t ep;
} boot_services[] = {
	{"rs", EP_RS},
	{"ds", EP_DS},
	{"sched", EP_SCHED},
	{"vm", EP_VM},
	{"pm", EP_PM},
	{"vfs", EP_VFS},
	{"memory", EP_MEMORY},
	{"tty", EP_TTY},
	{"fs", EP_BOOTFS},
};

/* RS and VM have privileges already: the kernel gave them. */
static bool has_privileges(endpoint_t ep)
{
	return ep == EP_RS || ep == EP_VM;
}

static struct service *add(struct rs *rs, const char *label, endpoint_t ep)
{
	struct conf_service conf;
	struct conf_error error;
	struct service_plan plan = {
		.label = label, .conf = &conf, .binary = process_boot_binary(label), .args = ""};
	struct service *s;

	if (conf_find(boot_declarations, boot_declarations_len, label, &conf, &error) < 0) {
		diag_panic("boot declarations: line %u: %s", error.line, error.text);
	}
	s = service_new(rs, &plan);
	if (!s) {
		diag_panic("no memory for the service %s", label);
	}
	s->ep = ep;
	s->is_boot = true;
	return s;
}

static void give_privileges(struct rs *rs, struct service *s)
{
	int r = process_give_privileges(
		rs, s, s->ep, has_privileges(s->ep) ? PRIV_UPDATE : PRIV_SET);

	if (r >= 0) {
		s->priv_id = r;
	}
	if (r >= 0 && !has_privileges(s->ep)) {
		r = sys_privctl(PRIV_ALLOW, s->ep, NULL);
	}
	if (r < 0) {
		diag_panic("boot service %s: privileges: error %d", s->label, -r);
	}
}

/*
 * A service takes nothing from RS before its init message, and each gets RS's messages in order: so
 * first all init messages, then the news.
 */
void boot_begin(struct rs *rs)
{
	for (size_t i = 0; i < AXO_ARRAY_LEN(boot_services); i++) {
		give_privileges(rs, add(rs, boot_services[i].label, boot_services[i].ep));
	}
	process_boot_binaries_done();
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];

		if (s->state == SERVICE_FREE) {
			continue;
		}
		if (s->ep == EP_RS) {
			s->state = SERVICE_RUNNING;
			continue;
		}
		s->deadline_ns = rs->now_ns + RS_INIT_LIMIT_NS;
		rs->boot_waits++;
		peers_send_init(s, SEF_INIT_FRESH, EP_NONE);
	}
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];

		if (s->state != SERVICE_FREE) {
			peers_announce(rs, s);
			peers_map_drivers(s, false);
		}
	}
	service_tick(rs);
}

static void run_init(struct rs *rs)
{
	int r = sys_privctl(PRIV_SET_USER, EP_INIT, NULL);

	if (r >= 0) {
		r = sys_privctl(PRIV_ALLOW, EP_INIT, NULL);
	}
	if (r < 0) {
		diag_panic("init cannot run: error %d", -r);
	}
	rs->is_init_running = true;
}

void boot_started(struct rs *rs, struct service *s, int result)
{
	if (s->state != SERVICE_STARTING) {
		return;
	}
	if (result < 0) {
		diag_printf("boot service %s: its init failed: error %d", s->label, -result);
		peers_system_failed(s);
		return;
	}
	s->state = SERVICE_RUNNING;
	s->since_ns = rs->now_ns;
	s->deadline_ns = 0;
	if (--rs->boot_waits == 0) {
		run_init(rs);
	}
	service_tick(rs);
}
