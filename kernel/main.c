/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot order, from the top: the architecture has memory, tables and clocks ready and calls
 * kernel_boot(), which makes the process table, loads VM and returns it to be run. From then on the
 * kernel only answers traps.
 */
#include "kernel/main.h"

#include <string.h>

#include "kernel/arch.h"
#include "kernel/debug/check.h"
#include "kernel/debug/diag.h"
#include "kernel/debug/panic.h"
#include "kernel/linux/futex.h"
#include "kernel/mem/boot_vm.h"
#include "kernel/mem/bootmem.h"
#include "kernel/proc/sched.h"
#include "kernel/state.h"

#define PROCS_PER_MIB 8
#define PROCS_MIN     640 /* enough for 500 processes of one user in the smallest machine */
#define PROCS_MAX     8192
/*
 * From here on a safecopy shares pages. tests/services/safeperf.c shows where that is quicker, as
 * long as few of the pages are written later: each of those costs a fault.
 */
#define SHARE_MIN_BYTES    (256 * AXO_PAGE_SIZE)
#define SHARE_ALWAYS_BYTES (2 * AXO_PAGE_SIZE)
#define LOAD_PERIOD_NS     5000000000ull
#define LOAD_ONE           2048 /* 1.0 in fixed point */

struct kernel_state kernel __attribute__((section(".bss.hot")));

/* Whether word `option` is on the command line. */
static bool has_option(const char *option)
{
	const char *at = kernel.cmdline;
	size_t len = strlen(option);

	while (*at != '\0') {
		const char *end = at;

		while (*end != '\0' && *end != ' ') {
			end++;
		}
		if ((size_t)(end - at) == len && memcmp(at, option, len) == 0) {
			return true;
		}
		at = *end == ' ' ? end + 1 : end;
	}
	return false;
}

void kernel_early(void)
{
	kernel.diag_at_line_start = true;
	list_init(&kernel.timers);
	kernel.timer_next_ns = UINT64_MAX;
	list_init(&kernel.memreqs);
	list_init(&kernel.signalled);
	kernel.log_port = has_option("log=com2");
	kernel.show_calls = has_option("strace");
	kernel.panic_screen = has_option("console=vga");
	kernel.share_min_bytes = has_option("share=never") ? UINT64_MAX
		: has_option("share=always")               ? SHARE_ALWAYS_BYTES
							   : SHARE_MIN_BYTES;
	sched_init(&kernel.cpus[0]);
}

/* The load averages of the last 1, 5 and 15 minutes: exp(-5 s / period) in fixed point, as
 * everywhere. */
static void load_sample(struct timer *timer)
{
	static const uint32_t decay[3] = {1884, 2014, 2037};
	uint32_t runnable = 0, i;

	for (i = 0; i < kernel.cpu_count; i++) {
		runnable += kernel.cpus[i].run.count;
	}
	for (i = 0; i < 3; i++) {
		kernel.load_avg[i] = (kernel.load_avg[i] * decay[i] +
					     runnable * LOAD_ONE * (LOAD_ONE - decay[i])) /
			LOAD_ONE;
	}
	timer_start(timer, arch_now() + LOAD_PERIOD_NS);
	if (AXO_CHECKS) {
		kernel_check();
	}
}

static uint64_t ram_bytes(void)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < kernel.kinfo.usable_count; i++) {
		bytes += kernel.kinfo.usable[i].bytes;
	}
	return bytes;
}

static void fill_kinfo(void)
{
	struct kinfo *kinfo = &kernel.kinfo;

	kinfo->user_base = USER_BASE;
	kinfo->user_end = USER_END;
	kinfo->vm_window = VM_WINDOW_BASE;
	kinfo->procs_max = kernel.proc_count;
	kinfo->xsave_bytes = arch_xsave_bytes();
	kinfo->nx = arch_has_no_execute();
	kinfo->page_1g = arch_has_1g_pages();
	memcpy(kinfo->release, "6.1.0-axolotl", 14);
	memcpy(kinfo->version, "#1 SMP Axolotl 0.1", 19);
}

struct proc *kernel_boot(void)
{
	uint64_t ram = ram_bytes();
	uint64_t procs = ram / 0x100000 * PROCS_PER_MIB;

	kernel.cpu_count = 1;
	kernel.realtime_offset_ns = (int64_t)arch_realtime_at_boot();
	kernel.proc_count = (uint32_t)(procs < PROCS_MIN ? PROCS_MIN
			: procs > PROCS_MAX              ? PROCS_MAX
							 : procs);
	diag_printf(
		"Axolotl 0.1, %lu KiB of memory, %u processes\n", ram / 1024, kernel.proc_count);
	diag_puts("command line: ");
	diag_puts(kernel.cmdline);
	diag_puts("\n");
	priv_init();
	futex_init();
	proc_init();
	fill_kinfo();
	if (kernel.kinfo.module.bytes == 0) {
		panic("no boot archive: give it to the boot loader as the one module");
	}
	boot_procs_create();
	boot_vm_load();
	timer_setup(&kernel.load_timer, load_sample);
	timer_start(&kernel.load_timer, arch_now() + LOAD_PERIOD_NS);
	kernel.cpus[0].mark_cycles = arch_cycles();
	return sched_leave();
}
