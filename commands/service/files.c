/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/service/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands/service/say.h"

static const char *const binary_dirs[] = {
	"/usr/local/lib/axolotl", "/usr/lib/axolotl", "/run/axolotl/service", "/service"};
static const char *const conf_dirs[] = {"/etc/system.conf.d", "/run/axolotl/etc/system.conf.d"};

static int find(char path[FILES_PATH_MAX], const char *const *dirs, size_t count, const char *name,
	const char *suffix)
{
	for (size_t i = 0; i < count; i++) {
		snprintf(path, FILES_PATH_MAX, "%s/%s%s", dirs[i], name, suffix);
		if (access(path, R_OK) == 0) {
			return 0;
		}
	}
	return -ENOENT;
}

int files_find_binary(char path[FILES_PATH_MAX], const char *name)
{
	if (strchr(name, '/')) {
		snprintf(path, FILES_PATH_MAX, "%s", name);
		return 0;
	}
	if (find(path, binary_dirs, AXO_ARRAY_LEN(binary_dirs), name, "") < 0) {
		(void)say_text(name, -ENOENT,
			"no such service program in /usr/local/lib/axolotl, /usr/lib/axolotl or "
			"/run/axolotl/service");
		return -ENOENT;
	}
	return 0;
}

int files_find_conf(char path[FILES_PATH_MAX], const char *name)
{
	char text[FILES_PATH_MAX];

	if (find(path, conf_dirs, AXO_ARRAY_LEN(conf_dirs), name, ".conf") < 0) {
		snprintf(text, sizeof(text), "no declaration %s.conf in /etc/system.conf.d", name);
		(void)say_text(name, -ENOENT, text);
		return -ENOENT;
	}
	return 0;
}

int files_read(const char *path, struct client_file *file)
{
	int r = client_read_file(path, file);

	if (r < 0) {
		(void)say_text(path, r, strerror(-r));
	}
	return r;
}
