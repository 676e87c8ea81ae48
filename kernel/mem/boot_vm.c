/* SPDX-License-Identifier: BSD-2-Clause */
/* See boot_vm.h. The loader's callbacks allocate pages at boot and write through the direct map. */
#include "kernel/mem/boot_vm.h"

#include <string.h>

#include "abi/bootarch.h"
#include "abi/linux/errno.h"
#include "kernel/arch.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/panic.h"
#include "kernel/mem/bootmem.h"
#include "kernel/state.h"
#include "lib/core/util.h"
#include "lib/exec/exec.h"
#include "lib/exec/stack.h"

#define VM_STACK_BYTES  65536
#define VM_BASE_ADDRESS 0x400000ul /* where a position-independent VM goes */
#define VM_PRIORITY     2

struct load {
	const char *file;
	uint64_t bytes;
	paddr_t root;
};

static const struct bootarch_entry *find_entry(
	const struct bootarch_header *header, const char *name)
{
	const struct bootarch_entry *entries = (const struct bootarch_entry *)(header + 1);
	uint32_t i;

	for (i = 0; i < header->count; i++) {
		if (strncmp(entries[i].name, name, sizeof(entries[i].name)) == 0) {
			return &entries[i];
		}
	}
	panic("the boot archive has no %s", name);
}

static const struct bootarch_header *check_archive(void)
{
	uint64_t have = kernel.kinfo.module.bytes;
	const struct bootarch_header *header = arch_phys(kernel.kinfo.module.start);
	const struct bootarch_entry *entries = (const struct bootarch_entry *)(header + 1);
	uint32_t i;

	if (have < sizeof(*header) || header->magic != BOOTARCH_MAGIC ||
		header->version != BOOTARCH_VERSION || header->count > BOOTARCH_ENTRIES_MAX ||
		header->total_bytes > have ||
		header->total_bytes < sizeof(*header) + header->count * sizeof(*entries)) {
		panic("the boot module is no boot archive (%lu bytes)", have);
	}
	for (i = 0; i < header->count; i++) {
		if (!is_aligned(entries[i].offset, AXO_PAGE_SIZE) ||
			!range_within(
				entries[i].offset, entries[i].bytes, 0, header->total_bytes)) {
			panic("the boot archive is damaged: entry %u", i);
		}
	}
	return header;
}

/* The page of VM that holds the address, in the direct map. */
static char *vm_page(const struct load *load, vaddr_t address, uint64_t *bytes)
{
	paddr_t paddr;

	if (!arch_translate(load->root, address, false, &paddr, bytes)) {
		panic("VM's image is not mapped at %lx", address);
	}
	return arch_phys(paddr);
}

static int map_anon(void *opaque, vaddr_t address, uint64_t bytes, int prot)
{
	const struct load *load = opaque;

	for (; bytes > 0; bytes -= AXO_PAGE_SIZE, address += AXO_PAGE_SIZE) {
		arch_boot_map(load->root, address, bootmem_page_for_vm(),
			(prot & EXEC_PROT_WRITE) != 0, (prot & EXEC_PROT_EXEC) != 0);
	}
	return 0;
}

static int protect(void *opaque, vaddr_t address, uint64_t bytes, int prot)
{
	const struct load *load = opaque;

	for (; bytes > 0; bytes -= AXO_PAGE_SIZE, address += AXO_PAGE_SIZE) {
		uint64_t one = AXO_PAGE_SIZE;
		paddr_t paddr;

		if (!arch_translate(load->root, address, false, &paddr, &one)) {
			return -EFAULT;
		}
		arch_boot_map(load->root, address, paddr, (prot & EXEC_PROT_WRITE) != 0,
			(prot & EXEC_PROT_EXEC) != 0);
	}
	return 0;
}

static void store(const struct load *load, vaddr_t address, const char *from, uint64_t bytes)
{
	while (bytes > 0) {
		uint64_t chunk = bytes;
		char *to = vm_page(load, address, &chunk);

		if (from != NULL) {
			memcpy(to, from, chunk);
			from += chunk;
		} else {
			memset(to, 0, chunk);
		}
		address += chunk;
		bytes -= chunk;
	}
}

static int copy(void *opaque, vaddr_t address, uint64_t offset, uint64_t bytes)
{
	const struct load *load = opaque;

	if (!range_within(offset, bytes, 0, load->bytes)) {
		return -ENOEXEC;
	}
	store(load, address, load->file + offset, bytes);
	return 0;
}

static int clear(void *opaque, vaddr_t address, uint64_t bytes)
{
	store(opaque, address, NULL, bytes);
	return 0;
}

static vaddr_t build_stack(const struct load *load, const struct exec_image *image)
{
	static char buffer[1024] __attribute__((aligned(16)));
	struct exec_auxv auxv[EXEC_AUXV_MAX];
	const struct exec_auxv_info info = {.image = image};
	uint64_t random[2] = {
		arch_cycles() * 0x9e3779b97f4a7c15ul, arch_cycles() * 0xbf58476d1ce4e5b9ul};
	struct exec_stack stack = {
		.top = USER_END,
		.strings = "vm",
		.strings_len = 3,
		.argc = 1,
		.execfn = "vm",
		.platform = "x86_64",
		.random = (const uint8_t *)random,
		.auxv = auxv,
	};
	uint64_t bytes;

	stack.auxv_len = exec_auxv_fill(auxv, &info);
	bytes = exec_stack_size(&stack);
	if (bytes == 0 || bytes > sizeof(buffer) || exec_stack_build(&stack, buffer, bytes) != 0) {
		panic("VM's stack cannot be built");
	}
	store(load, USER_END - bytes, buffer, bytes);
	return stack.sp;
}

/* Everything: for the two that nobody can give privileges before they run. RS replaces them later.
 */
static void give_privileges(struct proc *proc, uint32_t flags, endpoint_t manager)
{
	struct priv_spec spec = {
		.flags = flags,
		.trap_mask = UINT32_MAX,
		.kcall_mask = UINT64_MAX,
		.sig_mgr = manager,
		.backup_mgr = EP_NONE,
		.linux_mem = 1,
	};

	memset(spec.send_mask, 0xff, sizeof(spec.send_mask));
	memcpy(spec.label, proc->name, sizeof(proc->name));
	proc->priv = priv_alloc(proc);
	assert(proc->priv != NULL);
	priv_apply(proc->priv, &spec);
	rts_clear(proc, RTS_NO_PRIV);
}

void boot_procs_create(void)
{
	int slot;

	for (slot = 0; slot < EP_BOOT_COUNT; slot++) {
		struct proc *proc;

		if (slot == EP_VM) {
			continue;
		}
		proc = proc_alloc(slot);
		assert(proc != NULL && proc->endpoint == slot);
		proc->flags |= PROC_EMPTY;
		if (slot != EP_INIT) {
			proc->priority = PRIORITY_BOOT;
		}
		/* Without an address space, an image, and (but for RS) privileges. */
		rts_set(proc, RTS_BOOTINHIBIT | RTS_VMINHIBIT);
		if (slot == EP_RS) {
			proc_set_name(proc, "rs");
			give_privileges(proc, PRIV_FLAG_ROOT, EP_SELF);
		}
	}
}

void boot_vm_load(void)
{
	static const struct exec_ops ops = {
		.map_anon = map_anon, .copy = copy, .clear = clear, .protect = protect};
	const struct bootarch_header *archive = check_archive();
	const struct bootarch_entry *entry = find_entry(archive, "vm");
	struct kinfo *kinfo = &kernel.kinfo;
	struct load load = {(const char *)archive + entry->offset, entry->bytes, kinfo->boot_root};
	struct exec_image image = {
		.header = load.file,
		.header_len = load.bytes,
		.file_size = load.bytes,
		.low = USER_BASE,
		.high = VM_WINDOW_BASE,
	};
	struct proc *vm = proc_alloc(EP_VM);
	int error = exec_parse(&image);

	if (error == 0) {
		error = exec_place(&image, VM_BASE_ADDRESS);
	}
	if (error == 0) {
		error = exec_load(&image, &ops, &load);
	}
	if (error != 0 || vm == NULL) {
		panic("VM cannot be loaded: error %d", error);
	}
	kinfo->vm_image_start = image.base;
	kinfo->vm_image_end = align_up(image.brk, AXO_PAGE_SIZE);
	kinfo->vm_stack_start = USER_END - VM_STACK_BYTES;
	kinfo->vm_stack_end = USER_END;
	map_anon(&load, kinfo->vm_stack_start, VM_STACK_BYTES, EXEC_PROT_READ | EXEC_PROT_WRITE);
	arch_boot_map_window(load.root);

	proc_set_name(vm, "vm");
	vm->root = load.root;
	vm->priority = VM_PRIORITY;
	arch_proc_exec(&vm->arch, image.entry, build_stack(&load, &image));
	give_privileges(vm, PRIV_FLAG_VM, EP_RS);
	rts_clear(vm, RTS_PROC_STOP);
	diag_printf("vm: loaded at %lx, entry %lx\n", image.base, image.entry);
}
