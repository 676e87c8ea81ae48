/* SPDX-License-Identifier: BSD-2-Clause */
#include "commands/service/say.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *explain(int error)
{
	switch (-error) {
	case ESRCH:
		return "there is no such service";
	case EBUSY:
		return "it is starting, stopping, waiting for its restart or being updated (see: "
		       "service status)";
	case EPERM:
		return geteuid()
			? "only root may, and those whom its declaration names"
			: "not with this one: it is part of the core, belongs to a mount, or "
			  "RS has no program for it";
	case EINTR:
		return "it did not come to rest in time; the old version goes on";
	case ENOSYS:
		return "it does not know live update";
	case EPROTO:
		return "the new version talks nonsense; the old one goes on";
	case ENOEXEC:
		return "not a static position-independent program for services";
	case EADDRINUSE:
		return "its device numbers belong to another service";
	case ENOSPC:
		return "there are too many services";
	case ETIMEDOUT:
		return "it took too long";
	case EFAULT:
		return "its files could not be handed over";
	case ECANCELED:
		return "another step of the update failed";
	case EIO:
		return "it died";
	default:
		return strerror(-error);
	}
}

int say_text(const char *name, int error, const char *text)
{
	fprintf(stderr, "service: %s: %s\n", name, text);
	return -error;
}

int say_failure(const char *name, int error)
{
	return say_text(name, error, explain(error));
}
