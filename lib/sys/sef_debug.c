/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Predefined callbacks, and the arguments that choose them for tests of recovery:
 *   sef.fresh= sef.lu= sef.restart=   ok, fail, crash, timeout, loop, reset, nonsense
 *   sef.prepare=   ready, never, fail, crash, timeout
 *   sef.valid=     any, standard, none
 *   sef.ping=      none
 *   sef.signal=    none, term, posix
 *   sef.debug=     1: a line for each event
 */
#include <errno.h>
#include <string.h>

#include "abi/errno.h"
#include "abi/linux/signal.h"
#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "lib/sys/sef_impl.h"

#define VALUE_MAX 16

int sef_prepare_ready(int state, uint32_t flags)
{
	return 0;
}

int sef_prepare_never(int state, uint32_t flags)
{
	return -ENOTREADY;
}

bool sef_valid_any(int state, uint32_t flags)
{
	return true;
}

bool sef_valid_standard(int state, uint32_t flags)
{
	return state >= SEF_LU_WORK_FREE && state <= SEF_LU_PROTOCOL_FREE;
}

void sef_signal_none(int signo)
{
}

void sef_signal_term(int signo)
{
	if (signo == LSIGTERM || signo == LSIGKILL) {
		sys_exit();
	}
}

void sef_signal_posix(int signo)
{
	if (signo != LSIGCHLD && signo != LSIGWINCH && signo != LSIGCONT && signo != LSIGTSTP &&
		signo != LSIGTTIN && signo != LSIGTTOU) {
		sys_exit();
	}
}

void sef_ping_none(void)
{
}

void sef_ping_pong(void)
{
	(void)ipc_notify(EP_RS);
}

static _Noreturn void hang(void)
{
	struct message m;

	for (;;) {
		(void)ipc_receive(EP_KERNEL, &m, NULL);
	}
}

static int init_ok(const struct sef_info *info)
{
	return 0;
}

static int init_fail(const struct sef_info *info)
{
	return -ENOSYS;
}

static int init_crash(const struct sef_info *info)
{
	diag_panic("a failure of init that was asked for");
}

static int init_timeout(const struct sef_info *info)
{
	hang();
}

static int init_loop(const struct sef_info *info)
{
	for (volatile bool is_endless = true; is_endless;) {
	}
	return 0;
}

static int init_reset(const struct sef_info *info)
{
	return -ERESTART;
}

static int init_nonsense(const struct sef_info *info)
{
	sef.answers_nonsense = true;
	return 0;
}

static int prepare_fail(int state, uint32_t flags)
{
	return -EPERM;
}

static int prepare_crash(int state, uint32_t flags)
{
	diag_panic("a failure of prepare that was asked for");
}

static int prepare_timeout(int state, uint32_t flags)
{
	for (volatile bool is_endless = true; is_endless;) {
	}
	return 0;
}

static bool valid_none(int state, uint32_t flags)
{
	return false;
}

struct init_choice {
	const char *name;
	sef_init_fn *fn;
};
static const struct init_choice inits[] = {{"ok", init_ok}, {"fail", init_fail},
	{"crash", init_crash}, {"timeout", init_timeout}, {"reset", init_reset},
	{"loop", init_loop}, {"nonsense", init_nonsense}};

struct prepare_choice {
	const char *name;
	int (*fn)(int state, uint32_t flags);
};
static const struct prepare_choice prepares[] = {{"ready", sef_prepare_ready},
	{"never", sef_prepare_never}, {"fail", prepare_fail}, {"crash", prepare_crash},
	{"timeout", prepare_timeout}};

/* The value of "name=value" among the words of args. */
static bool option(const char *args, const char *name, char value[VALUE_MAX])
{
	size_t len = strlen(name);

	for (const char *word = args; *word != '\0'; word += strcspn(word, " ")) {
		word += strspn(word, " ");
		if (strncmp(word, name, len) == 0 && word[len] == '=') {
			size_t n = strcspn(word + len + 1, " ");

			if (n < VALUE_MAX) {
				memcpy(value, word + len + 1, n);
				value[n] = '\0';
				return true;
			}
		}
	}
	return false;
}

static void choose_init(const char *args, const char *name, enum sef_init_type type)
{
	char value[VALUE_MAX];

	if (!option(args, name, value)) {
		return;
	}
	for (unsigned i = 0; i < sizeof(inits) / sizeof(inits[0]); i++) {
		if (strcmp(value, inits[i].name) == 0) {
			sef.init[type] = inits[i].fn;
		}
	}
}

static void choose_update(const char *args)
{
	static struct sef_update chosen;
	char value[VALUE_MAX];
	bool is_any = false;

	if (sef.update) {
		chosen = *sef.update;
	}
	if (option(args, "sef.prepare", value)) {
		for (unsigned i = 0; i < sizeof(prepares) / sizeof(prepares[0]); i++) {
			if (strcmp(value, prepares[i].name) == 0) {
				chosen.prepare = prepares[i].fn;
				is_any = true;
			}
		}
	}
	if (option(args, "sef.valid", value)) {
		chosen.is_valid = strcmp(value, "any") == 0 ? sef_valid_any
			: strcmp(value, "none") == 0        ? valid_none
							    : sef_valid_standard;
		is_any = true;
	}
	if (is_any) {
		sef.update = &chosen;
	}
}

void sef_debug_options(const char *args)
{
	char value[VALUE_MAX];

	if (!strstr(args, "sef.")) {
		return;
	}
	choose_init(args, "sef.fresh", SEF_INIT_FRESH);
	choose_init(args, "sef.lu", SEF_INIT_LU);
	choose_init(args, "sef.restart", SEF_INIT_RESTART);
	choose_update(args);
	if (option(args, "sef.ping", value) && strcmp(value, "none") == 0) {
		sef.ping = sef_ping_none;
	}
	if (option(args, "sef.signal", value)) {
		sef.signal = strcmp(value, "none") == 0 ? sef_signal_none
			: strcmp(value, "posix") == 0   ? sef_signal_posix
							: sef_signal_term;
	}
	sef.is_verbose = option(args, "sef.debug", value);
}
