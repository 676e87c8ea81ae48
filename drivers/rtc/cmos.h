/* SPDX-License-Identifier: BSD-2-Clause */
/* The PC's battery-backed clock (Motorola MC146818A) and its conversion. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* As Linux's struct rtc_time: 36 bytes. */
struct rtc_time {
	int32_t second;
	int32_t minute;
	int32_t hour;
	int32_t day;      /* of the month, from 1 */
	int32_t month;    /* from 0 */
	int32_t year;     /* since 1900 */
	int32_t week_day; /* 0: Sunday */
	int32_t year_day; /* unused */
	int32_t is_dst;   /* unused */
};
_Static_assert(sizeof(struct rtc_time) == 36, "struct rtc_time of Linux");

/* The clock's registers as they are in the chip. */
struct cmos_time {
	uint8_t second, minute, hour, day, month, year, century;
	uint8_t status_b;
};

/* Registers to time; false if they make no date. */
bool cmos_decode(const struct cmos_time *raw, struct rtc_time *time);

/* Time to registers, in the format that status_b says; false if the time is no date that the chip
 * can hold. */
bool cmos_encode(const struct rtc_time *time, struct cmos_time *raw);
