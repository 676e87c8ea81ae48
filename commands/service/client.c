/* SPDX-License-Identifier: BSD-2-Clause */
/* RS copies only what is present in memory, so everything handed over is in memory that has been
 * written. */
#include "commands/service/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NR_AXO_SERVICE 0x800

int client_call(struct axo_service_req *req)
{
	long r = syscall(NR_AXO_SERVICE, req);

	return r < 0 ? -errno : (int)r;
}

int client_begin(struct axo_service_req *req, enum axo_service_cmd cmd, const char *name)
{
	memset(req, 0, sizeof(*req));
	req->cmd = cmd;
	if (strlen(name) >= sizeof(req->name)) {
		return -ENAMETOOLONG;
	}
	memcpy(req->name, name, strlen(name) + 1);
	return 0;
}

static int read_all(int fd, struct client_file *file, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, (char *)file->data + done, size - done);

		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n == 0) {
			break;
		}
		done += n > 0 ? (size_t)n : 0;
	}
	file->len = done;
	return 0;
}

int client_read_file(const char *path, struct client_file *file)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = 0;

	*file = (struct client_file){0};
	if (fd < 0) {
		return -errno;
	}
	if (fstat(fd, &st) < 0) {
		r = -errno;
	} else if (!S_ISREG(st.st_mode)) {
		r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	} else {
		file->data = malloc((size_t)st.st_size + 1);
		r = file->data ? read_all(fd, file, (size_t)st.st_size) : -ENOMEM;
	}
	close(fd);
	if (r < 0) {
		free(file->data);
		file->data = NULL;
	}
	return r;
}

void client_hand(struct axo_service_req *req, const struct client_file *binary,
	const struct client_file *conf, const char *args)
{
	if (binary) {
		req->binary = (uint64_t)binary->data;
		req->binary_len = binary->len;
	}
	if (conf) {
		req->conf = (uint64_t)conf->data;
		req->conf_len = conf->len;
	}
	if (args) {
		req->args = (uint64_t)args;
		req->args_len = strlen(args);
	}
}

void client_take(struct axo_service_req *req, void *out, size_t size)
{
	memset(out, 0, size);
	req->out = (uint64_t)out;
	req->out_len = size;
}

int client_hand_over(enum axo_service_cmd cmd, const char *name, const struct client_file *binary,
	const struct client_file *conf, char *detail, size_t detail_size)
{
	struct axo_service_req req;
	int r = client_begin(&req, cmd, name);

	client_hand(&req, binary, conf, NULL);
	client_take(&req, detail, detail_size);
	return r < 0 ? r : client_call(&req);
}

int client_simple(enum axo_service_cmd cmd, const char *name)
{
	struct axo_service_req req;
	int r = client_begin(&req, cmd, name);

	return r < 0 ? r : client_call(&req);
}

int client_text(enum axo_service_cmd cmd, const char *name, char *text, size_t size)
{
	struct axo_service_req req;
	int r = client_begin(&req, cmd, name);

	client_take(&req, text, size);
	req.out_len = size - 1;
	return r < 0 ? r : client_call(&req);
}
