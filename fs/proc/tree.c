/* SPDX-License-Identifier: BSD-2-Clause */
#include "fs/proc/tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/proc/ask.h"

#define POS_PIDS    0x1000 /* in the root: positions of processes begin here */
#define FDS_AT_ONCE 16
#define TID_FILES   64

static const struct {
	const char *name;
	int magic;
} root_links[] = {{"self", FS_MAGIC_SELF}, {"thread-self", FS_MAGIC_THREAD_SELF}};

static const struct {
	const char *name;
	int magic;
} pid_links[] = {{"cwd", FS_MAGIC_CWD}, {"root", FS_MAGIC_ROOT}, {"exe", FS_MAGIC_EXE}};

static const struct {
	const char *name;
	enum node_kind kind;
} pid_dirs[] = {{"task", NODE_TASK}, {"fd", NODE_FD_DIR}, {"fdinfo", NODE_FDINFO_DIR}};

struct node node_of(uint64_t ino)
{
	if (ino == NODE_ROOT_INO) {
		return (struct node){.kind = NODE_ROOT};
	}
	return (struct node){
		(enum node_kind)FS_MAGIC_KIND(ino), FS_MAGIC_PID(ino), FS_MAGIC_NUMBER(ino)};
}

bool node_is_directory(const struct node *node)
{
	switch (node->kind) {
	case NODE_ROOT:
	case NODE_PID:
	case NODE_TASK:
	case NODE_TID:
	case NODE_FD_DIR:
	case NODE_FDINFO_DIR:
		return true;
	case NODE_STATIC:
		return node->number < static_count && !static_entries[node->number].write;
	default:
		return false;
	}
}

static int fdinfo_text(struct text *text, const struct node *node)
{
	struct vfs_fd_info info;
	uint64_t next = (uint64_t)node->number;
	int r = ask_vfs(VFS_INFO_FDS, node->pid, &next, &info, sizeof(info));

	if (r < (int)sizeof(info) || info.fd != node->number) {
		return r < 0 ? r : -ENOENT;
	}
	text_printf(text, "pos:\t%llu\nflags:\t0%o\nmnt_id:\t1\nino:\t%llu\n",
		(unsigned long long)info.pos, info.flags | (info.cloexec ? 02000000u : 0),
		(unsigned long long)info.ino);
	return 0;
}

node_text_fn *node_text(const struct node *node)
{
	int index = node->number;

	switch (node->kind) {
	case NODE_STATIC:
		return index < static_count ? static_entries[index].write : NULL;
	case NODE_TID_FILE:
		index %= TID_FILES;
		__attribute__((fallthrough));
	case NODE_PID_FILE:
		return index < pid_count ? pid_entries[index].write : NULL;
	case NODE_FDINFO:
		return fdinfo_text;
	default:
		return NULL;
	}
}

static uint32_t node_mode(const struct node *n)
{
	switch (n->kind) {
	case NODE_STATIC:
		return static_entries[n->number].mode;
	case NODE_PID_FILE:
		return pid_entries[n->number].mode;
	case NODE_TID_FILE:
		return pid_entries[n->number % TID_FILES].mode;
	case NODE_FD:
		return S_IFLNK | 0700;
	case NODE_LINK:
		return S_IFLNK | 0777;
	case NODE_FD_DIR:
	case NODE_FDINFO_DIR:
		return S_IFDIR | 0500;
	case NODE_FDINFO:
		return S_IFREG | 0400;
	default:
		return S_IFDIR | 0555;
	}
}

static uint64_t node_magic(const struct node *n)
{
	if (n->kind == NODE_FD) {
		return FS_MAGIC(FS_MAGIC_FD, n->pid, n->number);
	}
	return n->kind == NODE_LINK ? FS_MAGIC(n->number, n->pid, 0) : 0;
}

static bool node_is_valid(const struct node *n)
{
	switch (n->kind) {
	case NODE_STATIC:
		return n->number < static_count;
	case NODE_PID_FILE:
		return n->number < pid_count;
	case NODE_TID_FILE:
		return n->number % TID_FILES < pid_count;
	default:
		return n->kind <= NODE_LINK;
	}
}

static bool process_has_thread(const struct pm_proc_info *pm, int tid)
{
	for (unsigned i = 0; i < pm->threads && i < AXO_ARRAY_LEN(pm->tids); i++) {
		if (pm->tids[i] == tid) {
			return true;
		}
	}
	return tid == pm->pid;
}

int tree_get(uint64_t ino, struct fs_node *attr)
{
	struct node n = node_of(ino);
	struct pm_proc_info pm;

	if (!node_is_valid(&n)) {
		return -ENOENT;
	}
	*attr = (struct fs_node){.ino = ino, .mode = node_mode(&n), .rdev = node_magic(&n)};
	attr->nlink = node_is_directory(&n) ? 2 : 1;
	if (n.pid != 0) {
		if (ask_process(n.pid, false, &pm) < 0) {
			return -ENOENT;
		}
		attr->uid = pm.euid;
		attr->gid = pm.egid;
	}
	return 0;
}

/* A whole decimal number without leading zeros, at most 28 bits; -1 else. */
static int number_of(const char *name)
{
	char *end;
	long value;

	if (name[0] < '0' || name[0] > '9' || (name[0] == '0' && name[1] != '\0')) {
		return -1;
	}
	value = strtol(name, &end, 10);
	return *end == '\0' && value >= 0 && value < 0xfffffff ? (int)value : -1;
}

static int lookup_root(const char *name, uint64_t *ino)
{
	int pid = number_of(name);

	for (unsigned i = 0; i < AXO_ARRAY_LEN(root_links); i++) {
		if (strcmp(name, root_links[i].name) == 0) {
			*ino = NODE_INO(NODE_LINK, 0, root_links[i].magic);
			return 0;
		}
	}
	*ino = NODE_INO(NODE_PID, pid, 0);
	return pid > 0 ? 0 : -ENOENT;
}

static int lookup_static(int parent, const char *name, uint64_t *ino)
{
	for (int i = 0; i < static_count; i++) {
		if (static_entries[i].parent == parent &&
			strcmp(static_entries[i].name, name) == 0) {
			*ino = NODE_INO(NODE_STATIC, 0, i);
			return 0;
		}
	}
	return -ENOENT;
}

static int lookup_pid_file(const char *name, const struct node *dir, uint64_t *ino)
{
	for (int i = 0; i < pid_count; i++) {
		if (strcmp(pid_entries[i].name, name) == 0) {
			*ino = dir->kind == NODE_TID
				? NODE_INO(NODE_TID_FILE, dir->pid, dir->number * TID_FILES + i)
				: NODE_INO(NODE_PID_FILE, dir->pid, i);
			return 0;
		}
	}
	for (unsigned i = 0; i < AXO_ARRAY_LEN(pid_links); i++) {
		if (strcmp(pid_links[i].name, name) == 0) {
			*ino = NODE_INO(NODE_LINK, dir->pid, pid_links[i].magic);
			return 0;
		}
	}
	for (unsigned i = 0; i < AXO_ARRAY_LEN(pid_dirs); i++) {
		if (strcmp(pid_dirs[i].name, name) == 0 && (dir->kind == NODE_PID || i > 0)) {
			*ino = NODE_INO(pid_dirs[i].kind, dir->pid, 0);
			return 0;
		}
	}
	return -ENOENT;
}

static int lookup_thread(const struct node *dir, const char *name, uint64_t *ino)
{
	struct pm_proc_info pm;
	int tid = number_of(name);

	if (tid <= 0 || ask_process(dir->pid, false, &pm) < 0 || !process_has_thread(&pm, tid)) {
		return -ENOENT;
	}
	*ino = NODE_INO(NODE_TID, dir->pid, tid);
	return 0;
}

static int lookup_fd(const struct node *dir, const char *name, uint64_t *ino)
{
	struct vfs_fd_info info;
	int fd = number_of(name);
	uint64_t next = (uint64_t)fd;

	if (fd < 0 ||
		ask_vfs(VFS_INFO_FDS, dir->pid, &next, &info, sizeof(info)) < (int)sizeof(info) ||
		info.fd != fd) {
		return -ENOENT;
	}
	*ino = NODE_INO(dir->kind == NODE_FD_DIR ? NODE_FD : NODE_FDINFO, dir->pid, fd);
	return 0;
}

static uint64_t parent_of(const struct node *n)
{
	switch (n->kind) {
	case NODE_STATIC:
		return static_entries[n->number].parent < 0
			? NODE_ROOT_INO
			: NODE_INO(NODE_STATIC, 0, static_entries[n->number].parent);
	case NODE_TASK:
	case NODE_FD_DIR:
	case NODE_FDINFO_DIR:
		return NODE_INO(NODE_PID, n->pid, 0);
	case NODE_TID:
		return NODE_INO(NODE_TASK, n->pid, 0);
	default:
		return NODE_ROOT_INO;
	}
}

int tree_lookup(uint64_t dir, const char *name, struct fs_node *attr)
{
	struct node n = node_of(dir);
	uint64_t ino = dir;
	int r = 0;

	if (!node_is_valid(&n) || !node_is_directory(&n)) {
		return -ENOTDIR;
	}
	if (strcmp(name, "..") == 0) {
		ino = parent_of(&n);
	} else if (strcmp(name, ".") != 0) {
		switch (n.kind) {
		case NODE_ROOT:
			r = lookup_static(-1, name, &ino);
			r = r < 0 ? lookup_root(name, &ino) : r;
			break;
		case NODE_STATIC:
			r = lookup_static(n.number, name, &ino);
			break;
		case NODE_TASK:
			r = lookup_thread(&n, name, &ino);
			break;
		case NODE_FD_DIR:
		case NODE_FDINFO_DIR:
			r = lookup_fd(&n, name, &ino);
			break;
		default:
			r = lookup_pid_file(name, &n, &ino);
			break;
		}
	}
	return r < 0 ? r : tree_get(ino, attr);
}

static uint8_t type_of(uint32_t mode)
{
	return (uint8_t)((mode & S_IFMT) >> 12);
}

/* One directory being listed: position 0 is ".", 1 "..", then what the kind has. */
struct listing {
	struct node dir;
	uint64_t ino, from, position;
	tree_emit_fn *emit;
	void *arg;
};

/* Emits the next entry if the walk is there yet; false: stop. */
static bool list_entry_emit(struct listing *l, uint64_t ino, uint8_t type, const char *name)
{
	uint64_t position = l->position++;

	return position < l->from || l->emit(l->arg, ino, type, name, position + 1);
}

static bool list_static(struct listing *l, int parent)
{
	for (int i = 0; i < static_count; i++) {
		if (static_entries[i].parent == parent &&
			!list_entry_emit(l, NODE_INO(NODE_STATIC, 0, i),
				type_of(static_entries[i].mode), static_entries[i].name)) {
			return false;
		}
	}
	return true;
}

static int list_processes(struct listing *l)
{
	struct pm_proc_info pm;
	uint64_t pid = l->from > POS_PIDS ? l->from - POS_PIDS : 1;
	char name[16];

	while (ask_process((int)pid, true, &pm) == 0) {
		pid = (uint64_t)pm.pid + 1;
		(void)snprintf(name, sizeof(name), "%d", pm.pid);
		if (!l->emit(l->arg, NODE_INO(NODE_PID, pm.pid, 0), DT_DIR, name, POS_PIDS + pid)) {
			break;
		}
	}
	return 0;
}

static int list_root(struct listing *l)
{
	for (unsigned i = 0; i < AXO_ARRAY_LEN(root_links); i++) {
		if (!list_entry_emit(l, NODE_INO(NODE_LINK, 0, root_links[i].magic), DT_LNK,
			    root_links[i].name)) {
			return 0;
		}
	}
	return list_static(l, -1) ? list_processes(l) : 0;
}

static int list_pid(struct listing *l)
{
	const struct node *d = &l->dir;

	for (unsigned i = d->kind == NODE_PID ? 0 : 1; i < AXO_ARRAY_LEN(pid_dirs); i++) {
		if (!list_entry_emit(
			    l, NODE_INO(pid_dirs[i].kind, d->pid, 0), DT_DIR, pid_dirs[i].name)) {
			return 0;
		}
	}
	for (unsigned i = 0; i < AXO_ARRAY_LEN(pid_links); i++) {
		if (!list_entry_emit(l, NODE_INO(NODE_LINK, d->pid, pid_links[i].magic), DT_LNK,
			    pid_links[i].name)) {
			return 0;
		}
	}
	for (int i = 0; i < pid_count; i++) {
		uint64_t ino = d->kind == NODE_TID
			? NODE_INO(NODE_TID_FILE, d->pid, d->number * TID_FILES + i)
			: NODE_INO(NODE_PID_FILE, d->pid, i);

		if (!list_entry_emit(l, ino, DT_REG, pid_entries[i].name)) {
			return 0;
		}
	}
	return 0;
}

static int list_threads(struct listing *l)
{
	struct pm_proc_info pm;
	char name[16];
	int r = ask_process(l->dir.pid, false, &pm);

	for (unsigned i = 0; r == 0 && i < pm.threads && i < AXO_ARRAY_LEN(pm.tids); i++) {
		(void)snprintf(name, sizeof(name), "%d", pm.tids[i]);
		if (!list_entry_emit(l, NODE_INO(NODE_TID, pm.pid, pm.tids[i]), DT_DIR, name)) {
			break;
		}
	}
	return r;
}

static int list_fds(struct listing *l)
{
	struct vfs_fd_info info[FDS_AT_ONCE];
	uint64_t next = l->from > 2 ? l->from - 2 : 0;
	enum node_kind kind = l->dir.kind == NODE_FD_DIR ? NODE_FD : NODE_FDINFO;
	char name[16];

	do {
		int r = ask_vfs(VFS_INFO_FDS, l->dir.pid, &next, info, sizeof(info));

		if (r < 0) {
			return r;
		}
		for (int i = 0; i < r / (int)sizeof(info[0]); i++) {
			(void)snprintf(name, sizeof(name), "%d", info[i].fd);
			if (!l->emit(l->arg, NODE_INO(kind, l->dir.pid, info[i].fd),
				    kind == NODE_FD ? DT_LNK : DT_REG, name,
				    (uint64_t)info[i].fd + 3)) {
				return 0;
			}
		}
	} while (next != 0);
	return 0;
}

int tree_list(uint64_t dir, uint64_t from, tree_emit_fn *emit, void *arg)
{
	struct listing l = {
		.dir = node_of(dir), .ino = dir, .from = from, .emit = emit, .arg = arg};

	if (!node_is_valid(&l.dir) || !node_is_directory(&l.dir)) {
		return -ENOTDIR;
	}
	if (!list_entry_emit(&l, dir, DT_DIR, ".") ||
		!list_entry_emit(&l, parent_of(&l.dir), DT_DIR, "..")) {
		return 0;
	}
	switch (l.dir.kind) {
	case NODE_ROOT:
		return list_root(&l);
	case NODE_STATIC:
		(void)list_static(&l, l.dir.number);
		return 0;
	case NODE_TASK:
		return list_threads(&l);
	case NODE_FD_DIR:
	case NODE_FDINFO_DIR:
		return list_fds(&l);
	default:
		return list_pid(&l);
	}
}
