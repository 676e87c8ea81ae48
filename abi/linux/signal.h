/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layouts of signal delivery on Linux x86-64 (kernel ABI; Linux uapi asm/sigcontext.h and
 * asm/ucontext.h describe the same fields; offsets asserted below), and the numbers of signals,
 * flags and codes.
 *
 * On entry to a handler: rsp points to pretcode and is 8 modulo 16; rdi signo, rsi &info, rdx &uc,
 * rax 0, DF clear.
 */
#pragma once

#include "abi/types.h"

#define LINUX_NSIG     64
#define LINUX_RED_ZONE 128

struct linux_sigaction { /* of rt_sigaction: mask 8 bytes */
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

struct linux_stack_t {
	uint64_t sp;
	int32_t flags;
	int32_t pad;
	uint64_t size;
};

struct linux_sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
	uint64_t eflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2;
	uint64_t fpstate; /* address of the XSAVE image, 64-byte aligned, or 0 */
	uint64_t reserved[8];
};

struct linux_ucontext {
	uint64_t flags; /* LINUX_UC_* */
	uint64_t link;
	struct linux_stack_t stack;
	struct linux_sigcontext mcontext;
	uint64_t sigmask;
};

struct linux_siginfo {
	int32_t signo, error, code, pad;
	union {
		struct {
			int32_t pid;
			uint32_t uid;
			union {
				struct {
					int32_t status, pad2;
					int64_t utime, stime; /* clock ticks */
				};
				uint64_t value; /* sigval */
			};
		};
		struct {
			int32_t timerid, overrun;
			uint64_t timer_value;
		};
		uint64_t address;
		uint8_t raw[112];
	};
};

struct linux_rt_sigframe {
	uint64_t pretcode; /* the restorer */
	struct linux_ucontext uc;
	struct linux_siginfo info;
	/* the XSAVE image follows at uc.mcontext.fpstate */
};

_Static_assert(sizeof(struct linux_sigcontext) == 256, "sigcontext");
_Static_assert(sizeof(struct linux_siginfo) == 128, "siginfo");
_Static_assert(sizeof(struct linux_ucontext) == 304, "ucontext");
_Static_assert(sizeof(struct linux_rt_sigframe) == 440, "rt_sigframe");

#define LINUX_UC_FP_XSTATE         1
#define LINUX_UC_SIGCONTEXT_SS     2
#define LINUX_UC_STRICT_RESTORE_SS 4

/* In the last 48 bytes of the 512-byte fxsave area (offset 464), and after the xstate. */
#define LINUX_FP_XSTATE_MAGIC1 0x46505853u
#define LINUX_FP_XSTATE_MAGIC2 0x46505845u
struct linux_fpx_sw_bytes {
	uint32_t magic1;
	uint32_t extended_size; /* xstate_size + 4 for magic2 */
	uint64_t xfeatures;
	uint32_t xstate_size;
	uint32_t pad[7];
};

enum linux_signal {
	LSIGHUP = 1,
	LSIGINT,
	LSIGQUIT,
	LSIGILL,
	LSIGTRAP,
	LSIGABRT,
	LSIGBUS,
	LSIGFPE,
	LSIGKILL,
	LSIGUSR1,
	LSIGSEGV,
	LSIGUSR2,
	LSIGPIPE,
	LSIGALRM,
	LSIGTERM,
	LSIGSTKFLT,
	LSIGCHLD,
	LSIGCONT,
	LSIGSTOP,
	LSIGTSTP,
	LSIGTTIN,
	LSIGTTOU,
	LSIGURG,
	LSIGXCPU,
	LSIGXFSZ,
	LSIGVTALRM,
	LSIGPROF,
	LSIGWINCH,
	LSIGIO,
	LSIGPWR,
	LSIGSYS
};

#define LSA_NOCLDSTOP 1u
#define LSA_NOCLDWAIT 2u
#define LSA_SIGINFO   4u
#define LSA_RESTORER  0x04000000u
#define LSA_ONSTACK   0x08000000u
#define LSA_RESTART   0x10000000u
#define LSA_NODEFER   0x40000000u
#define LSA_RESETHAND 0x80000000u

#define LSS_ONSTACK    1
#define LSS_DISABLE    2
#define LSS_AUTODISARM (1u << 31)
#define LMINSIGSTKSZ   2048

/* si_code */
#define LSI_USER       0
#define LSI_KERNEL     0x80
#define LSI_QUEUE      (-1)
#define LSI_TIMER      (-2)
#define LSI_TKILL      (-6)
#define LSEGV_MAPERR   1
#define LSEGV_ACCERR   2
#define LBUS_ADRALN    1
#define LBUS_ADRERR    2
#define LILL_ILLOPN    2
#define LILL_PRVOPC    5
#define LFPE_INTDIV    1
#define LFPE_FLTINV    7
#define LTRAP_BRKPT    1
#define LTRAP_TRACE    2
#define LCLD_EXITED    1
#define LCLD_KILLED    2
#define LCLD_DUMPED    3
#define LCLD_TRAPPED   4
#define LCLD_STOPPED   5
#define LCLD_CONTINUED 6
