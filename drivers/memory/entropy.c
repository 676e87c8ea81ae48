/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/memory/entropy.h"

#include <stdbool.h>

#include "lib/sys/kcall.h"

#define CPUID1_ECX_RDRAND (1u << 30)
#define CPUID7_EBX_RDSEED (1u << 18)
#define HARDWARE_TRIES    32
#define HARDWARE_WORDS    16
#define JITTER_ROUNDS     1024u
#define JITTER_MEMORY     4096u

static uint64_t timestamp(void)
{
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* Registers of CPUID, in the order eax, ebx, ecx, edx. */
static void cpuid(uint32_t leaf, uint32_t regs[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
			 : "0"(leaf), "2"(0));
}

static bool has_rdrand(void)
{
	uint32_t regs[4];

	cpuid(1, regs);
	return (regs[2] & CPUID1_ECX_RDRAND) != 0;
}

static bool has_rdseed(void)
{
	uint32_t regs[4];

	cpuid(0, regs);
	if (regs[0] < 7) {
		return false;
	}
	cpuid(7, regs);
	return (regs[1] & CPUID7_EBX_RDSEED) != 0;
}

static bool rdrand(uint64_t *value)
{
	unsigned char ok;

	__asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(ok) : : "cc");
	return ok != 0;
}

static bool rdseed(uint64_t *value)
{
	unsigned char ok;

	__asm__ volatile("rdseed %0; setc %1" : "=r"(*value), "=qm"(ok) : : "cc");
	return ok != 0;
}

static void mix_hardware(struct random *rng, uint32_t words)
{
	bool can_seed = has_rdseed();
	bool can_rand = has_rdrand();

	for (uint32_t i = 0; i < words; i++) {
		uint64_t value = 0;

		for (int try = 0; can_seed && try < HARDWARE_TRIES; try++) {
			if (rdseed(&value)) {
				random_mix(rng, &value, sizeof(value));
				break;
			}
			__asm__ volatile("pause");
		}
		for (int try = 0; can_rand && try < HARDWARE_TRIES; try++) {
			if (rdrand(&value)) {
				random_mix(rng, &value, sizeof(value));
				break;
			}
		}
	}
}

/* Time that a walk through memory takes differs from turn to turn with cache, interrupts and clock
 * drift. */
static void mix_jitter(struct random *rng)
{
	static volatile uint8_t memory[JITTER_MEMORY];
	uint64_t last = timestamp();
	uint32_t place = 0;

	for (uint32_t round = 0; round < JITTER_ROUNDS; round++) {
		uint64_t now;
		uint64_t delta;

		for (uint32_t i = 0; i < 64; i++) {
			place = (place * 1103515245u + 12345u + (uint32_t)last) % JITTER_MEMORY;
			memory[place]++;
		}
		now = timestamp();
		delta = now - last;
		last = now;
		random_mix(rng, &delta, sizeof(delta));
	}
	random_mix(rng, (const void *)memory, sizeof(memory));
}

static void mix_clocks(struct random *rng)
{
	struct proc_times times = {0};
	uint64_t tsc = timestamp();

	(void)sys_times(EP_SELF, &times);
	random_mix(rng, &times, sizeof(times));
	random_mix(rng, &tsc, sizeof(tsc));
}

void entropy_gather(struct random *rng)
{
	mix_clocks(rng);
	mix_hardware(rng, HARDWARE_WORDS);
	mix_jitter(rng);
	mix_clocks(rng);
	random_reseed(rng);
}

void entropy_refresh(struct random *rng)
{
	mix_clocks(rng);
	mix_hardware(rng, 4);
	random_reseed(rng);
}
