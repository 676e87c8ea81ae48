/* SPDX-License-Identifier: BSD-2-Clause */
/* Polled output on a 16550, for panics and the log port. In normal running the ports belong to the
 * tty driver. */
#include "kernel/arch/x86_64/machine.h"

#include "kernel/arch/x86_64/x86.h"
#include "kernel/state.h"

#define COM1           0x3f8
#define COM2           0x2f8
#define REG_DATA       0
#define REG_INTERRUPTS 1
#define REG_FIFO       2
#define REG_LINE       3
#define REG_MODEM      4
#define REG_STATUS     5
#define LINE_8N1       0x03
#define LINE_DIVISOR   0x80
#define STATUS_EMPTY   0x20
#define SCREEN_BASE    0xb8000
#define SCREEN_COLUMNS 80
#define SCREEN_CELLS   (80 * 25)
#define SCREEN_COLOUR  0x4f /* white on red */
#define SCREEN_BLANK   (SCREEN_COLOUR << 8 | ' ')
#define POLL_LIMIT     100000 /* a port that is not there must not stop a panic */

void serial_init(uint16_t port)
{
	x86_outb(port + REG_INTERRUPTS, 0);
	x86_outb(port + REG_LINE, LINE_DIVISOR);
	x86_outb(port + REG_DATA, 1); /* 115200 */
	x86_outb(port + REG_INTERRUPTS, 0);
	x86_outb(port + REG_LINE, LINE_8N1);
	x86_outb(port + REG_FIFO, 0x07);
	x86_outb(port + REG_MODEM, 0x03);
}

void serial_putc(uint16_t port, char c)
{
	int i;

	for (i = 0; i < POLL_LIMIT && (x86_inb(port + REG_STATUS) & STATUS_EMPTY) == 0; i++) {
	}
	x86_outb(port + REG_DATA, (uint8_t)c);
}

void arch_log_putc(char c)
{
	if (c == '\n') {
		serial_putc(COM2, '\r');
	}
	serial_putc(COM2, c);
}

/* VGA text memory: from the top, wrapping around; the panic text is what is newest. */
static void screen_putc(char c)
{
	static unsigned at;
	volatile uint16_t *screen = arch_phys(SCREEN_BASE);

	if (c == '\n') {
		do {
			screen[at++ % SCREEN_CELLS] = SCREEN_BLANK;
		} while (at % SCREEN_COLUMNS != 0);
		return;
	}
	screen[at++ % SCREEN_CELLS] = (uint16_t)(SCREEN_COLOUR << 8 | (uint8_t)c);
}

void arch_panic_putc(char c)
{
	uint16_t port = kernel.log_port ? COM2 : COM1;

	if (kernel.panic_screen) {
		screen_putc(c);
	}
	if (c == '\n') {
		serial_putc(port, '\r');
	}
	serial_putc(port, c);
}
