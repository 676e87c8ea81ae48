/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock driver: /dev/rtc0, read and set by ioctl (hwclock). VFS calls it (proto/chr.h).
 *
 * State: none.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "drivers/rtc/cmos.h"
#include "lib/drv/chr.h"
#include "lib/drv/driver.h"
#include "lib/sys/kcall.h"
#include "lib/sys/sef.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

#define REG_SECOND        0x00
#define REG_MINUTE        0x02
#define REG_HOUR          0x04
#define REG_DAY           0x07
#define REG_MONTH         0x08
#define REG_YEAR          0x09
#define REG_STATUS_A      0x0a
#define REG_STATUS_B      0x0b
#define REG_CENTURY       0x32
#define STATUS_A_UPDATING 0x80
#define STATUS_B_SET      0x80

#define READ_TRIES   10
#define UPDATE_READS 100000u

#define RTC_RD_TIME  0x80247009u
#define RTC_SET_TIME 0x4024700au

static uint8_t cmos_read(uint8_t reg)
{
	int64_t value;

	(void)sys_out(CMOS_INDEX, DEVIO_8, reg);
	value = sys_in(CMOS_DATA, DEVIO_8);
	return value < 0 ? 0xff : (uint8_t)value;
}

static void cmos_write(uint8_t reg, uint8_t value)
{
	(void)sys_out(CMOS_INDEX, DEVIO_8, reg);
	(void)sys_out(CMOS_DATA, DEVIO_8, value);
}

static void read_registers(struct cmos_time *raw)
{
	/* An update takes at most 2 ms, much less than so many reads. */
	for (uint32_t i = 0; i < UPDATE_READS; i++) {
		if ((cmos_read(REG_STATUS_A) & STATUS_A_UPDATING) == 0) {
			break;
		}
	}
	*raw = (struct cmos_time){
		.second = cmos_read(REG_SECOND),
		.minute = cmos_read(REG_MINUTE),
		.hour = cmos_read(REG_HOUR),
		.day = cmos_read(REG_DAY),
		.month = cmos_read(REG_MONTH),
		.year = cmos_read(REG_YEAR),
		.century = cmos_read(REG_CENTURY),
		.status_b = cmos_read(REG_STATUS_B),
	};
}

/* Reads until two readings agree: no update came between the registers. */
static int read_time(struct rtc_time *time)
{
	struct cmos_time raw;
	struct cmos_time again;

	read_registers(&raw);
	for (int i = 0; i < READ_TRIES; i++) {
		read_registers(&again);
		if (memcmp(&raw, &again, sizeof(raw)) == 0) {
			return cmos_decode(&raw, time) ? 0 : -EINVAL;
		}
		raw = again;
	}
	return -EIO;
}

static int set_time(const struct rtc_time *time)
{
	struct cmos_time raw = {.status_b = cmos_read(REG_STATUS_B)};

	if (!cmos_encode(time, &raw)) {
		return -EINVAL;
	}
	cmos_write(REG_STATUS_B, raw.status_b | STATUS_B_SET);
	cmos_write(REG_SECOND, raw.second);
	cmos_write(REG_MINUTE, raw.minute);
	cmos_write(REG_HOUR, raw.hour);
	cmos_write(REG_DAY, raw.day);
	cmos_write(REG_MONTH, raw.month);
	cmos_write(REG_YEAR, raw.year);
	cmos_write(REG_CENTURY, raw.century);
	cmos_write(REG_STATUS_B, raw.status_b & (uint8_t)~STATUS_B_SET);
	return 0;
}

static int64_t rtc_open(void *ctx, const struct chr_request *req)
{
	return req->minor == 0 ? 0 : -ENXIO;
}

static int64_t rtc_ioctl(void *ctx, const struct chr_request *req)
{
	struct rtc_time time;
	int r;

	switch (req->ioctl) {
	case RTC_RD_TIME:
		r = read_time(&time);
		return r < 0 ? r : chr_copy_out(req, 0, &time, sizeof(time));
	case RTC_SET_TIME:
		r = chr_copy_in(req, 0, &time, sizeof(time));
		return r < 0 ? r : set_time(&time);
	default:
		return -ENOTTY;
	}
}

static const struct chr_driver chr = {
	.open = rtc_open,
	.ioctl = rtc_ioctl,
};

static const struct driver driver = {.chr = &chr};

int main(void)
{
	sef_start();
	driver_run(&driver);
}
