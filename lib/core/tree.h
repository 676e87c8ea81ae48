/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive balanced (AVL) tree. The owner embeds `struct tree_node` and gives comparison
 * functions; no memory is allocated. Insertion, deletion and look-up take logarithmic time.
 * Invariants: 1. in-order walk is ascending; 2. heights of two siblings differ by at most one;
 * 3. parent links match child links.
 */
#pragma once

#include "lib/core/util.h"

struct tree_node {
	struct tree_node *parent;
	struct tree_node *child[2]; /* lower, higher */
	int32_t height;             /* of the subtree: 1 for a leaf */
	uint32_t padding;
};

struct tree {
	struct tree_node *root;
};

#define tree_entry(node, type, member) container_of(node, type, member)

/* Below, at or above zero as node a belongs before, at or after node b. */
typedef int (*tree_compare_fn)(const struct tree_node *a, const struct tree_node *b);
/* Below, at or above zero as the key belongs before, at or after the node. */
typedef int (*tree_key_fn)(const void *key, const struct tree_node *node);

static inline void tree_init(struct tree *tree)
{
	tree->root = NULL;
}

static inline bool tree_is_empty(const struct tree *tree)
{
	return tree->root == NULL;
}

/* Insert a node; returns false, changing nothing, when an equal one is there. */
bool tree_insert(struct tree *tree, struct tree_node *node, tree_compare_fn compare);

/* Take out a node that is in the tree. */
void tree_remove(struct tree *tree, struct tree_node *node);

/* Put `node` in the place of `old`, which must compare alike. */
void tree_replace(struct tree *tree, struct tree_node *old, struct tree_node *node);

/* The node equal to key; the highest at or below it; the lowest at or above it; or NULL. */
struct tree_node *tree_find(const struct tree *tree, const void *key, tree_key_fn compare);
struct tree_node *tree_find_le(const struct tree *tree, const void *key, tree_key_fn compare);
struct tree_node *tree_find_ge(const struct tree *tree, const void *key, tree_key_fn compare);

/* In-order walk; NULL at the end. */
struct tree_node *tree_first(const struct tree *tree);
struct tree_node *tree_last(const struct tree *tree);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_prev(const struct tree_node *node);

/* Check the invariants (for tests and sanity checks). */
bool tree_check(const struct tree *tree, tree_compare_fn compare);
