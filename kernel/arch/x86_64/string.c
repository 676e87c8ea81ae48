/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory and string functions that compilers and the kernel use; compiled for both parts of the
 * image. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static void string_copy(void *to, const void *from, size_t bytes)
{
	size_t words = bytes / 8;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	bytes &= 7;
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	void *start = to;
	uint64_t *t = to;
	const uint64_t *f = from;

	/* By 64 bytes: under an emulator a string instruction takes its time for each word. */
	for (; bytes >= 64; bytes -= 64, t += 8, f += 8) {
		uint64_t a = f[0], b = f[1], c = f[2], d = f[3];

		t[0] = a;
		t[1] = b;
		t[2] = c;
		t[3] = d;
		a = f[4];
		b = f[5];
		c = f[6];
		d = f[7];
		t[4] = a;
		t[5] = b;
		t[6] = c;
		t[7] = d;
	}
	string_copy(t, f, bytes);
	return start;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	char *d = to;
	const char *s = from;

	if (d + bytes <= s || d >= s + bytes) {
		return memcpy(to, from, bytes);
	}
	if (d <= s) {
		string_copy(to, from, bytes); /* strictly upward */
		return to;
	}
	while (bytes-- > 0) {
		d[bytes] = s[bytes];
		__asm__ volatile(""
				 :
				 :
				 : "memory"); /* keep the compiler from calling memmove here */
	}
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	void *start = to;
	uint64_t word = 0x0101010101010101ul * (uint8_t)value;
	size_t words = bytes / 8;

	__asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(word) : "memory");
	bytes &= 7;
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(word) : "memory");
	return start;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *x = a, *y = b;

	for (; bytes > 0; bytes--, x++, y++) {
		if (*x != *y) {
			return *x - *y;
		}
	}
	return 0;
}

size_t strlen(const char *text)
{
	size_t len = 0;

	while (text[len] != '\0') {
		len++;
	}
	return len;
}

int strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (; max > 0; max--, a++, b++) {
		if (*a != *b || *a == '\0') {
			return (unsigned char)*a - (unsigned char)*b;
		}
	}
	return 0;
}
