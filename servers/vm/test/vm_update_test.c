/* SPDX-License-Identifier: BSD-2-Clause */
/* VM-42: live update, inheritance of memory, RS's standby; BOOT-08: the boot services' files. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "abi/linux/calls.h"
#include "proto/vm.h"
#include "servers/vm/boot.h"
#include "servers/vm/renew.h"
#include "servers/vm/test/vm_test.h"
#include "servers/vm/thread.h"

#define PAGE  AXO_PAGE_SIZE
#define RW    (PROT_READ | PROT_WRITE)
#define FIXED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)

#define TEXT  0x400000ull
#define CONST 0x500000ull
#define DATA  0x600000ull
#define TOP   0x7000000000ull

static struct vm vm;

static endpoint_t service(void)
{
	endpoint_t ep = fake_process(&vm);

	thread_space(&vm, ep)->is_service = true;
	return ep;
}

static int call_vm(call_fn *fn, endpoint_t source, const struct message *req, struct message *rep)
{
	const struct call call = {.source = source, .req = req, .rep = rep};

	return fn(&vm, &call);
}

static int update(endpoint_t old, endpoint_t successor, uint32_t flags)
{
	struct message req = {.type = VM_UPDATE}, rep = {.type = 0};

	*MSG(&req, vm_update_req) =
		(struct vm_update_req){.old = old, .successor = successor, .flags = flags};
	return call_vm(vm_call_update, EP_RS, &req, &rep);
}

static int inherit_how(endpoint_t ep, uint32_t how)
{
	struct message req = {.type = VM_INHERIT}, rep = {.type = 0};

	MSG(&req, vm_inherit_req)->how = how;
	return call_vm(vm_call_inherit, ep, &req, &rep);
}

static int inherit(endpoint_t ep)
{
	return inherit_how(ep, VM_INHERIT_MOVE);
}

static void map(endpoint_t ep, vaddr_t addr, uint64_t len, int prot, int flags)
{
	CHECK(fake_call(&vm, ep, LINUX_NR_mmap, addr, len, (uint64_t)prot, (uint64_t)flags,
		      UINT64_MAX, 0) == (int64_t)addr);
}

static void store(endpoint_t ep, vaddr_t addr, uint8_t value)
{
	*fake_touch(&vm, ep, addr, true) = value;
}

static uint8_t load(endpoint_t ep, vaddr_t addr)
{
	return *fake_touch(&vm, ep, addr, false);
}

/* A service as it is loaded: text, constants, data and bss, stack; `mark` tells them apart. */
static endpoint_t loaded_service(uint8_t mark)
{
	endpoint_t ep = service();

	map(ep, TEXT, 4 * PAGE, RW, FIXED);
	map(ep, CONST, 2 * PAGE, RW, FIXED);
	map(ep, DATA, 8 * PAGE, RW, FIXED);
	map(ep, TOP - 4 * PAGE, 4 * PAGE, RW, FIXED | MAP_GROWSDOWN);
	store(ep, TEXT, mark);
	store(ep, CONST, mark);
	store(ep, DATA, mark);
	store(ep, TOP - 1, mark);
	CHECK(fake_call(&vm, ep, LINUX_NR_mprotect, TEXT, 4 * PAGE, PROT_READ | PROT_EXEC, 0, 0,
		      0) == 0);
	CHECK(fake_call(&vm, ep, LINUX_NR_mprotect, CONST, 2 * PAGE, PROT_READ, 0, 0, 0) == 0);
	thread_space(&vm, ep)->brk_start = DATA + 8 * PAGE;
	thread_space(&vm, ep)->brk_end = DATA + 8 * PAGE;
	return ep;
}

static void test_swap(void)
{
	endpoint_t old = loaded_service(1), new = loaded_service(2), program = fake_process(&vm);

	CHECK(update(old, old, 0) == -EINVAL && update(old, EP_MAKE(1, 900), 0) == -EINVAL);
	CHECK(update(old, program, 0) == -EINVAL && update(old, new, 8) == -EINVAL);
	CHECK(update(old, new, VM_UPDATE_ROLLBACK) == -EINVAL);
	fake.update_error = -EBUSY;
	CHECK(update(old, new, 0) == -EBUSY && load(old, DATA) == 1);
	fake.update_error = 0;
	thread_space(&vm, old)->call_mask = 5;
	CHECK(update(old, new, 0) == 0);
	CHECK(load(old, DATA) == 2 && load(new, DATA) == 1);
	CHECK(thread_space(&vm, old)->call_mask == 5 && thread_space(&vm, old)->owner == old);
	CHECK(update(old, new, VM_UPDATE_ROLLBACK) == 0 && load(old, DATA) == 1);
	CHECK(update(old, new, VM_UPDATE_ROLLBACK) == -EINVAL);
	/* The predecessor goes: nothing to roll back to or to inherit from. */
	CHECK(update(old, new, 0) == 0);
	fake_exit(&vm, new);
	CHECK(update(old, new, VM_UPDATE_ROLLBACK) == -EINVAL && inherit(old) == -ESRCH);
	CHECK_SOUND(&vm);
	fake_exit(&vm, old);
	fake_exit(&vm, program);
}

/* Heap, mappings, guard pages, DMA memory and shared memory move; text, constants, stack do not. */
static void test_inherit(void)
{
	uint64_t before = vm.pool.count[PAGE_FREE];
	endpoint_t old = loaded_service(1), new = loaded_service(2);
	struct message req = {.type = VM_ALLOC_CONTIG}, rep = {.type = 0};
	vaddr_t dma, heap = DATA + 8 * PAGE;
	paddr_t paddr;

	CHECK(fake_call(&vm, old, LINUX_NR_brk, heap + 3 * PAGE, 0, 0, 0, 0, 0) ==
		(int64_t)(heap + 3 * PAGE));
	store(old, heap, 11);
	map(old, 0x20000000, 16 * PAGE, RW, FIXED);
	store(old, 0x20000000, 12);
	map(old, USER_END - 4 * PAGE, 4 * PAGE, RW, FIXED);
	map(new, USER_END - 4 * PAGE, 4 * PAGE, RW, FIXED);
	store(old, USER_END - 1, 1);
	store(new, USER_END - 1, 2);
	CHECK(fake_call(&vm, old, LINUX_NR_mprotect, 0x20000000 + PAGE, PAGE, 0, 0, 0, 0) == 0);
	map(old, 0x30000000, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED);
	store(old, 0x30000000, 13);
	MSG(&req, vm_alloc_contig_req)->len = 4 * PAGE;
	CHECK(call_vm(vm_call_alloc_contig, old, &req, &rep) == 0);
	dma = MSG(&rep, vm_contig_rep)->addr;
	paddr = MSG(&rep, vm_contig_rep)->paddr;
	/* What the successor has there already makes room. */
	map(new, 0x20000000 - 2 * PAGE, 6 * PAGE, RW, FIXED);
	store(new, 0x20000000, 99);
	store(new, 0x20000000 - PAGE, 21);
	CHECK(inherit(old) == -ESRCH && update(old, new, 0) == 0 && inherit(old) == 0);
	CHECK_SOUND(&vm);
	CHECK(load(old, DATA) == 1 && load(old, heap) == 11 && load(old, 0x20000000) == 12);
	CHECK(load(old, 0x30000000) == 13 && load(old, 0x20000000 - PAGE) == 21);
	CHECK(load(old, TEXT) == 2 && load(old, CONST) == 2 && load(old, TOP - 1) == 2);
	CHECK(load(new, TEXT) == 1 && load(new, TOP - 1) == 1);
	CHECK(load(old, USER_END - 1) == 2 && load(new, USER_END - 1) == 1);
	CHECK(fake_touch(&vm, new, DATA, false) == NULL);
	CHECK(fake_touch(&vm, old, 0x20000000 + PAGE, false) == NULL && fake.signal == 11);
	CHECK(fake_touch(&vm, old, dma, true) == fake.memory + paddr);
	CHECK(fake_call(&vm, old, LINUX_NR_brk, 0, 0, 0, 0, 0, 0) == (int64_t)(heap + 3 * PAGE));
	CHECK(inherit(old) == -ESRCH && update(old, new, VM_UPDATE_ROLLBACK) == -ESTALE);
	fake_exit(&vm, new);
	fake_exit(&vm, old);
	CHECK(vm.pool.count[PAGE_FREE] == before);
}

/* A fault that waits for memory is the dead contents': their successor does not get its result. */
static void test_fault_of_the_dead(void)
{
	static pfn_t taken[4096];
	endpoint_t program = fake_process(&vm), old = loaded_service(1), new = loaded_service(2);
	unsigned count = 0;

	map(old, DATA + 64 * PAGE, PAGE, RW, FIXED);
	while (vm.pool.count[PAGE_FREE] > vm.pool.reserve_vm) {
		CHECK(count < ARRAY_LEN(taken));
		taken[count++] = page_alloc(&vm.pool, PAGE_MODULE, PAGE_FOR_VM);
	}
	CHECK(fake_touch(&vm, old, DATA + 64 * PAGE, true) == NULL && !fake.fault_cleared);
	CHECK(!list_is_empty(&vm.jobs));
	CHECK(update(old, new, 0) == 0 && list_is_empty(&vm.jobs));
	while (count > 0) {
		page_free(&vm.pool, taken[--count]);
	}
	CHECK(load(old, DATA) == 2);
	CHECK_SOUND(&vm);
	fake_exit(&vm, program);
	fake_exit(&vm, old);
	fake_exit(&vm, new);
}

/* Where memory runs out in inheriting, nothing has changed. */
static void test_inherit_injection(void)
{
	for (uint64_t n = 1;; n++) {
		endpoint_t old = loaded_service(1), new = loaded_service(2);
		uint64_t left;
		int result;

		for (vaddr_t at = 0x20000000; at < 0x100000000; at += 0x20000000) {
			map(old, at, 2 * PAGE, RW, FIXED);
			store(old, at, 7);
		}
		map(new, 0x20000000 - PAGE, 4 * PAGE, RW, FIXED);
		CHECK(update(old, new, 0) == 0);
		vm.pool.fail_countdown = n;
		result = inherit(old);
		left = vm.pool.fail_countdown;
		vm.pool.fail_countdown = 0;
		CHECK_SOUND(&vm);
		CHECK(result == (left != 0 ? 0 : -ENOMEM));
		CHECK(load(result == 0 ? old : new, 0x20000000) == 7);
		CHECK(inherit(old) == (result == 0 ? -ESRCH : 0) && load(old, DATA) == 1);
		fake_exit(&vm, old);
		fake_exit(&vm, new);
		if (left != 0) {
			CHECK(n > 3);
			break;
		}
	}
}

/*
 * RS-17: another program gets what lies above image and brk, and may change it: rolled back, the
 * old one has it as it was.
 */
static void test_inherit_copy(void)
{
	uint64_t before = vm.pool.count[PAGE_FREE];
	endpoint_t old = loaded_service(1), new = loaded_service(2);
	vaddr_t heap = DATA + 8 * PAGE, data = 0x20000000, shared = 0x30000000;

	CHECK(fake_call(&vm, old, LINUX_NR_brk, heap + PAGE, 0, 0, 0, 0, 0) ==
		(int64_t)(heap + PAGE));
	store(old, heap, 11);
	map(old, data, 16 * PAGE, RW, FIXED);
	store(old, data, 12);
	map(old, shared, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED);
	store(old, shared, 13);
	map(new, data + 15 * PAGE, PAGE, RW, FIXED);
	CHECK(inherit_how(old, VM_INHERIT_COPY) == -ESRCH && inherit_how(old, 2) == -EINVAL);
	/* What the new one has there already is in the way. */
	CHECK(update(old, new, 0) == 0 && inherit_how(old, VM_INHERIT_COPY) == -EEXIST);
	CHECK(fake_call(&vm, old, LINUX_NR_munmap, data + 15 * PAGE, PAGE, 0, 0, 0, 0) == 0);
	CHECK(inherit_how(old, VM_INHERIT_COPY) == 0);
	CHECK_SOUND(&vm);
	CHECK(load(old, data) == 12 && load(old, DATA) == 2 && load(old, shared) == 13);
	CHECK(fake_touch(&vm, old, heap, false) == NULL && load(old, TOP - 1) == 2);
	store(old, data, 99);
	store(old, data + PAGE, 98);
	CHECK(load(new, data) == 12 && load(new, data + PAGE) == 0 && load(new, heap) == 11);
	CHECK(update(old, new, VM_UPDATE_ROLLBACK) == 0 && load(old, data) == 12 &&
		load(new, data) == 99);
	fake_exit(&vm, new);
	CHECK(load(old, data) == 12 && load(old, DATA) == 1 && load(old, heap) == 11);
	/* Another one succeeds, and crashes later. */
	new = loaded_service(3);
	CHECK(update(old, new, 0) == 0 && inherit_how(old, VM_INHERIT_COPY) == 0);
	fake_exit(&vm, new);
	store(old, data, 21);
	new = loaded_service(3);
	CHECK(update(old, new, 0) == 0 && inherit(old) == 0 && load(old, data) == 21);
	CHECK_SOUND(&vm);
	fake_exit(&vm, new);
	fake_exit(&vm, old);
	CHECK(vm.pool.count[PAGE_FREE] == before);
}

/* Where memory runs out in that, nothing has changed. */
static void test_inherit_copy_injection(void)
{
	uint64_t left = 0;

	for (uint64_t n = 1; left == 0; n++) {
		endpoint_t old = loaded_service(1), new = loaded_service(2);
		int result;

		for (vaddr_t at = 0x20000000; at < 0x100000000; at += 0x20000000) {
			map(old, at, 2 * PAGE, RW, FIXED);
			store(old, at, 7);
		}
		CHECK(update(old, new, 0) == 0);
		vm.pool.fail_countdown = n;
		result = inherit_how(old, VM_INHERIT_COPY);
		left = vm.pool.fail_countdown;
		vm.pool.fail_countdown = 0;
		CHECK_SOUND(&vm);
		CHECK(result == (left != 0 ? 0 : -ENOMEM));
		CHECK(result == 0 || space_is_free(thread_space(&vm, old), 0x20000000, 0xe0000000));
		CHECK(update(old, new, VM_UPDATE_ROLLBACK) == 0 && load(old, 0x20000000) == 7);
		fake_exit(&vm, old);
		fake_exit(&vm, new);
	}
}

/* RS-21: RS dies; its standby goes on under its endpoint, or the system stops with a word. */
static void test_standby(void)
{
	endpoint_t rs = EP_RS, standby = loaded_service(2);
	struct space *space = space_create(&vm, true);
	struct message req = {.type = VM_STANDBY}, rep = {.type = 0};

	CHECK(space != NULL && thread_add(&vm, rs, space) == 0);
	map(rs, DATA, PAGE, RW, FIXED);
	store(rs, DATA, 1);
	MSG(&req, vm_ep_req)->ep = EP_RS;
	CHECK(call_vm(vm_call_standby, EP_RS, &req, &rep) == -EINVAL);
	MSG(&req, vm_ep_req)->ep = standby;
	CHECK(call_vm(vm_call_standby, EP_RS, &req, &rep) == 0);
	fake.ksig = (struct ksig){.endpoint = EP_RS, .signals = 1u << 11};
	vm_signals(&vm);
	CHECK(fake.allowed == EP_RS && fake.aborts == 0 && thread_space(&vm, standby) == space);
	CHECK(load(rs, DATA) == 2 && inherit(rs) == 0 && load(rs, DATA) == 1);
	fake_exit(&vm, standby);
	fake.ksig = (struct ksig){.endpoint = EP_RS, .signals = 1u << 11};
	vm_signals(&vm);
	CHECK(fake.aborts == 1);
	/* A standby that went is none. */
	standby = loaded_service(2);
	MSG(&req, vm_ep_req)->ep = standby;
	CHECK(call_vm(vm_call_standby, EP_RS, &req, &rep) == 0);
	fake_exit(&vm, standby);
	fake.ksig = (struct ksig){.endpoint = EP_RS, .signals = 1u << 11};
	vm_signals(&vm);
	CHECK(fake.aborts == 2);
	fake_exit(&vm, rs);
	CHECK_SOUND(&vm);
}

static int renew(enum vm_renew_step step, endpoint_t ep, int result)
{
	struct message req = {.type = VM_RENEW}, rep = {.type = 0};

	*MSG(&req, vm_renew_req) = (struct vm_renew_req){
		.step = step, .ep = ep, .result = result, .limit_ns = 1000000000};
	fake.has_reply = false;
	return call_vm(vm_call_renew, EP_RS, &req, &rep);
}

/* The old RS has its endpoint and its memory, and an answer. */
static void check_is_back(int why)
{
	CHECK(!renew_is_on(&vm) && vm.alarms[ALARM_RENEWAL] == 0 && load(EP_RS, DATA) == 1);
	CHECK(fake.has_reply && fake.reply_to == EP_RS && fake.reply_type == why);
}

/* RS-22: RS's own update: the old one comes back from each failure, until the new one has said that
 * it goes on with a standby of its own. */
static void test_renew(void)
{
	endpoint_t rs = EP_RS, next = loaded_service(2), standby = loaded_service(3);
	struct space *space = space_create(&vm, true);
	unsigned aborts = fake.aborts;

	CHECK(space != NULL && thread_add(&vm, rs, space) == 0);
	map(rs, DATA, PAGE, RW, FIXED);
	store(rs, DATA, 1);
	CHECK(renew(VM_RENEW_DONE, standby, 0) == -EINVAL && renew(3, next, 0) == -EINVAL);
	CHECK(renew(VM_RENEW_FAILED, next, -EIO) == -EINVAL);
	CHECK(renew(VM_RENEW_BEGIN, rs, 0) == -EINVAL);
	fake.update_error = -EBUSY;
	CHECK(renew(VM_RENEW_BEGIN, next, 0) == -EBUSY && !renew_is_on(&vm));
	fake.update_error = 0;
	for (int failure = 0; failure < 3; failure++) {
		fake.allowed = EP_NONE;
		CHECK(renew(VM_RENEW_BEGIN, next, 0) == -EDONTREPLY && fake.allowed == rs);
		CHECK(!fake.has_reply && vm.alarms[ALARM_RENEWAL] != 0 && load(rs, DATA) == 2);
		CHECK(renew(VM_RENEW_BEGIN, standby, 0) == -EINVAL && inherit(rs) == -EBUSY);
		if (failure == 0) {
			CHECK(renew(VM_RENEW_FAILED, EP_NONE, -EPROTO) == -EDONTREPLY);
			check_is_back(-EPROTO);
		} else if (failure == 1) {
			fake.ksig = (struct ksig){.endpoint = EP_RS, .signals = 1u << 11};
			vm_signals(&vm);
			check_is_back(-EIO);
		} else {
			renew_timeout(&vm);
			check_is_back(-ETIMEDOUT);
			renew_timeout(&vm);
		}
	}
	CHECK(renew(VM_RENEW_BEGIN, next, 0) == -EDONTREPLY);
	CHECK(renew(VM_RENEW_DONE, rs, 0) == -EINVAL && renew_is_on(&vm));
	CHECK(renew(VM_RENEW_DONE, standby, 0) == 0 && !renew_is_on(&vm));
	fake_exit(&vm, next);
	CHECK(load(rs, DATA) == 2 && fake.aborts == aborts);
	fake.ksig = (struct ksig){.endpoint = EP_RS, .signals = 1u << 11};
	vm_signals(&vm);
	CHECK(load(rs, DATA) == 3 && fake.aborts == aborts);
	fake_exit(&vm, standby);
	fake_exit(&vm, rs);
	CHECK_SOUND(&vm);
}

static pfn_t module_pages(uint64_t count)
{
	pfn_t first = page_alloc_run(&vm.pool, count, PAGE_MODULE, PAGE_FOR_VM, 0);

	memset(page_memory(&vm.pool, first), 5, count * PAGE);
	return first;
}

static int ask(endpoint_t ep, const char *name, struct vm_bootdisk_rep *got)
{
	struct message req = {.type = VM_BOOTBINARY}, rep = {.type = 0};
	int result;

	strncpy(MSG(&req, vm_bootbinary_req)->name, name, 31);
	result = call_vm(vm_call_bootbinary, ep, &req, &rep);
	*got = *MSG(&rep, vm_bootdisk_rep);
	return result;
}

static void test_boot_files(void)
{
	uint64_t before = vm.pool.count[PAGE_FREE];
	endpoint_t ep = service();
	pfn_t first = module_pages(10);
	struct vm_bootdisk_rep got;

	/* A header page, two files, the ramdisk; then what nobody wants. */
	vm.kinfo.module = (struct mem_range){first * PAGE, 10 * PAGE};
	vm.bootdisk = (struct mem_range){(first + 7) * PAGE, 2 * PAGE};
	boot_keep_file(&vm, "pm", (first + 1) * PAGE, 2 * PAGE + 5);
	boot_keep_file(&vm, "ds", (first + 5) * PAGE, PAGE);
	boot_free_rest(&vm);
	CHECK(vm.pool.count[PAGE_MODULE] == 6);
	CHECK_SOUND(&vm);
	CHECK(ask(ep, "vfs", &got) == -ENOENT);
	CHECK(ask(ep, "pm", &got) == 0 && got.len == 2 * PAGE + 5);
	CHECK(load(ep, got.addr + 3 * PAGE - 1) == 5);
	CHECK(fake_touch(&vm, ep, got.addr, true) == NULL);
	CHECK(ask(ep, "pm", &got) == -ENOENT && vm.pool.count[PAGE_MODULE] == 3);
	CHECK_SOUND(&vm);
	CHECK(ask(ep, "", &got) == 0 && vm.pool.count[PAGE_MODULE] == 2);
	CHECK(ask(ep, "ds", &got) == -ENOENT);
	fake_exit(&vm, ep);
	page_free_range(&vm.pool, vm.bootdisk.start, vm.bootdisk.bytes);
	vm.bootdisk = (struct mem_range){0, 0};
	CHECK_SOUND(&vm);
	CHECK(vm.pool.count[PAGE_FREE] == before);
}

int main(void)
{
	fake_boot(&vm, 4096);
	test_swap();
	test_inherit();
	test_fault_of_the_dead();
	test_inherit_injection();
	test_inherit_copy();
	test_inherit_copy_injection();
	test_standby();
	test_renew();
	test_boot_files();
	fake_shutdown(&vm);
	puts("vm update: ok");
	return 0;
}
