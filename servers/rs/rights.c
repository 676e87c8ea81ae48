/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/rights.h"

#include <errno.h>
#include <inttypes.h>

#include "abi/kcall.h"
#include "servers/rs/conf_write.h"
#include "servers/rs/process.h"

static int finish(const struct conf_writer *out)
{
	return out->len < out->size ? (int)out->len : -ENOSPC;
}

int rights_text(const struct service *s, char *text, size_t size)
{
	struct conf_writer out = {.text = text, .size = size};
	uint64_t kcalls, vm_calls;

	conf_write(&out, &s->conf);
	if (s->ep != EP_NONE && process_calls_made(s->ep, &kcalls, &vm_calls) == 0) {
		if (s->conf.kcalls & ~kcalls) {
			conf_write_text(&out, "\t# never called so far: kcall");
			conf_write_kernel_calls(&out, s->conf.kcalls & ~kcalls);
			conf_write_text(&out, "\n");
		}
		if (s->conf.vm_calls & ~vm_calls) {
			conf_write_text(&out, "\t# never called so far: vm");
			conf_write_vm_calls(&out, s->conf.vm_calls & ~vm_calls);
			conf_write_text(&out, "\n");
		}
	}
	conf_write_text(&out, "}\n");
	return finish(&out);
}

int rights_devices(const struct rs *rs, char *text, size_t size)
{
	struct conf_writer out = {.text = text, .size = size};

	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		const struct service *s = &rs->services[i];

		if (s->state == SERVICE_FREE) {
			continue;
		}
		for (uint32_t k = 0; k < s->conf.chr_count; k++) {
			conf_write_text(&out, "chr %" PRIu32 " %s\n", s->conf.chr[k], s->label);
		}
		for (uint32_t k = 0; k < s->conf.blk_count; k++) {
			conf_write_text(&out, "blk %" PRIu32 " %s\n", s->conf.blk[k], s->label);
		}
	}
	return finish(&out);
}

/* One of `count` numbers that is also in the other list, in *major. */
static bool share_number(const uint32_t *list, uint32_t count, const uint32_t *other,
	uint32_t other_count, uint32_t *major)
{
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t k = 0; k < other_count; k++) {
			if (list[i] == other[k]) {
				*major = list[i];
				return true;
			}
		}
	}
	return false;
}

const struct service *rights_device_owner(
	const struct rs *rs, const struct conf_service *conf, bool *is_block, uint32_t *major)
{
	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		const struct service *s = &rs->services[i];
		const struct conf_service *other = &s->conf;

		if (s->state == SERVICE_FREE) {
			continue;
		}
		*is_block = share_number(
			conf->blk, conf->blk_count, other->blk, other->blk_count, major);
		if (*is_block ||
			share_number(
				conf->chr, conf->chr_count, other->chr, other->chr_count, major)) {
			return s;
		}
	}
	return NULL;
}
