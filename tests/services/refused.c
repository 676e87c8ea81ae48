/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that has some rights of each kind (tests.conf) and, in its init, tries what is just
 * beside them: ports, interrupt lines, physical memory, PCI devices, operations of VM, kernel
 * calls, whom to talk to, priorities, others' signals, processes for PM, memory and grants without
 * end. Its init's result says whether all was as declared.
 */
#include <errno.h>
#include <sys/mman.h>

#include "abi/errno.h"
#include "lib/drv/pci.h"
#include "lib/sys/diag.h"
#include "lib/sys/ds.h"
#include "lib/sys/grant.h"
#include "lib/sys/ipc.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"
#include "proto/pm.h"
#include "proto/sched.h"
#include "proto/vm.h"

/* As in tests.conf. */
#define PORT        0x70
#define PORTS       2
#define LINE        8
#define MEMORY      0xe0000ul
#define MEMORY_SIZE 0x2000ul
#define GRANTS      100
#define QUOTA       0x400000ul

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
	for (int op = VM_FORK; op <= VM_RENEW; op++) {
		struct message m = {.type = op};

		if (op != VM_MAP_PHYS && op != VM_INHERIT) { /* of one's own predecessor: free */
			refused(ipc_call(EP_VM, &m), "operation of VM", op - VM_BASE);
		}
	}
}

static void try_kernel_calls(void)
{
	uint8_t byte;

	refused(sys_copyin(EP_VFS, 0x1000, &byte, 1), "kernel call", KCALL_vircopy);
	refused(sys_kill(EP_INIT, 9, 0, 0), "kernel call", KCALL_kill);
	refused(sys_privctl(PRIV_ALLOW, EP_SELF, NULL), "kernel call", KCALL_privctl);
	refused(sys_schedule(EP_SELF, 0, 1000000), "kernel call", KCALL_schedule);
	refused(sys_schedctl(EP_SELF, EP_SELF), "kernel call", KCALL_schedctl);
}

/* RS tells pci what the declaration names: a device that there is not. */
static void try_pci(void)
{
	struct pci_found device = {0};
	struct pci_bar bar;
	uint32_t value;

	expect(pci_first(&device) == -ENODEV, "device", 0, 0);
	for (device.index = 0; device.index < 3; device.index++) {
		refused(pci_read(&device, 0, 4, &value), "device", device.index);
		refused(pci_write(&device, 4, 2, 0), "device", device.index);
		refused(pci_bar(&device, 0, &bar), "device", device.index);
	}
	expect(pci_read(&(struct pci_found){.index = 5000}, 0, 4, &value) == -ENODEV, "device",
		5000, 0);
}

static int ask(endpoint_t whom, int op, struct message *m)
{
	m->type = op;
	return ipc_call(whom, m);
}

/* SCHED takes priorities of PM and RS only; it has no signals of others, and cannot end any. */
static void try_scheduling_and_signals(void)
{
	struct message m = {0};
	struct ksig ksig;

	*MSG(&m, sched_start) = (struct sched_start){.ep = EP_SELF, .parent = EP_NONE};
	refused(ask(EP_SCHED, SCHED_START, &m), "priority", 0);
	MSG(&m, sched_ep)->ep = EP_VFS;
	refused(ask(EP_SCHED, SCHED_STOP, &m), "stop", EP_VFS);
	*MSG(&m, sched_nice) = (struct sched_nice){.ep = EP_INIT, .nice = 19};
	refused(ask(EP_SCHED, SCHED_NICE, &m), "nice", EP_INIT);
	expect(sys_getksig(&ksig) == 0, "signals of others", 0, 0);
	refused(sys_endksig(EP_VFS), "end of a signal", EP_VFS);
	refused(sys_endksig(EP_INIT), "end of a signal", EP_INIT);
}

/* PM-05: only RS makes services and ends them, with the user id that it says. */
static void try_processes(void)
{
	struct message m = {0};

	*MSG(&m, pm_service) = (struct pm_service){.ep = EP_SELF, .uid = 0, .label = "root"};
	refused(ask(EP_PM, PM_SERVICE_NEW, &m), "new process", EP_SELF);
	*MSG(&m, pm_service) = (struct pm_service){.ep = EP_VFS};
	refused(ask(EP_PM, PM_SERVICE_GONE, &m), "end of a process", EP_VFS);
	/* Only RS publishes labels. */
	refused(ds_publish_label("refused2", EP_SELF, 0), "label", 0);
}

static void try_quotas(void)
{
	static uint8_t byte;
	static grant_t grants[GRANTS + 1];
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *some = mmap(NULL, QUOTA / 4, PROT_READ | PROT_WRITE, flags, -1, 0);
	int count = 0;

	expect(some != MAP_FAILED, "memory within the quota", QUOTA / 4, -errno);
	expect(mmap(NULL, QUOTA, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED &&
			errno == ENOMEM,
		"memory beyond the quota", QUOTA, -errno);
	expect(some == MAP_FAILED || munmap(some, QUOTA / 4) == 0, "unmap", 0, -errno);
	while (count <= GRANTS) {
		grants[count] = grant_direct(EP_DS, &byte, 1, GRANT_READ);
		if (grants[count] == GRANT_INVALID) {
			break;
		}
		count++;
	}
	expect(count >= GRANTS / 2 && count <= GRANTS && errno == ENOSPC, "grants", count, -errno);
	expect(sys_setgrant((const struct grant *)(uint64_t)0x1000, GRANTS + 1) == -ENOSPC,
		"table of grants", GRANTS + 1, 0);
	while (count > 0) {
		(void)grant_revoke(grants[--count]);
	}
}

static void try_messages(void)
{
	static const endpoint_t others[] = {EP_VFS, EP_TTY, EP_MEMORY};

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
	try_kernel_calls();
	try_pci();
	try_scheduling_and_signals();
	try_processes();
	try_quotas();
	try_messages();
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
