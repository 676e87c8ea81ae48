/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzer of what terminals are fed: even first byte: the screen's control sequences; odd: typed
 * bytes, settings and reads of the line discipline. Invariants are checked as it goes.
 */
#include <stdlib.h>
#include <string.h>

#include "drivers/tty/keyboard.h"
#include "drivers/tty/ldisc.h"
#include "drivers/tty/vt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore_reply(void *ctx, const char *bytes, size_t len)
{
}

static void ignore_bell(void *ctx)
{
}

static void ignore_signal(void *ctx, int signo)
{
}

static void require(bool condition)
{
	if (!condition) {
		abort();
	}
}

static void fuzz_screen(const uint8_t *data, size_t size)
{
	static const struct vt_ops ops = {.reply = ignore_reply, .bell = ignore_bell};
	static struct vt vt;

	vt_init(&vt, 11, 7, &ops, NULL);
	for (size_t i = 0; i < size; i++) {
		vt_write(&vt, &data[i], 1);
		require(vt_check(&vt));
	}
}

/* Bytes below 0xf0 are typed; the others do something with the line. */
static void fuzz_line(const uint8_t *data, size_t size)
{
	static const struct ldisc_ops ops = {.signal = ignore_signal};
	static struct ldisc ld;
	struct keyboard keyboard;
	uint8_t buf[256];

	keyboard_init(&keyboard);
	ldisc_init(&ld, &ops, NULL);
	for (size_t i = 0; i < size; i++) {
		struct tty_termios tio = ld.tio;

		switch (data[i]) {
		case 0xf0:
			if (i + 4 < size) {
				tio.c_iflag = (uint32_t)(data[i + 1] | data[i + 2] << 8);
				tio.c_lflag = (uint32_t)(data[i + 3] | data[i + 4] << 8);
				tio.c_oflag = data[i + 1];
				ldisc_set_termios(&ld, &tio);
				i += 4;
			}
			break;
		case 0xf1:
			require(ldisc_read(&ld, buf, sizeof(buf)) <= sizeof(buf));
			break;
		case 0xf2:
			require(tty_output_take(&ld.out, buf, sizeof(buf)) <= sizeof(buf));
			break;
		case 0xf3:
			require(ldisc_write(&ld, data, size) <= size);
			break;
		case 0xf4:
			require(keyboard_input(&keyboard, data[size - 1 - i], false, buf) <=
				KEYBOARD_BYTES_MAX);
			break;
		default:
			ldisc_input(&ld, data[i], data[i] >= 0xe8 ? LDISC_PARITY : LDISC_NORMAL);
			break;
		}
		require(ldisc_check(&ld));
		require(tty_output_pending(&ld.out) <= TTY_OUTPUT_SIZE);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2) {
		return 0;
	}
	if (data[0] % 2 == 0) {
		fuzz_screen(data + 1, size - 1);
	} else {
		fuzz_line(data + 1, size - 1);
	}
	return 0;
}
