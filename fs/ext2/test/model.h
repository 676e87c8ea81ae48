/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file system so simple that it is right: nodes in an array, contents in memory. The random test
 * does each operation on it and on ext2, and compares.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_NODES   256
#define MODEL_ENTRIES 512
#define MODEL_NAME    32

struct model_node {
	bool is_used;
	uint32_t mode;
	uint32_t nlink;
	uint64_t ino;   /* of the real one */
	uint64_t refs;  /* that the test holds on the real one, when it is unlinked */
	uint8_t *bytes; /* of a file, or a link's text */
	size_t size;
	uint32_t rdev;
};

struct model_entry {
	bool is_used;
	int dir; /* node numbers */
	int node;
	char name[MODEL_NAME];
};

struct model {
	struct model_node node[MODEL_NODES]; /* 0: root */
	struct model_entry entry[MODEL_ENTRIES];
};

void model_init(struct model *model, uint64_t root_ino);
void model_free(struct model *model);
int model_find(const struct model *model, int dir, const char *name); /* entry number or -1 */
int model_new_node(struct model *model, uint32_t mode);               /* or -1 */
bool model_add_entry(struct model *model, int dir, const char *name, int node);
bool model_is_empty(const struct model *model, int dir);
/* Whether `dir` is `node` or below it. */
bool model_is_below(const struct model *model, int dir, int node);
int model_parent(const struct model *model, int dir);
void model_resize(struct model_node *node, size_t size);
void model_release(struct model *model, int node);
