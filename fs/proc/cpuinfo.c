/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/cpuinfo. Names of the feature bits: as Linux spells them; bits: Intel SDM volume 2A, CPUID.
 */
#include <inttypes.h>

#include "fs/proc/format.h"

static const char *const leaf1_edx[32] = {
	"fpu",
	"vme",
	"de",
	"pse",
	"tsc",
	"msr",
	"pae",
	"mce",
	"cx8",
	"apic",
	NULL,
	"sep",
	"mtrr",
	"pge",
	"mca",
	"cmov",
	"pat",
	"pse36",
	"pn",
	"clflush",
	NULL,
	"dts",
	"acpi",
	"mmx",
	"fxsr",
	"sse",
	"sse2",
	"ss",
	"ht",
	"tm",
	"ia64",
	"pbe",
};

static const char *const leaf1_ecx[32] = {
	"pni",
	"pclmulqdq",
	"dtes64",
	"monitor",
	"ds_cpl",
	"vmx",
	"smx",
	"est",
	"tm2",
	"ssse3",
	"cid",
	"sdbg",
	"fma",
	"cx16",
	"xtpr",
	"pdcm",
	NULL,
	"pcid",
	"dca",
	"sse4_1",
	"sse4_2",
	"x2apic",
	"movbe",
	"popcnt",
	"tsc_deadline_timer",
	"aes",
	"xsave",
	NULL,
	"avx",
	"f16c",
	"rdrand",
	"hypervisor",
};

static const char *const leaf7_ebx[32] = {
	"fsgsbase",
	"tsc_adjust",
	"sgx",
	"bmi1",
	"hle",
	"avx2",
	NULL,
	"smep",
	"bmi2",
	"erms",
	"invpcid",
	"rtm",
	NULL,
	NULL,
	"mpx",
	NULL,
	"avx512f",
	"avx512dq",
	"rdseed",
	"adx",
	"smap",
	"avx512ifma",
	NULL,
	"clflushopt",
	"clwb",
	NULL,
	"avx512pf",
	"avx512er",
	"avx512cd",
	"sha_ni",
	"avx512bw",
	"avx512vl",
};

static void flags_append(struct text *text, const char *const names[32], uint32_t bits)
{
	for (int i = 0; i < 32; i++) {
		if ((bits >> i & 1) && names[i]) {
			text_printf(text, " %s", names[i]);
		}
	}
}

void format_cpuinfo(struct text *text, const struct system_info *info, unsigned cpu)
{
	uint64_t khz = info->tsc_hz / 1000;

	text_printf(text, "processor\t: %u\nvendor_id\t: %.15s\ncpu family\t: %u\nmodel\t\t: %u\n",
		cpu, info->cpu_vendor, info->cpu_family, info->cpu_modelnr);
	text_printf(text,
		"model name\t: %.51s\nstepping\t: %u\ncpu MHz\t\t: %" PRIu64 ".%03" PRIu64 "\n",
		info->cpu_model, info->cpu_stepping, khz / 1000, khz % 1000);
	text_printf(text, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n",
		info->cpus, cpu, info->cpus);
	text_printf(text, "fpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\nflags\t\t:");
	flags_append(text, leaf1_edx, info->cpuid1_edx);
	text_printf(text, " syscall lm");
	flags_append(text, leaf1_ecx, info->cpuid1_ecx);
	flags_append(text, leaf7_ebx, info->cpuid7_ebx);
	text_printf(text, "\nbogomips\t: %" PRIu64 ".%02" PRIu64 "\nclflush size\t: 64\n\n",
		khz * 2 / 1000, khz * 2 / 10 % 100);
}
