/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asynchronous messages: a table in the sender's memory (abi/trap.h), from which the kernel
 * delivers now or when the receiver receives.
 *
 * Invariant: if a table has an entry for a service that was valid, not done and well-formed at the
 * last SENDA, the bit of the sender is set in the receiver's async_pending. Entries for one
 * receiver are delivered in the order of the table.
 *
 * The table is read and marked through the sender's page table; it was written just before, so its
 * pages are there. One that is not is the sender's mistake: the table is forgotten, and the sender
 * told by -EFAULT if it is calling.
 */
#include "abi/bootinfo.h"
#include "kernel/arch.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/ipc.h"
#include "kernel/mem/copy.h"
#include "kernel/state.h"

#define ENTRY_HEAD_BYTES offsetof(struct asyn_entry, msg)

static vaddr_t entry_address(const struct priv *priv, uint32_t index)
{
	return priv->async_table + (vaddr_t)index * sizeof(struct asyn_entry);
}

/* A walk through a table: the page table is looked at once a page. */
struct walk {
	const struct proc *sender;
	vaddr_t page;       /* what `window` shows; 1: nothing yet */
	const char *window; /* the page in the direct map */
};

_Static_assert(sizeof(struct asyn_entry) % 16 == 0 && ENTRY_HEAD_BYTES <= 16,
	"an entry's head lies in one page");

static struct walk walk_begin(const struct proc *sender)
{
	return (struct walk){.sender = sender, .page = 1};
}

static bool read_head(struct walk *walk, uint32_t index, struct asyn_entry *entry)
{
	vaddr_t at = entry_address(walk->sender->priv, index);

	if (AXO_PAGE_DOWN(at) != walk->page) {
		uint64_t bytes = 1;
		paddr_t paddr;

		if (walk->sender->root == 0 || at >= USER_END ||
			!arch_translate(
				walk->sender->root, AXO_PAGE_DOWN(at), false, &paddr, &bytes)) {
			return false;
		}
		walk->page = AXO_PAGE_DOWN(at);
		walk->window = arch_phys(paddr);
	}
	__builtin_memcpy(entry, walk->window + (at & AXO_PAGE_MASK), ENTRY_HEAD_BYTES);
	return true;
}

static bool is_open(const struct asyn_entry *entry)
{
	return (entry->flags & (ASYN_VALID | ASYN_DONE)) == ASYN_VALID;
}

static bool finish_entry(
	struct proc *sender, uint32_t index, struct asyn_entry *entry, int32_t result)
{
	entry->flags |= ASYN_DONE;
	entry->result = result;
	return copy_poke(sender, entry_address(sender->priv, index), entry, ENTRY_HEAD_BYTES) == 0;
}

static void set_pending(struct priv *receiver, struct priv *sender)
{
	bitmap_set(receiver->async_pending, sender->id);
	bitmap_set(sender->async_receivers, receiver->id);
}

void async_forget(struct proc *sender)
{
	uint64_t *receivers = sender->priv->async_receivers;
	size_t id;

	/* Not all of them: each is a page that is not at hand. */
	for (id = bitmap_next_set(receivers, PRIV_MAX, 0); id < PRIV_MAX;
		id = bitmap_next_set(receivers, PRIV_MAX, id + 1)) {
		bitmap_clear(kernel.privs[id].async_pending, sender->priv->id);
		bitmap_clear(receivers, id);
	}
	sender->priv->async_table = 0;
	sender->priv->async_count = 0;
}

static int check_destination(const struct proc *sender, endpoint_t to, struct proc **dst)
{
	*dst = proc_find(to);
	if (*dst == NULL || rts_is_set(*dst, RTS_NO_ENDPOINT)) {
		return -EDEADSRCDST;
	}
	if (*dst == sender) {
		return -ELOCKED;
	}
	if (!priv_may_send(sender->priv, (*dst)->priv)) {
		return -ECALLDENIED;
	}
	return 0;
}

/* Deliver entry `index`, whose receiver waits. False: the table cannot be read. */
static bool deliver_entry(
	struct proc *sender, uint32_t index, struct asyn_entry *entry, struct proc *dst)
{
	struct message message;

	if (copy_peek(sender, entry_address(sender->priv, index) + ENTRY_HEAD_BYTES, &message,
		    sizeof(message)) != 0) {
		return false;
	}
	message.source = sender->endpoint;
	if (IS_LINUX_CALL(message.type)) {
		message.type = -EPERM; /* those are the kernel's alone */
	}
	if (!finish_entry(sender, index, entry, 0)) {
		return false;
	}
	sender->messages++;
	kernel.messages++;
	trace(TRACE_ASYNC, (uint64_t)dst->endpoint, (uint64_t)message.type);
	ipc_hand_over(dst, &message, IPC_STATUS_ASYNC);
	return true;
}

/* A service in the second half of a sendrec waits for its answer, which is never an asynchronous
   message; the call of a program may be answered by one. */
static bool takes_async(const struct proc *dst, const struct proc *sender)
{
	return ipc_is_waiting_for(dst, sender->endpoint) &&
		(dst->flags & (PROC_SENDREC | PROC_CALL)) != PROC_SENDREC;
}

int64_t async_send(struct proc *caller, vaddr_t table, uint64_t count)
{
	struct priv *priv = caller->priv;
	struct walk walk = walk_begin(caller);
	uint32_t i;

	if (count > ASYN_MAX || (table & 15) != 0 || !proc_is_service(caller)) {
		return -EINVAL;
	}
	async_forget(caller);
	priv->async_table = table;
	priv->async_count = (uint32_t)count;
	priv->async_first = 0;
	for (i = 0; i < count; i++) {
		struct asyn_entry entry;
		struct proc *dst;
		int error;
		bool ok = true;

		if (!read_head(&walk, i, &entry)) {
			async_forget(caller);
			return -EFAULT;
		}
		if (!is_open(&entry)) {
			continue;
		}
		error = check_destination(caller, entry.dst, &dst);
		if (error != 0) {
			ok = finish_entry(caller, i, &entry, error);
		} else if (proc_is_service(dst) &&
			bitmap_test(dst->priv->async_pending, priv->id)) {
			continue; /* an earlier entry waits: keep the order */
		} else if (takes_async(dst, caller)) {
			ok = deliver_entry(caller, i, &entry, dst);
		} else if (proc_is_service(dst)) {
			set_pending(dst->priv, priv);
		} else {
			ok = finish_entry(caller, i, &entry, -ENOTREADY);
		}
		if (!ok) {
			async_forget(caller);
			return -EFAULT;
		}
	}
	return 0;
}

/* Deliver the first entry that `sender` has for `proc`, and keep its pending bit if there are more.
 */
static bool take_from(struct proc *proc, struct proc *sender)
{
	struct walk walk = walk_begin(sender);
	bool delivered = false;
	uint32_t i;

	bitmap_clear(proc->priv->async_pending, sender->priv->id);
	for (i = sender->priv->async_first; i < sender->priv->async_count; i++) {
		struct asyn_entry entry;

		if (!read_head(&walk, i, &entry)) {
			diag_printf("async: table of %s (%d) is not there\n", sender->name,
				sender->endpoint);
			async_forget(sender);
			return delivered;
		}
		if (!is_open(&entry)) {
			/* Done with; until the next SENDA it stays so. */
			sender->priv->async_first += i == sender->priv->async_first;
			continue;
		}
		if (entry.dst != proc->endpoint) {
			continue;
		}
		if (delivered) {
			set_pending(proc->priv, sender->priv);
			return true;
		}
		if (!deliver_entry(sender, i, &entry, proc)) {
			async_forget(sender);
			return false;
		}
		delivered = true;
		if ((entry.flags & ASYN_NOTIFY) != 0) {
			ipc_ksig(sender, KSIG_ASYNC);
		}
	}
	return delivered;
}

bool async_take(struct proc *proc, endpoint_t from)
{
	struct priv *priv = proc->priv;
	size_t id;

	if (!proc_is_service(proc) || (proc->flags & PROC_SENDREC) != 0) {
		return false;
	}
	for (id = bitmap_next_set(priv->async_pending, PRIV_MAX, 0); id < PRIV_MAX;
		id = bitmap_next_set(priv->async_pending, PRIV_MAX, id + 1)) {
		struct proc *sender = kernel.privs[id].proc;

		if (sender != NULL && (sender->flags & PROC_SWAPPED_OUT) == 0 &&
			(from == EP_ANY || from == sender->endpoint) && take_from(proc, sender)) {
			return true;
		}
	}
	return false;
}

void async_retry(struct proc *sender)
{
	const uint64_t *receivers = sender->priv->async_receivers;
	size_t id;

	for (id = bitmap_next_set(receivers, PRIV_MAX, 0); id < PRIV_MAX;
		id = bitmap_next_set(receivers, PRIV_MAX, id + 1)) {
		struct proc *receiver = kernel.privs[id].proc;

		if (receiver != NULL && takes_async(receiver, sender) &&
			bitmap_test(receiver->priv->async_pending, sender->priv->id)) {
			take_from(receiver, sender);
		}
	}
}

/* The process dies: its table is forgotten; entries for it in the tables of others end with
 * -EDEADSRCDST. */
void async_release(struct proc *proc)
{
	struct walk walk;
	unsigned id;
	uint32_t i;

	async_forget(proc);
	for (id = 1; id < PRIV_MAX; id++) {
		struct proc *sender = kernel.privs[id].proc;

		if (sender == NULL || !bitmap_test(proc->priv->async_pending, id)) {
			continue;
		}
		walk = walk_begin(sender);
		for (i = 0; i < sender->priv->async_count; i++) {
			struct asyn_entry entry;

			if (!read_head(&walk, i, &entry)) {
				async_forget(sender);
				break;
			}
			if (is_open(&entry) && entry.dst == proc->endpoint) {
				finish_entry(sender, i, &entry, -EDEADSRCDST);
				if ((entry.flags & ASYN_NOTIFY) != 0) {
					ipc_ksig(sender, KSIG_ASYNC);
				}
			}
		}
		bitmap_clear(proc->priv->async_pending, id);
	}
}
