/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of the VGA terminal emulator and the keyboard. */
#include "drivers/tty/keyboard.h"
#include "drivers/tty/vt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

static struct vt vt;
static char replied[256];
static int bells;

static void note_reply(void *ctx, const char *bytes, size_t len)
{
	(void)ctx;
	CHECK(len < sizeof(replied));
	memcpy(replied, bytes, len);
	replied[len] = '\0';
}

static void note_bell(void *ctx)
{
	(void)ctx;
	bells++;
}

static const struct vt_ops ops = {.reply = note_reply, .bell = note_bell};

static void start(void)
{
	vt_init(&vt, 20, 5, &ops, NULL);
	replied[0] = '\0';
}

static void put(const char *text)
{
	vt_write(&vt, (const uint8_t *)text, strlen(text));
	CHECK(vt_check(&vt));
}

/* The text of a row without the blanks at its end. */
static const char *row(uint32_t y)
{
	static char text[VT_COLUMNS_MAX + 1];
	uint32_t len = 0;

	for (uint32_t x = 0; x < vt.columns; x++) {
		text[x] = (char)(vt_row(&vt, y)[x] & 0xff);
		if (text[x] != ' ') {
			len = x + 1;
		}
	}
	text[len] = '\0';
	return text;
}

static bool is_row(uint32_t y, const char *text)
{
	return strcmp(row(y), text) == 0;
}

static void test_text(void)
{
	start();
	put("hello\r\nworld\b\bX");
	CHECK(is_row(0, "hello") && is_row(1, "worXd"));
	put("\r\n\tT\a");
	CHECK(is_row(2, "        T") && bells == 1);
	put("\r\n12345678901234567890");
	CHECK(vt.is_wrap_pending && vt.cursor.y == 3);
	put("ab");
	CHECK(is_row(4, "ab") && is_row(3, "12345678901234567890"));
	put("\n\n");
	CHECK(is_row(0, "        T") && is_row(2, "ab"));
	start();
	put("\303\244\342\224\200x\377y\342\202z");
	CHECK((vt_row(&vt, 0)[0] & 0xff) == 0x84 && (vt_row(&vt, 0)[1] & 0xff) == 0xc4);
	CHECK((vt_row(&vt, 0)[3] & 0xff) == '?' && (vt_row(&vt, 0)[5] & 0xff) == '?');
	CHECK((vt_row(&vt, 0)[6] & 0xff) == 'z');
}

static void test_cursor(void)
{
	start();
	put("\033[3;5Hx\033[A\033[2Dy\033[99;99Hz\033[Hq\033[2;2fr\033[5Gs\033[5dt");
	CHECK(is_row(2, "    x") && is_row(1, " r ys"));
	CHECK(is_row(0, "q") && vt.cursor.y == 4);
	put("\033[6n");
	CHECK(strcmp(replied, "\033[5;7R") == 0);
	put("\033[5n");
	CHECK(strcmp(replied, "\033[0n") == 0);
	put("\033[c");
	CHECK(strcmp(replied, "\033[?6c") == 0);
	put("\0337\033[1;1H\0338");
	CHECK(vt.cursor.y == 4 && vt.cursor.x == 6);
	put("\033[?25l");
	CHECK(!vt.is_cursor_visible);
	put("\033[?1h");
	CHECK(vt.has_application_keys);
}

static void test_erase(void)
{
	start();
	put("abcdef\r\nghijkl\r\nmnopqr\033[2;3H\033[K");
	CHECK(is_row(1, "gh"));
	put("\033[1;3H\033[1K");
	CHECK(is_row(0, "   def"));
	put("\033[2;1H\033[J");
	CHECK(is_row(0, "   def") && is_row(1, "") && is_row(2, ""));
	put("\033[2J");
	CHECK(is_row(0, ""));
	put("\033[1;1Habcdef\033[1;2H\033[2@");
	CHECK(is_row(0, "a  bcdef"));
	put("\033[3P");
	CHECK(is_row(0, "acdef"));
	put("\033[2X");
	CHECK(is_row(0, "a  ef"));
	put("\033[1;1H\033[4hZ\033[4l");
	CHECK(is_row(0, "Za  ef"));
	put("\033[1;1H-\033[4b");
	CHECK(is_row(0, "-----f"));
}

static void test_region(void)
{
	start();
	put("1\r\n2\r\n3\r\n4\r\n5\033[2;4r\033[4;1H\n");
	CHECK(is_row(0, "1") && is_row(1, "3") && is_row(2, "4") && is_row(3, "") &&
		is_row(4, "5"));
	put("\033[2;1H\033M");
	CHECK(is_row(1, "") && is_row(2, "3") && is_row(3, "4") && is_row(4, "5"));
	put("\033[3;1H\033[L");
	CHECK(is_row(2, "") && is_row(3, "3"));
	put("\033[M");
	CHECK(is_row(2, "3") && is_row(3, ""));
	put("\033[?6h\033[1;1Ho\033[?6l");
	CHECK(is_row(1, "o"));
	put("\033[r\033[2S");
	CHECK(is_row(0, "3") && is_row(2, "5"));
	put("\033[T");
	CHECK(is_row(1, "3"));
}

static void test_attributes(void)
{
	start();
	put("\033[31;44mA\033[1mB\033[7mC\033[0mD\033[38;5;9mE\033[m\033[97mF");
	CHECK(vt_row(&vt, 0)[0] >> 8 == 0x14);
	CHECK(vt_row(&vt, 0)[1] >> 8 == 0x1c);
	CHECK(vt_row(&vt, 0)[2] >> 8 == 0x49);
	CHECK(vt_row(&vt, 0)[3] >> 8 == 0x07);
	CHECK(vt_row(&vt, 0)[4] >> 8 == 0x0c);
	CHECK(vt_row(&vt, 0)[5] >> 8 == 0x0f);
}

static void test_odd_sequences(void)
{
	start();
	put("\033]0;title\aA\033]P1234567B\033Pq#\033\\C\033(0q\033(BD\033[[AE\033[>cF\033%GG");
	CHECK((vt_row(&vt, 0)[3] & 0xff) == 0xc4);
	vt.cells[3] = 'q';
	CHECK(is_row(0, "ABCqDEFG"));
	put("\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18mH\033[12\0301\033#8");
	CHECK(is_row(4, "EEEEEEEEEEEEEEEEEEEE"));
	put("\033c");
	CHECK(is_row(4, "") && vt.cursor.x == 0);
}

static void test_random_bytes(void)
{
	static const char letters[] =
		"\033\033\033[[[;;?0123456789ABCDEFGHJKLMPSTXZ@abcdefghlmnrsu`()#78cMP]\\\r\n\t\b";
	uint32_t seed = 7;

	start();
	for (int i = 0; i < 2000000; i++) {
		uint8_t c;

		seed = seed * 1664525u + 1013904223u;
		c = (uint8_t)(seed >> 24);
		if (seed % 7 != 0) {
			c = (uint8_t)letters[(seed >> 10) % (sizeof(letters) - 1)];
		}
		vt_write(&vt, &c, 1);
		CHECK(vt_check(&vt));
	}
}

static const char *press(struct keyboard *kbd, const char *scans, bool has_application_keys)
{
	static char out[64];
	size_t n = 0;

	for (size_t i = 0; scans[i] != '\0'; i++) {
		uint8_t bytes[KEYBOARD_BYTES_MAX];
		size_t count = keyboard_input(kbd, (uint8_t)scans[i], has_application_keys, bytes);

		memcpy(out + n, bytes, count);
		n += count;
	}
	out[n] = '\0';
	return out;
}

static void test_keyboard(void)
{
	struct keyboard kbd;
	uint8_t bytes[KEYBOARD_BYTES_MAX];

	keyboard_init(&kbd);
	CHECK(strcmp(press(&kbd, "\x1e\x9e\x30\xb0", false), "ab") == 0);
	CHECK(strcmp(press(&kbd, "\x2a\x1e\x9e\x02\xaa\x1e", false), "A!a") == 0);
	CHECK(strcmp(press(&kbd, "\x3a\xba\x1e\x02\x2a\x1e\xaa\x3a\xba\x1e", false), "A1aa") == 0);
	CHECK(strcmp(press(&kbd, "\x1d\x2e\xae\x9d\x2e", false), "\003c") == 0);
	CHECK(strcmp(press(&kbd, "\x38\x1e\xb8", false), "\033a") == 0);
	CHECK(strcmp(press(&kbd, "\xe0\x48\xe0\xc8\xe0\x4b", false), "\033[A\033[D") == 0);
	CHECK(strcmp(press(&kbd, "\xe0\x48", true), "\033OA") == 0);
	CHECK(strcmp(press(&kbd, "\x3b\x58\xe0\x53\xe0\x1c\x0e", false),
		      "\033[[A\033[24~\033[3~\r\177") == 0);
	CHECK(strcmp(press(&kbd, "\x47\x45\xc5\x47\x45", false), "7\033[1~") == 0);
	CHECK(strcmp(press(&kbd, "\xe1\x1d\x45\xe1\x9d\xc5\x1e", false), "a") == 0);
	CHECK(strcmp(press(&kbd, "\xe0\x2a\xe0\x48\xe0\xaa", false), "\033[A") == 0);
	for (uint32_t i = 0; i < 256; i++) {
		for (uint32_t j = 0; j < 256; j++) {
			CHECK(keyboard_input(&kbd, (uint8_t)i, false, bytes) <= KEYBOARD_BYTES_MAX);
			CHECK(keyboard_input(&kbd, (uint8_t)j, true, bytes) <= KEYBOARD_BYTES_MAX);
		}
	}
}

int main(void)
{
	test_text();
	test_cursor();
	test_erase();
	test_region();
	test_attributes();
	test_odd_sequences();
	test_random_bytes();
	test_keyboard();
	printf("vt: ok\n");
	return 0;
}
