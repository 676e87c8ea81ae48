/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of the clock chip's formats. */
#include "drivers/rtc/cmos.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                        \
		}                                                                       \
	} while (0)

static void test_round_trip(uint8_t status_b)
{
	for (time_t t = 0; t < 4102444800; t += 86400 * 11 + 3607) {
		struct tm *tm = gmtime(&t);
		struct rtc_time in = {tm->tm_sec, tm->tm_min, tm->tm_hour, tm->tm_mday, tm->tm_mon,
			tm->tm_year, tm->tm_wday, 0, 0};
		struct cmos_time raw = {.status_b = status_b};
		struct rtc_time out;

		CHECK(cmos_encode(&in, &raw));
		CHECK(cmos_decode(&raw, &out));
		CHECK(memcmp(&in, &out, sizeof(in)) == 0);
	}
}

static void test_bad(void)
{
	struct rtc_time time = {.day = 31, .month = 1, .year = 100};
	struct cmos_time raw = {.month = 13, .day = 1, .year = 20, .century = 20, .status_b = 6};

	CHECK(!cmos_encode(&time, &raw));
	raw.month = 13;
	CHECK(!cmos_decode(&raw, &time));
	raw.month = 2;
	raw.day = 29;
	CHECK(cmos_decode(&raw, &time) && time.week_day == 6);
	raw.year = 21;
	CHECK(!cmos_decode(&raw, &time));
	raw = (struct cmos_time){.day = 1, .month = 1, .year = 99, .status_b = 6};
	CHECK(cmos_decode(&raw, &time) && time.year == 99);
}

int main(void)
{
	test_round_trip(0);
	test_round_trip(2);
	test_round_trip(4);
	test_round_trip(6);
	test_bad();
	printf("cmos: ok\n");
	return 0;
}
