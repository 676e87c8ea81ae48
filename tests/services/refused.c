/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that has some rights of each kind (tests.conf) and, in its init, tries what is just
 * beside them: ports, interrupt lines, physical memory, operations of VM, kernel calls, and whom to
 * talk to. Its init's result says whether all was as declared.
 */
#include <errno.h>

#include "abi/errno.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "proto/vm.h"

/* As in tests.conf. */
#define PORT        0x70
#define PORTS       2
#define LINE        8
#define MEMORY      0xe0000ul
#define MEMORY_SIZE 0x2000ul

static int failures;

static void expect(bool condition, const char *what, long long which, long long result)
{
	if (!condition) {
		failures++;
		diag_printf("FAILED %s: %lld gave %lld", what, which, result);
	}
}

static void allowed(int64_t r, const char *what, long long which)
{
	expect(r >= 0, what, which, r);
}

static void refused(int64_t r, const char *what, long long which)
{
	expect(r == -EPERM || r == -ECALLDENIED, what, which, r);
}

static int64_t devio(uint16_t port, int flags)
{
	return SYS_KCALL(devio, port, flags, 0, 0, 0, 0);
}

static void try_ports(void)
{
	static const uint16_t outside[] = {PORT - 1, PORT + PORTS, 0x20, 0x60, 0x64, 0xcf8, 0xffff};
	struct devio_vec vec[2] = {{.port = PORT, .flags = DEVIO_8}, {.flags = DEVIO_8}};
	uint8_t bytes[4];

	allowed(devio(PORT, DEVIO_8), "port", PORT);
	allowed(sys_vdevio(vec, 1), "ports", PORT);
	refused(devio(PORT + PORTS - 1, DEVIO_16), "port half outside", PORT + PORTS - 1);
	refused(devio(PORT - 1, DEVIO_32), "port half outside", PORT - 1);
	for (size_t i = 0; i < AXO_ARRAY_LEN(outside); i++) {
		refused(devio(outside[i], DEVIO_8), "port read", outside[i]);
		refused(devio(outside[i], DEVIO_8 | DEVIO_OUT), "port write", outside[i]);
		refused(sys_sdevio(outside[i], DEVIO_8, bytes, 4), "string port", outside[i]);
		vec[1].port = outside[i];
		refused(sys_vdevio(vec, 2), "second of two ports", outside[i]);
	}
}

static void try_lines(void)
{
	allowed(sys_irqctl(IRQ_SET, LINE, 3), "line", LINE);
	for (int line = 0; line < 32; line++) {
		if (line != LINE) {
			refused(sys_irqctl(IRQ_SET, line, 3), "line", line);
		}
	}
	allowed(sys_irqctl(IRQ_REMOVE, LINE, 3), "line back", LINE);
}

static int64_t map(uint64_t address, uint64_t bytes)
{
	struct message m = {.type = VM_MAP_PHYS};

	*MSG(&m, vm_map_phys_req) =
		(struct vm_map_phys_req){.ep = EP_SELF, .paddr = address, .len = bytes};
	return ipc_call(EP_VM, &m);
}

static void try_memory(void)
{
	allowed(map(MEMORY, MEMORY_SIZE), "memory", MEMORY);
	refused(map(MEMORY, MEMORY_SIZE + 1), "memory and more", MEMORY);
	refused(map(MEMORY - AXO_PAGE_SIZE, AXO_PAGE_SIZE), "memory before", MEMORY);
	refused(map(MEMORY + MEMORY_SIZE, AXO_PAGE_SIZE), "memory behind", MEMORY);
	refused(map(0x100000, AXO_PAGE_SIZE), "the kernel's memory", 0x100000);
	refused(map(0xfee00000, AXO_PAGE_SIZE), "the interrupt controller", 0xfee00000);
}

static void try_vm(void)
{
	for (int op = VM_FORK; op <= VM_BOOTBINARY; op++) {
		struct message m = {.type = op};

		if (op != VM_MAP_PHYS && op != VM_INHERIT) { /* of one's own predecessor: free */
			refused(ipc_call(EP_VM, &m), "operation of VM", op - VM_BASE);
		}
	}
}

static void try_the_rest(void)
{
	static const endpoint_t others[] = {EP_PM, EP_VFS, EP_SCHED, EP_TTY, EP_MEMORY};
	uint8_t byte;

	refused(sys_copyin(EP_VFS, 0x1000, &byte, 1), "kernel call", KCALL_vircopy);
	refused(sys_kill(EP_INIT, 9, 0, 0), "kernel call", KCALL_kill);
	refused(sys_privctl(PRIV_ALLOW, EP_SELF, NULL), "kernel call", KCALL_privctl);
	for (size_t i = 0; i < AXO_ARRAY_LEN(others); i++) {
		struct message m = {0};

		refused(ipc_sendrec(others[i], &m), "message", others[i]);
		refused(ipc_notify(others[i]), "notification", others[i]);
	}
}

static int on_init(const struct sef_info *info)
{
	try_ports();
	try_lines();
	try_memory();
	try_vm();
	try_the_rest();
	return failures ? -EIO : 0;
}

int main(void)
{
	sef_on_init(on_init);
	sef_start();
	for (;;) {
		struct message m;

		(void)sef_receive(EP_ANY, &m, NULL);
	}
}
