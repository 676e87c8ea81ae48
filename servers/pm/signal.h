/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Generating signals: to processes, threads and groups, with what they do at once (continue, kill,
 * wake a waiter), and which thread is to take them. Taking them is deliver.h's.
 */
#pragma once

#include "servers/pm/process.h"

#define SIGNAL_DEFAULT     0ull /* SIG_DFL */
#define SIGNAL_IGNORE      1ull /* SIG_IGN */
#define SIGNALS_UNMASKABLE (SIGNAL_BIT(LSIGKILL) | SIGNAL_BIT(LSIGSTOP))
#define SIGNALS_STOP \
	(SIGNAL_BIT(LSIGSTOP) | SIGNAL_BIT(LSIGTSTP) | SIGNAL_BIT(LSIGTTIN) | SIGNAL_BIT(LSIGTTOU))

enum signal_default_action { DEFAULT_KILL, DEFAULT_IGNORE, DEFAULT_STOP, DEFAULT_CONTINUE };

enum signal_default_action signal_default(int signo);
static inline bool signal_is_valid(int signo)
{
	return signo >= 1 && signo <= LINUX_NSIG;
}

/* siginfo of a signal from a process (code LSI_USER, LSI_TKILL ...), and from the kernel. */
struct linux_siginfo siginfo_user(int signo, int code, const struct process *sender);
struct linux_siginfo siginfo_kernel(int signo);

/*
 * Send to a process (thread NULL) or to one thread of it. Nothing happens when it is ignored, or
 * the process is no more. The process (and others) may end in here. False: dropped, for being
 * ignored, pending already, or for want of room.
 */
bool signal_send(struct pm *pm, struct process *process, struct thread *thread,
	const struct linux_siginfo *info, struct posix_timer *timer);
/* As signal_send for a program's kill and its like, and the answer: 0, or -EAGAIN when a real-time
 * one does not fit. */
int signal_send_queue(struct pm *pm, struct process *process, struct thread *thread,
	const struct linux_siginfo *info);
/* From the kernel itself, to the process. */
void signal_send_kernel(struct pm *pm, struct process *process, int signo);
/* To every process of a group (of a session, if sid is not 0); how many there were. */
int signal_send_group(struct pm *pm, int32_t pgid, int32_t sid, const struct linux_siginfo *info);
/* A fault: cannot be ignored or blocked. */
void signal_fault(struct pm *pm, struct thread *thread, const struct ksig *ksig);
/* Take a pending signal in `set` out, the thread's own first; its number or 0. */
int signal_take(struct pm *pm, struct thread *thread, uint64_t set, struct linux_siginfo *info);
/* Set a thread's mask; SIGKILL and SIGSTOP stay out. Signals that it blocks now find another
 * thread. */
void signal_set_mask(struct pm *pm, struct thread *thread, uint64_t mask);
/* A thread takes no signals any more: pending ones of the process that it would have taken find
 * another. */
void signal_retarget(struct pm *pm, struct process *process, struct thread *except);
/* Whether process a may send signo to b (kill(2)). */
bool signal_permitted(const struct process *a, const struct process *b, int signo);
