/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/rtc/cmos.h"

#define STATUS_24H    0x02
#define STATUS_BINARY 0x04
#define HOUR_PM       0x80
#define FIRST_YEAR    1970
#define LAST_YEAR     2399

static int32_t from_bcd(uint8_t value, bool is_binary)
{
	return is_binary ? value : (value >> 4) * 10 + (value & 0x0f);
}

static uint8_t to_bcd(int32_t value, bool is_binary)
{
	return (uint8_t)(is_binary ? value : value / 10 << 4 | value % 10);
}

static bool is_leap(int32_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int32_t days_of(int32_t month, int32_t year)
{
	static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month] + (month == 1 && is_leap(year) ? 1 : 0);
}

/* Day of the week of a date (month from 0): 0 is Sunday. */
static int32_t week_day_of(int32_t year, int32_t month, int32_t day)
{
	static const uint8_t shift[12] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};

	year -= month < 2 ? 1 : 0;
	return (year + year / 4 - year / 100 + year / 400 + shift[month] + day) % 7;
}

static bool is_valid(const struct rtc_time *time)
{
	int32_t year = time->year + 1900;

	return time->year >= FIRST_YEAR - 1900 && time->year <= LAST_YEAR - 1900 &&
		time->month >= 0 && time->month < 12 && time->day >= 1 &&
		time->day <= days_of(time->month, year) && time->hour >= 0 && time->hour < 24 &&
		time->minute >= 0 && time->minute < 60 && time->second >= 0 && time->second < 60;
}

bool cmos_decode(const struct cmos_time *raw, struct rtc_time *time)
{
	bool is_binary = (raw->status_b & STATUS_BINARY) != 0;
	bool is_24h = (raw->status_b & STATUS_24H) != 0;
	int32_t century = from_bcd(raw->century, is_binary);
	int32_t hour = from_bcd(is_24h ? raw->hour : raw->hour & (uint8_t)~HOUR_PM, is_binary);

	if (!is_24h) {
		hour = hour % 12 + ((raw->hour & HOUR_PM) != 0 ? 12 : 0);
	}
	if (century < 19 || century > 23) {
		century = from_bcd(raw->year, is_binary) < FIRST_YEAR % 100
			? 20
			: 19; /* there is no such register */
	}
	*time = (struct rtc_time){.second = from_bcd(raw->second, is_binary),
		.minute = from_bcd(raw->minute, is_binary),
		.hour = hour,
		.day = from_bcd(raw->day, is_binary),
		.month = from_bcd(raw->month, is_binary) - 1,
		.year = century * 100 + from_bcd(raw->year, is_binary) - 1900};
	if (!is_valid(time)) {
		return false;
	}
	time->week_day = week_day_of(time->year + 1900, time->month, time->day);
	return true;
}

bool cmos_encode(const struct rtc_time *time, struct cmos_time *raw)
{
	bool is_binary = (raw->status_b & STATUS_BINARY) != 0;
	int32_t year = time->year + 1900;
	int32_t hour = time->hour;
	uint8_t pm = 0;

	if (!is_valid(time)) {
		return false;
	}
	if ((raw->status_b & STATUS_24H) == 0) {
		pm = hour >= 12 ? HOUR_PM : 0;
		hour = hour % 12 == 0 ? 12 : hour % 12;
	}
	raw->second = to_bcd(time->second, is_binary);
	raw->minute = to_bcd(time->minute, is_binary);
	raw->hour = to_bcd(hour, is_binary) | pm;
	raw->day = to_bcd(time->day, is_binary);
	raw->month = to_bcd(time->month + 1, is_binary);
	raw->year = to_bcd(year % 100, is_binary);
	raw->century = to_bcd(year / 100, is_binary);
	return true;
}
