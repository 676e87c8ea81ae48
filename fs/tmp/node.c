/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/tmp/tmp.h"

#define NODES_FIRST 64

static int table_grow(struct tmp_fs *tmp)
{
	uint64_t room = tmp->node_room ? tmp->node_room * 2 : NODES_FIRST;
	struct tmp_node **nodes = realloc(tmp->nodes, room * sizeof(*nodes));

	if (!nodes) {
		return -ENOMEM;
	}
	memset(nodes + tmp->node_room, 0, (room - tmp->node_room) * sizeof(*nodes));
	tmp->nodes = nodes;
	tmp->node_room = room;
	return 0;
}

/* The next free number, going round, so that a number is not used again soon. */
static uint64_t number_take(struct tmp_fs *tmp)
{
	for (uint64_t tried = 0; tried < tmp->node_room; tried++) {
		uint64_t ino = tmp->next_free;

		tmp->next_free = ino + 1 < tmp->node_room ? ino + 1 : 1;
		if (ino != 0 && ino < tmp->node_room && !tmp->nodes[ino]) {
			return ino;
		}
	}
	return 0;
}

int tmp_node_new(struct tmp_fs *tmp, const struct fs_new *what, struct tmp_node **node)
{
	struct tmp_node *n;

	if (tmp->node_count >= tmp->node_limit) {
		return -ENOSPC;
	}
	/* One number of each table stays free: number_take always finds one. */
	if (tmp->node_count + 2 > tmp->node_room && table_grow(tmp) < 0) {
		return -ENOMEM;
	}
	n = calloc(1, sizeof(*n));
	if (!n) {
		return -ENOMEM;
	}
	n->attr.ino = number_take(tmp);
	n->attr.mode = what->mode;
	n->attr.uid = what->uid;
	n->attr.gid = what->gid;
	n->attr.major = what->major;
	n->attr.minor = what->minor;
	n->attr.block_size = TMP_PAGE;
	n->attr.atime = n->attr.mtime = n->attr.ctime = tmp->fs.now();
	n->refs = 1;
	n->next_position = 2;
	list_init(&n->entries);
	tmp->nodes[n->attr.ino] = n;
	tmp->node_count++;
	*node = n;
	return 0;
}

struct tmp_node *tmp_node_find(struct tmp_fs *tmp, uint64_t ino)
{
	return ino < tmp->node_room ? tmp->nodes[ino] : NULL;
}

void tmp_node_free(struct tmp_fs *tmp, struct tmp_node *node)
{
	if (S_ISREG(node->attr.mode)) {
		tmp_data_truncate(tmp, node, 0, true);
	}
	free(node->target);
	tmp->nodes[node->attr.ino] = NULL;
	tmp->node_count--;
	free(node);
}

void tmp_node_check_end(struct tmp_fs *tmp, struct tmp_node *node)
{
	if (node->refs == 0 && node->attr.nlink == 0) {
		tmp_node_free(tmp, node);
	}
}
