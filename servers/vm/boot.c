/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vm/boot.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/core/util.h"
#include "lib/exec/stack.h"
#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "servers/vm/bootarch.h"
#include "servers/vm/fault.h"
#include "servers/vm/mapping.h"
#include "servers/vm/thread.h"

#define STACK_BYTES     (64ull << 10) /* mapped at the start; it grows on demand */
#define STACK_WORDS_MAX 1024          /* initial contents beside the command line, 8-byte words */

/* Where position-independent boot processes go: as a kernel would place them, without surprise for
 * the debugger. */
#define BOOT_LOAD_BASE 0x0000555555554000ull

static const struct {
	const char *name;
	endpoint_t ep;
} boot_table[] = {
	{"pm", EP_PM},
	{"vfs", EP_VFS},
	{"rs", EP_RS},
	{"memory", EP_MEMORY},
	{"sched", EP_SCHED},
	{"tty", EP_TTY},
	{"ds", EP_DS},
	{"fs", EP_BOOTFS},
	{"init", EP_INIT},
};

/* What the loader's callbacks need. */
struct boot_load {
	struct vm *vm;
	struct space *space;
	const uint8_t *file;
};

static int load_map_anon(void *opaque, vaddr_t addr, uint64_t len, int prot)
{
	struct boot_load *load = opaque;
	const struct mapping mapping = {
		.addr = addr,
		.len = len,
		.prot = prot,
		.max_prot = REGION_PROT_ALL,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	};
	vaddr_t where;

	return mapping_create(load->vm, load->space, &mapping, &where);
}

static int load_copy(void *opaque, vaddr_t addr, uint64_t offset, uint64_t len)
{
	struct boot_load *load = opaque;

	return space_copy_out(load->vm, load->space, addr, load->file + offset, len);
}

static int load_clear(void *opaque, vaddr_t addr, uint64_t len)
{
	struct boot_load *load = opaque;

	return space_clear_bytes(load->vm, load->space, addr, len);
}

static int load_protect(void *opaque, vaddr_t addr, uint64_t len, int prot)
{
	struct boot_load *load = opaque;

	return mapping_protect(load->vm, load->space, addr, len, prot);
}

static const struct exec_ops load_ops = {
	.map_anon = load_map_anon,
	.copy = load_copy,
	.clear = load_clear,
	.protect = load_protect,
};

/* Build the initial stack: arguments {name} or, for init, {name, kernel command line}. */
static int build_stack(
	struct boot_load *load, const char *name, const struct exec_image *image, vaddr_t *sp)
{
	struct vm *vm = load->vm;
	struct exec_auxv auxv[EXEC_AUXV_MAX];
	struct system_info system = {0};
	struct exec_auxv_info info = {.image = image};
	uint64_t random[2] = {vm_random(vm), vm_random(vm)};
	uint64_t bytes = KINFO_CMDLINE_MAX + STACK_WORDS_MAX * 8;
	char *strings = heap_alloc(&vm->heap, 64 + KINFO_CMDLINE_MAX);
	uint8_t *buf = heap_alloc(&vm->heap, bytes);
	struct exec_stack stack = {
		.top = vm->kinfo.user_end,
		.strings = strings,
		.argc = 1,
		.execfn = name,
		.platform = "x86_64",
		.random = (const uint8_t *)random,
		.auxv = auxv,
	};
	int result = -ENOMEM;

	if (strings == NULL || buf == NULL) {
		goto out;
	}
	memcpy(strings, name, strlen(name) + 1);
	stack.strings_len = strlen(name) + 1;
	if (strcmp(name, "init") == 0) {
		char *line = strings + stack.strings_len;

		(void)sys_getinfo(GETINFO_CMDLINE, line, KINFO_CMDLINE_MAX - 1, 0);
		stack.argc = 2;
		stack.strings_len += strlen(line) + 1;
	}
	(void)sys_getinfo(GETINFO_SYSTEM, &system, sizeof(system), 0);
	info.hwcap = system.cpuid1_edx;
	info.hwcap2 = system.hwcap2;
	info.minsigstksz = 1024 + system.xsave_bytes;
	stack.auxv_len = exec_auxv_fill(auxv, &info);
	result = exec_stack_build(&stack, buf, bytes);
	if (result == 0) {
		uint64_t used = stack.top - stack.sp;

		*sp = stack.sp;
		result = space_copy_out(vm, load->space, stack.sp, buf + bytes - used, used);
	}
out:
	heap_free(&vm->heap, buf);
	heap_free(&vm->heap, strings);
	return result;
}

static int map_stack(struct boot_load *load)
{
	struct vm *vm = load->vm;
	const struct mapping mapping = {
		.addr = vm->kinfo.user_end - STACK_BYTES,
		.len = STACK_BYTES,
		.prot = PROT_READ | PROT_WRITE,
		.max_prot = REGION_PROT_ALL,
		.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN,
	};
	vaddr_t where;

	load->space->stack_top = vm->kinfo.user_end;
	return mapping_create(vm, load->space, &mapping, &where);
}

static int load_image(struct boot_load *load, uint64_t bytes, struct exec_image *image)
{
	int result;

	*image = (struct exec_image){.header = load->file,
		.header_len = u64_min(bytes, AXO_PAGE_SIZE),
		.file_size = bytes,
		.low = USER_BASE,
		.high = USER_END};
	result = exec_parse(image);
	if (result == 0) {
		result = exec_place(image, BOOT_LOAD_BASE);
	}
	if (result == 0) {
		result = exec_load(image, &load_ops, load);
	}
	return result;
}

static int start_process(
	struct vm *vm, const char *name, endpoint_t ep, const uint8_t *file, uint64_t bytes)
{
	struct exec_spec spec = {.ip = 0};
	struct exec_image image;
	struct boot_load load = {.vm = vm, .file = file};
	int result;

	load.space = space_create(vm, ep != EP_INIT);
	if (load.space == NULL) {
		return -ENOMEM;
	}
	result = load_image(&load, bytes, &image);
	if (result == 0) {
		result = map_stack(&load);
	}
	if (result == 0) {
		result = build_stack(&load, name, &image, &spec.sp);
	}
	if (result == 0) {
		result = thread_add(vm, ep, load.space);
	}
	if (result != 0) {
		return result;
	}
	load.space->brk_start = image.brk;
	load.space->brk_end = image.brk;
	result = (int)sys_vmctl(
		VMCTL_SETADDRSPACE, ep, load.space->id, load.space->pt.root << AXO_PAGE_SHIFT, 0);
	if (result != 0) {
		return result;
	}
	memcpy(spec.name, name, u64_min(strlen(name), sizeof(spec.name) - 1));
	spec.ip = image.entry;
	return sys_exec(ep, &spec);
}

static const struct bootarch_entry *find_entry(
	const struct bootarch_header *header, const char *name)
{
	const struct bootarch_entry *entries = (const struct bootarch_entry *)(header + 1);

	for (uint32_t i = 0; i < header->count; i++) {
		if (strcmp(entries[i].name, name) == 0) {
			return &entries[i];
		}
	}
	return NULL;
}

/* Remember what of the archive is still wanted, and free the rest; the header goes too. */
static void free_archive(struct vm *vm, const struct bootarch_header *header)
{
	paddr_t module = vm->kinfo.module.start;
	const struct bootarch_entry *ramdisk = find_entry(header, "ramdisk");

	if (ramdisk != NULL) {
		vm->bootdisk =
			(struct mem_range){module + ramdisk->offset, AXO_PAGE_UP(ramdisk->bytes)};
	}
	for (size_t i = 0; i < ARRAY_LEN(boot_table); i++) {
		const struct bootarch_entry *entry = find_entry(header, boot_table[i].name);

		if (boot_table[i].ep != EP_INIT) {
			boot_keep_file(vm, entry->name, module + entry->offset, entry->bytes);
		}
	}
	boot_free_rest(vm);
}

void boot_start_processes(struct vm *vm)
{
	const struct bootarch_header *header =
		page_memory(&vm->pool, vm->kinfo.module.start >> AXO_PAGE_SHIFT);

	if (!bootarch_is_sound(header, vm->kinfo.module.bytes)) {
		diag_panic("the boot archive is damaged");
	}
	for (size_t i = 0; i < ARRAY_LEN(boot_table); i++) {
		const struct bootarch_entry *entry = find_entry(header, boot_table[i].name);
		int result;

		if (entry == NULL) {
			diag_panic("the boot archive has no %s", boot_table[i].name);
		}
		result = start_process(vm, boot_table[i].name, boot_table[i].ep,
			(const uint8_t *)header + entry->offset, entry->bytes);
		if (result != 0) {
			diag_panic("cannot load %s: error %d", boot_table[i].name, result);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(boot_table); i++) {
		(void)sys_vmctl(VMCTL_VMINHIBIT_CLEAR, boot_table[i].ep, 0, 0, 0);
		(void)sys_vmctl(VMCTL_BOOTINHIBIT_CLEAR, boot_table[i].ep, 0, 0, 0);
	}
	free_archive(vm, header);
}
