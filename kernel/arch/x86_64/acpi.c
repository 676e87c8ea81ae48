/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The little of ACPI that the kernel needs: where the I/O APICs are (MADT), and how to switch off
 * and reset (FADT and the _S5_ object of the DSDT, found by its name as an interpreter-less system
 * can). Firmware tables are read once at boot, lengths and checksums checked.
 */
#include "kernel/arch/x86_64/machine.h"

#include <string.h>

#include "kernel/arch/x86_64/x86.h"
#include "kernel/debug/diag.h"

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
} __attribute__((packed));

struct acpi_table {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem[6];
	char oem_table[8];
	uint32_t oem_revision;
	uint32_t creator;
	uint32_t creator_revision;
} __attribute__((packed));

#define RSDP_V1_BYTES       20
#define MADT_ENTRIES        44
#define MADT_IO_APIC        1
#define MADT_OVERRIDE       2
#define FADT_DSDT           40
#define FADT_SMI_COMMAND    48
#define FADT_ACPI_ENABLE    52
#define FADT_PM1A_CONTROL   64
#define FADT_PM1B_CONTROL   68
#define FADT_FLAGS          112
#define FADT_FLAG_RESET     (1u << 10)
#define FADT_RESET_REGISTER 116
#define FADT_RESET_VALUE    128
#define SPACE_IO            1
#define SLEEP_ENABLE        0x2000
#define SLEEP_TYPE_SHIFT    10
#define PM1_SCI_ENABLE      1

static uint32_t read32(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint64_t read64(const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static bool sums_to_zero(const void *data, size_t bytes)
{
	const uint8_t *at = data;
	uint8_t sum = 0;

	while (bytes-- > 0) {
		sum = (uint8_t)(sum + *at++);
	}
	return sum == 0;
}

/* The table at this address if it is whole, else NULL. */
static const struct acpi_table *table_at(paddr_t paddr)
{
	const struct acpi_table *table = boot_phys(paddr, sizeof(*table));

	if (table == NULL || table->length < sizeof(*table) ||
		boot_phys(paddr, table->length) == NULL || !sums_to_zero(table, table->length)) {
		return NULL;
	}
	return table;
}

static const struct rsdp *rsdp_scan(paddr_t start, paddr_t end)
{
	for (; start + sizeof(struct rsdp) <= end; start += 16) {
		const struct rsdp *rsdp = arch_phys(start);

		if (memcmp(rsdp->signature, "RSD PTR ", 8) == 0 &&
			sums_to_zero(rsdp, RSDP_V1_BYTES)) {
			return rsdp;
		}
	}
	return NULL;
}

static const struct rsdp *rsdp_find(void)
{
	uint16_t segment;
	const struct rsdp *rsdp;

	memcpy(&segment, arch_phys(0x40e), sizeof(segment));
	rsdp = rsdp_scan((paddr_t)segment << 4, ((paddr_t)segment << 4) + 1024);
	return rsdp != NULL ? rsdp : rsdp_scan(0xe0000, 0x100000);
}

static void madt_read(const struct acpi_table *madt)
{
	const uint8_t *at = (const uint8_t *)madt + MADT_ENTRIES;
	const uint8_t *end = (const uint8_t *)madt + madt->length;

	while (at + 2 <= end && at[1] >= 2 && at + at[1] <= end) {
		if (at[0] == MADT_IO_APIC && at[1] >= 12 && machine.io_apic_count < IO_APIC_MAX) {
			struct io_apic *apic = &machine.io_apics[machine.io_apic_count++];

			apic->registers = mmio_map(read32(at + 4));
			apic->first_line = read32(at + 8);
		} else if (at[0] == MADT_OVERRIDE && at[1] >= 10 &&
			machine.override_count < IRQ_OVERRIDES) {
			struct irq_override *override =
				&machine.overrides[machine.override_count++];

			override->source = at[3];
			override->line = read32(at + 4);
			memcpy(&override->flags, at + 8, sizeof(override->flags));
		}
		at += at[1];
	}
}

/* Name(_S5_, Package(){a, b, ...}): the sleep types for "off". */
static void dsdt_read(const struct acpi_table *dsdt)
{
	const uint8_t *at = (const uint8_t *)dsdt + sizeof(*dsdt);
	const uint8_t *end = (const uint8_t *)dsdt + dsdt->length;
	uint16_t values[2] = {0, 0};
	int i;

	for (; at + 12 < end; at++) {
		if (memcmp(at, "_S5_", 4) == 0 && at[4] == 0x12) {
			break;
		}
	}
	if (at + 12 >= end) {
		return;
	}
	at += 5;
	at += (*at >> 6) + 2; /* package length and count of elements */
	for (i = 0; i < 2 && at < end; i++) {
		if (*at == 0x0a && at + 1 < end) { /* byte constant */
			values[i] = at[1];
			at += 2;
		} else { /* zero, one */
			values[i] = *at++ & 7;
		}
	}
	machine.sleep5_a = values[0];
	machine.sleep5_b = values[1];
	machine.has_sleep5 = true;
}

static void fadt_read(const struct acpi_table *fadt)
{
	const uint8_t *bytes = (const uint8_t *)fadt;
	const struct acpi_table *dsdt;

	if (fadt->length < FADT_FLAGS + 4) {
		return;
	}
	machine.smi_command = read32(bytes + FADT_SMI_COMMAND);
	machine.acpi_enable = bytes[FADT_ACPI_ENABLE];
	machine.pm1a_control = read32(bytes + FADT_PM1A_CONTROL);
	machine.pm1b_control = read32(bytes + FADT_PM1B_CONTROL);
	if (fadt->length > FADT_RESET_VALUE &&
		(read32(bytes + FADT_FLAGS) & FADT_FLAG_RESET) != 0 &&
		bytes[FADT_RESET_REGISTER] == SPACE_IO) {
		machine.reset_port = read64(bytes + FADT_RESET_REGISTER + 4);
		machine.reset_value = bytes[FADT_RESET_VALUE];
		machine.has_reset = machine.reset_port <= 0xffff;
	}
	dsdt = table_at(read32(bytes + FADT_DSDT));
	if (dsdt != NULL) {
		dsdt_read(dsdt);
	}
}

static void table_read(paddr_t paddr)
{
	const struct acpi_table *table = table_at(paddr);

	if (table == NULL) {
		return;
	}
	if (memcmp(table->signature, "APIC", 4) == 0) {
		madt_read(table);
	} else if (memcmp(table->signature, "FACP", 4) == 0) {
		fadt_read(table);
	}
}

void acpi_init(void)
{
	const struct rsdp *rsdp = rsdp_find();
	const struct acpi_table *root;
	unsigned entry = 4;
	uint32_t offset;

	if (rsdp == NULL) {
		diag_printf("acpi: none\n");
		return;
	}
	root = table_at(rsdp->rsdt);
	if (rsdp->revision >= 2 && rsdp->xsdt != 0 && table_at(rsdp->xsdt) != NULL) {
		root = table_at(rsdp->xsdt);
		entry = 8;
	}
	if (root == NULL) {
		diag_printf("acpi: damaged tables\n");
		return;
	}
	machine.has_acpi = true;
	for (offset = sizeof(*root); offset + entry <= root->length; offset += entry) {
		const char *at = (const char *)root + offset;

		table_read(entry == 8 ? read64(at) : read32(at));
	}
	diag_printf("acpi: power off %s, reset %s\n", machine.has_sleep5 ? "by PM1a" : "unknown",
		machine.has_reset ? "by register" : "by keyboard controller");
}

void arch_halt(void)
{
	for (;;) {
		__asm__ volatile("cli; hlt");
	}
}

void arch_poweroff(void)
{
	unsigned i;

	if (machine.has_sleep5 && machine.pm1a_control != 0) {
		uint16_t port = (uint16_t)machine.pm1a_control;

		if ((x86_inw(port) & PM1_SCI_ENABLE) == 0 && machine.smi_command != 0 &&
			machine.acpi_enable != 0) {
			x86_outb((uint16_t)machine.smi_command, machine.acpi_enable);
			for (i = 0; i < 1000000 && (x86_inw(port) & PM1_SCI_ENABLE) == 0; i++) {
			}
		}
		x86_outw(port, (uint16_t)(machine.sleep5_a << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
		if (machine.pm1b_control != 0) {
			x86_outw((uint16_t)machine.pm1b_control,
				(uint16_t)(machine.sleep5_b << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
		}
	}
	x86_outw(0x604, 0x2000); /* QEMU's default, should its tables not have been understood */
	arch_halt();
}

void arch_reboot(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) empty = {0, 0};
	unsigned i;

	if (machine.has_reset) {
		x86_outb((uint16_t)machine.reset_port, machine.reset_value);
	}
	for (i = 0; i < 100000 && (x86_inb(0x64) & 2) != 0; i++) {
	}
	x86_outb(0x64, 0xfe);
	for (i = 0; i < 100000; i++) {
		x86_inb(0x64);
	}
	/* Triple fault. */
	__asm__ volatile("lidt %0; int3" : : "m"(empty));
	arch_halt();
}
