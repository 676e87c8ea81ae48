/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/privilege.h"

#include <string.h>

#include "abi/trap.h"
#include "lib/core/bitmap.h"

/* Whether a word of an ipc list means the service. */
static bool word_means(const char *word, const struct service *s)
{
	if (word[0] == '@') {
		return strcmp(word + 1, conf_class_name(s->conf.class)) == 0;
	}
	return strcmp(word, s->label) == 0 || strcmp(word, s->conf.name) == 0;
}

bool privilege_names(const struct service *a, const struct service *b)
{
	if (a->conf.ipc_all) {
		return true;
	}
	for (uint32_t i = 0; i < a->conf.ipc_count; i++) {
		if (word_means(a->conf.ipc[i], b)) {
			return true;
		}
	}
	return false;
}

static endpoint_t manager_of(const struct rs *rs, const struct service *s)
{
	if (strcmp(s->conf.signal_manager, "self") == 0) {
		return EP_SELF;
	}
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		const struct service *other = &rs->services[i];

		if (other->state != SERVICE_FREE && other->ep != EP_NONE &&
			strcmp(other->label, s->conf.signal_manager) == 0) {
			return other->ep;
		}
	}
	return EP_RS;
}

/* What is not in it is not allowed any more. Who may send to all may so to those to come. */
static void fill_send_mask(const struct rs *rs, const struct service *s, struct priv_spec *spec)
{
	if (s->conf.ipc_all) {
		memset(spec->send_mask, 0xff, sizeof(spec->send_mask));
		return;
	}
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		const struct service *other = &rs->services[i];

		if (other == s || other->state == SERVICE_FREE || other->ep == EP_NONE ||
			other->priv_id <= 0) {
			continue;
		}
		if (other->ep == EP_RS || privilege_names(s, other) || privilege_names(other, s)) {
			bitmap_set(spec->send_mask, (size_t)other->priv_id);
		}
	}
}

void privilege_spec(const struct rs *rs, const struct service *s, struct priv_spec *spec)
{
	const struct conf_service *conf = &s->conf;

	*spec = (struct priv_spec){
		.flags = (conf->magic_grants ? PRIV_FLAG_MAGIC : 0) |
			(conf->io_all ? PRIV_FLAG_ALL_IO : 0) |
			(s->ep == EP_VM ? PRIV_FLAG_VM : 0) |
			(s->ep == EP_RS ? PRIV_FLAG_ROOT : 0) |
			(s->ep != EP_RS && (conf->kcalls >> KCALL_privctl & 1) != 0
					? PRIV_FLAG_DEVICES
					: 0),
		.trap_mask = (1u << (TRAP_LAST - TRAP_BASE)) - 1,
		.kcall_mask = conf->kcalls | KCALL_BASIC,
		.sig_mgr = manager_of(rs, s),
		/* Sees to the end of one that is its own manager. */
		.backup_mgr = s->ep == EP_RS ? EP_VM : EP_RS,
		.uid = (int32_t)conf->uid,
		.io_count = (uint16_t)conf->io_count,
		.mem_count = (uint16_t)conf->mem_count,
		.irq_count = (uint16_t)conf->irq_count,
		.linux_mem = conf->heap,
		.grants_max = conf->grants_max,
	};
	memcpy(spec->io, conf->io, sizeof(spec->io));
	memcpy(spec->mem, conf->mem, sizeof(spec->mem));
	memcpy(spec->irq, conf->irq, sizeof(spec->irq));
	memcpy(spec->label, s->label, sizeof(s->label));
	fill_send_mask(rs, s, spec);
}
