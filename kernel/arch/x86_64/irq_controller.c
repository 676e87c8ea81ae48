/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines: I/O APICs where ACPI describes them, else the two 8259s. Line numbers 0 to 15
 * are the ISA lines (as in PCI's interrupt-line register), higher ones global system interrupts.
 * All lines start masked.
 */
#include "kernel/arch/x86_64/machine.h"

#include "kernel/arch/x86_64/x86.h"
#include "kernel/debug/diag.h"
#include "kernel/irq/irq.h"

#define PIC1        0x20
#define PIC2        0xa0
#define PIC_INIT    0x11
#define PIC_8086    0x01
#define PIC_CASCADE 2

#define IO_APIC_SELECT  0
#define IO_APIC_WINDOW  4
#define IO_APIC_VERSION 1
#define IO_APIC_PIN(n)  (0x10 + 2 * (n))
#define PIN_MASKED      0x10000u
#define PIN_LEVEL       0x8000u
#define PIN_ACTIVE_LOW  0x2000u

#define POLARITY_MASK 0x3
#define POLARITY_LOW  0x3
#define TRIGGER_MASK  0xc
#define TRIGGER_LEVEL 0xc

static void io_apic_write(struct io_apic *apic, uint32_t index, uint32_t value)
{
	apic->registers[IO_APIC_SELECT] = index;
	apic->registers[IO_APIC_WINDOW] = value;
}

static uint32_t io_apic_read(struct io_apic *apic, uint32_t index)
{
	apic->registers[IO_APIC_SELECT] = index;
	return apic->registers[IO_APIC_WINDOW];
}

/* The controller and pin of a line; NULL: there is none. *flags: what the low half of the pin's
 * entry needs. */
static struct io_apic *find_pin(unsigned line, uint32_t *pin, uint32_t *flags)
{
	uint32_t gsi = line;
	unsigned i;

	*flags = line >= 16 ? PIN_LEVEL | PIN_ACTIVE_LOW : 0;
	for (i = 0; i < machine.override_count; i++) {
		const struct irq_override *override = &machine.overrides[i];

		if (override->source == line) {
			gsi = override->line;
			*flags = 0;
			if ((override->flags & POLARITY_MASK) == POLARITY_LOW) {
				*flags |= PIN_ACTIVE_LOW;
			}
			if ((override->flags & TRIGGER_MASK) == TRIGGER_LEVEL) {
				*flags |= PIN_LEVEL;
			}
			break;
		}
	}
	for (i = 0; i < machine.io_apic_count; i++) {
		struct io_apic *apic = &machine.io_apics[i];

		if (gsi >= apic->first_line && gsi - apic->first_line < apic->pins) {
			*pin = gsi - apic->first_line;
			return apic;
		}
	}
	return NULL;
}

static void pic_set_mask(void)
{
	x86_outb(PIC1 + 1, (uint8_t)machine.pic_mask);
	x86_outb(PIC2 + 1, (uint8_t)(machine.pic_mask >> 8));
}

void irq_controller_init(void)
{
	unsigned i, pin;

	/* The 8259s are moved away from the exception vectors even when they stay masked: they may
	 * still fire spuriously. */
	x86_outb(PIC1, PIC_INIT);
	x86_outb(PIC2, PIC_INIT);
	x86_outb(PIC1 + 1, VECTOR_IRQ0);
	x86_outb(PIC2 + 1, VECTOR_IRQ0 + 8);
	x86_outb(PIC1 + 1, 1 << PIC_CASCADE);
	x86_outb(PIC2 + 1, PIC_CASCADE);
	x86_outb(PIC1 + 1, PIC_8086);
	x86_outb(PIC2 + 1, PIC_8086);
	machine.pic_mask = machine.io_apic_count == 0 ? (uint16_t) ~(1u << PIC_CASCADE) : 0xffff;
	pic_set_mask();
	machine.use_pic = machine.io_apic_count == 0;
	for (i = 0; i < machine.io_apic_count; i++) {
		struct io_apic *apic = &machine.io_apics[i];

		apic->pins = (io_apic_read(apic, IO_APIC_VERSION) >> 16 & 255) + 1;
		for (pin = 0; pin < apic->pins; pin++) {
			io_apic_write(apic, IO_APIC_PIN(pin), PIN_MASKED);
			io_apic_write(apic, IO_APIC_PIN(pin) + 1, 0);
		}
		diag_printf("irq: I/O APIC %u, lines %u to %u\n", i, apic->first_line,
			apic->first_line + apic->pins - 1);
	}
	if (machine.use_pic) {
		diag_printf("irq: no I/O APIC, using the 8259 controllers\n");
	}
}

bool arch_irq_is_edge(unsigned line)
{
	uint32_t pin, flags;

	if (machine.use_pic) {
		return false; /* the 8259 keeps an edge while it is masked */
	}
	find_pin(line, &pin, &flags);
	return (flags & PIN_LEVEL) == 0;
}

void arch_irq_mask(unsigned line)
{
	struct io_apic *apic;
	uint32_t pin, flags;

	if (machine.use_pic) {
		if (line < 16) {
			machine.pic_mask |= (uint16_t)(1u << line);
			pic_set_mask();
		}
		return;
	}
	apic = find_pin(line, &pin, &flags);
	if (apic != NULL) {
		io_apic_write(apic, IO_APIC_PIN(pin), PIN_MASKED | flags | (VECTOR_IRQ0 + line));
	}
}

void arch_irq_unmask(unsigned line)
{
	struct io_apic *apic;
	uint32_t pin, flags;

	if (machine.use_pic) {
		if (line < 16) {
			machine.pic_mask &= (uint16_t) ~(1u << line);
			pic_set_mask();
		}
		return;
	}
	apic = find_pin(line, &pin, &flags);
	if (apic != NULL) {
		/* To processor 0, fixed delivery. */
		io_apic_write(apic, IO_APIC_PIN(pin), flags | (VECTOR_IRQ0 + line));
	}
}

void irq_controller_end(unsigned line)
{
	if (machine.use_pic) {
		if (line >= 8) {
			x86_outb(PIC2, 0x20);
		}
		x86_outb(PIC1, 0x20);
		return;
	}
	apic_end_of_interrupt();
}
