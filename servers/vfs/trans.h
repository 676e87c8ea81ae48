/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions: requests to file systems, drivers, RS, PM and VM whose answers arrive as messages
 * of their own. The number in the request comes back as the first word of the answer (PM's
 * job-control answer apart).
 */
#pragma once

#include "abi/message.h"
#include "lib/coro/coro.h"

struct call;

struct trans {
	struct list link;
	uint32_t seq;      /* never 0 */
	endpoint_t ep;     /* who answers */
	struct coro *coro; /* who waits */
	struct message *answer;
	int status; /* 0, or negative: no answer will come */
	bool is_done;
};

/* Begin one toward ep; the answer will be stored in *answer. Coroutines only. */
void trans_begin(struct trans *trans, endpoint_t ep, struct message *answer);
/* Send the request (which carries trans->seq); a failure ends the transaction with -EIO. */
void trans_send(struct trans *trans, const struct message *request);
/* Wait for the answer: 0, -EIO (peer gone), -ERESTARTED (peer restarted). */
int trans_wait(struct trans *trans);
/* The same, but ends early with -EINTR when the call is cancelled; the transaction stays open then.
 */
int trans_wait_call(struct trans *trans, const struct call *call);

/* The main loop: an answer came. False: nobody waits for it. */
bool trans_answer(uint32_t seq, const struct message *m);
/* What a peer says that a request came to, as a program may see it: a negative number that is no
 * error of Linux (the peer's memory or program is damaged) is -EIO. */
int64_t trans_result(int64_t result);
/* All requests to ep are lost. */
void trans_fail(endpoint_t ep, int status);

/* A number for a request whose answer is not waited for. */
uint32_t trans_unwaited_seq(void);
