/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal driver: /dev/ttyS0 (4,64) on the first serial port, /dev/tty1 (4,1) on VGA screen
 * and PS/2 keyboard when the kernel option console=vga asks for it, /dev/console (5,1) whichever of
 * them it is. VFS calls it (proto/chr.h); it sends signals of keys to PM.
 *
 * State: struct tty, registered with SEF: settings, input that was not read, output that was not
 * sent, foreground group and screen come over. Requests in flight are repeated by VFS.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/tty/console.h"
#include "drivers/tty/ioctl.h"
#include "drivers/tty/serial.h"
#include "lib/drv/chr.h"
#include "lib/drv/driver.h"
#include "lib/drv/option.h"
#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"

#define MAJOR_TTY     4u
#define MAJOR_CONSOLE 5u
#define MINOR_TTY0    0u
#define MINOR_TTY1    1u
#define MINOR_TTYS0   64u
#define MINOR_CONSOLE 1u

#define COM1_PORT     0x3f8
#define COM1_IRQ      4
#define HOOK_COM1     0
#define HOOK_KEYBOARD 1

#define STATE_VERSION 2 /* of struct tty */

struct tty {
	struct serial serial;
	struct console console;
	bool is_console_vga;
	time_ns_t alarm_ns; /* as set with sys_setalarm; 0: none */
};

static struct tty tty;

/* The line behind a device number, or NULL. */
static struct tty_line *find_line(struct tty *t, uint32_t major, uint32_t minor)
{
	struct tty_line *serial = t->serial.is_present ? &t->serial.line : NULL;
	struct tty_line *console = t->console.is_present ? &t->console.line : NULL;

	if (major == MAJOR_CONSOLE && minor == MINOR_CONSOLE) {
		return t->is_console_vga ? console : serial;
	}
	if (major == MAJOR_TTY && minor == MINOR_TTYS0) {
		return serial;
	}
	if (major == MAJOR_TTY && (minor == MINOR_TTY1 || minor == MINOR_TTY0)) {
		return console;
	}
	return NULL;
}

static int64_t tty_open(void *ctx, const struct chr_request *req)
{
	return find_line(ctx, req->major, req->minor) != NULL ? 0 : -ENXIO;
}

static int64_t tty_read(void *ctx, const struct chr_request *req)
{
	struct tty_line *line = find_line(ctx, req->major, req->minor);

	return line != NULL ? line_read(line, req) : -ENXIO;
}

static int64_t tty_write(void *ctx, const struct chr_request *req)
{
	struct tty_line *line = find_line(ctx, req->major, req->minor);

	return line != NULL ? line_write(line, req) : -ENXIO;
}

static int64_t tty_ioctl(void *ctx, const struct chr_request *req)
{
	struct tty_line *line = find_line(ctx, req->major, req->minor);

	return line != NULL ? ioctl_line(line, req) : -ENXIO;
}

static uint32_t tty_poll(void *ctx, const struct chr_request *req)
{
	struct tty_line *line = find_line(ctx, req->major, req->minor);

	return line != NULL ? line_poll(line, req) : 0;
}

static void tty_cancel(void *ctx, endpoint_t client, uint32_t seq)
{
	struct tty *t = ctx;

	if (!line_cancel(&t->serial.line, client, seq)) {
		(void)line_cancel(&t->console.line, client, seq);
	}
}

static void tty_interrupt(void *ctx, uint64_t hooks)
{
	struct tty *t = ctx;

	if ((hooks & 1ull << HOOK_COM1) != 0) {
		serial_interrupt(&t->serial);
	}
	if ((hooks & 1ull << HOOK_KEYBOARD) != 0) {
		console_interrupt(&t->console);
	}
}

static void tty_alarm(void *ctx)
{
	((struct tty *)ctx)->alarm_ns = 0;
}

/* After each message: answers what can be answered, sets the alarm for what time alone ends. */
static void tty_settle(void *ctx)
{
	struct tty *t = ctx;
	time_ns_t deadline = 0;

	if (t->serial.is_present) {
		line_settle(&t->serial.line);
		deadline = line_deadline(&t->serial.line);
	}
	if (t->console.is_present) {
		time_ns_t other;

		line_settle(&t->console.line);
		other = line_deadline(&t->console.line);
		deadline = deadline == 0 || (other != 0 && other < deadline) ? other : deadline;
	}
	if (deadline != t->alarm_ns) {
		t->alarm_ns = deadline;
		(void)sys_setalarm(deadline);
	}
}

/* The kernel option winsize=ROWSxCOLUMNS tells how large the terminal at the other end of the
 * serial line is. */
static void set_serial_size(struct tty_line *line)
{
	char value[16];
	char *end;
	unsigned long rows;
	unsigned long columns;

	if (!option_get("winsize", value, sizeof(value))) {
		return;
	}
	rows = strtoul(value, &end, 10);
	columns = *end == 'x' ? strtoul(end + 1, &end, 10) : 0;
	if (*end == '\0' && rows <= UINT16_MAX && columns <= UINT16_MAX) {
		line->winsize.rows = (uint16_t)rows;
		line->winsize.columns = (uint16_t)columns;
	}
}

/* The devices go on where the predecessor left them. */
static int tty_adopt(struct tty *t)
{
	int r = 0;

	t->alarm_ns = 0;
	if (t->serial.is_present) {
		r = serial_adopt(&t->serial);
	}
	if (r == 0 && t->console.is_present) {
		r = console_adopt(&t->console);
	} else {
		line_adopt(&t->console.line, NULL, NULL);
	}
	tty_settle(t);
	return r;
}

static int tty_init(const struct sef_info *info)
{
	char value[16];
	int r;

	if (info->type != SEF_INIT_FRESH && (tty.serial.is_present || tty.console.is_present)) {
		return tty_adopt(&tty);
	}
	r = serial_init(&tty.serial, COM1_PORT, COM1_IRQ, HOOK_COM1);
	if (r < 0) {
		diag_printf("no serial port: %d", r);
	}
	set_serial_size(&tty.serial.line);
	line_init(&tty.console.line, NULL, NULL);
	if (option_get("console", value, sizeof(value)) && strcmp(value, "vga") == 0) {
		tty.is_console_vga = console_init(&tty.console, HOOK_KEYBOARD) == 0;
	}
	return 0;
}

static const struct chr_driver chr = {
	.open = tty_open,
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
	.cancel = tty_cancel,
};

static const struct driver driver = {
	.ctx = &tty,
	.chr = &chr,
	.interrupt = tty_interrupt,
	.alarm = tty_alarm,
	.settle = tty_settle,
};

int main(void)
{
	sef_on_init(tty_init);
	sef_state("tty", &tty, sizeof(tty), STATE_VERSION, NULL);
	chr_keep_answers();
	sef_start();
	driver_run(&driver);
}
