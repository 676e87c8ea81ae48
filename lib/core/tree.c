/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/core/tree.h"

static int32_t height_of(const struct tree_node *node)
{
	return node != NULL ? node->height : 0;
}

static void update_height(struct tree_node *node)
{
	int32_t low = height_of(node->child[0]);
	int32_t high = height_of(node->child[1]);

	node->height = (low > high ? low : high) + 1;
}

/* Make `node` the child of `parent` (or the root) in the place that `old` has. */
static void replace_child(
	struct tree *tree, struct tree_node *parent, struct tree_node *old, struct tree_node *node)
{
	if (parent == NULL) {
		tree->root = node;
	} else {
		parent->child[parent->child[1] == old] = node;
	}
	if (node != NULL) {
		node->parent = parent;
	}
}

/* Rotate so that the child on side `side` takes the node's place; returns that child. */
static struct tree_node *rotate(struct tree *tree, struct tree_node *node, int side)
{
	struct tree_node *up = node->child[side];
	struct tree_node *inner = up->child[!side];

	replace_child(tree, node->parent, node, up);
	node->child[side] = inner;
	if (inner != NULL) {
		inner->parent = node;
	}
	up->child[!side] = node;
	node->parent = up;
	update_height(node);
	update_height(up);
	return up;
}

/* Restore invariant 2 from a node upward, stopping where nothing changes any more. */
static void rebalance(struct tree *tree, struct tree_node *node)
{
	while (node != NULL) {
		int32_t before = node->height;
		int32_t lean = height_of(node->child[1]) - height_of(node->child[0]);

		update_height(node);
		if (lean > 1 || lean < -1) {
			int side = lean > 1;
			struct tree_node *heavy = node->child[side];

			if (height_of(heavy->child[!side]) > height_of(heavy->child[side])) {
				rotate(tree, heavy, !side);
			}
			node = rotate(tree, node, side);
		}
		if (node->height == before) {
			return;
		}
		node = node->parent;
	}
}

bool tree_insert(struct tree *tree, struct tree_node *node, tree_compare_fn compare)
{
	struct tree_node *parent = NULL;
	struct tree_node **place = &tree->root;

	while (*place != NULL) {
		int order = compare(node, *place);

		if (order == 0) {
			return false;
		}
		parent = *place;
		place = &parent->child[order > 0];
	}
	node->parent = parent;
	node->child[0] = NULL;
	node->child[1] = NULL;
	node->height = 1;
	*place = node;
	rebalance(tree, parent);
	return true;
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
	struct tree_node *start;

	if (node->child[0] != NULL && node->child[1] != NULL) {
		/* The successor takes the node's place. It has no lower child. */
		struct tree_node *next = node->child[1];

		while (next->child[0] != NULL) {
			next = next->child[0];
		}
		start = next->parent == node ? next : next->parent;
		if (next->parent != node) {
			replace_child(tree, next->parent, next, next->child[1]);
			next->child[1] = node->child[1];
			next->child[1]->parent = next;
		}
		next->child[0] = node->child[0];
		next->child[0]->parent = next;
		next->height = node->height;
		replace_child(tree, node->parent, node, next);
	} else {
		start = node->parent;
		replace_child(tree, node->parent, node, node->child[node->child[0] == NULL]);
	}
	rebalance(tree, start);
	node->parent = NULL;
	node->child[0] = NULL;
	node->child[1] = NULL;
}

void tree_replace(struct tree *tree, struct tree_node *old, struct tree_node *node)
{
	*node = *old;
	replace_child(tree, old->parent, old, node);
	for (int side = 0; side < 2; side++) {
		if (node->child[side] != NULL) {
			node->child[side]->parent = node;
		}
	}
}

struct tree_node *tree_find(const struct tree *tree, const void *key, tree_key_fn compare)
{
	struct tree_node *node = tree->root;

	while (node != NULL) {
		int order = compare(key, node);

		if (order == 0) {
			break;
		}
		node = node->child[order > 0];
	}
	return node;
}

struct tree_node *tree_find_le(const struct tree *tree, const void *key, tree_key_fn compare)
{
	struct tree_node *node = tree->root;
	struct tree_node *best = NULL;

	while (node != NULL) {
		int order = compare(key, node);

		if (order >= 0) {
			best = node;
		}
		if (order == 0) {
			break;
		}
		node = node->child[order > 0];
	}
	return best;
}

struct tree_node *tree_find_ge(const struct tree *tree, const void *key, tree_key_fn compare)
{
	struct tree_node *node = tree->root;
	struct tree_node *best = NULL;

	while (node != NULL) {
		int order = compare(key, node);

		if (order <= 0) {
			best = node;
		}
		if (order == 0) {
			break;
		}
		node = node->child[order > 0];
	}
	return best;
}

static struct tree_node *outermost(struct tree_node *node, int side)
{
	while (node != NULL && node->child[side] != NULL) {
		node = node->child[side];
	}
	return node;
}

struct tree_node *tree_first(const struct tree *tree)
{
	return outermost(tree->root, 0);
}

struct tree_node *tree_last(const struct tree *tree)
{
	return outermost(tree->root, 1);
}

static struct tree_node *step(const struct tree_node *node, int side)
{
	if (node->child[side] != NULL) {
		return outermost(node->child[side], !side);
	}
	while (node->parent != NULL && node->parent->child[side] == node) {
		node = node->parent;
	}
	return node->parent;
}

struct tree_node *tree_next(const struct tree_node *node)
{
	return step(node, 1);
}

struct tree_node *tree_prev(const struct tree_node *node)
{
	return step(node, 0);
}

static bool node_is_sound(const struct tree_node *node)
{
	int32_t low = height_of(node->child[0]);
	int32_t high = height_of(node->child[1]);

	for (int side = 0; side < 2; side++) {
		if (node->child[side] != NULL && node->child[side]->parent != node) {
			return false;
		}
	}
	return low - high <= 1 && high - low <= 1 && node->height == (low > high ? low : high) + 1;
}

bool tree_check(const struct tree *tree, tree_compare_fn compare)
{
	const struct tree_node *prev = NULL;

	if (tree->root != NULL && tree->root->parent != NULL) {
		return false;
	}
	for (const struct tree_node *node = tree_first(tree); node != NULL;
		node = tree_next(node)) {
		if (!node_is_sound(node) || (prev != NULL && compare(prev, node) >= 0)) {
			return false;
		}
		prev = node;
	}
	return true;
}
