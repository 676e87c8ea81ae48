/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/pm/sigqueue.h"

#include <stdlib.h>
#include <string.h>

/* What the program itself brought about comes before everything else. */
#define SIGNAL_FAULTS                                                                              \
	(SIGNAL_BIT(LSIGSEGV) | SIGNAL_BIT(LSIGBUS) | SIGNAL_BIT(LSIGILL) | SIGNAL_BIT(LSIGTRAP) | \
		SIGNAL_BIT(LSIGFPE) | SIGNAL_BIT(LSIGSYS))

void sigqueue_init(struct sigqueue *queue)
{
	queue->mask = 0;
	queue->count = 0;
	list_init(&queue->entries);
}

bool sigqueue_add(struct sigqueue *queue, const struct linux_siginfo *info,
	struct posix_timer *timer, uint32_t max)
{
	struct sigqueue_entry *entry = NULL;
	uint64_t bit = SIGNAL_BIT(info->signo);
	bool realtime = info->signo >= SIGNAL_RT_MIN;

	if (!realtime && (queue->mask & bit)) {
		return false;
	}
	if (!realtime || queue->count < max) {
		entry = malloc(sizeof(*entry));
	}
	if (!entry && (realtime || timer)) {
		return false;
	}
	queue->mask |= bit;
	if (entry) {
		entry->info = *info;
		entry->timer = timer;
		list_add_tail(&queue->entries, &entry->link);
		queue->count++;
	}
	return true;
}

static void entry_free(struct sigqueue *queue, struct sigqueue_entry *entry)
{
	list_remove(&entry->link);
	queue->count--;
	free(entry);
}

int sigqueue_take(struct sigqueue *queue, uint64_t set, struct linux_siginfo *info,
	struct posix_timer **timer)
{
	uint64_t ready = queue->mask & set;
	struct sigqueue_entry *found = NULL;
	bool more = false;
	int signo;

	if (ready == 0) {
		return 0;
	}
	if (ready & SIGNAL_FAULTS) {
		ready &= SIGNAL_FAULTS;
	}
	signo = __builtin_ctzll(ready) + 1;
	list_for_each(entry, &queue->entries, struct sigqueue_entry, link)
	{
		if (entry->info.signo == signo) {
			if (found) {
				more = true;
				break;
			}
			found = entry;
		}
	}
	if (timer) {
		*timer = found ? found->timer : NULL;
	}
	if (found) {
		*info = found->info;
		entry_free(queue, found);
	} else {
		memset(info, 0, sizeof(*info));
		info->signo = signo;
		info->code = LSI_USER;
	}
	if (!more) {
		queue->mask &= ~SIGNAL_BIT(signo);
	}
	return signo;
}

void sigqueue_drop(struct sigqueue *queue, uint64_t set)
{
	if ((queue->mask & set) == 0) {
		return;
	}
	list_for_each_safe(entry, &queue->entries, struct sigqueue_entry, link)
	{
		if (set & SIGNAL_BIT(entry->info.signo)) {
			entry_free(queue, entry);
		}
	}
	queue->mask &= ~set;
}

void sigqueue_forget_timer(struct sigqueue *queue, const struct posix_timer *timer)
{
	list_for_each(entry, &queue->entries, struct sigqueue_entry, link)
	{
		if (entry->timer == timer) {
			entry->timer = NULL;
		}
	}
}
