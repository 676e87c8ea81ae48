/* SPDX-License-Identifier: BSD-2-Clause */
/* libFuzzer target: no text makes the parser of declarations do worse than give an error. */
#include <stdlib.h>
#include <string.h>

#include "servers/rs/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_service service;
	struct conf_error error;
	struct conf_text in;
	int r;

	conf_open(&in, (const char *)data, size);
	while ((r = conf_next(&in, &service, &error)) == 1) {
		if (!conf_is_name(service.name) || service.ipc_count > CONF_IPC_MAX ||
			service.io_count > PRIV_RANGES) {
			abort();
		}
	}
	if (r < 0 &&
		(error.line == 0 ||
			strnlen(error.text, sizeof(error.text)) == sizeof(error.text))) {
		abort();
	}
	return 0;
}
