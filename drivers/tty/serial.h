/* SPDX-License-Identifier: BSD-2-Clause */
/* A 16550 serial port (National Semiconductor PC16550D data sheet) as a terminal's device. */
#pragma once

#include "abi/kcall.h"
#include "drivers/tty/line.h"

#define FIFO_BYTES 16u

struct serial {
	uint16_t port; /* first of eight I/O ports */
	int irq;
	int hook; /* irq hook id */
	bool is_present;
	uint8_t interrupt_enable; /* IER as last written */
	uint8_t line_control;     /* LCR as last written */
	/* The last bytes for the port. They are given in one kernel call, whose last access reads:
	 * its value tells whether the call was made. */
	uint32_t sending; /* how many; 0: none */
	struct tty_output_taken taken;
	struct devio_vec send[FIFO_BYTES + 1];
	struct tty_line line;
};

/* Sets up the port at 115200 baud with interrupts; -ENXIO if there is none. */
int serial_init(struct serial *serial, uint16_t port, int irq, int hook);

/* *serial is that of a predecessor, which may have stopped anywhere: the port goes on with its
 * settings, and with the bytes that it holds. */
int serial_adopt(struct serial *serial);

/* Its interrupt came. */
void serial_interrupt(struct serial *serial);
