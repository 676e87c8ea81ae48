/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/rs/test/fake.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "abi/linux/signal.h"
#include "lib/sys/diag.h"
#include "proto/vm.h"
#include "servers/rs/binary.h"
#include "servers/rs/caller.h"
#include "servers/rs/peers.h"
#include "servers/rs/process.h"
#include "servers/rs/service.h"
#include "servers/rs/standby.h"

unsigned failures;
struct fake fake;

int *contents(endpoint_t ep)
{
	CHECK(ep >= 1000 && ep < fake.next_ep);
	return &fake.contents[ep - 1000];
}

int process_check(const struct binary *binary)
{
	return binary->len >= 4 ? 0 : -ENOEXEC;
}

int process_create(
	struct rs *rs, const struct service *s, const struct binary *binary, endpoint_t *ep)
{
	(void)rs;
	(void)s;
	CHECK(binary && binary->references > 0);
	if (fake.create_error) {
		return fake.create_error;
	}
	*ep = fake.next_ep++;
	*contents(*ep) = *ep;
	fake.alive++;
	return 20;
}

int process_swap(endpoint_t ep, endpoint_t other, bool is_rollback)
{
	int error = is_rollback ? fake.rollback_error : fake.swap_error;
	int here = *contents(ep);

	CHECK(here != 0 && *contents(other) != 0);
	if (error == 0) {
		*contents(ep) = *contents(other);
		*contents(other) = here;
	}
	return error;
}

int process_give_privileges(
	const struct rs *rs, const struct service *s, endpoint_t ep, enum privctl_op op)
{
	(void)rs;
	(void)s;
	CHECK(*contents(ep) != 0 && op == PRIV_UPDATE);
	fake.privileges++;
	return fake.privilege_error ? fake.privilege_error : 20;
}

int process_start(endpoint_t ep)
{
	CHECK(*contents(ep) != 0);
	return fake.start_error;
}

void process_stop(endpoint_t ep)
{
	CHECK(*contents(ep) != 0);
}

void process_kill(endpoint_t ep)
{
	CHECK(*contents(ep) != 0);
	fake.kills++;
}

void process_destroy(endpoint_t ep)
{
	CHECK(*contents(ep) != 0);
	*contents(ep) = 0;
	fake.alive--;
}

void process_look(endpoint_t ep, struct process_look *look)
{
	CHECK(*contents(ep) != 0);
	*look = (struct process_look){
		.is_at_fault = fake.is_hung, .waits_for = fake.waits_for, .messages = 5};
}

int process_pid(const struct service *s)
{
	return s->ep == EP_NONE ? 0 : 100 + s->ep % 100;
}

int process_calls_made(endpoint_t ep, uint64_t *kcalls, uint64_t *vm_calls)
{
	CHECK(*contents(ep) != 0);
	*kcalls = KCALL_BASIC | 1ull << KCALL_vumap;
	*vm_calls = 1ull << (VM_MAP_PHYS - VM_BASE);
	return 0;
}

int process_flip_bits(const struct service *s, bool is_text, uint32_t count, uint64_t seed)
{
	(void)s;
	(void)is_text;
	(void)seed;
	fake.faults += (int)count;
	return 0;
}

void peers_send_init(struct service *s, enum sef_init_type type, endpoint_t former)
{
	CHECK(s->ep != EP_NONE);
	fake.inits[type]++;
	fake.last_former = former;
}

void peers_forget_args(struct service *s)
{
	CHECK(s->args != NULL);
}

void peers_prepare(const struct service *s, int state)
{
	(void)s;
	if (state == SEF_LU_NULL) {
		fake.cancelled++;
	} else {
		fake.prepared++;
	}
}

void peers_go_on(endpoint_t ep)
{
	CHECK(*contents(ep) != 0);
	fake.went_on++;
}

void peers_log_rollback(const struct service *s, time_ns_t switched_ns)
{
	CHECK(s->update != UPDATE_NONE && switched_ns <= S * 1000);
}

void peers_fault(const struct service *s, const struct sef_fault *fault)
{
	(void)s;
	fake.faults += (int)fault->count;
}

void peers_ping(const struct service *s)
{
	CHECK(s->ep != EP_NONE);
	fake.pings++;
}

void peers_send_signal(const struct service *s, int signo)
{
	CHECK(signo == LSIGTERM && s->ep != EP_NONE);
	fake.signals++;
}

void peers_announce(struct rs *rs, struct service *s)
{
	(void)rs;
	CHECK(s->ep != EP_NONE);
	fake.announced++;
}

void peers_schedule_all(struct rs *rs, bool by_sched)
{
	CHECK(rs->update.has_sched && by_sched == fake.is_kernel_scheduling);
	fake.is_kernel_scheduling = !by_sched;
}

void peers_edited(struct rs *rs, const struct service *s)
{
	(void)rs;
	CHECK(s->ep != EP_NONE);
}

void peers_recovered(struct rs *rs, struct service *s)
{
	(void)rs;
	CHECK(s->ep != EP_NONE);
	fake.recovered++;
}

void peers_renounce(struct service *s)
{
	CHECK(s->ep != EP_NONE);
	fake.renounced++;
}

void peers_map_drivers(const struct service *s, bool is_restarted)
{
	CHECK(is_restarted == (s->counts.restarts > 0));
	fake.mapped++;
}

void peers_forget(const struct service *s)
{
	CHECK(s->ep == EP_NONE);
	fake.forgotten++;
}

void peers_answer(struct waiter *waiter, int result, endpoint_t ep)
{
	if (waiter->kind != WAITER_NONE) {
		fake.answers++;
		fake.last_answer = result;
		fake.last_ep = ep;
	}
	waiter->kind = WAITER_NONE;
}

void peers_answer_program(endpoint_t program, int64_t result)
{
	CHECK(program != EP_NONE);
	fake.answers++;
	fake.last_answer = result;
}

void peers_signal_init(void)
{
	fake.scripts++;
}

void peers_set_alarm(time_ns_t at_ns)
{
	fake.alarm = at_ns;
}

void peers_system_failed(const struct service *s)
{
	(void)s;
	fake.system_failed++;
}

void standby_make(struct rs *rs)
{
	(void)rs;
}

int caller_uid(endpoint_t program, uint32_t *uid)
{
	(void)program;
	*uid = fake.uid;
	return 0;
}

int caller_copy_in(endpoint_t program, vaddr_t from, void *to, size_t bytes)
{
	(void)program;
	if (from == fake.bad || from == 0) {
		return bytes == 0 ? 0 : -EFAULT;
	}
	memcpy(to, (void *)from, bytes);
	return 0;
}

int caller_copy_out(endpoint_t program, vaddr_t to, const void *from, size_t bytes)
{
	(void)program;
	if (to == fake.bad || to == 0) {
		return -EFAULT;
	}
	memcpy((void *)to, from, bytes);
	return 0;
}

void diag_printf(const char *format, ...)
{
	char line[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
}

void diag_panic(const char *format, ...)
{
	printf("panic: %s\n", format);
	exit(1);
}

struct binary *fake_binary(const char *text)
{
	return binary_new((uint8_t *)strdup(text), strlen(text));
}

struct rs *fresh(void)
{
	struct rs *rs;

	memset(&fake, 0, sizeof(fake));
	fake.next_ep = 1000;
	fake.waits_for = EP_NONE;
	rs = calloc(1, sizeof(struct rs));
	rs->standby_ep = EP_NONE;
	return rs;
}

void finish(struct rs *rs)
{
	int used = 0;

	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];

		if (s->state != SERVICE_FREE) {
			used++;
			binary_release(s->binary);
			binary_release(s->previous_binary);
			binary_release(s->next_binary);
			free(s->other_conf);
			free(s->other_args);
			free(s->args);
		}
	}
	for (int i = 0; i < RS_TEMPLATES_MAX; i++) {
		if (rs->templates[i].used) {
			binary_release(rs->templates[i].binary);
			free(rs->templates[i].args);
		}
	}
	CHECK(fake.alive <= 2 * used);
	free(rs);
}

int up_declared(struct rs *rs, const char *label, const char *text)
{
	struct conf_service conf;
	struct conf_error error;
	struct binary *binary = fake_binary("\177ELF");
	int r;

	CHECK(conf_find(text, strlen(text), label, &conf, &error) == 0);
	r = service_up(rs,
		&(struct service_plan){.label = label,
			.conf = &conf,
			.binary = binary,
			.args = "x",
			.waiter = {.kind = WAITER_PROGRAM, .program = 7}});
	binary_release(binary);
	return r;
}

int up(struct rs *rs, const char *label)
{
	return up_declared(rs, label, "service s { chr 9; }");
}

struct service *running(struct rs *rs, const char *label)
{
	struct service *s;

	CHECK(up(rs, label) == 0);
	s = service_by_label(rs, label);
	service_started(rs, s, 0, true);
	CHECK(s->state == SERVICE_RUNNING && fake.last_answer == 0);
	return s;
}

const struct waiter someone = {.kind = WAITER_PROGRAM, .program = 8};
