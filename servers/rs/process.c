/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/process.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/bootinfo.h"
#include "abi/linux/signal.h"
#include "lib/exec/exec.h"
#include "lib/exec/stack.h"
#include "lib/sys/diag.h"
#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "proto/vm.h"
#include "servers/rs/privilege.h"

#define STACK_BYTES (256ul << 10)
/* A service is linked for address 0 and may stand anywhere (docs/architecture.md, "placement as
 * policy"). */
#define SERVICE_BASE 0x0000000000400000ul

/* The loader's target. */
struct target {
	endpoint_t ep;
	const struct binary *binary;
};

static int call_vm(struct message *m, int op)
{
	m->type = op;
	return ipc_call(EP_VM, m);
}

static int map_memory(endpoint_t ep, vaddr_t addr, uint64_t len, int prot)
{
	struct message m = {0};

	*MSG(&m, vm_mmap_for_req) = (struct vm_mmap_for_req){
		.ep = ep,
		.addr = addr,
		.len = len,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		.prot = (uint8_t)prot,
		.file = -1,
	};
	return call_vm(&m, VM_MMAP_FOR);
}

/* The loader fills what it maps, then sets the protection: mapped writable until then. */
static int target_map_anon(void *opaque, vaddr_t addr, uint64_t len, int prot)
{
	const struct target *target = opaque;

	return map_memory(target->ep, addr, len, prot | PROT_READ | PROT_WRITE);
}

static int target_copy(void *opaque, vaddr_t addr, uint64_t offset, uint64_t len)
{
	const struct target *target = opaque;

	return sys_copyout(target->ep, addr, target->binary->data + offset, len);
}

static int target_clear(void *opaque, vaddr_t addr, uint64_t len)
{
	const struct target *target = opaque;

	return sys_memset(target->ep, addr, 0, len);
}

static int target_protect(void *opaque, vaddr_t addr, uint64_t len, int prot)
{
	const struct target *target = opaque;
	struct message m = {0};

	*MSG(&m, vm_mprotect_for_req) = (struct vm_mprotect_for_req){
		.ep = target->ep, .prot = prot, .addr = addr, .len = len};
	return call_vm(&m, VM_MPROTECT_FOR);
}

static const struct exec_ops target_ops = {
	.map_anon = target_map_anon,
	.copy = target_copy,
	.clear = target_clear,
	.protect = target_protect,
};

static int parse(const struct binary *binary, struct exec_image *image)
{
	int r;

	*image = (struct exec_image){
		.header = binary->data,
		.header_len = binary->len,
		.file_size = binary->len,
		.low = USER_BASE,
		.high = USER_END - STACK_BYTES - AXO_PAGE_SIZE,
	};
	r = exec_parse(image);
	return r == 0 && (image->has_interp || !image->is_dyn) ? -ENOEXEC : r;
}

int process_check(const struct binary *binary)
{
	struct exec_image image;

	return parse(binary, &image);
}

static int set_break(endpoint_t ep, const struct exec_image *image)
{
	struct message m = {0};

	*MSG(&m, vm_setbrk_req) = (struct vm_setbrk_req){
		.ep = ep,
		.start = image->brk,
		.stack_top = USER_END,
		.stack_limit = STACK_BYTES,
	};
	return call_vm(&m, VM_SETBRK);
}

/* The stack with its one argument, the label; its pointer in *sp. */
static int build_stack(const struct service *s, const struct exec_image *image, vaddr_t *sp)
{
	static const uint8_t no_random[EXEC_RANDOM_LEN];
	struct exec_auxv_info info = {.image = image, .uid = s->conf.uid, .euid = s->conf.uid};
	struct exec_auxv auxv[EXEC_AUXV_MAX];
	struct exec_stack stack = {
		.top = USER_END,
		.strings = s->label,
		.strings_len = strlen(s->label) + 1,
		.argc = 1,
		.execfn = s->label,
		.platform = "x86_64",
		.random = no_random,
		.auxv = auxv,
		.auxv_len = exec_auxv_fill(auxv, &info),
	};
	uint64_t size = exec_stack_size(&stack);
	void *buf = malloc(size);
	int r;

	if (!buf) {
		return -ENOMEM;
	}
	r = exec_stack_build(&stack, buf, size);
	if (r == 0) {
		r = map_memory(s->ep, USER_END - STACK_BYTES, STACK_BYTES, PROT_READ | PROT_WRITE);
	}
	if (r == 0) {
		r = sys_copyout(s->ep, USER_END - size, buf, size);
	}
	*sp = stack.sp;
	free(buf);
	return r;
}

/* The name that ps shows: what fits of the label. */
static void copy_name(char name[16], const char *label)
{
	memset(name, 0, 16);
	memcpy(name, label, strnlen(label, 15));
}

static int fill(struct rs *rs, struct service *s)
{
	struct target target = {.ep = s->ep, .binary = s->binary};
	struct exec_image image;
	struct exec_spec spec = {0};
	vaddr_t sp = 0;
	int r = parse(s->binary, &image);

	if (r == 0) {
		r = exec_place(&image, SERVICE_BASE);
	}
	if (r == 0) {
		r = exec_load(&image, &target_ops, &target);
	}
	if (r == 0) {
		r = build_stack(s, &image, &sp);
	}
	if (r == 0) {
		r = set_break(s->ep, &image);
	}
	if (r == 0) {
		r = privilege_give(rs, s, PRIV_SET);
	}
	if (r < 0) {
		return r;
	}
	copy_name(spec.name, s->label);
	spec.ip = image.entry;
	spec.sp = sp;
	return sys_exec(s->ep, &spec);
}

int process_create(struct rs *rs, struct service *s)
{
	struct message m = {0};
	int r;

	assert(s->ep == EP_NONE && s->binary);
	copy_name(MSG(&m, vm_newproc_req)->name, s->label);
	MSG(&m, vm_newproc_req)->slot = -1;
	r = call_vm(&m, VM_NEWPROC);
	if (r < 0) {
		return r;
	}
	s->ep = MSG(&m, vm_newproc_rep)->ep;
	r = fill(rs, s);
	if (r < 0) {
		process_destroy(s);
	}
	return r;
}

int process_start(struct service *s)
{
	int r = sys_privctl(PRIV_ALLOW, s->ep, NULL);

	return r < 0 ? r : sys_resume(s->ep);
}

void process_destroy(struct service *s)
{
	struct message m = {0};

	if (s->args_grant != GRANT_INVALID) {
		(void)grant_revoke(s->args_grant);
		s->args_grant = GRANT_INVALID;
	}
	(void)sys_privctl(PRIV_DISALLOW, s->ep, NULL);
	MSG(&m, vm_ep_req)->ep = s->ep;
	(void)call_vm(&m, VM_EXIT);
	(void)sys_clear(s->ep);
	s->ep = EP_NONE;
}

void process_log_death(const struct service *s, int signo, vaddr_t address)
{
	struct proc_info info = {0};

	(void)sys_getinfo(GETINFO_PROC, &info, sizeof(info), s->ep);
	diag_printf("%s (endpoint %d) ended by signal %d; ip 0x%llx sp 0x%llx address 0x%llx",
		s->label, s->ep, signo, (unsigned long long)info.ip, (unsigned long long)info.sp,
		(unsigned long long)address);
}

int process_pid(const struct service *s)
{
	struct proc_ids ids = {0};

	if (s->ep == EP_NONE || sys_getinfo(GETINFO_IDS, &ids, sizeof(ids), s->ep) < 0) {
		return 0;
	}
	return ids.pid;
}
