/* SPDX-License-Identifier: BSD-2-Clause */
/* service: starts, stops, updates and shows services. docs/services.md. The exit status is 0 or an
 * errno. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/service/client.h"
#include "commands/service/devices.h"
#include "commands/service/files.h"
#include "commands/service/options.h"
#include "commands/service/say.h"
#include "proto/sef.h"

#define STATUS_MAX 8192
#define DETAIL_MAX 160
#define NS_PER_US  1000

static int usage(FILE *out)
{
	fprintf(out,
		"usage: service up NAME|FILE [--label NAME] [--conf FILE] [--args TEXT]\n"
		"               [-p|--replica] [-b|--no-backoff] [-n|--no-wait] [--period MS]\n"
		"       service down|restart|refresh NAME\n"
		"       service update NAME [FILE] [NAME [FILE]]... [-c FILE] [--conf FILE]\n"
		"               [--args TEXT] [--state work|request|protocol|N] [--maxtime MS]\n"
		"       service rollback NAME [--state ...] [--maxtime MS]\n"
		"       service clone|unclone NAME\n"
		"       service edit NAME [--conf FILE] [--period MS]\n"
		"       service status [NAME]\n"
		"       service list\n"
		"       service stats|rights|ping|lookup NAME\n"
		"       service devices [DIRECTORY]\n"
		"       service fi NAME "
		"kill|crash|assert|exit|loop|silent|wrong|memory|grants|text|data\n"
		"               [--count N] [--seed N] [--boundary] [--free]\n"
		"       service shutdown\n");
	return EINVAL;
}

static int finish(const char *name, int r)
{
	return r < 0 ? say_failure(name, r) : 0;
}

/* Make a call that hands in a declaration: RS says what is wrong with it. */
static int call_with_conf(struct axo_service_req *req, const char *conf_path)
{
	char detail[DETAIL_MAX];
	int r;

	client_take(req, detail, sizeof(detail));
	r = client_call(req);
	if (r < 0 && detail[0]) {
		fprintf(stderr, "service: %s:%s\n", conf_path, detail);
		return -r;
	}
	if (r == -EBUSY && req->cmd == AXO_SERVICE_UP) {
		return say_text(
			req->name, r, "a service of this name is there already (try restart)");
	}
	return finish(req->name, r);
}

static int run_up(const struct options *o)
{
	const char *slash = strrchr(o->names[0], '/');
	const char *base = slash ? slash + 1 : o->names[0];
	const char *label = o->label ? o->label : base;
	char binary_path[FILES_PATH_MAX], conf_path[FILES_PATH_MAX];
	struct client_file binary, conf;
	struct axo_service_req req;
	int r = client_begin(&req, AXO_SERVICE_UP, label);

	if (r < 0) {
		return say_failure(label, r);
	}
	r = files_find_binary(binary_path, o->names[0]);
	if (r == 0 && o->conf) {
		snprintf(conf_path, sizeof(conf_path), "%s", o->conf);
	} else if (r == 0) {
		r = files_find_conf(conf_path, base);
	}
	if (r == 0) {
		r = files_read(conf_path, &conf);
	}
	if (r == 0) {
		r = files_read(binary_path, &binary);
	}
	if (r < 0) {
		return -r;
	}
	client_hand(&req, &binary, &conf, o->args);
	req.flags = (o->replica ? AXO_SERVICE_REPLICA : 0) |
		(o->no_backoff ? AXO_SERVICE_NO_BACKOFF : 0) |
		(o->no_wait ? AXO_SERVICE_NO_WAIT : 0);
	req.period_ns = o->period_ns;
	return call_with_conf(&req, conf_path);
}

static int run_simple(const struct options *o, enum axo_service_cmd cmd)
{
	int r = client_simple(cmd, o->names[0]);

	if (r == -ENOENT && cmd == AXO_SERVICE_UNCLONE) {
		return say_text(o->names[0], r, "it has no replica");
	}
	if (r == -EEXIST) {
		return say_text(o->names[0], r, "it has a replica already");
	}
	return finish(o->names[0], r);
}

/* One member of an update; options are for the last one, with which it begins. */
static int update_one(
	const struct options *o, const char *name, const char *binary_path, bool is_last)
{
	const char *conf_path = is_last ? o->conf : NULL;
	struct client_file binary = {0}, conf = {0};
	struct axo_service_req req;
	int r = client_begin(&req, AXO_SERVICE_UPDATE, name);

	if (r < 0) {
		return say_failure(name, r);
	}
	if (is_last && o->binary) {
		binary_path = o->binary;
	}
	if (binary_path) {
		r = files_read(binary_path, &binary);
	}
	if (r == 0 && conf_path) {
		r = files_read(conf_path, &conf);
	}
	if (r < 0) {
		return -r;
	}
	client_hand(&req, &binary, &conf, is_last ? o->args : NULL);
	req.flags = is_last ? 0 : AXO_SERVICE_BATCH;
	req.arg = o->state;
	req.limit_ns = o->maxtime_ns;
	r = call_with_conf(&req, conf_path ? conf_path : name);
	free(binary.data);
	free(conf.data);
	return r;
}

/* All that will be read, so that no batch stays half handed over. */
static int check_files(const struct options *o)
{
	const char *paths[OPTIONS_NAMES_MAX + 2] = {o->binary, o->conf};

	for (int i = 0; i < o->count; i++) {
		paths[2 + i] = strchr(o->names[i], '/') ? o->names[i] : NULL;
	}
	for (size_t i = 0; i < AXO_ARRAY_LEN(paths); i++) {
		if (paths[i] && access(paths[i], R_OK) < 0) {
			return say_text(paths[i], -errno, strerror(errno));
		}
	}
	return 0;
}

/* Words with a slash are the programs of the services named before them. */
static int run_update(const struct options *o)
{
	int r = check_files(o);

	for (int i = 0; i < o->count && r == 0; i++) {
		const char *name = o->names[i], *binary = NULL;

		if (strchr(name, '/')) {
			return usage(stderr);
		}
		if (i + 1 < o->count && strchr(o->names[i + 1], '/')) {
			binary = o->names[++i];
		}
		r = update_one(o, name, binary, i + 1 == o->count);
	}
	return r;
}

static int run_rollback(const struct options *o)
{
	struct axo_service_req req;
	int r = client_begin(&req, AXO_SERVICE_ROLLBACK, o->names[0]);

	req.arg = o->state;
	req.limit_ns = o->maxtime_ns;
	if (r == 0) {
		r = client_call(&req);
	}
	if (r == -ENOENT) {
		return say_text(o->names[0], r, "it has not been updated");
	}
	return finish(o->names[0], r);
}

static int run_edit(const struct options *o)
{
	char path[FILES_PATH_MAX];
	struct client_file conf;
	struct axo_service_req req;
	int r = client_begin(&req, AXO_SERVICE_EDIT, o->names[0]);

	if (r < 0) {
		return say_failure(o->names[0], r);
	}
	if (o->conf) {
		snprintf(path, sizeof(path), "%s", o->conf);
	} else {
		r = files_find_conf(path, o->names[0]);
	}
	if (r == 0) {
		r = files_read(path, &conf);
	}
	if (r < 0) {
		return -r;
	}
	client_hand(&req, NULL, &conf, NULL);
	req.period_ns = o->period_ns;
	return call_with_conf(&req, path);
}

/* STATUS, RIGHTS: the text that RS has. */
static int run_text(const struct options *o, enum axo_service_cmd cmd)
{
	static char text[STATUS_MAX];
	const char *name = o->count ? o->names[0] : "";
	int r = client_text(cmd, name, text, sizeof(text));

	if (r < 0) {
		return say_failure(name[0] ? name : "status", r);
	}
	fputs(text, stdout);
	return 0;
}

/* The labels only. */
static int run_list(void)
{
	static char text[STATUS_MAX];
	int r = client_text(AXO_SERVICE_STATUS, "", text, sizeof(text));
	char *line = r < 0 ? NULL : strchr(text, '\n');

	if (r < 0) {
		return say_failure("list", r);
	}
	while (line && line[1]) {
		line++;
		printf("%.*s\n", (int)strcspn(line, " \n"), line);
		line = strchr(line, '\n');
	}
	return 0;
}

/* One word and one number a line, for scripts. */
static int run_stats(const char *name)
{
	struct axo_service_stats stats;
	struct axo_service_req req;
	int r = client_begin(&req, AXO_SERVICE_STATS, name);

	if (r == 0) {
		client_take(&req, &stats, sizeof(stats));
		r = client_call(&req);
	}
	if (r < 0) {
		return say_failure(name, r);
	}
	printf("restarts %u\nupdates %u\nrollbacks %u\nreplicas_used %u\n"
	       "last_recovery_us %llu\nmax_recovery_us %llu\ntotal_recovery_us %llu\n"
	       "endpoint %d\npid %d\nlast_signal %d\n",
		stats.restarts, stats.updates, stats.rollbacks, stats.replicas_used,
		(unsigned long long)stats.last_recovery_ns / NS_PER_US,
		(unsigned long long)stats.max_recovery_ns / NS_PER_US,
		(unsigned long long)stats.total_recovery_ns / NS_PER_US, stats.endpoint, stats.pid,
		stats.last_signal);
	return 0;
}

static int run_number(const char *name, enum axo_service_cmd cmd)
{
	int r = client_simple(cmd, name);

	if (r < 0) {
		return say_failure(name, r);
	}
	if (cmd == AXO_SERVICE_PING) {
		printf("%s answered in %d us\n", name, r / NS_PER_US);
	} else {
		printf("%d\n", r);
	}
	return 0;
}

static int run_fault(const struct options *o)
{
	static const struct {
		const char *name;
		int kind;
	} kinds[] = {
		{"kill", 0},
		{"crash", SEF_FAULT_POINTER},
		{"assert", SEF_FAULT_ASSERT},
		{"exit", SEF_FAULT_EXIT},
		{"loop", SEF_FAULT_LOOP},
		{"silent", SEF_FAULT_SILENT},
		{"wrong", SEF_FAULT_WRONG},
		{"memory", SEF_FAULT_MEMORY},
		{"grants", SEF_FAULT_GRANTS},
		{"text", SEF_FAULT_TEXT},
		{"data", SEF_FAULT_DATA},
	};
	struct axo_service_req req;
	int r = client_begin(&req, AXO_SERVICE_FAULT, o->names[0]);

	for (size_t i = 0; i < AXO_ARRAY_LEN(kinds) && r == 0; i++) {
		if (strcmp(o->names[1], kinds[i].name) == 0) {
			req.arg = kinds[i].kind;
			req.count = o->faults;
			req.seed = o->seed;
			req.flags = (o->boundary ? AXO_SERVICE_BOUNDARY : 0) |
				(o->free ? AXO_SERVICE_NO_BACKOFF : 0);
			return finish(o->names[0], client_call(&req));
		}
	}
	return usage(stderr);
}

/* `min` to `max` names, and `word` is it. */
static bool is_word(const char *word, const char *it, const struct options *o, int min, int max)
{
	return strcmp(word, it) == 0 && o->count >= min && o->count <= max;
}

static int run_named(const char *word, const struct options *o)
{
	static const struct {
		const char *word;
		enum axo_service_cmd cmd;
	} simple[] = {
		{"down", AXO_SERVICE_DOWN},
		{"restart", AXO_SERVICE_RESTART},
		{"refresh", AXO_SERVICE_REFRESH},
		{"clone", AXO_SERVICE_CLONE},
		{"replicate", AXO_SERVICE_CLONE},
		{"unclone", AXO_SERVICE_UNCLONE},
	};

	for (size_t i = 0; i < AXO_ARRAY_LEN(simple); i++) {
		if (is_word(word, simple[i].word, o, 1, 1)) {
			return run_simple(o, simple[i].cmd);
		}
	}
	if (is_word(word, "up", o, 1, 1)) {
		return run_up(o);
	}
	if (is_word(word, "update", o, 1, OPTIONS_NAMES_MAX)) {
		return run_update(o);
	}
	if (is_word(word, "rollback", o, 1, 1)) {
		return run_rollback(o);
	}
	if (is_word(word, "edit", o, 1, 1)) {
		return run_edit(o);
	}
	if (is_word(word, "stats", o, 1, 1)) {
		return run_stats(o->names[0]);
	}
	if (is_word(word, "ping", o, 1, 1)) {
		return run_number(o->names[0], AXO_SERVICE_PING);
	}
	if (is_word(word, "lookup", o, 1, 1)) {
		return run_number(o->names[0], AXO_SERVICE_LOOKUP);
	}
	if (is_word(word, "fi", o, 2, 2)) {
		return run_fault(o);
	}
	return usage(stderr);
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	struct options options;

	if (strcmp(word, "--help") == 0 || strcmp(word, "help") == 0) {
		usage(stdout);
		return 0;
	}
	if (argc < 2 || !options_parse(&options, argc - 2, argv + 2)) {
		return usage(stderr);
	}
	if (is_word(word, "status", &options, 0, 1)) {
		return run_text(&options, AXO_SERVICE_STATUS);
	}
	if (is_word(word, "rights", &options, 1, 1)) {
		return run_text(&options, AXO_SERVICE_RIGHTS);
	}
	if (is_word(word, "devices", &options, 0, 1)) {
		return devices_list(options.count ? options.names[0] : "/dev");
	}
	if (is_word(word, "list", &options, 0, 0)) {
		return run_list();
	}
	if (is_word(word, "shutdown", &options, 0, 0)) {
		return finish("shutdown", client_simple(AXO_SERVICE_SHUTDOWN, ""));
	}
	return run_named(word, &options);
}
