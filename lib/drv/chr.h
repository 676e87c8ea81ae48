/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frame of character drivers (proto/chr.h): unpacks requests, sends answers. A handler either
 * returns the result at once, or CHR_LATER and answers with chr_answer when it can; it copies the
 * request then, which does not outlive the handler.
 */
#pragma once

#include "proto/chr.h"

#define CHR_LATER INT64_MIN

/* A request, whatever its operation; fields that the operation does not have are 0. */
struct chr_request {
	endpoint_t client;
	int32_t op; /* enum chr_op */
	uint32_t seq;
	uint32_t major;
	uint32_t minor;
	uint32_t flags; /* O_* */
	endpoint_t user;
	grant_t grant;
	uint64_t bytes;
	uint64_t position;
	uint32_t ioctl;
	int32_t pgid;
	uint64_t value;
	uint32_t events;
	bool is_watched;
};

/* Handlers return bytes or a value, a negative errno, or CHR_LATER. NULL: open and close succeed,
 * the rest is as said. */
struct chr_driver {
	int64_t (*open)(void *ctx, const struct chr_request *req);
	int64_t (*close)(void *ctx, const struct chr_request *req);
	int64_t (*read)(void *ctx, const struct chr_request *req);  /* NULL: -EIO */
	int64_t (*write)(void *ctx, const struct chr_request *req); /* NULL: -EIO */
	int64_t (*ioctl)(void *ctx, const struct chr_request *req); /* NULL: -ENOTTY */
	/* Returns the events that are ready; with is_watched, chr_ready is called once when others
	 * become so. NULL: all asked for. */
	uint32_t (*poll)(void *ctx, const struct chr_request *req);
	/* The client's request `seq` shall be answered now, if it still waits. NULL: nothing ever
	 * waits. */
	void (*cancel)(void *ctx, endpoint_t client, uint32_t seq);
};

/* Before sef_start, for drivers whose reads take and whose writes give: the last answers are kept
 * as registered state, so that a request that VFS repeats after a restart, because its answer may
 * have been lost, gets the same one and is not done twice. A request is known by client and grant.
 */
void chr_keep_answers(void);

/* Handles m if it is of the protocol; false if not. */
bool chr_dispatch(const struct chr_driver *driver, void *ctx, const struct message *m);

/* Answers a request for which the handler returned CHR_LATER. */
void chr_answer(const struct chr_request *req, int64_t result);

/* Says once that a watched device has become ready. */
void chr_ready(endpoint_t client, uint32_t major, uint32_t minor, uint32_t events);

/* Copies from and to the request's buffer, `offset` bytes into it. 0 or a negative errno. */
int chr_copy_in(const struct chr_request *req, uint64_t offset, void *to, size_t bytes);
int chr_copy_out(const struct chr_request *req, uint64_t offset, const void *from, size_t bytes);
