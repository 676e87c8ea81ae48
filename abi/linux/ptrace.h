/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and layouts of ptrace(2) on Linux x86-64. */
#pragma once

#include "abi/types.h"

/* struct user_regs_struct, NT_PRSTATUS */
struct linux_user_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi;
	uint64_t orig_rax; /* number of the system call; -1: in none */
	uint64_t rip, cs, eflags, rsp, ss;
	uint64_t fs_base, gs_base;
	uint64_t ds, es, fs, gs;
};
_Static_assert(sizeof(struct linux_user_regs) == 216, "user_regs_struct");

#define LINUX_FPREGS_BYTES    512 /* struct user_fpregs_struct: the image of FXSAVE */
#define LINUX_XSTATE_FEATURES 464 /* where in an XSAVE image debuggers find the features in use */

/* struct user, as PEEKUSER and POKEUSER address it: registers first, debug registers last. */
#define LINUX_USER_BYTES    912
#define LINUX_USER_DEBUGREG 848
_Static_assert(LINUX_USER_BYTES - LINUX_USER_DEBUGREG == 64, "eight debug registers");

enum linux_ptrace {
	LPTRACE_TRACEME = 0,
	LPTRACE_PEEKTEXT = 1,
	LPTRACE_PEEKDATA = 2,
	LPTRACE_PEEKUSER = 3,
	LPTRACE_POKETEXT = 4,
	LPTRACE_POKEDATA = 5,
	LPTRACE_POKEUSER = 6,
	LPTRACE_CONT = 7,
	LPTRACE_KILL = 8,
	LPTRACE_SINGLESTEP = 9,
	LPTRACE_GETREGS = 12,
	LPTRACE_SETREGS = 13,
	LPTRACE_GETFPREGS = 14,
	LPTRACE_SETFPREGS = 15,
	LPTRACE_ATTACH = 16,
	LPTRACE_DETACH = 17,
	LPTRACE_SYSCALL = 24,
	LPTRACE_SETOPTIONS = 0x4200,
	LPTRACE_GETEVENTMSG = 0x4201,
	LPTRACE_GETSIGINFO = 0x4202,
	LPTRACE_SETSIGINFO = 0x4203,
	LPTRACE_GETREGSET = 0x4204,
	LPTRACE_SETREGSET = 0x4205,
	LPTRACE_SEIZE = 0x4206,
	LPTRACE_INTERRUPT = 0x4207,
	LPTRACE_LISTEN = 0x4208,
	LPTRACE_GETSIGMASK = 0x420a,
	LPTRACE_SETSIGMASK = 0x420b,
	LPTRACE_GET_SYSCALL_INFO = 0x420e
};

/* Note types of GETREGSET and SETREGSET. */
#define LNT_PRSTATUS   1
#define LNT_PRFPREG    2
#define LNT_X86_XSTATE 0x202

/* Options, and the events that they switch on: option bit n is event n. */
enum linux_ptrace_event {
	LPTRACE_EVENT_FORK = 1,
	LPTRACE_EVENT_VFORK,
	LPTRACE_EVENT_CLONE,
	LPTRACE_EVENT_EXEC,
	LPTRACE_EVENT_VFORK_DONE,
	LPTRACE_EVENT_EXIT,
	LPTRACE_EVENT_STOP = 128
};
#define LPTRACE_O_TRACESYSGOOD 1u
#define LPTRACE_O_EVENT(event) (1u << (event))
#define LPTRACE_O_EXITKILL     (1u << 20)
#define LPTRACE_O_ALL          (LPTRACE_O_EXITKILL | 0x7f)

enum linux_syscall_info_op {
	LPTRACE_SYSCALL_INFO_NONE,
	LPTRACE_SYSCALL_INFO_ENTRY,
	LPTRACE_SYSCALL_INFO_EXIT
};
#define LAUDIT_ARCH_X86_64 0xc000003eu
struct linux_syscall_info {
	uint8_t op; /* enum linux_syscall_info_op */
	uint8_t pad[3];
	uint32_t arch;
	uint64_t ip, sp;
	union {
		struct {
			uint64_t nr, args[6];
		} entry;
		struct {
			int64_t value;
			uint8_t is_error;
		} exit;
	};
};
