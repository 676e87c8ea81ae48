/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/conf_write.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "servers/rs/names.h"

#define NS_PER_MS 1000000

void conf_write_text(struct conf_writer *out, const char *format, ...)
{
	size_t room = out->len < out->size ? out->size - out->len : 0;
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(room ? out->text + out->len : NULL, room, format, arguments);
	va_end(arguments);
	out->len += len > 0 ? (size_t)len : 0;
}

static void write_bits(struct conf_writer *out, uint64_t bits, const char *(*name_of)(unsigned bit))
{
	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name = bits >> bit & 1 ? name_of(bit) : NULL;

		if (name) {
			conf_write_text(out, " %s", name);
		}
	}
}

void conf_write_kernel_calls(struct conf_writer *out, uint64_t calls)
{
	write_bits(out, calls, names_of_kernel_call);
}

void conf_write_vm_calls(struct conf_writer *out, uint64_t calls)
{
	write_bits(out, calls, names_of_vm_call);
}

static void write_calls(struct conf_writer *out, const char *keyword, uint64_t calls,
	const char *(*name_of)(unsigned bit))
{
	if (calls == 0) {
		return;
	}
	conf_write_text(out, "\t%s", keyword);
	if (calls == UINT64_MAX) {
		conf_write_text(out, " all");
	} else {
		write_bits(out, calls, name_of);
	}
	conf_write_text(out, ";\n");
}

static void write_ipc(struct conf_writer *out, const struct conf_service *conf)
{
	if (!conf->ipc_all && conf->ipc_count == 0) {
		return;
	}
	conf_write_text(out, "\tipc%s", conf->ipc_all ? " all" : "");
	for (uint32_t i = 0; i < conf->ipc_count && !conf->ipc_all; i++) {
		conf_write_text(out, " %s", conf->ipc[i]);
	}
	conf_write_text(out, ";\n");
}

static void write_numbers(
	struct conf_writer *out, const char *keyword, const uint32_t *list, uint32_t count)
{
	if (count == 0) {
		return;
	}
	conf_write_text(out, "\t%s", keyword);
	for (uint32_t i = 0; i < count; i++) {
		conf_write_text(out, " %" PRIu32, list[i]);
	}
	conf_write_text(out, ";\n");
}

static void write_ranges(
	struct conf_writer *out, const char *keyword, const struct priv_range *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		conf_write_text(out, "\t%s 0x%" PRIx64 " 0x%" PRIx64 ";\n", keyword, list[i].start,
			list[i].end - list[i].start + 1);
	}
}

static void write_devices(struct conf_writer *out, const struct conf_service *conf)
{
	write_numbers(out, "chr", conf->chr, conf->chr_count);
	write_numbers(out, "blk", conf->blk, conf->blk_count);
	for (uint32_t i = 0; i < conf->pci_count; i++) {
		conf_write_text(out, "\tpci %04" PRIx32 ":%04" PRIx32 ";\n", conf->pci[i] >> 16,
			conf->pci[i] & 0xffff);
	}
	if (conf->io_all) {
		conf_write_text(out, "\tio all;\n");
	}
	write_ranges(out, "io", conf->io, conf->io_count);
	for (uint32_t i = 0; i < conf->irq_count; i++) {
		conf_write_text(out, "\tirq %" PRId32 ";\n", conf->irq[i]);
	}
	write_ranges(out, "mem", conf->mem, conf->mem_count);
}

static void write_flag(struct conf_writer *out, const char *keyword, bool value, bool by_default)
{
	if (value != by_default) {
		conf_write_text(out, "\t%s %s;\n", keyword, value ? "yes" : "no");
	}
}

static void write_limits(struct conf_writer *out, const struct conf_service *conf)
{
	conf_write_text(out, "\tsched priority %" PRId32, conf->priority);
	if (conf->quantum_ns) {
		conf_write_text(out, " quantum %" PRIu64, conf->quantum_ns / NS_PER_MS);
	}
	conf_write_text(out, ";\n");
	if (conf->memory_max || conf->grants_max) {
		conf_write_text(out, "\tquota");
	}
	if (conf->memory_max) {
		conf_write_text(out, " memory %" PRIu64, conf->memory_max);
	}
	if (conf->grants_max) {
		conf_write_text(out, " grants %" PRIu32, conf->grants_max);
	}
	if (conf->memory_max || conf->grants_max) {
		conf_write_text(out, ";\n");
	}
}

void conf_write(struct conf_writer *out, const struct conf_service *conf)
{
	conf_write_text(out, "service %s {\n\tclass %s;\n\tuid %" PRIu32 ";\n", conf->name,
		conf_class_name(conf->class), conf->uid);
	write_ipc(out, conf);
	write_calls(out, "kcall", conf->kcalls, names_of_kernel_call);
	write_calls(out, "vm", conf->vm_calls, names_of_vm_call);
	write_flag(out, "heap", conf->heap, true);
	write_flag(out, "magic_grants", conf->magic_grants, false);
	write_devices(out, conf);
	write_limits(out, conf);
	write_flag(out, "restart", conf->restart == CONF_RESTART_YES, true);
	write_flag(out, "core", conf->is_core, false);
	write_flag(out, "replica", conf->replica, false);
	if (conf->period_ns) {
		conf_write_text(out, "\tperiod %" PRIu64 ";\n", conf->period_ns / NS_PER_MS);
	}
	if (conf->script[0] != '\0') {
		conf_write_text(out, "\tscript %s;\n", conf->script);
	}
	write_numbers(out, "control", conf->control, conf->control_count);
	if (strcmp(conf->signal_manager, "rs") != 0) {
		conf_write_text(out, "\tsignal_manager %s;\n", conf->signal_manager);
	}
}
