/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Directories. Entries fill each block exactly: an entry's rec_len leads to the next one, the last
 * one's to the end of the block, and a free entry has inode 0. Nothing of this is believed before
 * check_entry() saw it.
 */
#include "fs/ext2/dir.h"

#include "fs/ext2/bmap.h"
#include "fs/ext2/index.h"

#include <errno.h>
#include <string.h>

/* Directory blocks that are read ahead together. */
#define DIR_READ_AHEAD 16

static struct ext2_dirent *entry_at(const struct fs_block *block, uint32_t offset)
{
	return (struct ext2_dirent *)(void *)(block->data + offset);
}

/* Whether an entry at `offset` is sound as far as its block can tell. */
static bool check_entry(const struct ext2 *ext2, const struct fs_block *block, uint32_t offset)
{
	const struct ext2_dirent *entry = entry_at(block, offset);

	return entry->rec_len % 4 == 0 && entry->rec_len <= ext2->block_size - offset &&
		entry->rec_len >= EXT2_DIRENT_LEN(entry->inode != 0 ? entry->name_len : 1) &&
		entry->inode <= ext2->super.inodes_count &&
		(entry->inode == 0 || entry->name_len > 0);
}

bool ext2_dir_block_is_sound(const struct ext2 *ext2, const struct fs_block *block)
{
	uint32_t offset = 0;

	while (offset < ext2->block_size) {
		if (ext2->block_size - offset < EXT2_DIRENT_LEN(1) ||
			!check_entry(ext2, block, offset)) {
			return false;
		}
		offset += entry_at(block, offset)->rec_len;
	}
	return true;
}

static uint32_t dir_blocks(const struct ext2 *ext2, const struct ext2_node *dir)
{
	return (uint32_t)(dir->size >> ext2->block_shift);
}

/* Get a block of a directory, checked. */
static int get_dir_block(
	struct ext2 *ext2, struct ext2_node *dir, uint32_t index, struct fs_block *block)
{
	uint32_t number, ahead;
	int error;

	block->page = NULL;
	error = ext2_map(ext2, dir, index, &number);
	if (error != 0) {
		return error;
	}
	if (number == 0) {
		return ext2_corrupt(ext2, "hole in directory", dir->ino);
	}
	if (index % DIR_READ_AHEAD == 0 && index + 1 < dir_blocks(ext2, dir) &&
		ext2_map(ext2, dir, index + 1, &ahead) == 0 && ahead == number + 1) {
		fs_cache_prefetch(ext2->cache, number,
			u64_min(DIR_READ_AHEAD, dir_blocks(ext2, dir) - index));
	}
	error = fs_cache_get_block(ext2->cache, number, FS_BLOCK_READ, block);
	if (error != 0 || fs_block_is_checked(block)) {
		return error;
	}
	if (!ext2_dir_block_is_sound(ext2, block)) {
		fs_cache_put_block(ext2->cache, block);
		return ext2_corrupt(ext2, "entries of directory", dir->ino);
	}
	fs_block_set_checked(block);
	return 0;
}

/* Find a name in one block, which becomes slot->block when it is there. */
static int find_in_block(struct ext2 *ext2, struct ext2_node *dir, struct fs_name name,
	uint32_t index, struct ext2_slot *slot)
{
	const struct ext2_dirent *entry;
	int error = get_dir_block(ext2, dir, index, &slot->block);

	if (error != 0) {
		return error;
	}
	slot->index = index;
	for (slot->offset = 0; slot->offset < ext2->block_size; slot->offset += entry->rec_len) {
		entry = entry_at(&slot->block, slot->offset);
		if (entry->name_len == name.len && entry->inode != 0 &&
			memcmp(entry->name, name.text, name.len) == 0) {
			slot->ino = entry->inode;
			return 0;
		}
	}
	fs_cache_put_block(ext2->cache, &slot->block);
	return -ENOENT;
}

static struct fs_name entry_name(const struct ext2_dirent *entry)
{
	return (struct fs_name){entry->name, entry->name_len};
}

static void drop_index(struct ext2 *ext2, struct ext2_node *dir)
{
	ext2_index_free(ext2, dir->index);
	dir->index = NULL;
}

/* Index a directory that is large enough for it, if that is possible. */
static void build_index(struct ext2 *ext2, struct ext2_node *dir)
{
	uint32_t blocks = dir_blocks(ext2, dir);

	if (dir->index != NULL || dir->has_no_index || blocks < EXT2_INDEX_MIN_BLOCKS) {
		return;
	}
	dir->has_no_index = true;
	dir->index = ext2_index_new(ext2, blocks * (ext2->block_size / 32));
	for (uint32_t index = 0; index < blocks && dir->index != NULL; index++) {
		const struct ext2_dirent *entry;
		struct fs_block block;

		if (get_dir_block(ext2, dir, index, &block) != 0) {
			drop_index(ext2, dir);
			return;
		}
		for (uint32_t offset = 0; offset < ext2->block_size; offset += entry->rec_len) {
			entry = entry_at(&block, offset);
			if (entry->inode != 0 &&
				!ext2_index_add(ext2, dir->index, entry_name(entry), index)) {
				drop_index(ext2, dir);
				break;
			}
		}
		fs_cache_put_block(ext2->cache, &block);
	}
	dir->has_no_index = dir->index == NULL;
}

int ext2_dir_find(
	struct ext2 *ext2, struct ext2_node *dir, struct fs_name name, struct ext2_slot *slot)
{
	uint32_t cursor = 0, index;
	int error;

	build_index(ext2, dir);
	if (dir->index != NULL) {
		while (ext2_index_next(dir->index, name, &cursor, &index)) {
			error = find_in_block(ext2, dir, name, index, slot);
			if (error != -ENOENT) {
				return error;
			}
		}
		return -ENOENT;
	}
	for (index = 0; index < dir_blocks(ext2, dir); index++) {
		error = find_in_block(ext2, dir, name, index, slot);
		if (error != -ENOENT) {
			return error;
		}
	}
	return -ENOENT;
}

uint8_t ext2_dir_type(const struct ext2 *ext2, uint32_t mode)
{
	static const uint8_t types[16] = {
		[S_IFREG >> 12] = EXT2_FT_REG,
		[S_IFDIR >> 12] = EXT2_FT_DIR,
		[S_IFCHR >> 12] = EXT2_FT_CHR,
		[S_IFBLK >> 12] = EXT2_FT_BLK,
		[S_IFIFO >> 12] = EXT2_FT_FIFO,
		[S_IFSOCK >> 12] = EXT2_FT_SOCK,
		[S_IFLNK >> 12] = EXT2_FT_SYMLINK,
	};

	if (!(ext2->super.feature_incompat & EXT2_INCOMPAT_FILETYPE)) {
		return 0;
	}
	return types[(mode >> 12) & 15];
}

static void fill_entry(const struct ext2 *ext2, struct ext2_dirent *entry, struct fs_name name,
	uint32_t ino, uint32_t mode)
{
	entry->inode = ino;
	entry->name_len = (uint8_t)name.len;
	entry->file_type = ext2_dir_type(ext2, mode);
	memcpy(entry->name, name.text, name.len);
}

/*
 * A change of a directory's entries. The hash tree of an indexed directory is not kept up: without
 * the flag it is an ordinary directory, to us as to everybody else.
 */
static void dir_changed(struct ext2 *ext2, struct ext2_node *dir)
{
	dir->raw.flags &= ~EXT2_FLAG_INDEX;
	ext2_node_touch(ext2, dir, EXT2_MTIME | EXT2_CTIME);
}

/* Put an entry where a block has room for it. */
static bool add_in_block(struct ext2 *ext2, const struct fs_block *block, struct fs_name name,
	uint32_t ino, uint32_t mode)
{
	uint32_t needed = EXT2_DIRENT_LEN(name.len);
	struct ext2_dirent *entry;

	for (uint32_t offset = 0; offset < ext2->block_size; offset += entry->rec_len) {
		uint32_t used;

		entry = entry_at(block, offset);
		used = entry->inode != 0 ? EXT2_DIRENT_LEN(entry->name_len) : 0;
		if (entry->rec_len - used < needed) {
			continue;
		}
		if (used > 0) {
			struct ext2_dirent *next = entry_at(block, offset + used);

			fs_cache_change(ext2->cache, block, entry, EXT2_DIRENT_HEADER);
			fs_cache_change(ext2->cache, block, next, needed);
			next->rec_len = (uint16_t)(entry->rec_len - used);
			entry->rec_len = (uint16_t)used;
			entry = next;
		} else {
			fs_cache_change(ext2->cache, block, entry, needed);
		}
		fill_entry(ext2, entry, name, ino, mode);
		return true;
	}
	return false;
}

/* Append a block to a directory: empty but for what the caller puts in; pinned. */
static int append_block(struct ext2 *ext2, struct ext2_node *dir, struct fs_block *block)
{
	uint32_t index = dir_blocks(ext2, dir), number;
	bool is_new;
	int error;

	if (dir->size + ext2->block_size > INT32_MAX) {
		return -EFBIG;
	}
	error = ext2_map_alloc(ext2, dir, index, &number, &is_new);
	if (error != 0) {
		return error;
	}
	error = fs_cache_get_block(ext2->cache, number, FS_BLOCK_ZERO, block);
	if (error != 0) {
		ext2_free_tail(ext2, dir, index);
		return error;
	}
	entry_at(block, 0)->rec_len = (uint16_t)ext2->block_size;
	fs_cache_dirty_block(ext2->cache, block);
	dir->size += ext2->block_size;
	ext2_node_dirty(ext2, dir);
	return 0;
}

/* A block of a directory has no room for an entry of a class, and none below it had: nor for larger
 * ones. */
static void note_full(struct ext2_node *dir, uint32_t class, uint32_t index)
{
	if (dir->room_hint[class] == index) {
		for (uint32_t i = class; i < EXT2_ROOM_CLASSES; i++) {
			dir->room_hint[i] = (uint32_t)u64_max(dir->room_hint[i], index + 1);
		}
	}
}

/* An entry has been added: note it in what is known of the directory. */
static void entry_added(
	struct ext2 *ext2, struct ext2_node *dir, struct fs_name name, uint32_t index)
{
	if (dir->index != NULL && !ext2_index_add(ext2, dir->index, name, index)) {
		drop_index(ext2, dir);
		dir->has_no_index = true;
	}
	dir_changed(ext2, dir);
}

int ext2_dir_add(
	struct ext2 *ext2, struct ext2_node *dir, struct fs_name name, uint32_t ino, uint32_t mode)
{
	uint32_t class = EXT2_DIRENT_LEN(name.len) / 16;
	uint32_t index = dir->room_hint[class];
	struct fs_block block;
	bool is_added;
	int error;

	for (; index < dir_blocks(ext2, dir); index++) {
		error = get_dir_block(ext2, dir, index, &block);
		if (error != 0) {
			return error;
		}
		is_added = add_in_block(ext2, &block, name, ino, mode);
		fs_cache_put_block(ext2->cache, &block);
		if (is_added) {
			entry_added(ext2, dir, name, index);
			return 0;
		}
		note_full(dir, class, index);
	}
	error = append_block(ext2, dir, &block);
	if (error != 0) {
		return error;
	}
	add_in_block(ext2, &block, name, ino, mode);
	fs_cache_put_block(ext2->cache, &block);
	entry_added(ext2, dir, name, index);
	return 0;
}

void ext2_dir_remove(struct ext2 *ext2, struct ext2_node *dir, const struct ext2_slot *slot)
{
	struct ext2_dirent *entry = entry_at(&slot->block, slot->offset);
	struct ext2_dirent *before = NULL;

	if (dir->index != NULL) {
		ext2_index_remove(dir->index, entry_name(entry), slot->index);
	}
	for (uint32_t offset = 0; offset < slot->offset; offset += before->rec_len) {
		before = entry_at(&slot->block, offset);
	}
	if (before != NULL) {
		fs_cache_change(ext2->cache, &slot->block, before, EXT2_DIRENT_HEADER);
		before->rec_len = (uint16_t)(before->rec_len + entry->rec_len);
	}
	fs_cache_change(ext2->cache, &slot->block, entry, EXT2_DIRENT_HEADER);
	entry->inode = 0;
	for (uint32_t i = 0; i < EXT2_ROOM_CLASSES; i++) {
		dir->room_hint[i] = (uint32_t)u64_min(dir->room_hint[i], slot->index);
	}
	dir_changed(ext2, dir);
}

void ext2_dir_replace(struct ext2 *ext2, struct ext2_node *dir, const struct ext2_slot *slot,
	uint32_t ino, uint32_t mode)
{
	struct ext2_dirent *entry = entry_at(&slot->block, slot->offset);

	fs_cache_change(ext2->cache, &slot->block, entry, EXT2_DIRENT_HEADER);
	entry->inode = ino;
	entry->file_type = ext2_dir_type(ext2, mode);
	dir_changed(ext2, dir);
}

void ext2_dir_set_parent(struct ext2 *ext2, const struct ext2_slot *dotdot, uint32_t parent)
{
	struct ext2_dirent *entry = entry_at(&dotdot->block, dotdot->offset);

	fs_cache_change(ext2->cache, &dotdot->block, entry, EXT2_DIRENT_HEADER);
	entry->inode = parent;
}

void ext2_dir_format(struct ext2 *ext2, struct fs_block *block, uint32_t ino, uint32_t parent)
{
	struct ext2_dirent *dot = entry_at(block, 0), *dotdot;

	fill_entry(ext2, dot, (struct fs_name){".", 1}, ino, S_IFDIR);
	dot->rec_len = EXT2_DIRENT_LEN(1);
	dotdot = entry_at(block, dot->rec_len);
	fill_entry(ext2, dotdot, (struct fs_name){"..", 2}, parent, S_IFDIR);
	dotdot->rec_len = (uint16_t)(ext2->block_size - dot->rec_len);
}

int ext2_dir_make(struct ext2 *ext2, struct ext2_node *dir, uint32_t parent)
{
	struct fs_block block;
	int error = append_block(ext2, dir, &block);

	if (error != 0) {
		return error;
	}
	ext2_dir_format(ext2, &block, dir->ino, parent);
	fs_cache_put_block(ext2->cache, &block);
	return 0;
}

static bool is_dot_or_dotdot(const struct fs_name *name)
{
	return name->text[0] == '.' && (name->len == 1 || (name->len == 2 && name->text[1] == '.'));
}

/* fs_emit_fn: stop at the first entry that counts. */
static bool note_entry(void *ctx, const struct fs_entry *entry)
{
	bool *is_empty = ctx;

	if (is_dot_or_dotdot(&entry->name)) {
		return true;
	}
	*is_empty = false;
	return false;
}

int ext2_dir_is_empty(struct ext2 *ext2, struct ext2_node *dir)
{
	bool is_empty = true;
	int error = ext2_dir_walk(ext2, dir, 0, note_entry, &is_empty);

	return error != 0 ? error : is_empty;
}

static uint8_t entry_type(const struct ext2 *ext2, const struct ext2_dirent *entry)
{
	/* DT_* by EXT2_FT_* */
	static const uint8_t types[] = {0, 8, 4, 2, 6, 1, 12, 10};

	if (!(ext2->super.feature_incompat & EXT2_INCOMPAT_FILETYPE) ||
		entry->file_type >= sizeof(types)) {
		return 0;
	}
	return types[entry->file_type];
}

int ext2_dir_walk(
	struct ext2 *ext2, struct ext2_node *dir, uint64_t position, fs_emit_fn emit, void *ctx)
{
	while (position < dir->size) {
		uint64_t base = position & ~(uint64_t)(ext2->block_size - 1);
		const struct ext2_dirent *entry;
		struct fs_block block;
		int error;

		error = get_dir_block(ext2, dir, (uint32_t)(base >> ext2->block_shift), &block);
		if (error != 0) {
			return error;
		}
		/* Entries may have changed since the position was given out: search from the
		 * block's start. */
		for (uint32_t offset = 0; offset < ext2->block_size; offset += entry->rec_len) {
			struct fs_entry out;

			entry = entry_at(&block, offset);
			if (base + offset < position || entry->inode == 0) {
				continue;
			}
			out.ino = entry->inode;
			out.next = base + offset + entry->rec_len;
			out.type = entry_type(ext2, entry);
			out.name.text = entry->name;
			out.name.len = entry->name_len;
			if (!emit(ctx, &out)) {
				fs_cache_put_block(ext2->cache, &block);
				return 0;
			}
		}
		fs_cache_put_block(ext2->cache, &block);
		position = base + ext2->block_size;
	}
	return 0;
}
