/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a file system consistent after a crash: directories. */
#include "fs/ext2/repair.h"

#include "fs/ext2/bmap.h"
#include "fs/ext2/delete.h"
#include "fs/ext2/dir.h"
#include "fs/ext2/namei.h"
#include "lib/core/bitmap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct ext2_dirent *entry_at(const struct fs_block *block, uint32_t offset)
{
	return (struct ext2_dirent *)(void *)(block->data + offset);
}

static bool is_named(const struct ext2_dirent *entry, const char *name)
{
	return entry->name_len == strlen(name) && memcmp(entry->name, name, entry->name_len) == 0;
}

/* Whether the first block of a directory begins as it must. */
static bool has_dots(const struct ext2_repair *repair, const struct fs_block *block, uint32_t ino)
{
	const struct ext2_dirent *dot = entry_at(block, 0), *dotdot;

	if (dot->inode != ino || !is_named(dot, ".") || dot->rec_len != EXT2_DIRENT_LEN(1)) {
		return false;
	}
	dotdot = entry_at(block, dot->rec_len);
	return dotdot->inode != 0 && dotdot->inode <= repair->ext2->super.inodes_count &&
		is_named(dotdot, "..");
}

/* Empty a block; the first one of a directory gets "." and "..". */
static void reset_block(
	struct ext2_repair *repair, struct fs_block *block, uint32_t ino, bool is_first)
{
	struct ext2 *ext2 = repair->ext2;

	memset(block->data, 0, ext2->block_size);
	if (is_first) {
		ext2_dir_format(ext2, block, ino, EXT2_ROOT_INO);
	} else {
		entry_at(block, 0)->rec_len = (uint16_t)ext2->block_size;
	}
	repair->fixes++;
	fs_cache_dirty_block(ext2->cache, block);
}

/* Whether an entry may stay; counts what it names. */
static bool keep_entry(struct ext2_repair *repair, uint32_t dir, const struct ext2_dirent *entry)
{
	uint32_t index = entry->inode - 1;

	if (entry->inode < repair->ext2->first_inode || !bitmap_test(repair->inodes, index) ||
		is_named(entry, ".") || is_named(entry, "..") ||
		memchr(entry->name, '/', entry->name_len) != NULL ||
		memchr(entry->name, 0, entry->name_len) != NULL) {
		return false;
	}
	if (bitmap_test(repair->dirs, index)) {
		if (repair->parent[index] != 0) {
			return false;
		}
		repair->parent[index] = dir;
	} else if (repair->links[index] >= EXT2_LINK_MAX) {
		return false;
	}
	repair->links[index]++;
	return true;
}

static void check_entries(
	struct ext2_repair *repair, uint32_t dir, struct fs_block *block, uint32_t offset)
{
	struct ext2 *ext2 = repair->ext2;
	struct ext2_dirent *entry;

	for (; offset < ext2->block_size; offset += entry->rec_len) {
		uint8_t type;

		entry = entry_at(block, offset);
		if (entry->inode == 0) {
			continue;
		}
		if (!keep_entry(repair, dir, entry)) {
			entry->inode = 0;
		} else {
			type = ext2_dir_type(ext2, (uint32_t)repair->types[entry->inode - 1] << 12);
			if (entry->file_type == type) {
				continue;
			}
			entry->file_type = type;
		}
		repair->fixes++;
		fs_cache_dirty_block(ext2->cache, block);
	}
}

static int check_dir(struct ext2_repair *repair, struct ext2_node *dir)
{
	struct ext2 *ext2 = repair->ext2;

	for (uint64_t i = 0; i < dir->size >> ext2->block_shift; i++) {
		struct fs_block block;
		uint32_t number;
		int error = ext2_map(ext2, dir, i, &number);

		if (error == 0 && number == 0) {
			continue;
		}
		if (error == 0) {
			error = fs_cache_get_block(ext2->cache, number, FS_BLOCK_READ, &block);
		}
		if (error != 0) {
			return error;
		}
		if (!ext2_dir_block_is_sound(ext2, &block) ||
			(i == 0 && !has_dots(repair, &block, dir->ino))) {
			reset_block(repair, &block, dir->ino, i == 0);
		}
		if (i == 0) {
			repair->links[dir->ino - 1]++; /* "." */
		}
		check_entries(repair, dir->ino, &block,
			i == 0 ? EXT2_DIRENT_LEN(1) + entry_at(&block, EXT2_DIRENT_LEN(1))->rec_len
			       : 0);
		fs_cache_put_block(ext2->cache, &block);
	}
	return 0;
}

int ext2_repair_dirs(struct ext2_repair *repair)
{
	struct ext2 *ext2 = repair->ext2;
	size_t count = ext2->super.inodes_count;

	repair->parent[EXT2_ROOT_INO - 1] = EXT2_ROOT_INO;
	for (size_t i = bitmap_next_set(repair->dirs, count, 0); i < count;
		i = bitmap_next_set(repair->dirs, count, i + 1)) {
		struct ext2_node *dir;
		int error = ext2_node_get(ext2, i + 1, &dir);

		if (error == 0) {
			error = check_dir(repair, dir);
			ext2_node_put(ext2, dir, 1);
		}
		if (error != 0) {
			return error;
		}
	}
	return 0;
}

/* Let a directory's ".." name its parent. */
static int set_parent(struct ext2_repair *repair, uint32_t ino, uint32_t parent)
{
	struct ext2 *ext2 = repair->ext2;
	struct ext2_node *dir;
	struct ext2_slot slot;
	int error = ext2_node_get(ext2, ino, &dir);

	if (error != 0) {
		return error;
	}
	error = ext2_dir_find(ext2, dir, (struct fs_name){"..", 2}, &slot);
	if (error == 0) {
		if (slot.ino != parent) {
			repair->fixes++;
			ext2_dir_set_parent(ext2, &slot, parent);
		}
		ext2_slot_put(ext2, &slot);
	}
	ext2_node_put(ext2, dir, 1);
	return error;
}

struct search {
	uint32_t ino;
	char text[FS_NAME_MAX];
	size_t len;
};

/* fs_emit_fn: find the name of an inode. */
static bool note_name(void *ctx, const struct fs_entry *entry)
{
	struct search *search = ctx;

	if (entry->ino != search->ino || (entry->name.len == 1 && entry->name.text[0] == '.')) {
		return true;
	}
	memcpy(search->text, entry->name.text, entry->name.len);
	search->len = entry->name.len;
	return false;
}

/* Take the entry of a directory out of its parent: it has none then. */
static void disconnect(struct ext2_repair *repair, uint32_t ino)
{
	struct ext2 *ext2 = repair->ext2;
	struct search search = {.ino = ino};
	struct ext2_node *parent;
	struct ext2_slot slot;

	if (ext2_node_get(ext2, repair->parent[ino - 1], &parent) != 0) {
		return;
	}
	if (ext2_dir_walk(ext2, parent, 0, note_name, &search) == 0 && search.len > 0 &&
		ext2_dir_find(ext2, parent, (struct fs_name){search.text, search.len}, &slot) ==
			0) {
		ext2_dir_remove(ext2, parent, &slot);
		ext2_slot_put(ext2, &slot);
		repair->parent[ino - 1] = 0;
		repair->links[ino - 1]--;
		repair->fixes++;
	}
	ext2_node_put(ext2, parent, 1);
}

/*
 * The way up from a directory ends at the root, or at one that has no parent yet, or goes round in
 * a circle: then the circle is cut.
 */
static void cut_circle(struct ext2_repair *repair, uint32_t ino)
{
	uint32_t slow = ino, fast = ino;

	do {
		slow = repair->parent[slow - 1];
		for (int i = 0; i < 2 && fast != 0; i++) {
			fast = fast == EXT2_ROOT_INO ? 0 : repair->parent[fast - 1];
		}
	} while (fast != 0 && slow != fast);
	if (fast != 0) {
		disconnect(repair, fast);
	}
}

int ext2_repair_parents(struct ext2_repair *repair)
{
	size_t count = repair->ext2->super.inodes_count;

	for (size_t i = bitmap_next_set(repair->dirs, count, 0); i < count;
		i = bitmap_next_set(repair->dirs, count, i + 1)) {
		uint32_t parent;
		int error;

		cut_circle(repair, (uint32_t)i + 1);
		parent = repair->parent[i];
		if (parent == 0) {
			continue;
		}
		error = set_parent(repair, (uint32_t)i + 1, parent);
		if (error != 0) {
			return error;
		}
		repair->links[parent - 1]++;
	}
	return 0;
}

static int get_lost_found(struct ext2 *ext2, uint32_t *ino)
{
	struct fs_name name = {"lost+found", 10};
	struct fs_new what = {.mode = S_IFDIR | 0700};
	struct fs_attr attr;
	int error = ext2_lookup(&ext2->fs, EXT2_ROOT_INO, name, &attr);

	if (error == -ENOENT) {
		error = ext2_create(&ext2->fs, EXT2_ROOT_INO, name, &what, &attr);
	}
	if (error != 0) {
		return error;
	}
	*ino = (uint32_t)attr.ino;
	return ext2->fs.ops->put(&ext2->fs, attr.ino, 1);
}

/* Give an inode without a name one; its links do not count that name yet. */
static int reconnect(struct ext2_repair *repair, struct ext2_node *lost, uint32_t ino)
{
	struct ext2 *ext2 = repair->ext2;
	bool is_dir = bitmap_test(repair->dirs, ino - 1);
	struct ext2_node *node;
	char text[16];
	struct fs_name name = {text, 0};
	int error;

	name.len = (size_t)snprintf(text, sizeof(text), "#%u", ino);
	error = ext2_node_load(ext2, ino, repair->links[ino - 1] == 0, &node);
	if (error != 0) {
		return error;
	}
	error = ext2_dir_add(ext2, lost, name, ino, node->raw.mode);
	if (error == 0) {
		node->raw.links_count++;
		ext2_node_dirty(ext2, node);
		repair->fixes++;
	}
	if (error == 0 && is_dir) {
		error = set_parent(repair, ino, lost->ino);
		lost->raw.links_count++;
		ext2_node_dirty(ext2, lost);
	}
	/* A file that could not be named goes: without links, the put deletes it. */
	ext2_node_put(ext2, node, 1);
	return error;
}

int ext2_repair_reconnect(struct ext2_repair *repair)
{
	struct ext2 *ext2 = repair->ext2;
	size_t count = ext2->super.inodes_count;
	struct ext2_node *lost = NULL;
	int error = 0;

	for (size_t i = bitmap_next_set(repair->inodes, count, ext2->first_inode - 1); i < count;
		i = bitmap_next_set(repair->inodes, count, i + 1)) {
		bool is_dir = bitmap_test(repair->dirs, i);
		int result;

		if (is_dir ? repair->parent[i] != 0 : repair->links[i] > 0) {
			continue;
		}
		if (lost == NULL) {
			uint32_t ino;

			error = get_lost_found(ext2, &ino);
			if (error == 0) {
				error = ext2_node_get_dir(ext2, ino, &lost);
			}
			if (error != 0) {
				return error;
			}
		}
		result = reconnect(repair, lost, (uint32_t)i + 1);
		if (error == 0) {
			error = result;
		}
	}
	if (lost != NULL) {
		ext2_node_put(ext2, lost, 1);
	}
	return error;
}
