/* SPDX-License-Identifier: BSD-2-Clause */
/* service: starts, stops and shows services. docs/services.md. Exit status: 0, 1 (it failed), 2
 * (wrong use). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/service/client.h"

#define STATUS_MAX 8192
#define PATH_BYTES 512

static const char *const binary_dirs[] = {
	"/usr/local/lib/axolotl", "/usr/lib/axolotl", "/run/axolotl/service", "/service"};
static const char *const conf_dirs[] = {"/etc/system.conf.d", "/run/axolotl/etc/system.conf.d"};

static int usage(FILE *out)
{
	fprintf(out,
		"usage: service up NAME|FILE [--label NAME] [--conf FILE] [--args TEXT]\n"
		"       service down NAME\n"
		"       service restart NAME\n"
		"       service status [NAME]\n"
		"       service list\n");
	return 2;
}

static int complain(const char *what, int error)
{
	fprintf(stderr, "service: %s: %s\n", what, strerror(-error));
	return 1;
}

/* The first of `dirs` that has the file; false: none. */
static int find_file(char path[PATH_BYTES], const char *const *dirs, size_t count, const char *name,
	const char *suffix)
{
	for (size_t i = 0; i < count; i++) {
		snprintf(path, PATH_BYTES, "%s/%s%s", dirs[i], name, suffix);
		if (access(path, R_OK) == 0) {
			return 1;
		}
	}
	return 0;
}

static int read_or_complain(const char *path, struct client_file *file)
{
	int r = client_read_file(path, file);

	return r < 0 ? complain(path, r) : 0;
}

static const char *explain_up(int error)
{
	switch (-error) {
	case EBUSY:
		return "a service of this name is there already (try restart)";
	case EPERM:
		return "only root may start services";
	case ENOEXEC:
		return "not a static position-independent program for services";
	case ENOSPC:
		return "there are too many services";
	case ETIMEDOUT:
		return "it did not get ready in time";
	case EFAULT:
		return "its files could not be handed over";
	default:
		return strerror(-error);
	}
}

struct up_options {
	const char *label, *conf, *args;
};

static int hand_over(
	const char *binary_path, const char *conf_path, const char *label, const char *args)
{
	struct client_file binary, conf;
	char detail[160];
	int r;

	if (read_or_complain(conf_path, &conf) || read_or_complain(binary_path, &binary)) {
		return 1;
	}
	r = client_hand_over(AXO_SERVICE_UP, label, &binary, &conf, args, detail, sizeof(detail));
	if (r == 0) {
		return 0;
	}
	if (detail[0]) {
		fprintf(stderr, "service: %s:%s\n", conf_path, detail);
	} else {
		fprintf(stderr, "service: %s: %s\n", label, explain_up(r));
	}
	return 1;
}

static int run_up(const char *name, const struct up_options *options)
{
	const char *slash = strrchr(name, '/');
	const char *base = slash ? slash + 1 : name;
	const char *label = options->label ? options->label : base;
	char binary_path[PATH_BYTES], conf_path[PATH_BYTES];

	if (slash) {
		snprintf(binary_path, sizeof(binary_path), "%s", name);
	} else if (!find_file(binary_path, binary_dirs, AXO_ARRAY_LEN(binary_dirs), name, "")) {
		fprintf(stderr, "service: %s: no such service program\n", name);
		return 1;
	}
	if (options->conf) {
		snprintf(conf_path, sizeof(conf_path), "%s", options->conf);
	} else if (!find_file(conf_path, conf_dirs, AXO_ARRAY_LEN(conf_dirs), base, ".conf")) {
		fprintf(stderr, "service: %s: no declaration %s.conf in /etc/system.conf.d\n", name,
			base);
		return 1;
	}
	return hand_over(binary_path, conf_path, label, options->args ? options->args : "");
}

static int parse_up(int argc, char **argv)
{
	struct up_options options = {0};

	for (int i = 1; i < argc; i++) {
		const char **value = strcmp(argv[i], "--label") == 0 ? &options.label
			: strcmp(argv[i], "--conf") == 0             ? &options.conf
			: strcmp(argv[i], "--args") == 0             ? &options.args
								     : NULL;

		if (!value || i + 1 == argc) {
			return usage(stderr);
		}
		*value = argv[++i];
	}
	return run_up(argv[0], &options);
}

static int run_simple(enum axo_service_cmd cmd, const char *name)
{
	int r = client_simple(cmd, name);

	switch (-r) {
	case 0:
		return 0;
	case ESRCH:
		fprintf(stderr, "service: %s: there is no such service\n", name);
		return 1;
	case EBUSY:
		fprintf(stderr, "service: %s: it is starting or stopping\n", name);
		return 1;
	case EPERM:
		fprintf(stderr, "service: %s: %s\n", name,
			geteuid() ? "only root may"
				  : "it is part of the core, or belongs to a mount");
		return 1;
	default:
		return complain(name, r);
	}
}

static int run_status(const char *name)
{
	static char text[STATUS_MAX];
	int r = client_status(name, text, sizeof(text));

	if (r == -ESRCH) {
		fprintf(stderr, "service: %s: there is no such service\n", name);
		return 1;
	}
	if (r < 0) {
		return complain(name[0] ? name : "status", r);
	}
	fputs(text, stdout);
	return 0;
}

/* The labels only. */
static int run_list(void)
{
	static char text[STATUS_MAX];
	int r = client_status("", text, sizeof(text));
	char *line = r < 0 ? NULL : strchr(text, '\n');

	if (r < 0) {
		return complain("list", r);
	}
	while (line && line[1]) {
		line++;
		printf("%.*s\n", (int)strcspn(line, " \n"), line);
		line = strchr(line, '\n');
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (strcmp(word, "up") == 0 && argc >= 3) {
		return parse_up(argc - 2, argv + 2);
	}
	if (strcmp(word, "down") == 0 && argc == 3) {
		return run_simple(AXO_SERVICE_DOWN, argv[2]);
	}
	if (strcmp(word, "restart") == 0 && argc == 3) {
		return run_simple(AXO_SERVICE_RESTART, argv[2]);
	}
	if (strcmp(word, "status") == 0 && argc <= 3) {
		return run_status(argc == 3 ? argv[2] : "");
	}
	if (strcmp(word, "list") == 0 && argc == 2) {
		return run_list();
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "help") == 0) {
		usage(stdout);
		return 0;
	}
	return usage(stderr);
}
