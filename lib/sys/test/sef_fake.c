/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/sys/test/sef_fake.h"

#include <errno.h>
#include <string.h>

#include "lib/sys/diag.h"
#include "lib/sys/ipc.h"
#include "proto/vm.h"

struct fake fake;

void diag_printf(const char *format, ...)
{
}

_Noreturn void diag_panic(const char *format, ...)
{
	longjmp(fake.end, PANICKED);
}

static int64_t fake_sendrec(endpoint_t dst, struct message *m)
{
	if (dst == EP_RS && m->type == SEF_LU_REPLY) {
		fake.lu[fake.lu_count++] = *MSG(m, sef_lu_reply);
	} else if (dst == EP_RS) {
		fake.init_reply_type = m->type;
		fake.init_result = MSG(m, sef_init_reply)->result;
	} else if (dst == EP_VM && m->type == VM_INHERIT) {
		fake.inherits++;
		if (!fake.has_predecessor) {
			m->type = -ESRCH;
			return 0;
		}
		if (MSG(m, vm_inherit_req)->how == VM_INHERIT_COPY) {
			m->type = fake.copy_result;
			return 0;
		}
		sef = fake.memory;
	}
	m->type = 0;
	return 0;
}

/* By slots, as the kernel does it: the test lists them in that order. */
static int64_t list_waiters(endpoint_t *eps, uint64_t max, uint64_t first)
{
	uint64_t count = 0;

	for (int i = 0; i < fake.waiter_count && count < max; i++) {
		if ((uint64_t)EP_SLOT(fake.waiters[i]) >= first) {
			eps[count++] = fake.waiters[i];
		}
	}
	return (int64_t)count;
}

static int64_t fake_statectl(uint64_t op, uint64_t a, uint64_t b, uint64_t c)
{
	switch (op) {
	case STATE_GET_TABLE:
		if (!fake.has_predecessor) {
			return -ESRCH;
		}
		*(struct state_table *)a =
			(struct state_table){(uint64_t)fake.table, fake.table_count};
		return 0;
	case STATE_READ:
		memcpy((void *)b, (void *)a, c);
		return 0;
	case STATE_WAITERS:
		return list_waiters((endpoint_t *)a, b, c);
	case STATE_CLEAR_IPC_REFS:
		fake.cleared++;
		return 0;
	default:
		return 0;
	}
}

static int64_t fake_getinfo(uint64_t what, void *to, uint64_t argument)
{
	if (what == GETINFO_WHOAMI) {
		*(struct whoami *)to = (struct whoami){.endpoint = SELF, .label = "test"};
	} else if (what == GETINFO_PROC) {
		((struct proc_info *)to)->call = (endpoint_t)argument == fake.program ? 1 : -1;
	}
	return 0;
}

static int64_t fake_receive(struct message *m)
{
	if (fake.next == fake.count) {
		longjmp(fake.end, SCRIPT_ENDED);
	}
	*m = fake.script[fake.next];
	return fake.status[fake.next++];
}

int64_t sys_trap(
	uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	switch (nr) {
	case TRAP_RECEIVE:
		return fake_receive((struct message *)a1);
	case TRAP_SENDREC:
		return fake_sendrec((endpoint_t)a0, (struct message *)a1);
	case TRAP_SENDNB:
		fake.replies[fake.reply_count] = *(struct message *)a1;
		fake.replies[fake.reply_count++].source = (endpoint_t)a0;
		return 0;
	case TRAP_NOTIFY:
		fake.pings += (endpoint_t)a0 == EP_RS;
		return 0;
	case KCALL_BASE + KCALL_statectl:
		return fake_statectl(a0, a1, a2, a3);
	case KCALL_BASE + KCALL_getinfo:
		return fake_getinfo(a0, (void *)a1, a3);
	case KCALL_BASE + KCALL_safecopyfrom:
		memcpy((void *)a3, fake.args, a4);
		return 0;
	case KCALL_BASE + KCALL_setgrant:
		fake.grant_tables++;
		return 0;
	case KCALL_BASE + KCALL_getksig:
		if (fake.ksig_next == fake.ksig_count) {
			return 0;
		}
		*(struct ksig *)a0 = fake.ksigs[fake.ksig_next++];
		return 1;
	case KCALL_BASE + KCALL_endksig:
		fake.ended[fake.ended_count++] = (endpoint_t)a0;
		return 0;
	case KCALL_BASE + KCALL_exit:
		longjmp(fake.end, EXITED);
	default:
		return 0;
	}
}

struct message *comes(endpoint_t source, int type, uint32_t status)
{
	struct message *m = &fake.script[fake.count];

	m->source = source;
	m->type = type;
	fake.status[fake.count++] = status;
	return m;
}

void init_comes(enum sef_init_type type, const char *args)
{
	struct message *m = comes(EP_RS, SEF_INIT, IPC_STATUS_ASYNC);

	fake.args = args;
	*MSG(m, sef_init) = (struct sef_init){.type = (int32_t)type,
		.restarts = type == SEF_INIT_RESTART,
		.old = EP_NONE,
		.args = args ? 1 : GRANT_INVALID,
		.args_len = args ? (uint32_t)strlen(args) : 0};
}

void prepare_comes(int state)
{
	struct message *m = comes(EP_RS, SEF_LU_PREPARE, IPC_STATUS_ASYNC);

	MSG(m, sef_lu_prepare)->state = state;
}

enum outcome start(void)
{
	int r = setjmp(fake.end);

	if (r == 0) {
		sef_start();
		return RETURNED;
	}
	return (enum outcome)r;
}

enum outcome receive(struct message *m, uint32_t *status, int *result)
{
	int r = setjmp(fake.end);

	if (r == 0) {
		*result = sef_receive(EP_ANY, m, status);
		return RETURNED;
	}
	return (enum outcome)r;
}
