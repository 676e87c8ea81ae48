/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations: what each statement means. The words come from words.c. */
#include "servers/rs/conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/sched.h"
#include "servers/rs/conf_devices.h"
#include "servers/rs/names.h"
#include "servers/rs/words.h"

static int read_bool(struct parser *p, bool *value)
{
	int r = word_need(p, "yes or no");

	if (r < 0) {
		return r;
	}
	if (strcmp(p->word, "yes") != 0 && strcmp(p->word, "no") != 0) {
		return word_fail(p, "'%s' is yes or no, not '%s'", p->keyword, p->word);
	}
	*value = p->word[0] == 'y';
	return word_end(p);
}

/* ---- the statements ---- */

static int read_uid(struct parser *p)
{
	uint64_t value;
	int r = word_need_number(p, "a user id", INT32_MAX, &value);

	if (r < 0) {
		return r;
	}
	p->out->uid = (uint32_t)value;
	return word_end(p);
}

static const char *const class_names[] = {
	[CONF_CLASS_DRIVER] = "driver",
	[CONF_CLASS_FS] = "fs",
	[CONF_CLASS_SERVER] = "server",
};

const char *conf_class_name(enum conf_class class)
{
	return class_names[class];
}

static int read_class(struct parser *p)
{
	int r = word_need(p, "driver, fs or server");

	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < AXO_ARRAY_LEN(class_names); i++) {
		if (strcmp(p->word, class_names[i]) == 0) {
			p->out->class = (enum conf_class)i;
			return word_end(p);
		}
	}
	return word_fail(p, "there is no class '%s'", p->word);
}

static bool is_group(const char *word)
{
	if (word[0] != '@') {
		return false;
	}
	for (size_t i = 0; i < AXO_ARRAY_LEN(class_names); i++) {
		if (strcmp(word + 1, class_names[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool has_target(const struct conf_service *out, const char *word)
{
	for (uint32_t i = 0; i < out->ipc_count; i++) {
		if (strcmp(out->ipc[i], word) == 0) {
			return true;
		}
	}
	return false;
}

static int read_ipc(struct parser *p)
{
	struct conf_service *out = p->out;
	int r = word_need(p, "targets");

	if (r < 0) {
		return r;
	}
	if (strcmp(p->word, "none") == 0) {
		return word_end(p);
	}
	if (strcmp(p->word, "all") == 0) {
		out->ipc_all = true;
		return word_end(p);
	}
	for (; r == 1; r = word_argument(p)) {
		if (!is_group(p->word) && !conf_is_name(p->word)) {
			return word_fail(p, "'ipc': '%.40s' is no label and no group", p->word);
		}
		if (has_target(out, p->word)) {
			return word_fail(p, "'ipc': %s stands here a second time", p->word);
		}
		if (out->ipc_count == CONF_IPC_MAX) {
			return word_fail(p, "'ipc' has more than %d targets", CONF_IPC_MAX);
		}
		memcpy(out->ipc[out->ipc_count++], p->word, strlen(p->word) + 1);
	}
	return r;
}

static int read_bits(struct parser *p, int (*bit_of)(const char *), uint64_t *mask)
{
	int r = word_need(p, "names, all or none");

	if (r < 0) {
		return r;
	}
	if (strcmp(p->word, "none") == 0) {
		return word_end(p);
	}
	if (strcmp(p->word, "all") == 0) {
		*mask = UINT64_MAX;
		return word_end(p);
	}
	for (; r == 1; r = word_argument(p)) {
		int bit = bit_of(p->word);

		if (bit < 0) {
			return word_fail(p, "'%s': there is no call '%.32s'", p->keyword, p->word);
		}
		if (*mask >> bit & 1) {
			return word_fail(
				p, "'%s': %s stands here a second time", p->keyword, p->word);
		}
		*mask |= 1ull << bit;
	}
	return r;
}

static int read_kcall(struct parser *p)
{
	uint64_t calls = p->out->kcalls;
	int r = read_bits(p, names_kernel_call, &calls);

	/* Who names what everybody has does not know what the service needs. */
	if (r == 0 && calls != UINT64_MAX && (calls & KCALL_BASIC)) {
		return word_fail(p, "'kcall': %s is in the basic set, which every service has",
			names_of_kernel_call((unsigned)__builtin_ctzll(calls & KCALL_BASIC)));
	}
	p->out->kcalls = calls;
	return r;
}

static int read_vm(struct parser *p)
{
	return read_bits(p, names_vm_call, &p->out->vm_calls);
}

static int read_sched(struct parser *p)
{
	int r = word_need(p, "priority or quantum");

	for (; r == 1; r = word_argument(p)) {
		bool is_priority = strcmp(p->word, "priority") == 0;
		uint64_t value;

		if (!is_priority && strcmp(p->word, "quantum") != 0) {
			return word_fail(
				p, "'sched' knows priority and quantum, not '%s'", p->word);
		}
		if (is_priority ? p->out->priority >= 0 : p->out->quantum_ns != 0) {
			return word_fail(p, "'sched': %s stands here a second time", p->word);
		}
		r = word_need_number(
			p, "a number", is_priority ? SCHED_PRIORITIES - 1 : 10000, &value);
		if (r < 0) {
			return r;
		}
		if (is_priority) {
			p->out->priority = (int32_t)value;
		} else {
			p->out->quantum_ns = value * 1000000;
		}
	}
	return r;
}

/* What it may have of things that run out. */
static int read_quota(struct parser *p)
{
	int r = word_need(p, "memory or grants");

	for (; r == 1; r = word_argument(p)) {
		bool is_memory = strcmp(p->word, "memory") == 0;
		uint64_t value;

		if (!is_memory && strcmp(p->word, "grants") != 0) {
			return word_fail(
				p, "'quota' knows memory and grants, not '%.32s'", p->word);
		}
		if (is_memory ? p->out->memory_max != 0 : p->out->grants_max != 0) {
			return word_fail(p, "'quota': %s stands here a second time", p->word);
		}
		r = word_need_number(p, "a number", is_memory ? (1ull << 46) - 1 : 65536, &value);
		if (r < 0) {
			return r;
		}
		if (value == 0) {
			return word_fail(p, "'quota': nothing can run with 0");
		}
		if (is_memory) {
			p->out->memory_max = value;
		} else {
			p->out->grants_max = (uint32_t)value;
		}
	}
	return r;
}

static int read_restart(struct parser *p)
{
	bool value;
	int r = read_bool(p, &value);

	if (r < 0) {
		return r;
	}
	p->out->restart = value ? CONF_RESTART_YES : CONF_RESTART_NO;
	return 0;
}

static int read_core(struct parser *p)
{
	return read_bool(p, &p->out->is_core);
}

static int read_heap(struct parser *p)
{
	return read_bool(p, &p->out->heap);
}

static int read_magic(struct parser *p)
{
	return read_bool(p, &p->out->magic_grants);
}

static int read_replica(struct parser *p)
{
	return read_bool(p, &p->out->replica);
}

static int read_period(struct parser *p)
{
	uint64_t value;
	int r = word_need_number(p, "milliseconds", 3600000, &value);

	if (r < 0) {
		return r;
	}
	if (value < 10) {
		return word_fail(p, "'period': less than 10 ms");
	}
	p->out->period_ns = value * 1000000;
	return word_end(p);
}

static int read_script(struct parser *p)
{
	int r = word_need(p, "a path");

	if (r < 0) {
		return r;
	}
	if (p->word[0] != '/') {
		return word_fail(p, "'script': '%.40s' is no absolute path", p->word);
	}
	memcpy(p->out->script, p->word, strlen(p->word) + 1);
	return word_end(p);
}

static int read_control(struct parser *p)
{
	struct conf_service *out = p->out;
	int r = word_need(p, "user ids");

	for (; r == 1; r = word_argument(p)) {
		uint64_t value;

		r = word_number(p, INT32_MAX, &value);
		if (r < 0) {
			return r;
		}
		for (uint32_t i = 0; i < out->control_count; i++) {
			if (out->control[i] == value) {
				return word_fail(
					p, "'control': %s stands here a second time", p->word);
			}
		}
		if (out->control_count == CONF_CONTROL_MAX) {
			return word_fail(p, "'control' has more than %d users", CONF_CONTROL_MAX);
		}
		out->control[out->control_count++] = (uint32_t)value;
	}
	return r;
}

static int read_manager(struct parser *p)
{
	int r = word_need(p, "a label, or self");

	if (r < 0) {
		return r;
	}
	if (!conf_is_name(p->word)) {
		return word_fail(p, "'signal_manager': '%.32s' is no label", p->word);
	}
	memcpy(p->out->signal_manager, p->word, strlen(p->word) + 1);
	return word_end(p);
}

/* Those that may stand several times add up. */
static const struct statement {
	const char *keyword;
	int (*read)(struct parser *);
	bool may_repeat;
} statements[] = {
	{"uid", read_uid, false},
	{"class", read_class, false},
	{"ipc", read_ipc, true},
	{"kcall", read_kcall, true},
	{"vm", read_vm, true},
	{"chr", conf_read_chr, true},
	{"blk", conf_read_blk, true},
	{"pci", conf_read_pci, true},
	{"io", conf_read_io, true},
	{"mem", conf_read_mem, true},
	{"irq", conf_read_irq, true},
	{"sched", read_sched, false},
	{"quota", read_quota, false},
	{"restart", read_restart, false},
	{"core", read_core, false},
	{"heap", read_heap, false},
	{"magic_grants", read_magic, false},
	{"signal_manager", read_manager, false},
	{"period", read_period, false},
	{"replica", read_replica, false},
	{"script", read_script, false},
	{"control", read_control, true},
};

static int read_statement(struct parser *p)
{
	for (size_t i = 0; i < AXO_ARRAY_LEN(statements); i++) {
		const struct statement *s = &statements[i];

		if (strcmp(p->word, s->keyword) != 0) {
			continue;
		}
		if (!s->may_repeat && (p->seen & 1ull << i)) {
			return word_fail(p, "'%s' stands here a second time", s->keyword);
		}
		p->seen |= 1ull << i;
		p->keyword = s->keyword;
		return s->read(p);
	}
	return word_fail(p, "'%.40s' is no statement of a declaration", p->word);
}

static void set_defaults(struct conf_service *out)
{
	*out = (struct conf_service){.uid = 999, .heap = true, .priority = -1};
	memcpy(out->signal_manager, "rs", 3);
}

static void set_priority(struct conf_service *out)
{
	static const int8_t by_class[] = {
		[CONF_CLASS_DRIVER] = SCHED_PRIO_DRIVER,
		[CONF_CLASS_FS] = SCHED_PRIO_FS,
		[CONF_CLASS_SERVER] = SCHED_PRIO_SERVER,
	};

	if (out->priority < 0) {
		out->priority = by_class[out->class];
	}
}

/* The head of a declaration, `service NAME {`; its first word is read already. */
static int read_head(struct parser *p)
{
	if (strcmp(p->word, "service") != 0) {
		return word_fail(p, "'service' expected, not '%.40s'", p->word);
	}
	p->out->line = p->word_line;
	p->keyword = "service";
	if (word_next(p) <= 0 || !conf_is_name(p->word)) {
		return word_fail(p,
			"'service' needs a name of at most %d letters, digits, '_', '-' or '.'",
			CONF_NAME_MAX - 1);
	}
	memcpy(p->out->name, p->word, strlen(p->word) + 1);
	if (word_next(p) <= 0 || strcmp(p->word, "{") != 0) {
		return word_fail(p, "'{' expected after 'service %s'", p->out->name);
	}
	return 0;
}

bool conf_is_name(const char *name)
{
	size_t n = 0;

	if (!((name[0] | 0x20) >= 'a' && (name[0] | 0x20) <= 'z')) {
		return false;
	}
	for (; name[n]; n++) {
		char c = name[n];
		bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

		if (n == CONF_NAME_MAX - 1 ||
			!(is_letter || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
				c == '.')) {
			return false;
		}
	}
	return true;
}

void conf_open(struct conf_text *in, const char *text, size_t len)
{
	*in = (struct conf_text){.text = text, .len = len, .line = 1};
}

int conf_next(struct conf_text *in, struct conf_service *out, struct conf_error *error)
{
	struct parser parser = {.in = in, .out = out, .error = error, .keyword = "service"};
	struct parser *p = &parser;
	int r = word_next(p);

	if (r <= 0) {
		return r;
	}
	set_defaults(out);
	r = read_head(p);
	while (r == 0) {
		r = word_next(p);
		if (r < 0) {
			return r;
		}
		if (r == 0) {
			return word_fail(p, "the text ends within 'service %s' of line %u",
				out->name, out->line);
		}
		if (strcmp(p->word, "}") == 0) {
			set_priority(out);
			return 1;
		}
		r = read_statement(p);
	}
	return r;
}

int conf_find(const char *text, size_t len, const char *name, struct conf_service *out,
	struct conf_error *error)
{
	struct conf_service next;
	struct conf_text in;
	bool is_found = false;
	unsigned count = 0;
	int r;

	conf_open(&in, text, len);
	while ((r = conf_next(&in, &next, error)) == 1) {
		bool is_it = strcmp(next.name, name) == 0;

		if (is_it && is_found) {
			error->line = next.line;
			snprintf(error->text, sizeof(error->text), "'service %s' is declared twice",
				name);
			return -EINVAL;
		}
		if (is_it || (count == 0 && !is_found)) {
			*out = next;
			is_found |= is_it;
		}
		count++;
	}
	if (r < 0) {
		return r;
	}
	if (!is_found && count != 1) {
		error->line = in.line;
		snprintf(error->text, sizeof(error->text), "no 'service %s' here", name);
		return -ENOENT;
	}
	return 0;
}
