/* SPDX-License-Identifier: BSD-2-Clause */
/* The simple file system that ext2 is compared with. */
#include "fs/ext2/test/model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void model_init(struct model *model, uint64_t root_ino)
{
	memset(model, 0, sizeof(*model));
	model->node[0].is_used = true;
	model->node[0].mode = S_IFDIR | 0755;
	model->node[0].nlink = 2;
	model->node[0].ino = root_ino;
}

void model_free(struct model *model)
{
	for (int i = 0; i < MODEL_NODES; i++) {
		free(model->node[i].bytes);
	}
}

int model_find(const struct model *model, int dir, const char *name)
{
	for (int i = 0; i < MODEL_ENTRIES; i++) {
		if (model->entry[i].is_used && model->entry[i].dir == dir &&
			strcmp(model->entry[i].name, name) == 0) {
			return i;
		}
	}
	return -1;
}

int model_new_node(struct model *model, uint32_t mode)
{
	for (int i = 1; i < MODEL_NODES; i++) {
		if (!model->node[i].is_used) {
			memset(&model->node[i], 0, sizeof(model->node[i]));
			model->node[i].is_used = true;
			model->node[i].mode = mode;
			return i;
		}
	}
	return -1;
}

bool model_add_entry(struct model *model, int dir, const char *name, int node)
{
	for (int i = 0; i < MODEL_ENTRIES; i++) {
		if (!model->entry[i].is_used) {
			model->entry[i].is_used = true;
			model->entry[i].dir = dir;
			model->entry[i].node = node;
			strcpy(model->entry[i].name, name);
			return true;
		}
	}
	return false;
}

bool model_is_empty(const struct model *model, int dir)
{
	for (int i = 0; i < MODEL_ENTRIES; i++) {
		if (model->entry[i].is_used && model->entry[i].dir == dir) {
			return false;
		}
	}
	return true;
}

int model_parent(const struct model *model, int dir)
{
	for (int i = 0; i < MODEL_ENTRIES; i++) {
		if (model->entry[i].is_used && model->entry[i].node == dir) {
			return model->entry[i].dir;
		}
	}
	return 0;
}

bool model_is_below(const struct model *model, int dir, int node)
{
	while (dir != node && dir != 0) {
		dir = model_parent(model, dir);
	}
	return dir == node;
}

void model_resize(struct model_node *node, size_t size)
{
	node->bytes = realloc(node->bytes, size + 1);
	if (size > node->size) {
		memset(node->bytes + node->size, 0, size - node->size);
	}
	node->size = size;
}

void model_release(struct model *model, int node)
{
	free(model->node[node].bytes);
	memset(&model->node[node], 0, sizeof(model->node[node]));
}
