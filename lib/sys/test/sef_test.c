/* SPDX-License-Identifier: BSD-2-Clause */
/* Host tests of SEF (SEF-01 .. SEF-09): init of each type, state by copy and by converter, kept
 * memory with the predecessor in every phase, live update, signals, pings. Each case runs in a
 * child process, for SEF's state is static. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/errno.h"
#include "abi/linux/signal.h"
#include "lib/sys/ipc.h"
#include "lib/sys/test/sef_fake.h"

static int inits;
static enum sef_init_type last_type;
static const struct message *last_interrupted;
static struct message last_message;

static int count_init(const struct sef_info *info)
{
	inits++;
	last_type = info->type;
	last_interrupted = info->interrupted;
	if (info->interrupted) {
		last_message = *info->interrupted;
	}
	return 0;
}

static int redo_init(const struct sef_info *info)
{
	(void)sef_redo();
	return count_init(info);
}

/* ---- cases ---- */

/* SEF-02: other messages of RS before the init are dropped; one without callbacks starts. */
static void fresh_start(void)
{
	comes(EP_RS, SEF_SIGNAL, 0);
	prepare_comes(SEF_LU_WORK_FREE);
	init_comes(SEF_INIT_FRESH, NULL);
	CHECK(start() == RETURNED);
	CHECK(fake.init_result == 0 && fake.lu_count == 0 && fake.cleared == 1);
	CHECK(sef_self()->self == SELF && strcmp(sef_self()->label, "test") == 0);
}

/* SEF-03: each predefined init. */
static void predefined_inits(void)
{
	static const struct {
		const char *args;
		enum sef_init_type type;
		enum outcome outcome;
		int result;
	} cases[] = {
		{"sef.fresh=fail", SEF_INIT_FRESH, EXITED, -ENOSYS},
		{"x sef.fresh=crash y", SEF_INIT_FRESH, PANICKED, 1},
		{"sef.fresh=timeout", SEF_INIT_FRESH, SCRIPT_ENDED, 1},
		{"sef.restart=reset", SEF_INIT_RESTART, EXITED, -ERESTART},
		{"sef.lu=fail sef.fresh=ok", SEF_INIT_LU, EXITED, -ENOSYS},
		{"sef.lu=fail", SEF_INIT_FRESH, RETURNED, 0},
		{"sef.lu=okay", SEF_INIT_LU, RETURNED, 0},
	};

	fake.has_predecessor = true;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&sef, 0, sizeof(sef));
		sef.signal = sef_signal_term;
		fake.init_result = 1;
		init_comes(cases[i].type, cases[i].args);
		CHECK(start() == cases[i].outcome);
		CHECK(fake.init_result == cases[i].result);
		fake.count = fake.next = 0;
	}
	init_comes(SEF_INIT_LU, "sef.lu=nonsense");
	CHECK(start() == RETURNED && fake.init_reply_type != SEF_INIT_REPLY);
}

struct old_state {
	uint32_t a, b, dropped;
	char name[8];
};
struct new_state {
	uint64_t a;
	uint32_t b;
	char name[16];
	uint32_t added;
};

static int convert_state(
	void *to, size_t bytes, const void *from, size_t from_bytes, uint32_t from_version)
{
	struct new_state *n = to;
	const struct old_state *o = from;

	if (bytes != sizeof(*n) || from_bytes != sizeof(*o) || from_version != 1) {
		return -EINVAL;
	}
	n->a = o->a;
	n->b = o->b;
	memcpy(n->name, o->name, sizeof(o->name));
	return 0;
}

static struct old_state old_piece = {7, 8, 9, "seven"};
static uint32_t old_counter = 41;
static struct state_entry old_table[] = {
	{.name = "piece",
		.address = (uint64_t)&old_piece,
		.bytes = sizeof(old_piece),
		.version = 1},
	{.name = "counter", .address = (uint64_t)&old_counter, .bytes = 4, .version = 3},
	{.name = "gone", .address = 8, .bytes = 1 << 30, .version = 1},
};

static void has_old_table(void)
{
	fake.has_predecessor = true;
	fake.table = old_table;
	fake.table_count = sizeof(old_table) / sizeof(old_table[0]);
}

/* Fields added, removed, resized; a piece that is new, one that is dropped. */
static void state_by_converter(void)
{
	struct new_state piece = {.added = 5};
	uint32_t counter = 0, fresh = 77;
	char last = 0;

	has_old_table();
	sef_on_init(count_init);
	sef_state("counter", &counter, sizeof(counter), 3, NULL);
	sef_state("piece", &piece, sizeof(piece), 2, convert_state);
	sef_state("new", &fresh, sizeof(fresh), 1, NULL);
	init_comes(SEF_INIT_LU, NULL);
	CHECK(start() == RETURNED && inits == 1 && last_type == SEF_INIT_LU);
	CHECK(fake.init_result == 0 && fake.cleared == 1);
	CHECK(counter == 41 && fresh == 77);
	CHECK(piece.a == 7 && piece.b == 8 && piece.added == 5 && strcmp(piece.name, "seven") == 0);
	CHECK(sef_state_fetch((uint64_t)old_piece.name + 1, &last, 1) == 0 && last == 'e');
}

static void state_without_converter(void)
{
	uint64_t counter = 0;

	has_old_table();
	sef_on_init(count_init);
	sef_state("counter", &counter, sizeof(counter), 3, NULL);
	init_comes(SEF_INIT_LU, NULL);
	CHECK(start() == EXITED && fake.init_result == -EPROTO && inits == 0 && counter == 0);
}

static int refuse(
	void *to, size_t bytes, const void *from, size_t from_bytes, uint32_t from_version)
{
	return -EINVAL;
}

static void converter_refuses(void)
{
	uint32_t counter = 0;

	has_old_table();
	sef_state("counter", &counter, sizeof(counter), 4, refuse);
	init_comes(SEF_INIT_LU, NULL);
	CHECK(start() == EXITED && fake.init_result == -EINVAL);
}

/* A crash may have damaged what it left: the service comes back without that. */
static void damaged_state(void)
{
	uint32_t counter = 6;

	has_old_table();
	sef_state("counter", &counter, sizeof(counter), 4, refuse);
	init_comes(SEF_INIT_RESTART, NULL);
	CHECK(start() == RETURNED && fake.init_result == 0 && counter == 6);
}

static void restart_without_predecessor(void)
{
	uint32_t counter = 3;

	sef_state("counter", &counter, sizeof(counter), 3, NULL);
	init_comes(SEF_INIT_RESTART, NULL);
	CHECK(start() == RETURNED && counter == 3 && fake.cleared == 1);
}

/* The memory of a predecessor with kept memory that stood in `phase`. */
static void kept(enum sef_phase phase, endpoint_t source, int type, uint32_t status)
{
	fake.has_predecessor = true;
	sef_keep_memory();
	sef_on_init(count_init);
	fake.memory = sef;
	fake.memory.is_started = true;
	fake.memory.phase = phase;
	fake.memory.inbox.source = source;
	fake.memory.inbox.type = type;
	fake.memory.inbox_status = status;
	fake.memory.init[SEF_INIT_RESTART] = count_init;
	if (phase == SEF_SERVING && (status & IPC_STATUS_SENDREC)) {
		fake.waiters[fake.waiter_count++] = source;
	}
	init_comes(SEF_INIT_RESTART, NULL);
}

static void kept_at_boundary(void)
{
	kept(SEF_OUTSIDE, CLIENT, 1, IPC_STATUS_SENDREC);
	CHECK(start() == RETURNED && inits == 1 && !last_interrupted);
	CHECK(fake.inherits == 1 && fake.reply_count == 0 && fake.cleared == 0);
	CHECK(sef_self()->restarts == 1 && sef_self()->type == SEF_INIT_RESTART);
}

/* A generic init function is not for a restart with kept memory. */
static void kept_without_restart_init(void)
{
	kept(SEF_OUTSIDE, CLIENT, 1, 0);
	fake.memory.init[SEF_INIT_RESTART] = NULL;
	CHECK(start() == RETURNED && inits == 0);
}

static void kept_without_predecessor(void)
{
	kept(SEF_OUTSIDE, CLIENT, 1, 0);
	fake.has_predecessor = false;
	CHECK(start() == EXITED && fake.init_result == -ESRCH && inits == 0);
}

static void kept_never_started(void)
{
	kept(SEF_OUTSIDE, CLIENT, 1, 0);
	fake.memory.is_started = false;
	CHECK(start() == EXITED && fake.init_result == -EIO);
}

static void kept_in_service_call(void)
{
	kept(SEF_SERVING, CLIENT, 5, IPC_STATUS_SENDREC);
	CHECK(start() == RETURNED && last_interrupted && last_message.type == 5);
	CHECK(fake.reply_count == 1 && fake.replies[0].source == CLIENT);
	CHECK(fake.replies[0].type == -ERESTARTED);
}

static void kept_in_program_call(void)
{
	fake.program = PROGRAM;
	kept(SEF_SERVING, PROGRAM, LINUX_CALL(3), IPC_STATUS_SENDREC | IPC_STATUS_FROM_KERNEL);
	CHECK(start() == RETURNED && fake.reply_count == 1);
	CHECK(fake.replies[0].source == PROGRAM && fake.replies[0].reply.result == -EINTR);
}

static void kept_in_message(void)
{
	kept(SEF_SERVING, CLIENT, 5, IPC_STATUS_ASYNC);
	CHECK(start() == RETURNED && last_interrupted && fake.reply_count == 0);
}

static void kept_and_redone(void)
{
	struct message m;
	uint32_t status = 0;
	int r = -1;

	kept(SEF_SERVING, CLIENT, 5, IPC_STATUS_SENDREC);
	fake.memory.init[SEF_INIT_RESTART] = redo_init;
	CHECK(start() == RETURNED && fake.reply_count == 0);
	CHECK(receive(&m, &status, &r) == RETURNED && r == 0);
	CHECK(m.source == CLIENT && m.type == 5 && status == IPC_STATUS_SENDREC);
	CHECK(sef.was_redone);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED && !sef.was_redone);
}

/* It had answered before it died. */
static void kept_after_answer(void)
{
	kept(SEF_SERVING, CLIENT, 5, IPC_STATUS_SENDREC);
	fake.waiter_count = 0;
	CHECK(start() == RETURNED && !last_interrupted && fake.reply_count == 0);
}

/* A message that crashes the service each time is answered. */
static void kept_and_not_redone_twice(void)
{
	kept(SEF_SERVING, CLIENT, 5, IPC_STATUS_SENDREC);
	fake.memory.init[SEF_INIT_RESTART] = redo_init;
	fake.memory.was_redone = true;
	CHECK(start() == RETURNED && fake.reply_count == 1);
	CHECK(fake.replies[0].type == -ERESTARTED);
}

/* Given to the predecessor, which died before it looked. */
static void kept_unseen(void)
{
	struct message m;
	uint32_t status = 0;
	int r = -1;

	fake.waiters[fake.waiter_count++] = CLIENT;
	kept(SEF_RECEIVING, CLIENT, 5, 0);
	CHECK(start() == RETURNED && !last_interrupted);
	CHECK(receive(&m, &status, &r) == RETURNED && m.type == 5);
	CHECK(status == IPC_STATUS_SENDREC);
}

static void kept_unseen_program(void)
{
	fake.program = PROGRAM;
	fake.waiters[fake.waiter_count++] = PROGRAM;
	kept(SEF_RECEIVING, PROGRAM, LINUX_CALL(3), 0);
	CHECK(start() == RETURNED && fake.reply_count == 1);
	CHECK(fake.replies[0].reply.result == -ERESTARTNOINTR);
}

static bool knows_client(endpoint_t ep)
{
	return ep == CLIENT;
}

static void kept_waiters(void)
{
	fake.program = PROGRAM;
	fake.waiters[fake.waiter_count++] = CLIENT;
	fake.waiters[fake.waiter_count++] = PROGRAM;
	while (fake.waiter_count < WAITERS) { /* more than SEF takes at once */
		fake.waiters[fake.waiter_count] = EP_MAKE(1, PROGRAM + fake.waiter_count);
		fake.waiter_count++;
	}
	sef_on_waiter(knows_client);
	kept(SEF_OUTSIDE, EP_NONE, 0, 0);
	CHECK(start() == RETURNED && fake.reply_count == WAITERS - 1);
	CHECK(fake.replies[0].source == PROGRAM);
	CHECK(fake.replies[WAITERS - 2].source == fake.waiters[WAITERS - 1]);
	CHECK(fake.replies[0].reply.result == -ERESTARTNOINTR);
}

/* What the memory itself says of each phase. */
static void phases(void)
{
	struct message m;
	uint32_t status;
	int r;

	sef_keep_memory();
	init_comes(SEF_INIT_FRESH, NULL);
	CHECK(start() == RETURNED && sef.phase == SEF_OUTSIDE);
	comes(CLIENT, 9, IPC_STATUS_SENDREC);
	CHECK(receive(&m, &status, &r) == RETURNED && sef.phase == SEF_SERVING);
	CHECK(sef.inbox.type == 9 && sef.inbox_status == IPC_STATUS_SENDREC);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED && sef.phase == SEF_RECEIVING);
	CHECK(sef.inbox.source == EP_NONE);
}

/* SEF-05: not ready while somebody waits, ready later, given up: goes on. */
static void update_when_free(void)
{
	struct message m;
	uint32_t status;
	int r;

	init_comes(SEF_INIT_FRESH, NULL);
	CHECK(start() == RETURNED);
	fake.waiters[fake.waiter_count++] = CLIENT;
	prepare_comes(SEF_LU_REQUEST_FREE);
	comes(CLIENT, 9, IPC_STATUS_SENDREC);
	CHECK(receive(&m, &status, &r) == RETURNED && fake.lu_count == 0);
	prepare_comes(SEF_LU_WORK_FREE);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED);
	CHECK(fake.lu_count == 1 && fake.lu[0].result == -EBUSY);
	fake.waiter_count = 0;
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED && fake.lu_count == 2);
	CHECK(fake.lu[1].result == 0 && fake.lu[1].state == SEF_LU_REQUEST_FREE);
	CHECK(sef.lu_state == SEF_LU_NULL);
}

static void update_refused(void)
{
	struct message m;
	uint32_t status;
	int r;

	init_comes(SEF_INIT_FRESH, NULL);
	CHECK(start() == RETURNED);
	prepare_comes(SEF_LU_CUSTOM);
	prepare_comes(-1);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED && fake.lu_count == 2);
	CHECK(fake.lu[0].result == -EINVAL && fake.lu[1].result == -EINVAL);
	fake.waiter_count = 1;
	prepare_comes(SEF_LU_PROTOCOL_FREE);
	prepare_comes(SEF_LU_NULL);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED && fake.lu_count == 2);
	CHECK(sef.lu_state == SEF_LU_NULL);
	sef_keep_memory();
	prepare_comes(SEF_LU_WORK_FREE);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED);
	CHECK(fake.lu_count == 3 && fake.lu[2].result == -ENOSYS);
}

static int saves, changes;

static int save_state(int state, uint32_t flags)
{
	saves++;
	return 0;
}

static void changed_state(int from, int to)
{
	changes++;
}

/* SEF-06: custom states, predefined prepare functions. */
static void update_callbacks(void)
{
	static const struct sef_update update = {
		.is_valid = sef_valid_any, .save = save_state, .changed = changed_state};
	struct message m;
	uint32_t status;
	int r;

	sef_on_update(&update);
	init_comes(SEF_INIT_FRESH, "sef.prepare=never");
	CHECK(start() == RETURNED);
	prepare_comes(SEF_LU_CUSTOM + 2);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED && fake.lu_count == 0 && changes == 1);
	prepare_comes(SEF_LU_NULL);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED && changes == 2 && saves == 0);
	sef_on_update(&update);
	prepare_comes(SEF_LU_CUSTOM);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED && fake.lu_count == 1 && saves == 1);
	sef_debug_options("sef.prepare=fail");
	prepare_comes(SEF_LU_WORK_FREE);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED && fake.lu_count == 2);
	CHECK(fake.lu[1].result == -EPERM && saves == 1);
	sef_debug_options("sef.prepare=crash");
	prepare_comes(SEF_LU_WORK_FREE);
	CHECK(receive(&m, &status, &r) == PANICKED);
}

static uint64_t signals;

static void note_signal(int signo)
{
	signals |= 1ull << signo;
	if (signo == LSIGINT) {
		sef_cancel();
	}
}

/* SEF-01, SEF-04, SEF-07: pings, signals by message and by notification, cancel. */
static void events(void)
{
	struct message m;
	uint32_t status;
	int r;

	sef_on_signal(note_signal);
	init_comes(SEF_INIT_FRESH, NULL);
	CHECK(start() == RETURNED);
	comes(EP_RS, NOTIFY_MESSAGE, IPC_STATUS_NOTIFY);
	MSG(comes(EP_RS, SEF_SIGNAL, 0), sef_signal)->signo = LSIGHUP;
	comes(EP_KERNEL, NOTIFY_MESSAGE, IPC_STATUS_NOTIFY)->notify.signals = KSIG_SELF;
	fake.script[fake.count - 1].u64[3] = 1ull << LSIGUSR1 | 1ull << LSIGUSR2;
	comes(EP_RS, SEF_INIT, 0);
	comes(CLIENT, SEF_SIGNAL, 0);
	CHECK(receive(&m, &status, &r) == RETURNED && m.source == CLIENT);
	CHECK(fake.pings == 1);
	CHECK(signals == (1ull << LSIGHUP | 1ull << LSIGUSR1 | 1ull << LSIGUSR2));
	MSG(comes(EP_RS, SEF_SIGNAL, 0), sef_signal)->signo = LSIGINT;
	CHECK(receive(&m, &status, &r) == RETURNED && r == -EINTR);
	sef_debug_options("sef.ping=none sef.signal=posix");
	comes(EP_RS, NOTIFY_MESSAGE, IPC_STATUS_NOTIFY);
	MSG(comes(EP_RS, SEF_SIGNAL, 0), sef_signal)->signo = LSIGCHLD;
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED && fake.pings == 1);
	MSG(comes(EP_RS, SEF_SIGNAL, 0), sef_signal)->signo = LSIGUSR1;
	CHECK(receive(&m, &status, &r) == EXITED);
}

static int managed;

/* The second one is gone. */
static int manage(const struct ksig *ksig)
{
	managed++;
	return ksig->endpoint == PROGRAM;
}

/* SEF-08: a signal manager gets two processes by one notification; who is gone is not ended. */
static void manager(void)
{
	struct message m;
	uint32_t status;
	int r;

	sef_on_ksig(manage);
	init_comes(SEF_INIT_FRESH, NULL);
	CHECK(start() == RETURNED);
	fake.ksigs[0].endpoint = CLIENT;
	fake.ksigs[1].endpoint = PROGRAM;
	fake.ksig_count = 2;
	comes(EP_KERNEL, NOTIFY_MESSAGE, IPC_STATUS_NOTIFY)->notify.signals = KSIG_SIGNAL;
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED);
	CHECK(managed == 2 && fake.ended_count == 1 && fake.ended[0] == CLIENT);
}

static void fault_comes(int kind, bool at_boundary, uint32_t count)
{
	struct message *m = comes(EP_RS, SEF_FAULT, 0);

	*MSG(m, sef_fault) = (struct sef_fault){
		.kind = kind, .at_boundary = at_boundary, .count = count, .seed = 1};
}

static void faults(void)
{
	struct message m;
	uint32_t status;
	int r;

	init_comes(SEF_INIT_FRESH, NULL);
	CHECK(start() == RETURNED);
	fault_comes(SEF_FAULT_EXIT, true, 1);
	CHECK(receive(&m, &status, &r) == EXITED && sef.phase == SEF_OUTSIDE);
	fault_comes(SEF_FAULT_ASSERT, false, 1);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED);
	comes(CLIENT, 9, IPC_STATUS_SENDREC);
	CHECK(receive(&m, &status, &r) == PANICKED);
	fault_comes(SEF_FAULT_WRONG, true, 2);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED && ipc_wrong_replies == 2);
	ipc_make_wrong(&m);
	CHECK(ipc_wrong_replies == 1);
	fault_comes(99, true, 2);
	CHECK(receive(&m, &status, &r) == SCRIPT_ENDED);
}

static void run(const char *name, void (*test)(void))
{
	int status;
	pid_t pid;

	printf("%s\n", name);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fake.init_result = 1;
		fake.program = EP_NONE;
		test();
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		exit(1);
	}
}

#define RUN(test) run(#test, test)

int main(void)
{
	RUN(fresh_start);
	RUN(predefined_inits);
	RUN(state_by_converter);
	RUN(state_without_converter);
	RUN(converter_refuses);
	RUN(damaged_state);
	RUN(restart_without_predecessor);
	RUN(kept_at_boundary);
	RUN(kept_without_restart_init);
	RUN(kept_without_predecessor);
	RUN(kept_never_started);
	RUN(kept_in_service_call);
	RUN(kept_in_program_call);
	RUN(kept_in_message);
	RUN(kept_and_redone);
	RUN(kept_after_answer);
	RUN(kept_and_not_redone_twice);
	RUN(kept_unseen);
	RUN(kept_unseen_program);
	RUN(kept_waiters);
	RUN(phases);
	RUN(update_when_free);
	RUN(update_refused);
	RUN(update_callbacks);
	RUN(events);
	RUN(manager);
	RUN(faults);
	return 0;
}
