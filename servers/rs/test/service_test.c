/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of services against fakes of processes and peers: each path of rs.h's diagram, what the
 * others are told, and the axo_service call with every pointer wrong.
 */
#include "servers/rs/service.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/linux/signal.h"
#include "lib/core/bitmap.h"
#include "lib/sys/diag.h"
#include "proto/rs.h"
#include "servers/rs/caller.h"
#include "servers/rs/control.h"
#include "servers/rs/mounts.h"
#include "servers/rs/peers.h"
#include "servers/rs/privilege.h"
#include "servers/rs/process.h"

static unsigned failures;

#define CHECK(condition)                                                               \
	do {                                                                           \
		if (!(condition)) {                                                    \
			printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
			failures++;                                                    \
		}                                                                      \
	} while (0)

#define S 1000000000ull

/* ---- the fakes: what was asked of them ---- */

static struct {
	endpoint_t next_ep;
	int create_error;
	int alive; /* processes */
	int announced, renounced, mapped, forgotten, system_failed;
	int inits[3]; /* by type */
	int signals;
	int answers, last_answer;
	endpoint_t last_ep;
	time_ns_t alarm;
	bool is_root;
	vaddr_t bad; /* copies that touch it fail */
} fake;

int process_check(const struct binary *binary)
{
	return binary->len >= 4 ? 0 : -ENOEXEC;
}

int process_create(struct rs *rs, struct service *s)
{
	(void)rs;
	if (fake.create_error) {
		return fake.create_error;
	}
	CHECK(s->ep == EP_NONE);
	s->ep = fake.next_ep++;
	s->priv_id = 20;
	fake.alive++;
	return 0;
}

int process_start(struct service *s)
{
	CHECK(s->ep != EP_NONE);
	return 0;
}

void process_destroy(struct service *s)
{
	CHECK(s->ep != EP_NONE);
	s->ep = EP_NONE;
	fake.alive--;
}

int process_pid(const struct service *s)
{
	return s->ep == EP_NONE ? 0 : 100 + s->ep % 100;
}

void peers_send_init(struct service *s, enum sef_init_type type)
{
	(void)s;
	fake.inits[type]++;
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

void peers_renounce(const struct service *s)
{
	CHECK(s->ep != EP_NONE);
	fake.renounced++;
}

void peers_map_drivers(const struct service *s, bool is_restarted)
{
	CHECK(is_restarted == (s->restarts > 0));
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

void peers_set_alarm(time_ns_t at_ns)
{
	fake.alarm = at_ns;
}

void peers_system_failed(const struct service *s)
{
	(void)s;
	fake.system_failed++;
}

bool caller_is_root(endpoint_t program)
{
	(void)program;
	return fake.is_root;
}

int caller_copy_in(endpoint_t program, vaddr_t from, void *to, size_t bytes)
{
	(void)program;
	if (from == fake.bad || from == 0) {
		return -EFAULT;
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

/* ---- helpers ---- */

static struct rs *fresh(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.next_ep = 1000;
	fake.is_root = true;
	return calloc(1, sizeof(struct rs));
}

static void finish(struct rs *rs)
{
	int used = 0;

	for (int i = 0; i < RS_SERVICES_MAX; i++) {
		struct service *s = &rs->services[i];

		if (s->state != SERVICE_FREE) {
			used++;
			binary_release(s->binary);
			free(s->args);
		}
	}
	for (int i = 0; i < RS_TEMPLATES_MAX; i++) {
		if (rs->templates[i].used) {
			binary_release(rs->templates[i].binary);
			free(rs->templates[i].args);
		}
	}
	CHECK(fake.alive <= used);
	free(rs);
}

static int up_declared(struct rs *rs, const char *label, const char *text)
{
	struct conf_service conf;
	struct conf_error error;
	struct binary *binary = malloc(sizeof(*binary) + 4);
	int r;

	binary->references = 1;
	binary->len = 4;
	memcpy(binary->data, "\177ELF", 4);
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

static int up(struct rs *rs, const char *label)
{
	return up_declared(rs, label, "service s { chr 9; }");
}

static struct service *running(struct rs *rs, const char *label)
{
	struct service *s;

	CHECK(up(rs, label) == 0);
	s = service_by_label(rs, label);
	service_started(rs, s, 0);
	CHECK(s->state == SERVICE_RUNNING && fake.last_answer == 0);
	return s;
}

static const struct waiter someone = {.kind = WAITER_PROGRAM, .program = 8};

/* ---- the tests ---- */

static void test_up(void)
{
	struct rs *rs = fresh();
	struct service *s;

	rs->now_ns = 5 * S;
	CHECK(up(rs, "a") == 0 && fake.announced == 1 && fake.inits[SEF_INIT_FRESH] == 1 &&
		fake.answers == 0);
	CHECK(fake.alarm == 5 * S + RS_INIT_LIMIT_NS && up(rs, "a") == -EBUSY);
	s = service_by_label(rs, "a");
	CHECK(s && s == service_by_endpoint(rs, 1000) && s->state == SERVICE_STARTING &&
		fake.mapped == 0);
	CHECK(service_down(rs, s, someone) == -EBUSY && service_restart(rs, s, someone) == -EBUSY);
	service_started(rs, s, 0);
	service_started(rs, s, -EIO); /* a second report means nothing */
	CHECK(s->state == SERVICE_RUNNING && fake.answers == 1 && fake.last_ep == 1000 &&
		fake.mapped == 1);
	service_tick(rs);
	CHECK(fake.alarm == 0);
	finish(rs);
}

static void test_up_fails(void)
{
	struct rs *rs = fresh();

	fake.create_error = -ENOMEM;
	CHECK(up(rs, "a") == -ENOMEM && !service_by_label(rs, "a") && fake.announced == 0 &&
		fake.answers == 0);
	fake.create_error = 0;
	CHECK(up(rs, "a") == 0);
	service_started(rs, service_by_label(rs, "a"), -ENODEV);
	CHECK(!service_by_label(rs, "a") && fake.last_answer == -ENODEV && fake.alive == 0 &&
		fake.forgotten == 1);
	CHECK(up(rs, "a") == 0);
	service_died(rs, service_by_label(rs, "a"), LSIGSEGV);
	CHECK(!service_by_label(rs, "a") && fake.last_answer == -EIO && fake.alive == 0 &&
		fake.answers == 2);
	CHECK(up(rs, "a") == 0);
	rs->now_ns += RS_INIT_LIMIT_NS;
	service_tick(rs);
	CHECK(!service_by_label(rs, "a") && fake.last_answer == -ETIMEDOUT && fake.alive == 0 &&
		fake.answers == 3);
	finish(rs);
}

static void test_down(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");

	CHECK(service_down(rs, s, someone) == 0 && fake.signals == 1 &&
		s->state == SERVICE_STOPPING);
	CHECK(service_down(rs, s, someone) == -EBUSY && fake.answers == 1);
	service_died(rs, s, LSIGABRT);
	CHECK(!service_by_label(rs, "a") && fake.answers == 2 && fake.last_answer == 0 &&
		fake.alive == 0);
	s = running(rs, "b"); /* does not end by itself */
	CHECK(service_down(rs, s, someone) == 0);
	rs->now_ns += RS_STOP_LIMIT_NS;
	service_tick(rs);
	CHECK(!service_by_label(rs, "b") && fake.answers == 4 && fake.alive == 0 &&
		fake.forgotten == 2);
	finish(rs);
}

static void test_restart(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");

	CHECK(service_restart(rs, s, someone) == 0 && s->state == SERVICE_STOPPING);
	service_died(rs, s, LSIGABRT);
	CHECK(s->state == SERVICE_STARTING && s->ep == 1001 && fake.inits[SEF_INIT_FRESH] == 2 &&
		fake.answers == 1);
	service_started(rs, s, 0);
	CHECK(s->state == SERVICE_RUNNING && fake.answers == 2 && s->restarts == 1 &&
		fake.forgotten == 0);
	CHECK(service_restart(rs, s, someone) == 0);
	service_died(rs, s, LSIGABRT);
	service_started(rs, s, -EIO); /* stays visible */
	CHECK(s->state == SERVICE_FAILED && fake.last_answer == -EIO && fake.alive == 0);
	CHECK(service_restart(rs, s, someone) == 0 && s->state == SERVICE_STARTING);
	service_started(rs, s, 0);
	CHECK(s->state == SERVICE_RUNNING && service_down(rs, s, someone) == 0);
	service_died(rs, s, LSIGABRT);
	finish(rs);
}

/* One crash at once, then 1, 2, 4, 8 seconds, then the end. */
static void test_crashes(void)
{
	static const uint64_t delay_s[RS_CRASHES_MAX] = {0, 1, 2, 4, 8};
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");

	for (int i = 0; i < RS_CRASHES_MAX; i++) {
		service_died(rs, s, LSIGSEGV);
		if (delay_s[i]) {
			CHECK(s->state == SERVICE_BACKOFF && s->ep == EP_NONE);
			CHECK(fake.alarm == rs->now_ns + delay_s[i] * S);
			rs->now_ns += delay_s[i] * S - 1;
			service_tick(rs);
			CHECK(s->state == SERVICE_BACKOFF);
			rs->now_ns += 1;
			service_tick(rs);
		}
		CHECK(s->state == SERVICE_STARTING && s->is_restart && s->old_ep == 1000 + i);
		service_started(rs, s, 0);
		CHECK(s->state == SERVICE_RUNNING && fake.forgotten == 0);
	}
	CHECK(fake.inits[SEF_INIT_RESTART] == RS_CRASHES_MAX && fake.answers == 1);
	service_died(rs, s, LSIGSEGV);
	CHECK(s->state == SERVICE_FAILED && fake.forgotten == 1 && fake.alive == 0 &&
		fake.alarm == 0);
	CHECK(service_down(rs, s, someone) == 1 && !service_by_label(rs, "a") && fake.answers == 1);
	s = running(rs, "b"); /* crashes that are far apart do not add up */
	for (int i = 0; i < 3 * RS_CRASHES_MAX; i++) {
		rs->now_ns += RS_CRASH_WINDOW_NS + 1;
		service_died(rs, s, LSIGSEGV);
		CHECK(s->state == SERVICE_STARTING);
		service_started(rs, s, 0);
	}
	finish(rs);
}

static void test_crash_in_init(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");

	service_died(rs, s, LSIGSEGV);
	service_died(rs, s, LSIGSEGV); /* again, in its init */
	CHECK(s->state == SERVICE_BACKOFF && s->crashes == 2);
	rs->now_ns += S;
	fake.create_error = -ENOMEM;
	service_tick(rs);
	CHECK(s->state == SERVICE_FAILED && fake.alive == 0);
	finish(rs);
}

static void test_special(void)
{
	struct rs *rs = fresh();
	struct service *s;

	CHECK(up_declared(rs, "once", "service once { restart no; }") == 0);
	s = service_by_label(rs, "once");
	service_started(rs, s, 0);
	service_died(rs, s, LSIGSEGV);
	CHECK(s->state == SERVICE_FAILED);
	CHECK(up_declared(rs, "core", "service core { core yes; }") == 0);
	s = service_by_label(rs, "core");
	service_started(rs, s, 0);
	CHECK(service_down(rs, s, someone) == -EPERM && fake.system_failed == 0);
	service_died(rs, s, LSIGSEGV);
	CHECK(fake.system_failed == 1);
	finish(rs);
}

static void test_limits(void)
{
	struct rs *rs = fresh();
	char label[16];
	int r = 0, n;

	for (n = 0; r == 0; n++) {
		snprintf(label, sizeof(label), "s%d", n);
		r = up(rs, label);
	}
	CHECK(r == -ENOSPC && n == RS_SERVICES_MAX + 1 && fake.alive == RS_SERVICES_MAX);
	finish(rs);
}

static void test_mounts(void)
{
	static const char text[] = "service fsx { class fs; }";
	struct rs *rs = fresh();
	struct conf_service conf;
	struct conf_error error;
	struct binary *binary = malloc(sizeof(*binary) + 4);
	struct rs_fs_start req = {.seq = 5, .type = "fsx", .label = "fsx.vda"};
	struct service *s;

	*binary = (struct binary){.references = 1, .len = 4};
	CHECK(conf_find(text, strlen(text), "fsx", &conf, &error) == 0);
	CHECK(mounts_register(rs, "fsx", &conf, binary, "") == 0 &&
		mounts_register(rs, "fsx", &conf, binary, "y") == 0);
	conf.class = CONF_CLASS_DRIVER;
	CHECK(mounts_register(rs, "other", &conf, binary, "") == -EINVAL);
	binary_release(binary);
	mounts_start(rs, &(struct rs_fs_start){.seq = 1, .type = "none"});
	CHECK(fake.answers == 1 && fake.last_answer == -ENODEV);
	mounts_start(rs, &req);
	s = service_by_label(rs, "fsx.vda");
	CHECK(s && s->is_mount);
	service_started(rs, s, 0);
	CHECK(fake.answers == 2 && fake.last_answer == 0 && fake.last_ep == s->ep);
	mounts_start(rs, &req);
	CHECK(service_by_label(rs, "fsx.vda.2") != NULL);
	memset(req.label, 'x', sizeof(req.label)); /* no NUL, and too long with a number */
	mounts_start(rs, &req);
	mounts_start(rs, &req);
	CHECK(fake.alive == 4);
	CHECK(service_down(rs, s, someone) == -EPERM && service_restart(rs, s, someone) == -EPERM);
	mounts_stop(rs, &(struct rs_ep){.ep = s->ep});
	mounts_stop(rs, &(struct rs_ep){.ep = 4242});
	CHECK(!service_by_label(rs, "fsx.vda") && fake.alive == 3);
	s = service_by_label(rs, "fsx.vda.2");
	service_started(rs, s, 0);
	service_died(rs, s, LSIGSEGV); /* a mount is not brought back */
	CHECK(!service_by_label(rs, "fsx.vda.2") && fake.alive == 2);
	finish(rs);
}

static void test_control(void)
{
	static const char conf[] = "service a {\n uid x;\n}";
	static const char good[] = "service a { }";
	struct rs *rs = fresh();
	char out[8192] = "";
	struct axo_service_req req = {
		.cmd = AXO_SERVICE_UP, .name = "a", .out = (uint64_t)out, .out_len = sizeof(out)};
	int64_t result = 99;

#define CALL() (control_call(rs, 7, (vaddr_t)&req, &result))
	fake.is_root = false;
	CHECK(CALL() == 0 && result == -EPERM);
	fake.is_root = true;
	CHECK(control_call(rs, 7, 0, &result) == 0 && result == -EFAULT);
	req.conf = (uint64_t)conf;
	req.conf_len = strlen(conf);
	CHECK(CALL() == 0 && result == -EINVAL && strncmp(out, "2: 'uid': 'x'", 13) == 0);
	req.conf_len = CONF_TEXT_MAX + 1;
	CHECK(CALL() == 0 && result == -E2BIG);
	req.conf = (uint64_t)good;
	req.conf_len = strlen(good);
	req.binary_len = 10;
	CHECK(CALL() == 0 && result == -EFAULT);
	req.args = (uint64_t)good;
	req.args_len = 3;
	req.binary_len = UINT64_MAX;
	CHECK(CALL() == 0 && result == -E2BIG);
	req.binary = (uint64_t) "abc";
	req.binary_len = 3;
	CHECK(CALL() == 0 && result == -ENOEXEC);
	req.binary = (uint64_t) "abcd";
	req.binary_len = 4;
	CHECK(CALL() == CONTROL_LATER && strcmp(service_by_label(rs, "a")->args, "ser") == 0);
	CHECK(CALL() == 0 && result == -EBUSY);
	service_started(rs, service_by_label(rs, "a"), 0);
	req.cmd = AXO_SERVICE_STATUS;
	CHECK(CALL() == 0 && result > 0 && strstr(out, "a ") && strstr(out, "running"));
	req.out_len = 10;
	CHECK(CALL() == 0 && result == -ENOSPC);
	req.out_len = sizeof(out);
	req.out = 0;
	CHECK(CALL() == 0 && result == -EFAULT);
	strcpy(req.name, "nobody");
	CHECK(CALL() == 0 && result == -ESRCH);
	req.cmd = AXO_SERVICE_DOWN;
	CHECK(CALL() == 0 && result == -ESRCH);
	strcpy(req.name, "../x");
	CHECK(CALL() == 0 && result == -EINVAL);
	strcpy(req.name, "a");
	CHECK(CALL() == CONTROL_LATER);
	service_died(rs, service_by_label(rs, "a"), LSIGABRT);
	req.cmd = 77;
	CHECK(CALL() == 0 && result == -EINVAL);
	req.cmd = AXO_SERVICE_BOOTED;
	req.name[0] = '\0';
	CHECK(CALL() == 0 && result == 0 && rs->is_booted);
#undef CALL
	finish(rs);
}

static bool may_send(const struct rs *rs, const struct service *from, const struct service *to)
{
	struct priv_spec spec;

	privilege_spec(rs, from, &spec);
	return bitmap_test(spec.send_mask, (size_t)to->priv_id);
}

static void test_privileges(void)
{
	struct rs *rs = fresh();
	struct service *disk, *ext2, *other;
	struct priv_spec spec;

	CHECK(up_declared(rs, "disk",
		      "service disk { uid 5; kcall vumap; irq 3; io 0x60 1; signal_manager other; "
		      "}") == 0);
	CHECK(up_declared(rs, "ext2.vda", "service ext2 { class fs; ipc @driver; heap no; }") == 0);
	CHECK(up_declared(rs, "other",
		      "service other { class server; ipc ext2; magic_grants yes; }") == 0);
	disk = service_by_label(rs, "disk");
	ext2 = service_by_label(rs, "ext2.vda");
	other = service_by_label(rs, "other");
	disk->priv_id = 3;
	ext2->priv_id = 70;
	other->priv_id = 127;
	CHECK(may_send(rs, ext2, disk) && may_send(rs, disk, ext2)); /* answers */
	CHECK(may_send(rs, other, ext2) && !may_send(rs, other, disk) &&
		!may_send(rs, disk, other));
	privilege_spec(rs, disk, &spec);
	CHECK(spec.uid == 5 && spec.irq_count == 1 && spec.irq[0] == 3 && spec.io[0].end == 0x60 &&
		spec.linux_mem);
	CHECK(spec.kcall_mask == (1ull << KCALL_vumap | KCALL_BASIC) && spec.sig_mgr == other->ep);
	CHECK(spec.flags == 0 && strcmp(spec.label, "disk") == 0);
	privilege_spec(rs, other, &spec);
	CHECK(spec.flags == PRIV_FLAG_MAGIC && spec.sig_mgr == EP_RS &&
		spec.kcall_mask == KCALL_BASIC);
	privilege_spec(rs, ext2, &spec);
	CHECK(!spec.linux_mem);
	finish(rs);
}

int main(void)
{
	test_privileges();
	test_up();
	test_up_fails();
	test_down();
	test_restart();
	test_crashes();
	test_crash_in_init();
	test_special();
	test_limits();
	test_mounts();
	test_control();
	printf("%u failures\n", failures);
	return failures != 0;
}
