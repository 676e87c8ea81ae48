/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/proc/ask.h"

#include <errno.h>

#include "abi/endpoint.h"
#include "lib/core/list.h"
#include "lib/coro/coro.h"
#include "lib/sys/asyn.h"
#include "lib/sys/grant.h"
#include "lib/sys/kcall.h"
#include "proto/rs.h"

/* Lives on the stack of the coroutine that asks. */
struct question {
	struct list link;
	struct coro *coro;
	const struct message *m;
	endpoint_t whom;
	uint32_t seq;
	time_ns_t asked_ns; /* last */
	unsigned tries;
	bool answered;
	int32_t result;
	uint64_t next;
};

/* A question outlives so many crashes of its peer, or seconds that it is slow. */
#define TRIES_MAX   10
#define PATIENCE_NS 1000000000ull

static struct {
	struct list open;
	bool ready;
	bool is_alarm_set;
	uint32_t seq;
} questions;

static void alarm_start(void)
{
	if (!questions.is_alarm_set) {
		questions.is_alarm_set = sys_setalarm(sys_monotonic_ns() + PATIENCE_NS) >= 0;
	}
}

/* Sends m, whose sequence number is q->seq, and sleeps until the answer is there. */
static int question_ask(struct question *q, const struct message *m)
{
	int r;

	q->coro = coro_self();
	q->m = m;
	q->asked_ns = sys_monotonic_ns();
	q->tries = 1;
	list_add_tail(&questions.open, &q->link);
	alarm_start();
	r = asyn_send(q->whom, m);
	while (r == 0 && !q->answered) {
		coro_wait();
	}
	list_remove(&q->link);
	return r < 0 ? -EIO : q->result;
}

static uint32_t question_number(void)
{
	if (!questions.ready) {
		list_init(&questions.open);
		questions.ready = true;
		/* Answers to a process that died before under this endpoint must fit no question.
		 */
		questions.seq = (uint32_t)(sys_realtime_ns() >> 10);
	}
	return ++questions.seq;
}

int ask_process(int pid, bool next, struct pm_proc_info *info)
{
	struct question q = {.whom = EP_PM, .seq = question_number()};
	struct message m = {.type = PM_GETPROC};
	struct pm_getproc *req = MSG(&m, pm_getproc);
	grant_t grant = grant_direct(EP_PM, info, sizeof(*info), GRANT_WRITE);
	int r;

	if (grant == GRANT_INVALID) {
		return -ENOMEM;
	}
	req->pid = pid;
	req->next = next;
	req->to = (uint64_t)grant;
	req->seq = q.seq;
	r = question_ask(&q, &m);
	(void)grant_revoke(grant);
	info->name[sizeof(info->name) - 1] = '\0';
	return r;
}

int ask_names(struct pm_names *names)
{
	struct question q = {.whom = EP_PM, .seq = question_number()};
	struct message m = {.type = PM_GETNAMES};
	grant_t grant = grant_direct(EP_PM, names, sizeof(*names), GRANT_WRITE);
	int r;

	if (grant == GRANT_INVALID) {
		return -ENOMEM;
	}
	*MSG(&m, pm_getnames) = (struct pm_getnames){.to = grant, .seq = q.seq};
	r = question_ask(&q, &m);
	(void)grant_revoke(grant);
	names->host[sizeof(names->host) - 1] = '\0';
	names->domain[sizeof(names->domain) - 1] = '\0';
	return r;
}

int ask_services(char *to, uint32_t bytes)
{
	struct question q = {.whom = EP_RS, .seq = question_number()};
	struct message m = {.type = RS_GETINFO};
	grant_t grant = grant_direct(EP_RS, to, bytes, GRANT_WRITE);
	int r;

	if (grant == GRANT_INVALID) {
		return -ENOMEM;
	}
	*MSG(&m, rs_getinfo) = (struct rs_getinfo){.to = grant, .bytes = bytes, .seq = q.seq};
	r = question_ask(&q, &m);
	(void)grant_revoke(grant);
	return r > (int)bytes ? -EIO : r;
}

int ask_vfs(enum vfs_info_what what, int pid, uint64_t *next, void *to, uint32_t bytes)
{
	struct question q = {.whom = EP_VFS, .seq = question_number()};
	struct message m = {.type = VFS_GETINFO};
	struct vfs_getinfo *req = MSG(&m, vfs_getinfo);
	grant_t grant = grant_direct(EP_VFS, to, bytes, GRANT_WRITE);
	int r;

	if (grant == GRANT_INVALID) {
		return -ENOMEM;
	}
	req->what = what;
	req->pid = pid;
	req->next = next ? *next : 0;
	req->grant = grant;
	req->bytes = bytes;
	req->seq = q.seq;
	r = question_ask(&q, &m);
	(void)grant_revoke(grant);
	if (next) {
		*next = q.next;
	}
	return r > (int)bytes ? -EIO : r;
}

static void question_answer(endpoint_t whom, uint32_t seq, int32_t result, uint64_t next)
{
	if (!questions.ready) {
		return;
	}
	list_for_each(q, &questions.open, struct question, link)
	{
		if (q->whom == whom && q->seq == seq && !q->answered) {
			q->answered = true;
			q->result = result;
			q->next = next;
			coro_wake(q->coro);
			return;
		}
	}
}

void ask_tick(void)
{
	time_ns_t now = sys_monotonic_ns();

	questions.is_alarm_set = false;
	if (!questions.ready) {
		return;
	}
	list_for_each(q, &questions.open, struct question, link)
	{
		if (q->answered || now - q->asked_ns < PATIENCE_NS) {
			continue;
		}
		q->asked_ns = now;
		if (q->tries++ == TRIES_MAX || asyn_send(q->whom, q->m) < 0) {
			q->answered = true;
			q->result = -EIO;
			coro_wake(q->coro);
		}
	}
	if (!list_is_empty(&questions.open)) {
		alarm_start();
	}
}

bool ask_take_answer(const struct message *m)
{
	if (m->source == EP_PM &&
		(m->type == (PM_GETPROC | PROTO_REPLY) || m->type == (PM_GETNAMES | PROTO_REPLY))) {
		const struct pm_getproc_rep *rep = MSG(m, pm_getproc_rep);

		question_answer(EP_PM, rep->seq, rep->result, 0);
		return true;
	}
	if (m->source == EP_RS && m->type == (RS_GETINFO | PROTO_REPLY)) {
		const struct rs_getinfo_rep *rep = MSG(m, rs_getinfo_rep);

		question_answer(EP_RS, rep->seq, rep->result, 0);
		return true;
	}
	if (m->source == EP_VFS && m->type == (VFS_GETINFO | PROTO_REPLY)) {
		const struct vfs_getinfo_rep *rep = MSG(m, vfs_getinfo_rep);

		question_answer(EP_VFS, rep->seq, rep->result, rep->next);
		return true;
	}
	return false;
}
