/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/tty/console.h"

#include <errno.h>

#include "drivers/tty/vt_screen.h"
#include "lib/sys/diag.h"
#include "lib/sys/kcall.h"
#include "lib/sys/vm.h"

#define VIDEO_PADDR   0xb8000ul
#define VIDEO_BYTES   0x8000ul
#define COLUMNS       80u
#define ROWS          25u
#define CURSOR_HIDDEN UINT32_MAX

/* VGA CRT controller: index and data port */
#define CRTC_INDEX        0x3d4
#define CRTC_DATA         0x3d5
#define CRTC_START_HIGH   0x0c
#define CRTC_START_LOW    0x0d
#define CRTC_CURSOR_START 0x0a
#define CRTC_CURSOR_HIGH  0x0e
#define CRTC_CURSOR_LOW   0x0f
#define CURSOR_OFF        0x20
#define CURSOR_SHAPE      0x0d

/* i8042 keyboard controller */
#define KBD_DATA             0x60
#define KBD_STATUS           0x64
#define KBD_COMMAND          0x64
#define KBD_OUTPUT_FULL      0x01
#define KBD_INPUT_FULL       0x02
#define KBD_FROM_MOUSE       0x20
#define KBD_READ_CONFIG      0x20
#define KBD_WRITE_CONFIG     0x60
#define KBD_ENABLE           0xae
#define KBD_CONFIG_IRQ       0x01
#define KBD_CONFIG_DISABLED  0x10
#define KBD_CONFIG_TRANSLATE 0x40
#define KBD_IRQ              1
#define KBD_ROUNDS           256u
#define KBD_WAIT_ROUNDS      10000u

/* ---- screen ---- */

static void crtc_write(uint8_t index, uint8_t value)
{
	struct devio_vec vec[2] = {
		{.port = CRTC_INDEX, .flags = DEVIO_8 | DEVIO_OUT, .value = index},
		{.port = CRTC_DATA, .flags = DEVIO_8 | DEVIO_OUT, .value = value},
	};

	(void)sys_vdevio(vec, 2);
}

static void show_cursor(struct console *console)
{
	const struct vt *vt = &console->vt;
	uint32_t cell =
		vt->is_cursor_visible ? vt->cursor.y * vt->columns + vt->cursor.x : CURSOR_HIDDEN;

	if (cell == console->shown_cursor) {
		return;
	}
	console->shown_cursor = cell;
	crtc_write(CRTC_CURSOR_START, cell == CURSOR_HIDDEN ? CURSOR_OFF : CURSOR_SHAPE);
	if (cell != CURSOR_HIDDEN) {
		crtc_write(CRTC_CURSOR_HIGH, (uint8_t)(cell >> 8));
		crtc_write(CRTC_CURSOR_LOW, (uint8_t)cell);
	}
}

static void show_rows(struct console *console)
{
	struct vt *vt = &console->vt;

	for (uint32_t row = 0; row < vt->rows; row++) {
		const vt_cell_t *cells = vt_row(vt, row);

		if ((vt->dirty & 1ull << row) == 0) {
			continue;
		}
		for (uint32_t x = 0; x < vt->columns; x++) {
			console->video[row * vt->columns + x] = cells[x];
		}
	}
	vt->dirty = 0;
}

static void console_transmit(struct tty_line *line)
{
	struct console *console = line->device_ctx;
	uint8_t buf[512];
	size_t len;

	while ((len = tty_output_take(&line->ld.out, buf, sizeof(buf))) > 0) {
		vt_write(&console->vt, buf, len);
	}
	show_rows(console);
	show_cursor(console);
}

static bool console_is_idle(struct tty_line *line)
{
	return true;
}

/* ---- keyboard ---- */

static uint8_t in8(uint16_t port)
{
	int64_t value = sys_in(port, DEVIO_8);

	return value < 0 ? 0 : (uint8_t)value;
}

static void console_receive(struct tty_line *line)
{
	struct console *console = line->device_ctx;

	for (uint32_t i = 0; i < KBD_ROUNDS; i++) {
		uint8_t bytes[KEYBOARD_BYTES_MAX];
		uint8_t status = in8(KBD_STATUS);
		size_t count;

		if ((status & KBD_OUTPUT_FULL) == 0) {
			return;
		}
		count = keyboard_input(
			&console->keyboard, in8(KBD_DATA), console->vt.has_application_keys, bytes);
		if ((status & KBD_FROM_MOUSE) != 0) {
			continue;
		}
		for (size_t j = 0; j < count; j++) {
			/* A keyboard cannot be held back: what has no room is lost, as on any
			 * console. */
			(void)line_input(line, bytes[j], LDISC_NORMAL);
		}
	}
}

void console_interrupt(struct console *console)
{
	console_receive(&console->line);
	(void)sys_irqctl(IRQ_ENABLE, KBD_IRQ, console->hook);
	console_receive(
		&console->line); /* an edge while masked would be lost: see serial_interrupt */
}

static const struct tty_device_ops console_ops = {
	.transmit = console_transmit,
	.receive = console_receive,
	.is_idle = console_is_idle,
};

static void vt_answers(void *ctx, const char *bytes, size_t len)
{
	struct console *console = ctx;

	for (size_t i = 0; i < len; i++) {
		(void)line_input(&console->line, (uint8_t)bytes[i], LDISC_NORMAL);
	}
}

static void vt_rings(void *ctx)
{
	/* No speaker is driven. */
}

static const struct vt_ops vt_ops = {.reply = vt_answers, .bell = vt_rings};

/* ---- start ---- */

static int keyboard_send(uint16_t port, uint8_t value)
{
	for (uint32_t i = 0; i < KBD_WAIT_ROUNDS; i++) {
		if ((in8(KBD_STATUS) & KBD_INPUT_FULL) == 0) {
			return sys_out(port, DEVIO_8, value);
		}
	}
	return -EIO;
}

static int keyboard_wait(uint8_t *value)
{
	for (uint32_t i = 0; i < KBD_WAIT_ROUNDS; i++) {
		if ((in8(KBD_STATUS) & KBD_OUTPUT_FULL) != 0) {
			*value = in8(KBD_DATA);
			return 0;
		}
	}
	return -EIO;
}

/* Switches the keyboard on, with interrupts and translation to scan-code set 1. */
static int keyboard_start(void)
{
	uint8_t config;

	for (uint32_t i = 0; i < KBD_ROUNDS && (in8(KBD_STATUS) & KBD_OUTPUT_FULL) != 0; i++) {
		(void)in8(KBD_DATA);
	}
	if (keyboard_send(KBD_COMMAND, KBD_ENABLE) < 0 ||
		keyboard_send(KBD_COMMAND, KBD_READ_CONFIG) < 0 || keyboard_wait(&config) < 0) {
		return -EIO;
	}
	config = (uint8_t)((config | KBD_CONFIG_IRQ | KBD_CONFIG_TRANSLATE) & ~KBD_CONFIG_DISABLED);
	if (keyboard_send(KBD_COMMAND, KBD_WRITE_CONFIG) < 0) {
		return -EIO;
	}
	return keyboard_send(KBD_DATA, config);
}

/* The devices, set from what the rest of *console says. */
static int start(struct console *console)
{
	void *video;
	int r = vm_map_phys(VIDEO_PADDR, VIDEO_BYTES, 0, &video);

	if (r < 0) {
		diag_printf("cannot map the screen: %d", r);
		return r;
	}
	console->video = video;
	crtc_write(CRTC_START_HIGH, 0);
	crtc_write(CRTC_START_LOW, 0);
	console->shown_cursor = CURSOR_HIDDEN - 1;
	vt_screen_touch(&console->vt);
	show_rows(console);
	show_cursor(console);
	r = keyboard_start();
	if (r < 0) {
		diag_printf("no keyboard: %d", r);
	}
	r = sys_irqctl(IRQ_SET, KBD_IRQ, console->hook);
	if (r < 0) {
		diag_printf("no interrupt %d: %d", KBD_IRQ, r);
		return r;
	}
	console->is_present = true;
	console_interrupt(console);
	return 0;
}

int console_init(struct console *console, int hook)
{
	console->hook = hook;
	line_init(&console->line, &console_ops, console);
	console->line.winsize = (struct tty_winsize){.rows = ROWS, .columns = COLUMNS};
	console->line.ld.tio.c_iflag |= TTY_IUTF8;
	keyboard_init(&console->keyboard);
	vt_init(&console->vt, COLUMNS, ROWS, &vt_ops, console);
	return start(console);
}

int console_adopt(struct console *console)
{
	line_adopt(&console->line, &console_ops, console);
	console->vt.ops = &vt_ops;
	console->vt.ctx = console;
	if (!vt_check(&console->vt)) {
		vt_init(&console->vt, COLUMNS, ROWS, &vt_ops, console);
	}
	keyboard_init(&console->keyboard); /* keys held down are let go */
	return start(console);
}
