/* SPDX-License-Identifier: BSD-2-Clause */
#include "keyboard.h"

#include <string.h>

#define PREFIX       0xe0
#define PAUSE_PREFIX 0xe1
#define PAUSE_REST   2
#define RELEASE      0x80

enum key {
	KEY_CONTROL = 0x1d,
	KEY_SHIFT_LEFT = 0x2a,
	KEY_SHIFT_RIGHT = 0x36,
	KEY_ALT = 0x38,
	KEY_CAPS_LOCK = 0x3a,
	KEY_F1 = 0x3b,
	KEY_F10 = 0x44,
	KEY_NUM_LOCK = 0x45,
	KEY_PAD_FIRST = 0x47,
	KEY_PAD_LAST = 0x53,
	KEY_F11 = 0x57,
	KEY_F12 = 0x58,
	KEY_TAB = 0x0f,
	KEY_ENTER = 0x1c,
	KEY_SLASH = 0x35
};

/* US layout by scan code, plain and with shift. */
static const char plain[] = "\0\033"
			    "1234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033"
			      "!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

/* The key left of Z on keyboards with 102 keys. */
#define KEY_102 0x56

/* Number pad 0x47 to 0x53 with num lock. */
static const char pad_numbers[] = "789-456+1230.";

/* Number pad without num lock, and the keys with prefix at the same codes. */
static const char *const pad_keys[] = {"\033[1~", "\033[A", "\033[5~", NULL, "\033[D", "\033[G",
	"\033[C", NULL, "\033[4~", "\033[B", "\033[6~", "\033[2~", "\033[3~"};

static const char *const function_keys[] = {"\033[[A", "\033[[B", "\033[[C", "\033[[D", "\033[[E",
	"\033[17~", "\033[18~", "\033[19~", "\033[20~", "\033[21~", "\033[23~", "\033[24~"};

void keyboard_init(struct keyboard *kbd)
{
	memset(kbd, 0, sizeof(*kbd));
	kbd->is_num_lock = true;
}

static size_t put_text(const char *text, uint8_t *bytes)
{
	size_t len = strlen(text);

	memcpy(bytes, text, len);
	return len;
}

/* A key that has a character; control and alt change it. */
static size_t put_character(const struct keyboard *kbd, char c, uint8_t *bytes)
{
	size_t n = 0;
	uint8_t byte = (uint8_t)c;

	if (kbd->is_control_left || kbd->is_control_right) {
		if ((byte >= '@' && byte <= '_') || (byte >= 'a' && byte <= 'z')) {
			byte &= 0x1f;
		} else if (byte == ' ' || byte == '2') {
			byte = 0;
		} else if (byte == '/' || byte == '?' || byte == '7') {
			byte = byte == '?' ? 0x7f : 0x1f;
		} else if (byte >= '3' && byte <= '6') {
			byte = (uint8_t)(byte - '3' + 0x1b);
		} else if (byte == '8') {
			byte = 0x7f;
		}
	}
	if (kbd->is_alt) {
		bytes[n++] = 0x1b;
	}
	bytes[n++] = byte;
	return n;
}

static size_t put_pad(const char *text, bool has_application_keys, uint8_t *bytes)
{
	size_t n;

	if (text == NULL) {
		return 0;
	}
	n = put_text(text, bytes);
	if (has_application_keys && n == 3 && bytes[2] >= 'A' && bytes[2] <= 'D') {
		bytes[1] = 'O';
	}
	return n;
}

/* Modifier keys; false if the key is none. */
static bool keyboard_modifier(struct keyboard *kbd, uint8_t key, bool is_down, bool has_prefix)
{
	switch (key) {
	case KEY_SHIFT_LEFT:
	case KEY_SHIFT_RIGHT:
		if (!has_prefix) { /* with a prefix they are part of other keys' codes */
			*(key == KEY_SHIFT_LEFT ? &kbd->is_shift_left : &kbd->is_shift_right) =
				is_down;
		}
		return true;
	case KEY_CONTROL:
		*(has_prefix ? &kbd->is_control_right : &kbd->is_control_left) = is_down;
		return true;
	case KEY_ALT:
		kbd->is_alt = is_down;
		return true;
	case KEY_CAPS_LOCK:
		kbd->is_caps_lock ^= is_down;
		return true;
	case KEY_NUM_LOCK:
		kbd->is_num_lock ^= is_down;
		return true;
	default:
		return false;
	}
}

static size_t keyboard_prefixed(
	const struct keyboard *kbd, uint8_t key, bool has_application_keys, uint8_t *bytes)
{
	if (key == KEY_ENTER) {
		return put_character(kbd, '\r', bytes);
	}
	if (key == KEY_SLASH) {
		return put_character(kbd, '/', bytes);
	}
	if (key >= KEY_PAD_FIRST && key <= KEY_PAD_LAST && key != 0x4c) {
		return put_pad(pad_keys[key - KEY_PAD_FIRST], has_application_keys, bytes);
	}
	return 0;
}

static size_t keyboard_plain(
	const struct keyboard *kbd, uint8_t key, bool has_application_keys, uint8_t *bytes)
{
	bool is_shift = kbd->is_shift_left || kbd->is_shift_right;
	char c;

	if (key >= KEY_PAD_FIRST && key <= KEY_PAD_LAST) {
		uint32_t index = key - KEY_PAD_FIRST;

		if (pad_keys[index] == NULL || kbd->is_num_lock) {
			return put_character(kbd, pad_numbers[index], bytes);
		}
		return put_pad(pad_keys[index], has_application_keys, bytes);
	}
	if (key >= KEY_F1 && key <= KEY_F10) {
		return put_text(function_keys[key - KEY_F1], bytes);
	}
	if (key == KEY_F11 || key == KEY_F12) {
		return put_text(function_keys[10 + key - KEY_F11], bytes);
	}
	if (key == KEY_TAB && is_shift) {
		return put_text("\033[Z", bytes);
	}
	if (key == KEY_102) {
		return put_character(kbd, is_shift ? '>' : '<', bytes);
	}
	if (key >= sizeof(plain) - 1 || plain[key] == 0) {
		return 0;
	}
	c = plain[key];
	if (kbd->is_caps_lock && c >= 'a' && c <= 'z') {
		is_shift = !is_shift;
	}
	return put_character(kbd, is_shift ? shifted[key] : c, bytes);
}

size_t keyboard_input(struct keyboard *kbd, uint8_t scan, bool has_application_keys, uint8_t *bytes)
{
	bool has_prefix = kbd->has_prefix;
	uint8_t key = scan & (RELEASE - 1);
	bool is_down = (scan & RELEASE) == 0;

	if (kbd->skip > 0) {
		kbd->skip--;
		return 0;
	}
	kbd->has_prefix = scan == PREFIX;
	if (scan == PREFIX) {
		return 0;
	}
	if (scan == PAUSE_PREFIX) {
		kbd->skip = PAUSE_REST;
		return 0;
	}
	if (keyboard_modifier(kbd, key, is_down, has_prefix) || !is_down) {
		return 0;
	}
	return has_prefix ? keyboard_prefixed(kbd, key, has_application_keys, bytes)
			  : keyboard_plain(kbd, key, has_application_keys, bytes);
}
