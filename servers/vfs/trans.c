/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/trans.h"

#include <assert.h>
#include <errno.h>

#include "abi/errno.h"
#include "lib/sys/asyn.h"
#include "servers/vfs/call.h"
#include "servers/vfs/vfs.h"

#define ERROR_MAX EHWPOISON /* the last of Linux */

static struct list *bucket(uint32_t seq)
{
	return &vfs->trans[seq % VFS_TRANS_BUCKETS];
}

uint32_t trans_unwaited_seq(void)
{
	if (++vfs->next_seq == 0) {
		vfs->next_seq = 1;
	}
	return vfs->next_seq;
}

void trans_begin(struct trans *trans, endpoint_t ep, struct message *answer)
{
	trans->coro = coro_self();
	assert(trans->coro);
	trans->seq = trans_unwaited_seq();
	trans->ep = ep;
	trans->answer = answer;
	trans->status = 0;
	trans->is_done = false;
	list_add_tail(bucket(trans->seq), &trans->link);
}

static void trans_end(struct trans *trans, int status)
{
	trans->status = status;
	trans->is_done = true;
	list_remove(&trans->link);
	coro_wake(trans->coro);
}

void trans_send(struct trans *trans, const struct message *request)
{
	int r = asyn_send(trans->ep, request);

	if (r < 0) {
		trans_end(trans, r == -ENOMEM ? -ENOMEM : -EIO);
	}
}

int trans_wait(struct trans *trans)
{
	while (!trans->is_done) {
		coro_wait();
	}
	return trans->status;
}

int trans_wait_call(struct trans *trans, const struct call *call)
{
	while (!trans->is_done && !call->is_cancelled) {
		coro_wait();
	}
	return trans->is_done ? trans->status : -EINTR;
}

bool trans_answer(uint32_t seq, const struct message *m)
{
	list_for_each(trans, bucket(seq), struct trans, link)
	{
		if (trans->seq == seq && trans->ep == m->source) {
			*trans->answer = *m;
			trans_end(trans, 0);
			return true;
		}
	}
	return false;
}

int64_t trans_result(int64_t result)
{
	return result < -ERROR_MAX ? -EIO : result;
}

void trans_fail(endpoint_t ep, int status)
{
	for (unsigned i = 0; i < VFS_TRANS_BUCKETS; i++) {
		list_for_each_safe(trans, &vfs->trans[i], struct trans, link)
		{
			if (trans->ep == ep) {
				trans_end(trans, status);
			}
		}
	}
}
