/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of the virtqueue against a device that answers in any order, and against one that
 * lies. */
#include "lib/drv/virtqueue.h"
#include "lib/drv/option.h"

#include <errno.h>
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

#define SIZE 16

static struct virtqueue vq;
static void *memory;

static void start(void)
{
	free(memory);
	memory = calloc(1, virtqueue_bytes(SIZE));
	CHECK(memory != NULL);
	virtqueue_init(&vq, SIZE, memory);
	CHECK(virtqueue_check(&vq));
}

/* The device's side: answers a chain. */
static void answer(uint32_t head, uint32_t bytes)
{
	vq.used->ring[vq.used->index % SIZE] = (struct virtq_used_element){head, bytes};
	vq.used->index++;
}

static bool add(uint32_t readable, uint32_t writable, uint32_t token)
{
	struct virtqueue_piece pieces[SIZE + 1];
	bool ok;

	for (uint32_t i = 0; i < readable + writable; i++) {
		pieces[i] = (struct virtqueue_piece){0x1000ull * (i + 1), 512};
	}
	ok = virtqueue_add(&vq, pieces, readable, writable, token);
	CHECK(virtqueue_check(&vq));
	return ok;
}

static void test_chain(void)
{
	const struct virtq_desc *d;
	uint32_t token;
	uint32_t written;

	start();
	CHECK(virtqueue_take(&vq, &token, &written) == 0);
	CHECK(add(2, 1, 77));
	CHECK(vq.avail->index == 0);
	CHECK(virtqueue_publish(&vq) && vq.avail->index == 1);
	vq.used->flags = 1;
	CHECK(!virtqueue_publish(&vq));
	d = &vq.desc[vq.avail->ring[0]];
	CHECK(d->address == 0x1000 && d->bytes == 512 && d->flags == 1);
	d = &vq.desc[d->next];
	CHECK(d->address == 0x2000 && d->flags == 1);
	d = &vq.desc[d->next];
	CHECK(d->address == 0x3000 && d->flags == 2);
	answer(vq.avail->ring[0], 100000);
	CHECK(virtqueue_take(&vq, &token, &written) == 1 && token == 77 && written == 512);
	CHECK(virtqueue_take(&vq, &token, &written) == 0 && vq.free_count == SIZE);
	CHECK(virtqueue_check(&vq));
}

static void test_full(void)
{
	start();
	CHECK(!add(0, 0, 0));
	CHECK(!add(SIZE, 1, 0));
	CHECK(add(SIZE - 1, 1, 1));
	CHECK(!add(1, 0, 2));
}

static void test_any_order(void)
{
	uint32_t heads[SIZE];
	uint32_t tokens[SIZE];
	uint32_t count = 0;
	uint32_t seed = 3;

	start();
	for (uint32_t i = 0; i < 300000; i++) {
		uint32_t token;
		uint32_t written;

		seed = seed * 1664525u + 1013904223u;
		if ((seed >> 16) % 2 == 0) {
			uint16_t head = vq.free_head;

			if (add(1 + (seed >> 20) % 3, (seed >> 24) % 3, i)) {
				heads[count] = head;
				tokens[count++] = i;
				(void)virtqueue_publish(&vq);
			}
		} else if (count > 0) {
			uint32_t pick = (seed >> 20) % count;

			answer(heads[pick], 1);
			CHECK(virtqueue_take(&vq, &token, &written) == 1 && token == tokens[pick]);
			CHECK(virtqueue_check(&vq));
			count--;
			heads[pick] = heads[count];
			tokens[pick] = tokens[count];
		}
	}
}

static void test_lies(void)
{
	uint32_t token;
	uint32_t written;

	start();
	CHECK(add(1, 1, 5));
	answer(vq.avail->ring[0] + 1u, 1); /* not a head */
	CHECK(virtqueue_take(&vq, &token, &written) == -EIO);
	start();
	CHECK(add(1, 1, 5));
	answer(0x10000, 1); /* no descriptor */
	CHECK(virtqueue_take(&vq, &token, &written) == -EIO);
	start();
	CHECK(add(1, 1, 5));
	answer(vq.avail->ring[0], 1);
	answer(vq.avail->ring[0], 1); /* twice */
	CHECK(virtqueue_take(&vq, &token, &written) == 1);
	CHECK(virtqueue_take(&vq, &token, &written) == -EIO);
	start();
	vq.used->index = SIZE + 1; /* more than there can be */
	CHECK(virtqueue_take(&vq, &token, &written) == -EIO);
	start();
	CHECK(add(1, 1, 5));
	memset(vq.desc, 0xff, SIZE * sizeof(*vq.desc)); /* the device overwrites the descriptors */
	answer(vq.avail->ring[0], 1);
	CHECK(virtqueue_take(&vq, &token, &written) == 1 && token == 5);
	CHECK(virtqueue_check(&vq));
}

static void test_random_device(void)
{
	uint32_t seed = 11;

	start();
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t token;
		uint32_t written;

		seed = seed * 1664525u + 1013904223u;
		if (seed % 3 == 0) {
			((uint8_t *)memory)[(seed >> 8) % virtqueue_bytes(SIZE)] =
				(uint8_t)(seed >> 24);
		} else if (seed % 3 == 1) {
			(void)add((seed >> 10) % 4, (seed >> 12) % 4, i);
		} else {
			(void)virtqueue_take(&vq, &token, &written);
		}
		CHECK(virtqueue_check(&vq));
	}
}

static void test_option(void)
{
	char value[8];

	CHECK(option_find("a=1 console=vga log", "console", value, sizeof(value)) &&
		strcmp(value, "vga") == 0);
	CHECK(option_find("a=1 console=vga log", "log", value, sizeof(value)) && value[0] == '\0');
	CHECK(!option_find("a=1 consoles=vga", "console", value, sizeof(value)));
	CHECK(option_find("x= x=0123456789", "x", value, sizeof(value)) &&
		strcmp(value, "0123456") == 0);
	CHECK(!option_find("", "x", value, sizeof(value)));
}

int main(void)
{
	test_chain();
	test_full();
	test_any_order();
	test_lies();
	test_random_device();
	test_option();
	free(memory);
	printf("virtqueue: ok\n");
	return 0;
}
