/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/execload.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/exec/stack.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "proto/pm.h"
#include "proto/vm.h"
#include "servers/vfs/execargs.h"
#include "servers/vfs/proc.h"
#include "servers/vfs/random.h"
#include "servers/vfs/regular.h"
#include "servers/vfs/user.h"
#include "servers/vfs/vmfile.h"
#include "servers/vfs/vnode.h"

/* Where position-independent images go. */
#define PROGRAM_FIRST      0x555555554000ull
#define PROGRAM_LAST       0x565555554000ull
#define INTERP_FIRST       0x7e0000000000ull
#define INTERP_LAST        0x7f0000000000ull
#define STACK_RANDOM_PAGES 16384u
#define STACK_ROOM         (64u * 1024) /* mapped below the arguments; the rest grows on demand */
#define SIGFRAME_BYTES     1136u        /* signal frame without the extended state */

/* What the loader's callbacks know. */
struct target {
	endpoint_t ep;
	const struct path *path;
};

static int vm_request(int op, struct message *m)
{
	m->type = op;
	return ipc_call(EP_VM, m);
}

static int map_anon(void *opaque, vaddr_t addr, uint64_t len, int prot)
{
	const struct target *target = opaque;
	struct message m = {0};
	struct vm_mmap_for_req *req = MSG(&m, vm_mmap_for_req);

	req->ep = target->ep;
	req->addr = addr;
	req->len = len;
	req->flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	req->prot = (uint8_t)prot;
	req->file = -1;
	return vm_request(VM_MMAP_FOR, &m);
}

static int map_file(void *opaque, vaddr_t addr, uint64_t len, uint64_t offset, int prot)
{
	const struct target *target = opaque;
	const struct vnode *node = target->path->node;
	struct message m = {0};
	struct vm_mmap_for_req *req = MSG(&m, vm_mmap_for_req);
	int handle, r;

	if (!node->sb->has_peek || offset >= node->size) {
		return -ENOSYS;
	}
	handle = vmfile_new(target->path, false);
	if (handle < 0) {
		return handle;
	}
	req->ep = target->ep;
	req->dev = (uint32_t)node->sb->dev;
	req->ino = node->ino;
	req->addr = addr;
	req->len = len;
	req->flags = MAP_PRIVATE | MAP_FIXED;
	req->prot = (uint8_t)prot;
	req->file = handle;
	req->offset = offset;
	req->file_bytes = u64_min(len, node->size - offset);
	r = vm_request(VM_MMAP_FOR, &m);
	if (r < 0) {
		vmfile_unref(handle);
	}
	return r;
}

static int copy_file(void *opaque, vaddr_t addr, uint64_t offset, uint64_t len)
{
	const struct target *target = opaque;

	return regular_load(target->path->node, target->ep, addr, len, offset);
}

static int clear(void *opaque, vaddr_t addr, uint64_t len)
{
	const struct target *target = opaque;

	return user_clear(target->ep, addr, len);
}

static int protect(void *opaque, vaddr_t addr, uint64_t len, int prot)
{
	const struct target *target = opaque;
	struct message m = {0};
	struct vm_mprotect_for_req *req = MSG(&m, vm_mprotect_for_req);

	req->ep = target->ep;
	req->prot = prot;
	req->addr = addr;
	req->len = len;
	return vm_request(VM_MPROTECT_FOR, &m);
}

static const struct exec_ops load_ops = {
	.map_anon = map_anon,
	.map_file = map_file,
	.copy = copy_file,
	.clear = clear,
	.protect = protect,
};

static int place(struct exec_file *file, vaddr_t first, vaddr_t last)
{
	return file->image.is_dyn ? exec_place_random(&file->image, first, last, random_u64())
				  : exec_place(&file->image, 0);
}

static int load_file(const struct exec_load *load, const struct exec_file *file)
{
	struct target target = {load->ep, &file->path};

	return exec_load(&file->image, &load_ops, &target);
}

static int vm_clear(endpoint_t ep)
{
	struct message m = {0};

	MSG(&m, vm_ep_req)->ep = ep;
	return vm_request(VM_CLEAR, &m);
}

static int vm_setbrk(const struct exec_load *load, vaddr_t stack_top)
{
	struct message m = {0};
	struct vm_setbrk_req *req = MSG(&m, vm_setbrk_req);

	req->ep = load->ep;
	req->start = load->program->image.brk;
	req->stack_top = stack_top;
	req->stack_limit = load->stack_limit;
	return vm_request(VM_SETBRK, &m);
}

static int map_stack(const struct exec_load *load, vaddr_t top, uint64_t bytes)
{
	struct message m = {0};
	struct vm_mmap_for_req *req = MSG(&m, vm_mmap_for_req);
	bool is_executable = load->program->image.is_stack_executable;

	req->ep = load->ep;
	req->len = AXO_PAGE_UP(bytes) + STACK_ROOM;
	req->addr = top - req->len;
	req->flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN;
	req->prot = (uint8_t)(PROT_READ | PROT_WRITE | (is_executable ? PROT_EXEC : 0));
	req->file = -1;
	return vm_request(VM_MMAP_FOR, &m);
}

static size_t fill_auxv(const struct exec_load *load, struct exec_auxv *auxv)
{
	struct exec_auxv_info info = {.image = &load->program->image};
	struct system_info system = {0};

	(void)sys_getinfo(GETINFO_SYSTEM, &system, sizeof(system), 0);
	info.interp_base = load->interp ? load->interp->image.base : 0;
	info.uid = load->cred->uid;
	info.euid = load->reply->uid;
	info.gid = load->cred->gid;
	info.egid = load->reply->gid;
	info.hwcap = system.cpuid1_edx;
	info.hwcap2 = system.hwcap2;
	info.minsigstksz = SIGFRAME_BYTES + system.xsave_bytes;
	info.is_secure = load->reply->secure;
	return exec_auxv_fill(auxv, &info);
}

static int build_stack(const struct exec_load *load, vaddr_t top, struct exec_result *result)
{
	struct exec_auxv auxv[EXEC_AUXV_MAX];
	uint8_t random[EXEC_RANDOM_LEN];
	struct exec_stack stack = {
		.top = top,
		.strings = load->args->strings,
		.strings_len = load->args->len,
		.argc = load->args->argc,
		.envc = load->args->envc,
		.execfn = load->name,
		.platform = "x86_64",
		.random = random,
		.auxv = auxv,
	};
	uint64_t bytes;
	char *buf;
	int r;

	random_fill(random, sizeof(random));
	stack.auxv_len = fill_auxv(load, auxv);
	bytes = exec_stack_size(&stack);
	buf = bytes ? aligned_alloc(16, bytes) : NULL;
	if (!buf) {
		return -ENOMEM;
	}
	r = exec_stack_build(&stack, buf, bytes);
	if (r == 0) {
		r = map_stack(load, top, bytes);
	}
	if (r == 0) {
		r = user_copy_out_to(load->ep, top - bytes, buf, bytes);
	}
	free(buf);
	result->sp = stack.sp;
	result->arg_start = stack.arg_start;
	result->arg_end = stack.arg_end;
	result->env_start = stack.env_start;
	result->env_end = stack.env_end;
	return r;
}

int exec_load_image(struct exec_load *load, struct exec_result *result)
{
	vaddr_t stack_top = USER_END - (random_u64() % STACK_RANDOM_PAGES) * AXO_PAGE_SIZE;
	int r = place(load->program, PROGRAM_FIRST, PROGRAM_LAST);

	if (r == 0 && load->interp) {
		r = place(load->interp, INTERP_FIRST, INTERP_LAST);
	}
	if (r == 0) {
		r = vm_clear(load->ep);
		*load->is_fatal = r == 0;
	}
	if (r == 0) {
		r = vm_setbrk(load, stack_top);
	}
	if (r == 0) {
		r = load_file(load, load->program);
	}
	if (r == 0 && load->interp) {
		r = load_file(load, load->interp);
	}
	if (r == 0) {
		r = build_stack(load, stack_top, result);
	}
	result->ip = load->interp ? load->interp->image.entry : load->program->image.entry;
	return r;
}
