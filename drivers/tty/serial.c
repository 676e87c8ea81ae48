/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/tty/serial.h"

#include <errno.h>

#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"

/* register offsets */
#define RBR 0 /* receive buffer (read), transmit holding (write), divisor low (DLAB) */
#define IER 1
#define IIR 2 /* read */
#define FCR 2 /* write */
#define LCR 3
#define MCR 4
#define LSR 5
#define MSR 6
#define SCR 7

#define IER_RECEIVE                0x01
#define IER_TRANSMIT               0x02
#define IER_LINE                   0x04
#define IIR_NONE                   0x01
#define FCR_ENABLE_CLEAR_TRIGGER_8 0x87
#define FCR_ENABLE_TRIGGER_8       0x81
#define LCR_BREAK                  0x40
#define LCR_DLAB                   0x80
#define MCR_DTR_RTS_OUT2           0x0b
#define MCR_LOOP                   0x10
#define LSR_DATA                   0x01
#define LSR_PARITY                 0x04
#define LSR_FRAME                  0x08
#define LSR_BREAK                  0x10
#define LSR_THRE                   0x20
#define LSR_TEMT                   0x40

#define TRANSMIT_ROUNDS 128u /* at most 2 KiB before other work gets a turn */
#define RECEIVE_ROUNDS  4096u
#define SERVICE_ROUNDS  16u

static uint8_t in8(const struct serial *serial, uint32_t reg)
{
	int64_t value = sys_in((uint16_t)(serial->port + reg), DEVIO_8);

	return value < 0 ? 0xff : (uint8_t)value;
}

static void out8(const struct serial *serial, uint32_t reg, uint8_t value)
{
	(void)sys_out((uint16_t)(serial->port + reg), DEVIO_8, value);
}

static void set_interrupts(struct serial *serial, uint8_t enable)
{
	if (serial->interrupt_enable != enable) {
		serial->interrupt_enable = enable;
		out8(serial, IER, enable);
	}
}

/* ---- output ---- */

#define NOT_READ 0xffffffffu

static void serial_send(struct serial *serial)
{
	struct tty_output *out = &serial->line.ld.out;
	uint8_t buf[FIFO_BYTES];
	uint32_t len = (uint32_t)tty_output_peek(out, buf, sizeof(buf), &serial->taken);

	for (uint32_t i = 0; i < len; i++) {
		serial->send[i] = (struct devio_vec){
			(uint16_t)(serial->port + RBR), DEVIO_8 | DEVIO_OUT, buf[i]};
	}
	serial->send[len] = (struct devio_vec){(uint16_t)(serial->port + LSR), DEVIO_8, NOT_READ};
	__atomic_store_n(&serial->sending, len, __ATOMIC_RELEASE);
	(void)sys_vdevio(serial->send, len + 1);
	tty_output_taken(out, &serial->taken);
	__atomic_store_n(&serial->sending, 0, __ATOMIC_RELEASE);
}

/* The predecessor stopped somewhere in serial_send: what the port got is not sent again. */
static void settle_sending(struct serial *serial)
{
	if (serial->sending != 0 && serial->sending <= FIFO_BYTES &&
		serial->send[serial->sending].value != NOT_READ) {
		tty_output_taken(&serial->line.ld.out, &serial->taken);
	}
	serial->sending = 0;
}

static void serial_transmit(struct tty_line *line)
{
	struct serial *serial = line->device_ctx;

	for (uint32_t round = 0; round < TRANSMIT_ROUNDS; round++) {
		if (!tty_output_has_work(&line->ld.out)) {
			set_interrupts(serial, serial->interrupt_enable & (uint8_t)~IER_TRANSMIT);
			return;
		}
		if ((in8(serial, LSR) & LSR_THRE) == 0) {
			break;
		}
		serial_send(serial);
	}
	/* The port raises an interrupt when it takes more; at once if it does already. */
	set_interrupts(serial, serial->interrupt_enable | IER_TRANSMIT);
}

static bool serial_is_idle(struct tty_line *line)
{
	return (in8(line->device_ctx, LSR) & LSR_TEMT) != 0;
}

/* ---- input ---- */

static enum ldisc_mark mark_of(uint8_t status)
{
	if ((status & LSR_BREAK) != 0) {
		return LDISC_BREAK;
	}
	return (status & (LSR_PARITY | LSR_FRAME)) != 0 ? LDISC_PARITY : LDISC_NORMAL;
}

static void serial_receive(struct tty_line *line)
{
	struct serial *serial = line->device_ctx;
	uint8_t status = in8(serial, LSR);

	for (uint32_t i = 0; i < RECEIVE_ROUNDS && (status & LSR_DATA) != 0; i++) {
		struct devio_vec vec[2] = {
			{.port = (uint16_t)(serial->port + RBR), .flags = DEVIO_8},
			{.port = (uint16_t)(serial->port + LSR), .flags = DEVIO_8}};

		if (!ldisc_has_room(&line->ld)) {
			line->is_receive_blocked = true;
			set_interrupts(serial, serial->interrupt_enable & (uint8_t)~IER_RECEIVE);
			return;
		}
		if (sys_vdevio(vec, 2) < 0) {
			return;
		}
		(void)line_input(line, (uint8_t)vec[0].value, mark_of(status));
		status = (uint8_t)vec[1].value;
	}
	set_interrupts(serial, serial->interrupt_enable | IER_RECEIVE);
}

/* ---- settings ---- */

static uint32_t divisor_of(uint32_t cflag)
{
	static const struct {
		uint32_t code;
		uint32_t baud;
	} rates[] = {{1, 50}, {2, 75}, {3, 110}, {4, 134}, {5, 150}, {6, 200}, {7, 300}, {8, 600},
		{9, 1200}, {10, 1800}, {11, 2400}, {12, 4800}, {13, 9600}, {14, 19200}, {15, 38400},
		{0010001, 57600}, {0010002, 115200}};

	for (size_t i = 0; i < AXO_ARRAY_LEN(rates); i++) {
		if (rates[i].code == (cflag & TTY_CBAUD)) {
			return 115200 / rates[i].baud;
		}
	}
	return 1;
}

static void serial_configure(struct tty_line *line)
{
	struct serial *serial = line->device_ctx;
	uint32_t cflag = line->ld.tio.c_cflag;
	uint32_t divisor = divisor_of(cflag);
	uint8_t control = (uint8_t)((cflag & TTY_CSIZE) >> 4);

	control |= (cflag & TTY_CSTOPB) != 0 ? 0x04 : 0;
	if ((cflag & TTY_PARENB) != 0) {
		control |= (cflag & TTY_PARODD) != 0 ? 0x08 : 0x18;
	}
	if ((cflag & TTY_CBAUD) != TTY_B0) {
		out8(serial, LCR, control | LCR_DLAB);
		out8(serial, RBR, (uint8_t)divisor);
		out8(serial, IER, (uint8_t)(divisor >> 8));
	}
	serial->line_control = control;
	out8(serial, LCR, control);
	out8(serial, MCR, (cflag & TTY_CBAUD) == TTY_B0 ? 0x08 : MCR_DTR_RTS_OUT2);
}

static void serial_set_break(struct tty_line *line, bool is_on)
{
	struct serial *serial = line->device_ctx;

	out8(serial, LCR, serial->line_control | (is_on ? LCR_BREAK : 0));
}

static uint32_t serial_modem(struct tty_line *line)
{
	uint8_t status = in8(line->device_ctx, MSR);

	return TTY_TIOCM_DTR | TTY_TIOCM_RTS | ((status & 0x10) != 0 ? TTY_TIOCM_CTS : 0) |
		((status & 0x20) != 0 ? TTY_TIOCM_DSR : 0) |
		((status & 0x80) != 0 ? TTY_TIOCM_CAR : 0);
}

static const struct tty_device_ops serial_ops = {
	.transmit = serial_transmit,
	.receive = serial_receive,
	.configure = serial_configure,
	.is_idle = serial_is_idle,
	.set_break = serial_set_break,
	.modem = serial_modem,
};

/* ---- interrupts ---- */

/* Serves all that the port reports, until its interrupt line is low. */
static void serial_service(struct serial *serial)
{
	for (uint32_t i = 0; i < SERVICE_ROUNDS; i++) {
		uint8_t reason = in8(serial, IIR);

		if ((reason & IIR_NONE) != 0) {
			return;
		}
		serial_receive(&serial->line);
		serial_transmit(&serial->line);
		(void)in8(serial, MSR);
	}
}

/*
 * The line is edge-triggered on a PC and masked since delivery: an edge meanwhile would be lost. So
 * what the port reports is served once more after unmasking; when it reports nothing its output is
 * low, and the next event an edge.
 */
void serial_interrupt(struct serial *serial)
{
	serial_service(serial);
	(void)sys_irqctl(IRQ_ENABLE, serial->irq, serial->hook);
	serial_service(serial);
}

static bool serial_probe(const struct serial *serial)
{
	out8(serial, SCR, 0x5a);
	if (in8(serial, SCR) != 0x5a) {
		return false;
	}
	out8(serial, SCR, 0xa5);
	return in8(serial, SCR) == 0xa5;
}

/* Interrupts come from now on. */
static int start(struct serial *serial)
{
	int r = sys_irqctl(IRQ_SET, serial->irq, serial->hook);

	if (r < 0) {
		diag_printf("no interrupt %d: %d", serial->irq, r);
		return r;
	}
	serial->is_present = true;
	(void)in8(serial, IIR);
	(void)in8(serial, MSR);
	serial->interrupt_enable = 0;
	set_interrupts(serial, IER_RECEIVE | IER_LINE);
	serial_interrupt(serial);
	return 0;
}

int serial_init(struct serial *serial, uint16_t port, int irq, int hook)
{
	serial->port = port;
	serial->irq = irq;
	serial->hook = hook;
	line_init(&serial->line, &serial_ops, serial);
	if (!serial_probe(serial)) {
		return -ENXIO;
	}
	out8(serial, IER, 0);
	out8(serial, FCR, FCR_ENABLE_CLEAR_TRIGGER_8);
	ldisc_default_termios(&serial->line.ld.tio, TTY_B115200);
	serial_configure(&serial->line);
	(void)in8(serial, LSR);
	(void)in8(serial, RBR);
	return start(serial);
}

int serial_adopt(struct serial *serial)
{
	settle_sending(serial);
	line_adopt(&serial->line, &serial_ops, serial);
	out8(serial, IER, 0);
	out8(serial, FCR, FCR_ENABLE_TRIGGER_8);
	serial_configure(&serial->line);
	return start(serial);
}
