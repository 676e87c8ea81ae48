/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/tmp/tmp.h"

#define TMPFS_MAGIC 0x01021994

static bool is_dir(const struct tmp_node *node)
{
	return S_ISDIR(node->attr.mode);
}

static int dir_find(struct tmp_fs *tmp, uint64_t ino, struct tmp_node **dir)
{
	*dir = tmp_node_find(tmp, ino);
	if (!*dir) {
		return -ESTALE;
	}
	return is_dir(*dir) ? 0 : -ENOTDIR;
}

/* A directory in which a name may be made: not a removed one. */
static int dir_find_live(struct tmp_fs *tmp, uint64_t ino, struct tmp_node **dir)
{
	int r = dir_find(tmp, ino, dir);

	return r < 0 ? r : ((*dir)->attr.nlink == 0 ? -ENOENT : 0);
}

static int entry_find(
	struct tmp_fs *tmp, uint64_t ino, struct fs_name name, struct tmp_entry **entry)
{
	struct tmp_node *dir;
	int r = dir_find(tmp, ino, &dir);

	if (r < 0) {
		return r;
	}
	*entry = tmp_entry_find(tmp, dir, name);
	return *entry ? 0 : -ENOENT;
}

/* Puts a directory under its parent: "..", and the parent's count of subdirectories. */
static void parent_link(struct tmp_node *dir, struct tmp_node *node)
{
	if (is_dir(node)) {
		node->parent = dir;
		dir->attr.nlink++;
	}
}

static void parent_unlink(struct tmp_node *dir, struct tmp_node *node)
{
	if (is_dir(node)) {
		dir->attr.nlink--;
	}
}

static int op_lookup(struct fs *fs, uint64_t ino, struct fs_name name, struct fs_attr *attr)
{
	struct tmp_fs *tmp = tmp_of(fs);
	struct tmp_node *dir, *node;
	int r = dir_find(tmp, ino, &dir);

	if (r < 0) {
		return r;
	}
	if (name.len == 1 && name.text[0] == '.') {
		node = dir;
	} else if (name.len == 2 && name.text[0] == '.' && name.text[1] == '.') {
		node = dir->parent;
	} else {
		struct tmp_entry *entry = tmp_entry_find(tmp, dir, name);

		if (!entry) {
			return -ENOENT;
		}
		node = entry->node;
	}
	node->refs++;
	*attr = node->attr;
	return 0;
}

static int op_get(struct fs *fs, uint64_t ino, struct fs_attr *attr)
{
	struct tmp_node *node = tmp_node_find(tmp_of(fs), ino);

	if (!node) {
		return -ESTALE;
	}
	node->refs++;
	*attr = node->attr;
	return 0;
}

static int op_put(struct fs *fs, uint64_t ino, uint64_t count)
{
	struct tmp_node *node = tmp_node_find(tmp_of(fs), ino);

	if (!node || count > node->refs) {
		return -EINVAL;
	}
	node->refs -= count;
	tmp_node_check_end(tmp_of(fs), node);
	return 0;
}

/* A new node with one name in directory `ino`; target: of a symbolic link, owned by the node
 * afterwards. */
static int node_make(struct tmp_fs *tmp, uint64_t ino, struct fs_name name,
	const struct fs_new *what, char *target, size_t size, struct fs_attr *attr)
{
	struct tmp_node *dir, *node;
	struct tmp_entry *entry;
	int r = dir_find_live(tmp, ino, &dir);

	if (r < 0) {
		return r;
	}
	if (tmp_entry_find(tmp, dir, name)) {
		return -EEXIST;
	}
	if (S_ISDIR(what->mode) && dir->attr.nlink >= TMP_LINK_MAX) {
		return -EMLINK;
	}
	entry = tmp_entry_new(tmp, name);
	if (!entry) {
		return -ENOMEM;
	}
	r = tmp_node_new(tmp, what, &node);
	if (r < 0) {
		free(entry);
		return r;
	}
	node->target = target;
	node->attr.size = size;
	node->attr.nlink = S_ISDIR(what->mode) ? 2 : 1;
	tmp_entry_insert(tmp, entry, dir, node);
	parent_link(dir, node);
	tmp_touch(tmp, dir);
	*attr = node->attr;
	return 0;
}

static int op_create(struct fs *fs, uint64_t dir, struct fs_name name, const struct fs_new *what,
	struct fs_attr *attr)
{
	return node_make(tmp_of(fs), dir, name, what, NULL, 0, attr);
}

static int op_symlink(struct fs *fs, uint64_t dir, struct fs_name name, const struct fs_new *what,
	const char *target, size_t len, struct fs_attr *attr)
{
	struct fs_new link = *what;
	char *copy = malloc(len + 1);
	int r;

	if (!copy) {
		return -ENOMEM;
	}
	memcpy(copy, target, len);
	copy[len] = '\0';
	link.mode = S_IFLNK | 0777;
	r = node_make(tmp_of(fs), dir, name, &link, copy, len, attr);
	if (r < 0) {
		free(copy);
	}
	return r;
}

static int op_link(struct fs *fs, uint64_t ino, uint64_t dir_ino, struct fs_name name)
{
	struct tmp_fs *tmp = tmp_of(fs);
	struct tmp_node *dir, *node = tmp_node_find(tmp, ino);
	struct tmp_entry *entry;
	int r = dir_find_live(tmp, dir_ino, &dir);

	if (r < 0) {
		return r;
	}
	if (!node || node->attr.nlink == 0) {
		return -ENOENT;
	}
	if (is_dir(node)) {
		return -EPERM;
	}
	if (tmp_entry_find(tmp, dir, name)) {
		return -EEXIST;
	}
	if (node->attr.nlink >= TMP_LINK_MAX) {
		return -EMLINK;
	}
	entry = tmp_entry_new(tmp, name);
	if (!entry) {
		return -ENOMEM;
	}
	tmp_entry_insert(tmp, entry, dir, node);
	node->attr.nlink++;
	node->attr.ctime = fs->now();
	tmp_touch(tmp, dir);
	return 0;
}

/* Takes the name away, and the node's link; a directory must be empty (checked before). */
static void entry_drop(struct tmp_fs *tmp, struct tmp_entry *entry)
{
	struct tmp_node *dir = entry->dir, *node = entry->node;

	tmp_entry_remove(tmp, entry);
	parent_unlink(dir, node);
	node->attr.nlink = is_dir(node) ? 0 : node->attr.nlink - 1;
	node->attr.ctime = tmp->fs.now();
	tmp_touch(tmp, dir);
	tmp_node_check_end(tmp, node);
}

static int op_unlink(struct fs *fs, uint64_t dir, struct fs_name name)
{
	struct tmp_entry *entry;
	int r = entry_find(tmp_of(fs), dir, name, &entry);

	if (r < 0) {
		return r;
	}
	if (is_dir(entry->node)) {
		return -EISDIR;
	}
	entry_drop(tmp_of(fs), entry);
	return 0;
}

static int op_rmdir(struct fs *fs, uint64_t dir, struct fs_name name)
{
	struct tmp_entry *entry;
	int r = entry_find(tmp_of(fs), dir, name, &entry);

	if (r < 0) {
		return r;
	}
	if (!is_dir(entry->node)) {
		return -ENOTDIR;
	}
	if (!list_is_empty(&entry->node->entries)) {
		return -ENOTEMPTY;
	}
	entry_drop(tmp_of(fs), entry);
	return 0;
}

/* Whether `node` is `dir` or above it. */
static bool is_above(const struct tmp_node *node, const struct tmp_node *dir)
{
	while (dir != node && dir->parent != dir) {
		dir = dir->parent;
	}
	return dir == node;
}

/* rename(2)'s rules about what may take whose place. */
static int rename_check(const struct tmp_entry *from, const struct tmp_entry *to,
	const struct tmp_node *new_dir, unsigned flags)
{
	if (is_dir(from->node) && is_above(from->node, new_dir)) {
		return -EINVAL;
	}
	if (flags & FS_RENAME_EXCHANGE) {
		if (!to) {
			return -ENOENT;
		}
		return is_dir(to->node) && is_above(to->node, from->dir) ? -EINVAL : 0;
	}
	if (!to) {
		return is_dir(from->node) && new_dir != from->dir &&
				new_dir->attr.nlink >= TMP_LINK_MAX
			? -EMLINK
			: 0;
	}
	if (flags & FS_RENAME_NOREPLACE) {
		return -EEXIST;
	}
	if (is_dir(to->node) != is_dir(from->node)) {
		return is_dir(to->node) ? -EISDIR : -ENOTDIR;
	}
	return is_dir(to->node) && !list_is_empty(&to->node->entries) ? -ENOTEMPTY : 0;
}

static void exchange(struct tmp_fs *tmp, struct tmp_entry *a, struct tmp_entry *b)
{
	struct tmp_node *node = a->node;

	parent_unlink(a->dir, a->node);
	parent_unlink(b->dir, b->node);
	a->node = b->node;
	b->node = node;
	parent_link(a->dir, a->node);
	parent_link(b->dir, b->node);
	a->node->attr.ctime = b->node->attr.ctime = tmp->fs.now();
	tmp_touch(tmp, a->dir);
	tmp_touch(tmp, b->dir);
}

static int op_rename(struct fs *fs, uint64_t old_dir, struct fs_name old_name, uint64_t new_dir,
	struct fs_name new_name, unsigned flags)
{
	struct tmp_fs *tmp = tmp_of(fs);
	struct tmp_entry *from, *to, *entry;
	struct tmp_node *dir, *node;
	int r = entry_find(tmp, old_dir, old_name, &from);

	r = r < 0 ? r : dir_find_live(tmp, new_dir, &dir);
	if (r < 0) {
		return r;
	}
	to = tmp_entry_find(tmp, dir, new_name);
	if (to && to->node == from->node && !(flags & FS_RENAME_NOREPLACE)) {
		return 0; /* two names of one file: rename(2) does nothing */
	}
	r = rename_check(from, to, dir, flags);
	if (r < 0) {
		return r;
	}
	if (flags & FS_RENAME_EXCHANGE) {
		exchange(tmp, from, to);
		return 0;
	}
	entry = tmp_entry_new(tmp, new_name);
	if (!entry) {
		return -ENOMEM;
	}
	if (to) {
		entry_drop(tmp, to);
	}
	node = from->node;
	parent_unlink(from->dir, node);
	tmp_touch(tmp, from->dir);
	tmp_entry_remove(tmp, from);
	tmp_entry_insert(tmp, entry, dir, node);
	parent_link(dir, node);
	node->attr.ctime = fs->now();
	tmp_touch(tmp, dir);
	return 0;
}

static int op_readlink(struct fs *fs, uint64_t ino, char *buf, size_t size, size_t *len)
{
	struct tmp_node *node = tmp_node_find(tmp_of(fs), ino);

	if (!node || !S_ISLNK(node->attr.mode)) {
		return -EINVAL;
	}
	*len = node->attr.size < size ? node->attr.size : size;
	memcpy(buf, node->target, *len);
	return 0;
}

/* After a restart with all memory: VFS's count of references is the truth. */
static int op_rebind(struct fs *fs, uint64_t ino, uint64_t count, struct fs_attr *attr)
{
	struct tmp_node *node = tmp_node_find(tmp_of(fs), ino);

	if (!node) {
		return -ESTALE;
	}
	node->refs = count;
	node->is_bound = true;
	*attr = node->attr;
	return 0;
}

static void op_restarted(struct fs *fs)
{
	fs_cache_unpin_all(tmp_of(fs)->cache);
}

static int op_recovered(struct fs *fs)
{
	struct tmp_fs *tmp = tmp_of(fs);

	for (uint64_t i = 0; i < tmp->node_room; i++) {
		struct tmp_node *node = tmp->nodes[i];

		if (node) {
			node->refs = node->is_bound ? node->refs : 0;
			node->is_bound = false;
			tmp_node_check_end(tmp, node);
		}
	}
	return 0;
}

static int op_get_attr(struct fs *fs, uint64_t ino, struct fs_attr *attr)
{
	struct tmp_node *node = tmp_node_find(tmp_of(fs), ino);

	if (!node) {
		return -ESTALE;
	}
	*attr = node->attr;
	return 0;
}

static int op_set_attr(struct fs *fs, uint64_t ino, unsigned set, const struct fs_attr *attr)
{
	struct tmp_node *node = tmp_node_find(tmp_of(fs), ino);

	if (!node) {
		return -ESTALE;
	}
	if (set == FS_SET_READ) {
		node->attr.atime = fs->now();
		return 0;
	}
	if (set & FS_SET_MODE) {
		node->attr.mode = (node->attr.mode & S_IFMT) | (attr->mode & 07777);
	}
	if (set & FS_SET_UID) {
		node->attr.uid = attr->uid;
	}
	if (set & FS_SET_GID) {
		node->attr.gid = attr->gid;
	}
	if (set & FS_SET_ATIME) {
		node->attr.atime = attr->atime;
	}
	if (set & FS_SET_MTIME) {
		node->attr.mtime = attr->mtime;
	}
	node->attr.ctime = fs->now();
	return 0;
}

static int op_readdir(struct fs *fs, uint64_t ino, uint64_t position, fs_emit_fn emit, void *ctx)
{
	struct tmp_node *dir;
	int r = dir_find(tmp_of(fs), ino, &dir);

	if (r < 0) {
		return r;
	}
	dir->attr.atime = fs->now();
	for (uint64_t i = position; i < 2; i++) {
		struct fs_entry entry = {.ino = i ? dir->parent->attr.ino : dir->attr.ino,
			.next = i + 1,
			.type = S_IFDIR >> 12,
			.name = {"..", i + 1}};

		if (!emit(ctx, &entry)) {
			return 0;
		}
	}
	list_for_each(e, &dir->entries, struct tmp_entry, link)
	{
		struct fs_entry entry = {.ino = e->node->attr.ino,
			.next = e->position + 1,
			.type = (uint8_t)((e->node->attr.mode & S_IFMT) >> 12),
			.name = {e->name, e->len}};

		if (e->position >= position && !emit(ctx, &entry)) {
			return 0;
		}
	}
	return 0;
}

static int op_sync(struct fs *fs)
{
	return 0;
}

static int op_fsync(struct fs *fs, uint64_t ino, bool data_only)
{
	return tmp_node_find(tmp_of(fs), ino) ? 0 : -ESTALE;
}

static int op_remount(struct fs *fs, bool read_only)
{
	fs->read_only = read_only;
	return 0;
}

static int op_statfs(struct fs *fs, struct fs_stat *stat)
{
	struct tmp_fs *tmp = tmp_of(fs);
	bool bounded = tmp->limit != UINT64_MAX;

	*stat = (struct fs_stat){.magic = TMPFS_MAGIC, .block_size = TMP_PAGE};
	if (bounded) {
		stat->blocks = tmp->limit;
		stat->blocks_free = stat->blocks_available = tmp->limit - tmp->used;
	}
	if (tmp->node_limit != UINT64_MAX) {
		stat->nodes = tmp->node_limit;
		stat->nodes_free = tmp->node_limit - tmp->node_count;
	}
	return 0;
}

static void op_unmount(struct fs *fs)
{
	struct tmp_fs *tmp = tmp_of(fs);

	for (size_t i = 0; i < tmp->bucket_count; i++) {
		for (struct tmp_entry *e = tmp->buckets[i], *next; e; e = next) {
			next = e->hash_next;
			free(e);
		}
	}
	for (uint64_t i = 0; i < tmp->node_room; i++) {
		if (tmp->nodes[i]) {
			tmp_node_free(tmp, tmp->nodes[i]);
		}
	}
	fs_cache_destroy(tmp->cache);
	free(tmp->buckets);
	free(tmp->nodes);
	free(tmp);
}

static const struct fs_ops tmp_ops = {
	.unmount = op_unmount,
	.remount = op_remount,
	.lookup = op_lookup,
	.get = op_get,
	.put = op_put,
	.create = op_create,
	.symlink = op_symlink,
	.link = op_link,
	.unlink = op_unlink,
	.rmdir = op_rmdir,
	.rename = op_rename,
	.readlink = op_readlink,
	.read = tmp_op_read,
	.write = tmp_op_write,
	.truncate = tmp_op_truncate,
	.allocate = tmp_op_allocate,
	.peek = tmp_op_peek,
	.mkwrite = tmp_op_mkwrite,
	.rebind = op_rebind,
	.recovered = op_recovered,
	.restarted = op_restarted,
	.get_attr = op_get_attr,
	.set_attr = op_set_attr,
	.readdir = op_readdir,
	.sync = op_sync,
	.fsync = op_fsync,
	.statfs = op_statfs,
};

void tmp_resume(struct tmp_fs *tmp, struct fs_cache_memory *memory)
{
	tmp->fs.ops = &tmp_ops;
	fs_cache_set_memory(tmp->cache, memory);
}

int tmp_mount(struct fs_cache_memory *memory, uint64_t pages, uint64_t nodes, uint32_t root_mode,
	struct fs_time (*now)(void), struct fs **fs)
{
	struct fs_new what = {.mode = S_IFDIR | root_mode};
	struct tmp_fs *tmp = calloc(1, sizeof(*tmp));
	struct tmp_node *root;
	int r;

	if (!tmp) {
		return -ENOMEM;
	}
	r = fs_cache_create(&tmp->cache, NULL, memory, TMP_PAGE);
	if (r < 0) {
		free(tmp);
		return r;
	}
	tmp->fs.ops = &tmp_ops;
	tmp->fs.now = now;
	tmp->node_limit = nodes;
	tmp->next_free = 1;
	tmp->limit = pages;
	tmp->bucket_count = 64;
	tmp->buckets = calloc(tmp->bucket_count, sizeof(*tmp->buckets));
	if (!tmp->buckets || tmp_node_new(tmp, &what, &root) < 0) {
		op_unmount(&tmp->fs);
		return -ENOMEM;
	}
	root->attr.nlink = 2;
	root->parent = root;
	root->refs = 0;
	tmp->fs.root = root->attr.ino;
	*fs = &tmp->fs;
	return 0;
}
