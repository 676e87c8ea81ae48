/* SPDX-License-Identifier: BSD-2-Clause */
/* Pipes, named and unnamed: a ring of bytes in pages. */
#pragma once

#include "lib/coro/coro.h"
#include "servers/vfs/file.h"

#define PIPE_PAGES_DEFAULT 16
#define PIPE_PAGES_MAX     256

struct pipe {
	struct vnode *node;        /* the inode it belongs to; not counted: the files hold it */
	unsigned readers, writers; /* open files */
	unsigned opened_readers,
		opened_writers; /* how often ever opened: open(2) of a fifo waits for a change */
	uint64_t head, tail;    /* bytes ever read and written */
	unsigned page_count;    /* a power of two */
	char **pages;           /* byte n is in page (n / 4096) % page_count; allocated on demand */
	char *spare;            /* one page kept for the next need */
	struct waitq read_wait, write_wait, open_wait, poll_wait;
};

/* Bytes that were read go back in front of what the pipe holds. They are lost when there is no
 * memory. */
void pipe_unread(struct pipe *pipe, const char *from, uint64_t bytes);

/* The pipe of a fifo's inode, made when there is none; NULL: no memory. */
struct pipe *pipe_of(struct vnode *node);
/* Open an end (or both) of a fifo into a new file; waits for the other end as fifo(7) says. */
int pipe_open(struct call *call, struct file *file);
/* Set up file as an end without waiting. */
void pipe_attach(struct pipe *pipe, struct file *file);

/* Bytes in it. */
static inline uint64_t pipe_used(const struct pipe *pipe)
{
	return pipe->tail - pipe->head;
}

static inline uint64_t pipe_capacity(const struct pipe *pipe)
{
	return (uint64_t)pipe->page_count * 4096;
}

/* Bytes that can be written now. */
uint64_t pipe_room(const struct pipe *pipe);
/* Workers: wait until there are bytes (1), or nobody will write any (0); until there is room (1),
 * or nobody reads (-EPIPE, with the signal). -EAGAIN when it may not wait. */
int pipe_wait_bytes(struct call *call, struct pipe *pipe, bool may_wait);
int pipe_wait_room(struct call *call, struct pipe *pipe, bool may_wait);
/* Copy what is at the head of one to the tail of another (tee): bytes done, -ENOMEM. */
int64_t pipe_duplicate(const struct pipe *from, struct pipe *to, uint64_t bytes);

int64_t pipe_set_size(struct pipe *pipe, uint64_t bytes);

int64_t sys_pipe(struct call *call);
int64_t sys_pipe2(struct call *call);
