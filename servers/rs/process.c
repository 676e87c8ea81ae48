/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/process.h"

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

static int map_memory(endpoint_t ep, vaddr_t addr, uint64_t len, int prot, int flags)
{
	struct message m = {0};

	*MSG(&m, vm_mmap_for_req) = (struct vm_mmap_for_req){
		.ep = ep,
		.addr = addr,
		.len = len,
		.flags = (uint32_t)(MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags),
		.prot = (uint8_t)prot,
		.file = -1,
	};
	return call_vm(&m, VM_MMAP_FOR);
}

/* The loader fills what it maps, then sets the protection: mapped writable until then. */
static int target_map_anon(void *opaque, vaddr_t addr, uint64_t len, int prot)
{
	const struct target *target = opaque;

	return map_memory(target->ep, addr, len, prot | PROT_READ | PROT_WRITE, 0);
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
static int build_stack(
	endpoint_t ep, const struct service *s, const struct exec_image *image, vaddr_t *sp)
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
		/* A stack to VM: it never goes over to another instance. */
		r = map_memory(ep, USER_END - STACK_BYTES, STACK_BYTES, PROT_READ | PROT_WRITE,
			MAP_GROWSDOWN);
	}
	if (r == 0) {
		r = sys_copyout(ep, USER_END - size, buf, size);
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

/* All but the privileges. */
static int fill(endpoint_t ep, const struct service *s, const struct binary *binary)
{
	struct target target = {.ep = ep, .binary = binary};
	struct exec_image image;
	struct exec_spec spec = {0};
	vaddr_t sp = 0;
	int r = parse(binary, &image);

	if (r == 0) {
		r = exec_place(&image, PROCESS_BASE);
	}
	if (r == 0) {
		r = exec_load(&image, &target_ops, &target);
	}
	if (r == 0) {
		r = build_stack(ep, s, &image, &sp);
	}
	if (r == 0) {
		r = set_break(ep, &image);
	}
	if (r < 0) {
		return r;
	}
	copy_name(spec.name, s->label);
	spec.ip = image.entry;
	spec.sp = sp;
	return sys_exec(ep, &spec);
}

int process_give_privileges(
	const struct rs *rs, const struct service *s, endpoint_t ep, enum privctl_op op)
{
	struct message m = {0};
	struct priv_spec spec;
	int id, r;

	privilege_spec(rs, s, &spec);
	id = sys_privctl(op, ep, &spec);
	if (id < 0 || ep == EP_VM) {
		return id;
	}
	*MSG(&m, vm_setpriv_req) = (struct vm_setpriv_req){
		.ep = ep,
		.mask = s->conf.vm_calls,
		.memory_max = s->conf.memory_max ? s->conf.memory_max : UINT64_MAX,
	};
	r = call_vm(&m, VM_SETPRIV);
	return r < 0 ? r : id;
}

int process_create(
	struct rs *rs, const struct service *s, const struct binary *binary, endpoint_t *ep)
{
	struct message m = {0};
	endpoint_t made;
	int r, id;

	copy_name(MSG(&m, vm_newproc_req)->name, s->label);
	MSG(&m, vm_newproc_req)->slot = -1;
	r = call_vm(&m, VM_NEWPROC);
	if (r < 0) {
		return r;
	}
	made = MSG(&m, vm_newproc_rep)->ep;
	id = process_give_privileges(rs, s, made, PRIV_SET);
	r = id < 0 ? id : fill(made, s, binary);
	if (r < 0) {
		process_destroy(made);
		return r;
	}
	*ep = made;
	return id;
}

int process_swap(endpoint_t ep, endpoint_t other, bool is_rollback)
{
	struct message m = {0};

	*MSG(&m, vm_update_req) = (struct vm_update_req){
		.old = ep, .successor = other, .flags = is_rollback ? VM_UPDATE_ROLLBACK : 0};
	return call_vm(&m, VM_UPDATE);
}

int process_start(endpoint_t ep)
{
	int r = sys_privctl(PRIV_ALLOW, ep, NULL);

	return r < 0 ? r : sys_resume(ep);
}

void process_stop(endpoint_t ep)
{
	(void)sys_privctl(PRIV_DISALLOW, ep, NULL);
}

void process_kill(endpoint_t ep)
{
	(void)sys_kill(ep, LSIGKILL, 0, 0);
}

void process_destroy(endpoint_t ep)
{
	struct message m = {0};

	process_stop(ep);
	MSG(&m, vm_ep_req)->ep = ep;
	(void)call_vm(&m, VM_EXIT);
	(void)sys_clear(ep);
}

static bool get_info(endpoint_t ep, struct proc_info *info)
{
	return sys_getinfo(GETINFO_PROC, info, sizeof(*info), ep) >= 0;
}

void process_look(endpoint_t ep, struct process_look *look)
{
	const uint32_t others = RTS_SENDING | RTS_PAGEFAULT | RTS_VMREQUEST | RTS_SIGNALED |
		RTS_SIG_PENDING | RTS_NO_PRIV | RTS_PROC_STOP | RTS_P_STOP;
	struct proc_info info = {0};

	*look = (struct process_look){.waits_for = EP_NONE};
	if (!get_info(ep, &info)) {
		return;
	}
	look->messages = info.messages;
	if (info.rts_flags & RTS_NO_QUANTUM) {
		look->is_at_fault = true; /* it ran, until it was told to pause */
	} else if (!(info.rts_flags & (others | RTS_RECEIVING))) {
		look->is_at_fault = true;
	} else if (!(info.rts_flags & others)) {
		look->is_at_fault = info.blocked_on == EP_ANY || info.blocked_on < 0;
		look->waits_for = look->is_at_fault ? EP_NONE : info.blocked_on;
	}
}

bool process_is_dead(endpoint_t ep)
{
	struct proc_info info;

	return get_info(ep, &info) &&
		(info.rts_flags & (RTS_SIG_PENDING | RTS_SIGNALED)) == RTS_SIG_PENDING;
}

void process_log_death(const struct service *s, int signo, vaddr_t address)
{
	struct proc_info info = {0};

	(void)get_info(s->ep, &info);
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

int process_calls_made(endpoint_t ep, uint64_t *kcalls, uint64_t *vm_calls)
{
	struct message m = {0};
	int r = (int)sys_getinfo(GETINFO_KCALLS, kcalls, sizeof(*kcalls), ep);

	*vm_calls = 0;
	if (r < 0 || ep == EP_VM) {
		return r < 0 ? r : 0;
	}
	*MSG(&m, vm_info_req) = (struct vm_info_req){
		.what = VM_INFO_CALLS,
		.ep = ep,
		.to = (uint64_t)vm_calls,
		.bytes = sizeof(*vm_calls),
	};
	return call_vm(&m, VM_INFO);
}

int process_stopped(unsigned *slot, endpoint_t *eps, int max)
{
	static struct proc_info procs[16];
	int count = 0;

	while (count == 0) {
		int64_t bytes = sys_getinfo(GETINFO_PROCTAB, procs, sizeof(procs), *slot);
		size_t got = bytes < 0 ? 0 : (size_t)bytes / sizeof(procs[0]);

		for (size_t i = 0; i < got && count < max; i++, ++*slot) {
			uint32_t flags = procs[i].rts_flags;

			if ((flags & RTS_NO_PRIV) && !(flags & RTS_SLOT_FREE)) {
				eps[count++] = procs[i].endpoint;
			}
		}
		if (got == 0) {
			break;
		}
	}
	return count;
}

struct binary *process_boot_binary(const char *name)
{
	struct message m = {0};
	struct binary *binary = malloc(sizeof(*binary));

	strncpy(MSG(&m, vm_bootbinary_req)->name, name, sizeof(MSG(&m, vm_bootbinary_req)->name));
	if (!binary || call_vm(&m, VM_BOOTBINARY) < 0) {
		free(binary);
		return NULL;
	}
	/* One reference more than there are users: this memory is never free()d. */
	*binary = (struct binary){
		.references = 2,
		.len = MSG(&m, vm_bootdisk_rep)->len,
		.data = (const uint8_t *)MSG(&m, vm_bootdisk_rep)->addr,
	};
	return binary;
}

void process_boot_binaries_done(void)
{
	struct message m = {0};

	(void)call_vm(&m, VM_BOOTBINARY);
}
