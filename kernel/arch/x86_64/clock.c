/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time: the cycle counter is the monotonic clock, the local APIC's one-shot timer the alarm; both
 * are measured at boot against the interval timer. The date comes from the CMOS clock, read once.
 */
#include "kernel/arch/x86_64/machine.h"

#include "kernel/arch/x86_64/x86.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/panic.h"
#include "kernel/state.h"

#define PIT_HZ            1193182ul
#define PIT_CHANNEL2      0x42
#define PIT_COMMAND       0x43
#define PIT_GATE          0x61
#define PIT_MODE_ONE_SHOT 0xb0 /* channel 2, low and high byte, mode 0 */
#define PIT_LATCH         0x80
#define PIT_START         0xffff
#define MEASURE_MAX       10
#define PIT_MEASURE       5966 /* 5 ms */

#define NS_PER_S 1000000000ul

#define TIMER_WAIT_MAX_NS (3600 * NS_PER_S)

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

struct sample {
	uint64_t tsc;
	uint32_t pit;
	uint32_t apic; /* counts down */
};

static uint16_t pit_read(void)
{
	uint16_t low;

	x86_outb(PIT_COMMAND, PIT_LATCH);
	low = x86_inb(PIT_CHANNEL2);
	return (uint16_t)(low | x86_inb(PIT_CHANNEL2) << 8);
}

/* One reading of all three clocks; the best of a few, because an emulator may be interrupted in the
 * middle. */
static struct sample sample_take(void)
{
	struct sample best = {0};
	uint64_t best_width = UINT64_MAX;
	int i;

	for (i = 0; i < 8; i++) {
		uint64_t before = x86_rdtsc();
		uint32_t pit = pit_read();
		uint32_t apic = apic_timer_count();
		uint64_t width = x86_rdtsc() - before;

		if (width < best_width) {
			best_width = width;
			best = (struct sample){.tsc = before + width / 2, .pit = pit, .apic = apic};
		}
	}
	return best;
}

/* What one measurement gave. */
struct rates {
	uint64_t tsc_hz, apic_hz;
};

static struct rates measure_once(void)
{
	struct sample first, last;
	uint64_t pit;

	x86_outb(PIT_GATE, (x86_inb(PIT_GATE) & ~0x02) | 0x01);
	x86_outb(PIT_COMMAND, PIT_MODE_ONE_SHOT);
	x86_outb(PIT_CHANNEL2, PIT_START & 0xff);
	x86_outb(PIT_CHANNEL2, PIT_START >> 8);
	apic_timer_set(UINT32_MAX);
	first = sample_take();
	do {
		pit = pit_read();
	} while (first.pit - pit < PIT_MEASURE && pit <= first.pit);
	last = sample_take();
	pit = first.pit - last.pit;
	if (pit == 0 || pit > PIT_START) {
		return (struct rates){0, 0};
	}
	return (struct rates){(last.tsc - first.tsc) * PIT_HZ / pit,
		(uint64_t)(first.apic - last.apic) * PIT_HZ / pit};
}

/*
 * An emulator that its host does not run for a while loses turns of the PIT: such a measurement is
 * too high, never too low. So the lowest counts, once two agree on it within 1 %.
 */
static void measure(void)
{
	struct rates best = {0, 0};
	bool agreed = false;
	int i;

	for (i = 0; i < MEASURE_MAX && !agreed; i++) {
		struct rates now = measure_once();

		if (now.tsc_hz == 0 || now.apic_hz == 0) {
			continue;
		}
		if (best.tsc_hz == 0 || now.tsc_hz < best.tsc_hz) {
			agreed = best.tsc_hz - now.tsc_hz < now.tsc_hz / 100;
			best = now;
		} else {
			agreed = now.tsc_hz - best.tsc_hz < best.tsc_hz / 100;
		}
	}
	if (best.tsc_hz == 0) {
		panic("no usable clock: neither the interval timer nor the time stamp counter "
		      "counts");
	}
	machine.tsc_hz = best.tsc_hz;
	machine.timer_per_ns = (best.apic_hz << 32) / NS_PER_S;
	apic_timer_set(UINT32_MAX);
}

static uint8_t cmos_read(uint8_t index)
{
	x86_outb(CMOS_INDEX, index);
	return x86_inb(CMOS_DATA);
}

static unsigned from_bcd(unsigned value, bool binary)
{
	return binary ? value : (value >> 4) * 10 + (value & 15);
}

struct cmos_date {
	uint8_t field[7]; /* seconds, minutes, hours, day, month, year, century */
};

static struct cmos_date cmos_date_read(void)
{
	static const uint8_t registers[7] = {0, 2, 4, 7, 8, 9, 0x32};
	struct cmos_date date;
	int i, patience;

	for (patience = 0; patience < 10000 && (cmos_read(0x0a) & 0x80) != 0; patience++) {
	}
	for (i = 0; i < 7; i++) {
		date.field[i] = cmos_read(registers[i]);
	}
	return date;
}

/* Days from 1970-01-01 to a day of the Gregorian calendar. */
static int64_t days_since_epoch(int64_t year, unsigned month, unsigned day)
{
	int64_t shifted = year - (month <= 2);
	int64_t era = shifted / 400;
	int64_t year_of_era = shifted - era * 400;
	int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static uint64_t cmos_realtime_s(void)
{
	struct cmos_date date = cmos_date_read();
	struct cmos_date again = cmos_date_read();
	uint8_t status = cmos_read(0x0b);
	bool binary = (status & 4) != 0;
	unsigned hours, century, i;
	int64_t year;

	for (i = 0; i < 7; i++) {
		if (date.field[i] != again.field[i]) {
			date = cmos_date_read();
			break;
		}
	}
	hours = from_bcd(date.field[2] & 0x7fu, binary);
	if ((status & 2) == 0) { /* 12-hour clock */
		hours = hours % 12 + ((date.field[2] & 0x80) != 0 ? 12 : 0);
	}
	century = from_bcd(date.field[6], binary);
	year = from_bcd(date.field[5], binary) +
		(century >= 19 && century <= 30 ? century * 100 : 2000);
	return (uint64_t)days_since_epoch(
		       year, from_bcd(date.field[4], binary), from_bcd(date.field[3], binary)) *
		86400 +
		hours * 3600 + from_bcd(date.field[1], binary) * 60 +
		from_bcd(date.field[0], binary);
}

void clock_init(void)
{
	measure();
	machine.tsc_to_ns = (NS_PER_S << 32) / machine.tsc_hz;
	machine.tsc_boot = x86_rdtsc();
	machine.realtime_at_boot_ns = cmos_realtime_s() * NS_PER_S;
	diag_printf("clock: tsc %lu kHz, apic timer %lu kHz\n", machine.tsc_hz / 1000,
		(machine.timer_per_ns * (NS_PER_S / 1000)) >> 32);
}

uint64_t arch_cycles(void)
{
	return x86_rdtsc();
}

uint64_t arch_ns_from_cycles(uint64_t cycles)
{
	return (uint64_t)(((unsigned __int128)cycles * machine.tsc_to_ns) >> 32);
}

uint64_t arch_now_at(uint64_t cycles)
{
	return arch_ns_from_cycles(cycles - machine.tsc_boot);
}

uint64_t arch_now(void)
{
	if (machine.tsc_to_ns == 0) {
		return 0; /* early in boot */
	}
	return arch_ns_from_cycles(x86_rdtsc() - machine.tsc_boot);
}

uint64_t arch_realtime_at_boot(void)
{
	return machine.realtime_at_boot_ns;
}

void arch_timer_arm(uint64_t deadline_ns)
{
	uint64_t now = arch_now();
	uint64_t wait = deadline_ns > now ? deadline_ns - now : 1;

	if (wait > TIMER_WAIT_MAX_NS) {
		wait = TIMER_WAIT_MAX_NS; /* the counter has 32 bits; the kernel arms it again */
	}
	apic_timer_set((uint64_t)(((unsigned __int128)wait * machine.timer_per_ns) >> 32) + 1);
}
