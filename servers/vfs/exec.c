/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order: copy the arguments out, find and check the file (and its interpreters), read its
 * headers: all that fails here leaves the caller as it was. Then VM clears the address space: what
 * fails from there on is fatal to the process.
 */
#include "servers/vfs/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "lib/exec/elf64.h"
#include "lib/exec/exec.h"
#include "lib/sys/asyn.h"
#include "proto/pm.h"
#include "servers/vfs/access.h"
#include "servers/vfs/call.h"
#include "servers/vfs/execargs.h"
#include "servers/vfs/execload.h"
#include "servers/vfs/fd.h"
#include "servers/vfs/fsreq.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/regular.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vnode.h"
#include "servers/vfs/walk.h"

#define HEADER_BYTES  4096u
#define HEADER_MAX    65536u
#define SCRIPT_LEVELS 5
#define SCRIPT_LINE   255

struct exec {
	struct call *call;
	struct vfs_pm_exec req;
	struct exec_args args;
	struct exec_file program, interp;
	char name[PATH_MAX];   /* as the caller gave it: AT_EXECFN */
	char script[PATH_MAX]; /* the script's name as its interpreter shall see it */
	char line[SCRIPT_LINE + 1];
	struct pm_vfs_exec_reply reply;
};

void exec_file_close(struct exec_file *file)
{
	path_put(&file->path);
	free(file->header);
	file->header = NULL;
}

/* Read the file's first bytes, all program headers among them. */
static int read_header(struct exec_file *file)
{
	struct elf64_header elf;
	uint64_t need = HEADER_BYTES;
	int64_t r;

	for (int i = 0; i < 2; i++) {
		free(file->header);
		file->header = malloc(need);
		if (!file->header) {
			return -ENOMEM;
		}
		r = regular_read_buffer(file->path.node, file->header, need, 0);
		if (r < 0) {
			return (int)r;
		}
		file->header_len = (uint64_t)r;
		if (file->header_len < sizeof(elf)) {
			return 0;
		}
		memcpy(&elf, file->header, sizeof(elf));
		if (elf.phoff > HEADER_MAX ||
			elf.phoff + (uint64_t)elf.phnum * elf.phentsize <= need ||
			memcmp(elf.ident, "\177ELF", 4) != 0) {
			return 0;
		}
		need = u64_min(elf.phoff + (uint64_t)elf.phnum * elf.phentsize, HEADER_MAX);
	}
	return 0;
}

/* Check that a place may be executed and read its headers; takes over the path's reference. */
static int open_file(struct exec *exec, struct exec_file *file, const struct path *path)
{
	int r = 0;

	file->path = *path;
	if (!S_ISREG(path->node->mode)) {
		r = -EACCES;
	}
	if (r == 0) {
		r = access_check(&exec->call->proc->cred, path, ACCESS_EXEC);
	}
	if (r == 0 && access_check(&exec->call->proc->cred, path, ACCESS_READ) < 0) {
		exec->reply.unreadable = 1;
	}
	return r < 0 ? r : read_header(file);
}

static int open_name(struct exec *exec, struct exec_file *file, const char *name)
{
	struct path path;
	int r = walk_path(exec->call, AT_FDCWD, name, WALK_FOLLOW, &path);

	return r < 0 ? r : open_file(exec, file, &path);
}

/* The program's file as the caller names it. */
static int open_program(struct exec *exec)
{
	const struct vfs_pm_exec *req = &exec->req;
	unsigned flags = req->flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct path path;
	int64_t r;

	if (req->flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
		return -EINVAL;
	}
	if (req->flags & AT_EMPTY_PATH) {
		flags |= WALK_EMPTY_PATH;
	}
	r = user_string(exec->call, exec->name, req->path, PATH_MAX);
	if (r >= 0) {
		r = walk_path(exec->call, req->dirfd, exec->name, flags, &path);
	}
	if (r < 0) {
		return (int)r;
	}
	if (S_ISLNK(path.node->mode)) {
		path_put(&path);
		return -ELOOP;
	}
	/* What is relative to a descriptor is named through it. */
	if (req->dirfd != AT_FDCWD && exec->name[0] != '/') {
		snprintf(exec->script, sizeof(exec->script),
			exec->name[0] ? "/dev/fd/%d/%.4000s" : "/dev/fd/%d%.4000s", req->dirfd,
			exec->name);
		memcpy(exec->name, exec->script, sizeof(exec->name));
	} else {
		memcpy(exec->script, exec->name, sizeof(exec->script));
	}
	return open_file(exec, &exec->program, &path);
}

/* "#! interpreter [argument]": splits the first line in place. False: it is no script. */
static bool parse_script(struct exec *exec, char **interp, char **argument)
{
	size_t len = u64_min(exec->program.header_len, SCRIPT_LINE);
	char *line = exec->line, *end;

	if (len < 3 || memcmp(exec->program.header, "#!", 2) != 0) {
		return false;
	}
	memcpy(line, exec->program.header, len);
	line[len] = '\0';
	end = strchr(line, '\n');
	if (end) {
		*end = '\0';
	} else {
		end = line + strlen(line);
	}
	while (end > line && (end[-1] == ' ' || end[-1] == '\t')) {
		*--end = '\0';
	}
	*interp = line + 2 + strspn(line + 2, " \t");
	*argument = *interp + strcspn(*interp, " \t");
	if (**argument != '\0') {
		*(*argument)++ = '\0';
		*argument += strspn(*argument, " \t");
	}
	if (**argument == '\0') {
		*argument = NULL;
	}
	return **interp != '\0';
}

/* As long as the file is a script, its interpreter becomes the program. */
static int resolve_scripts(struct exec *exec)
{
	for (int level = 0; level < SCRIPT_LEVELS; level++) {
		char *interp, *argument;
		int r;

		if (!parse_script(exec, &interp, &argument)) {
			return 0;
		}
		r = exec_args_script(&exec->args, interp, argument, exec->script);
		if (r < 0) {
			return r;
		}
		exec_file_close(&exec->program);
		snprintf(exec->script, sizeof(exec->script), "%s", interp);
		r = open_name(exec, &exec->program, exec->script);
		if (r < 0) {
			return r;
		}
	}
	return -ELOOP;
}

static int parse_image(struct exec_file *file)
{
	struct exec_image *image = &file->image;

	image->header = file->header;
	image->header_len = file->header_len;
	image->file_size = file->path.node->size;
	image->low = EXEC_LOW;
	image->high = EXEC_HIGH;
	return exec_parse(image);
}

/* The interpreter that the program asks for. */
static int open_interp(struct exec *exec)
{
	const struct exec_image *image = &exec->program.image;
	char *name;
	int64_t r;

	if (!image->has_interp) {
		return 0;
	}
	name = malloc(image->interp_len);
	if (!name) {
		return -ENOMEM;
	}
	r = regular_read_buffer(
		exec->program.path.node, name, image->interp_len, image->interp_offset);
	if (r >= 0) {
		r = r == (int64_t)image->interp_len && exec_is_interp_path(name, image->interp_len)
			? open_name(exec, &exec->interp, name)
			: -ENOEXEC;
	}
	free(name);
	if (r == 0) {
		r = parse_image(&exec->interp);
		r = r == -ENOEXEC ? -ELIBBAD : r;
	}
	return (int)r;
}

/* Set-id bits of the program. */
static void take_ids(struct exec *exec)
{
	const struct vnode *node = exec->program.path.node;
	const struct cred *cred = &exec->call->proc->cred;
	struct pm_vfs_exec_reply *reply = &exec->reply;
	bool is_allowed = !(exec->program.path.mount->flags & MS_NOSUID);

	reply->uid = cred->euid;
	reply->gid = cred->egid;
	if (is_allowed && (node->mode & S_ISUID)) {
		reply->set_uid = 1;
		reply->uid = node->uid;
	}
	if (is_allowed && (node->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)) {
		reply->set_gid = 1;
		reply->gid = node->gid;
	}
	reply->secure = reply->uid != cred->uid || reply->gid != cred->gid;
}

static void take_name(struct exec *exec)
{
	const char *base = strrchr(exec->name, '/');

	snprintf(exec->reply.name, sizeof(exec->reply.name), "%.15s", base ? base + 1 : exec->name);
}

/* Everything that may fail cleanly. */
static int exec_prepare(struct exec *exec)
{
	int r = open_program(exec);

	if (r == 0) {
		r = exec_args_import(exec->call, &exec->args, exec->req.argv, exec->req.envp,
			exec->req.stack_limit);
	}
	if (r == 0) {
		r = resolve_scripts(exec);
	}
	if (r == 0) {
		r = parse_image(&exec->program);
	}
	if (r == 0) {
		r = open_interp(exec);
	}
	if (r == 0) {
		r = proc_unshare_files(exec->call->proc);
	}
	if (r == 0) {
		take_ids(exec);
		take_name(exec);
	}
	return r;
}

static void exec_done(struct exec *exec, const struct exec_result *result)
{
	struct proc *proc = exec->call->proc;

	fd_table_close_on_exec(proc->fds);
	path_put(&proc->exe);
	proc->exe = exec->program.path;
	path_get(&proc->exe);
	proc->arg_start = result->arg_start;
	proc->arg_end = result->arg_end;
	proc->env_start = result->env_start;
	proc->env_end = result->env_end;
	exec->reply.ip = result->ip;
	exec->reply.sp = result->sp;
}

static int64_t exec_worker(struct call *call)
{
	struct exec *exec = calloc(1, sizeof(*exec));
	struct message m = {.type = PM_VFS_EXEC_REPLY};
	struct vfs_pm_exec req = *MSG(&call->m, vfs_pm_exec);
	struct exec_result result;
	int r = -ENOMEM;

	MSG(&m, pm_vfs_exec_reply)->fatal = 0;
	call->m.source = req.ep; /* whose memory names and strings are in */
	if (exec) {
		exec->call = call;
		exec->req = req;
		r = exec_prepare(exec);
		if (r == 0) {
			struct exec_load load = {.ep = req.ep,
				.program = &exec->program,
				.interp = exec->program.image.has_interp ? &exec->interp : NULL,
				.args = &exec->args,
				.name = exec->name,
				.cred = &call->proc->cred,
				.reply = &exec->reply,
				.stack_limit = req.stack_limit,
				.is_fatal = &call->is_fatal};

			r = exec_load_image(&load, &result);
			exec->reply.fatal = call->is_fatal && r < 0;
		}
		if (r == 0) {
			exec_done(exec, &result);
		}
		*MSG(&m, pm_vfs_exec_reply) = exec->reply;
		exec_args_free(&exec->args);
		exec_file_close(&exec->program);
		exec_file_close(&exec->interp);
		free(exec);
	}
	MSG(&m, pm_vfs_exec_reply)->ep = req.ep;
	MSG(&m, pm_vfs_exec_reply)->seq = req.seq;
	MSG(&m, pm_vfs_exec_reply)->result = r;
	(void)asyn_send(EP_PM, &m);
	return 0;
}

void exec_abandoned(struct call *call)
{
	const struct vfs_pm_exec *req = MSG(&call->m, vfs_pm_exec);
	struct message m = {.type = PM_VFS_EXEC_REPLY};

	MSG(&m, pm_vfs_exec_reply)->ep = req->ep;
	MSG(&m, pm_vfs_exec_reply)->seq = req->seq;
	MSG(&m, pm_vfs_exec_reply)->result = -EIO;
	MSG(&m, pm_vfs_exec_reply)->fatal = call->is_fatal;
	(void)asyn_send(EP_PM, &m);
}

void exec_request(const struct message *m)
{
	const struct vfs_pm_exec *req = MSG((struct message *)(uintptr_t)m, vfs_pm_exec);
	struct thread *thread = thread_find(req->ep);

	if (!thread || call_start_worker(m, thread->proc, exec_worker) < 0) {
		struct message reply = {.type = PM_VFS_EXEC_REPLY};

		MSG(&reply, pm_vfs_exec_reply)->ep = req->ep;
		MSG(&reply, pm_vfs_exec_reply)->seq = req->seq;
		MSG(&reply, pm_vfs_exec_reply)->result = thread ? -ENOMEM : -ESRCH;
		(void)asyn_send(EP_PM, &reply);
	}
}
