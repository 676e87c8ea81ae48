/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive doubly linked ring. A `struct list` is either the head of a list or a link in an
 * element. Invariant: for each link l of an initialised ring, l->next->prev == l and l->prev->next
 * == l; an empty head, and a link that is in no list, point to themselves.
 */
#pragma once

#include "lib/core/util.h"

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_INIT(name)          \
	{                        \
		&(name), &(name) \
	}

/* The element that owns a link. */
#define list_entry(link, type, member) container_of(link, type, member)

/* First or last element of a list that must not be empty. */
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_last(head, type, member)  list_entry((head)->prev, type, member)

/* Walk the elements; the body must not remove the current one. */
#define list_for_each(var, head, type, member)                                           \
	for (type *var = list_entry((head)->next, type, member); &var->member != (head); \
		var = list_entry(var->member.next, type, member))

/* Walk the elements; the body may remove or free the current one. */
#define list_for_each_safe(var, head, type, member)                         \
	for (type *var = list_entry((head)->next, type, member),            \
		  *var##_next = list_entry(var->member.next, type, member); \
		&var->member != (head);                                     \
		var = var##_next, var##_next = list_entry(var##_next->member.next, type, member))

static inline void list_init(struct list *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_insert_between(struct list *link, struct list *prev, struct list *next)
{
	link->prev = prev;
	link->next = next;
	prev->next = link;
	next->prev = link;
}

static inline void list_add_head(struct list *head, struct list *link)
{
	list_insert_between(link, head, head->next);
}

static inline void list_add_tail(struct list *head, struct list *link)
{
	list_insert_between(link, head->prev, head);
}

/* Insert link before another link (or, when that is the head, at the end). */
static inline void list_add_before(struct list *position, struct list *link)
{
	list_insert_between(link, position->prev, position);
}

/* Take a link out of its list; it then points to itself, so that removing it again is harmless. */
static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* Whether an initialised link is in a list. */
static inline bool list_is_linked(const struct list *link)
{
	return link->next != link;
}

/* Take out and return the first link, or NULL. */
static inline struct list *list_pop_head(struct list *head)
{
	struct list *link = head->next;

	if (link == head) {
		return NULL;
	}
	list_remove(link);
	return link;
}

/* Move all of `from` to the end of `to`; `from` is empty afterwards. */
static inline void list_splice_tail(struct list *to, struct list *from)
{
	if (list_is_empty(from)) {
		return;
	}
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}
