/* SPDX-License-Identifier: BSD-2-Clause */
/* The axo_service call: each command, and every pointer, length, name and caller wrong. */
#include "servers/rs/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/linux/signal.h"
#include "proto/rs.h"
#include "servers/rs/service.h"
#include "servers/rs/test/fake.h"
#include "servers/rs/update.h"

static void test_control(void)
{
	static const char conf[] = "service a {\n uid x;\n}";
	static const char good[] = "service a { }";
	struct rs *rs = fresh();
	char out[8192] = "";
	struct axo_service_req req = {
		.cmd = AXO_SERVICE_UP, .name = "a", .out = (uint64_t)out, .out_len = sizeof(out)};
	int64_t result = 99;

#define CALL() control_call(rs, 7, (vaddr_t)&req, &result)
	fake.uid = 5;
	CHECK(CALL() && result == -EPERM);
	fake.uid = 0;
	CHECK(control_call(rs, 7, 0, &result) && result == -EFAULT);
	req.conf = (uint64_t)conf;
	req.conf_len = strlen(conf);
	CHECK(CALL() && result == -EINVAL && strncmp(out, "2: 'uid': 'x'", 13) == 0);
	req.conf_len = CONF_TEXT_MAX + 1;
	CHECK(CALL() && result == -E2BIG);
	req.conf = (uint64_t)good;
	req.conf_len = strlen(good);
	req.binary_len = 10;
	CHECK(CALL() && result == -EFAULT);
	req.args = (uint64_t)good;
	req.args_len = RS_ARGS_MAX + 1;
	CHECK(CALL() && result == -E2BIG);
	req.args_len = 3;
	req.binary_len = UINT64_MAX;
	CHECK(CALL() && result == -E2BIG);
	req.binary = (uint64_t) "abc";
	req.binary_len = 3;
	CHECK(CALL() && result == -ENOEXEC);
	req.binary = (uint64_t) "abcd";
	req.binary_len = 4;
	CHECK(!CALL() && strcmp(service_by_label(rs, "a")->args, "ser") == 0);
	CHECK(CALL() && result == -EBUSY);
	service_started(rs, service_by_label(rs, "a"), 0, true);
	req.cmd = AXO_SERVICE_STATUS;
	CHECK(CALL() && result > 0 && strstr(out, "a ") && strstr(out, "running"));
	req.out_len = 10;
	CHECK(CALL() && result == -ENOSPC);
	req.out_len = sizeof(out);
	req.out = 0;
	CHECK(CALL() && result == -EFAULT);
	strcpy(req.name, "nobody");
	CHECK(CALL() && result == -ESRCH);
	req.cmd = AXO_SERVICE_DOWN;
	CHECK(CALL() && result == -ESRCH);
	strcpy(req.name, "../x");
	CHECK(CALL() && result == -EINVAL);
	strcpy(req.name, "a");
	CHECK(!CALL());
	service_died(rs, service_by_label(rs, "a"), LSIGABRT);
	req.cmd = 77;
	CHECK(CALL() && result == -EINVAL);
	req.cmd = AXO_SERVICE_BOOTED;
	req.name[0] = '\0';
	CHECK(CALL() && result == 0 && rs->is_booted);
#undef CALL
	finish(rs);
}

/* One call of a command for a name. */
static int64_t command(struct rs *rs, enum axo_service_cmd cmd, const char *name, uint32_t flags)
{
	struct axo_service_req req = {.cmd = cmd, .flags = flags, .arg = SEF_LU_WORK_FREE};
	int64_t result;

	strcpy(req.name, name);
	return control_call(rs, 7, (vaddr_t)&req, &result) ? result : CONTROL_LATER;
}

/* RS-01, RS-04: who may, and what each says. */
static void test_commands(void)
{
	struct rs *rs = fresh();
	struct service *s;

	rs->is_booted = true;
	CHECK(up_declared(rs, "a", "service a { control 5 6; }") == 0);
	s = service_by_label(rs, "a");
	service_started(rs, s, 0, true);
	CHECK(command(rs, AXO_SERVICE_LOOKUP, "a", 0) == 1000);
	CHECK(command(rs, AXO_SERVICE_LOOKUP, "b", 0) == -ESRCH);
	CHECK(command(rs, AXO_SERVICE_CLONE, "a", 0) == 0 && s->replica_ep != EP_NONE);
	CHECK(command(rs, AXO_SERVICE_CLONE, "a", 0) == -EEXIST);
	CHECK(command(rs, AXO_SERVICE_UNCLONE, "a", 0) == 0);
	CHECK(command(rs, AXO_SERVICE_UNCLONE, "a", 0) == -ENOENT);
	CHECK(command(rs, AXO_SERVICE_ROLLBACK, "a", 0) == -ENOENT);
	CHECK(command(rs, AXO_SERVICE_EDIT, "a", 0) == -EINVAL);
	CHECK(command(rs, AXO_SERVICE_SCRIPT, "", 0) == -EPERM);
	CHECK(command(rs, AXO_SERVICE_STATS, "a", 0) == -ENOSPC);
	CHECK(command(rs, AXO_SERVICE_PING, "a", 0) == CONTROL_LATER && fake.pings == 1);
	CHECK(command(rs, AXO_SERVICE_FAULT, "a", 0) == 0 && fake.faults == 1);
	CHECK(control_is_waiter(rs, 7) && !control_is_waiter(rs, 8));
	fake.uid = 5;
	CHECK(command(rs, AXO_SERVICE_LOOKUP, "a", 0) == 1000);
	CHECK(command(rs, AXO_SERVICE_LOOKUP, "b", 0) == -EPERM);
	CHECK(command(rs, AXO_SERVICE_SHUTDOWN, "", 0) == -EPERM);
	CHECK(command(rs, AXO_SERVICE_EDIT, "a", 0) == -EPERM);
	fake.uid = 7;
	CHECK(command(rs, AXO_SERVICE_LOOKUP, "a", 0) == -EPERM);
	fake.uid = 0;
	CHECK(command(rs, AXO_SERVICE_REFRESH, "a", 0) == CONTROL_LATER);
	CHECK(command(rs, AXO_SERVICE_REFRESH, "a", 0) == -EBUSY);
	CHECK(command(rs, AXO_SERVICE_UPDATE, "a", 0) == -EBUSY);
	service_died(rs, s, LSIGABRT);
	service_started(rs, s, 0, true);
	CHECK(command(rs, AXO_SERVICE_SHUTDOWN, "", 0) == 0 && rs->is_shutting_down);
	finish(rs);
}

/* Another declaration: class and device numbers stay, and all when privileges cannot be had. */
static void test_edit(void)
{
	static const char conf[] = "service a { uid 7; chr 9; }", fs[] = "service a { class fs; }";
	struct rs *rs = fresh();
	struct axo_service_req req = {.cmd = AXO_SERVICE_EDIT,
		.name = "a",
		.conf = (uint64_t)conf,
		.conf_len = strlen(conf),
		.arg = SEF_LU_WORK_FREE};
	struct service *s;
	int64_t result;

	CHECK(up_declared(rs, "a", "service a { uid 5; chr 8; }") == 0);
	s = service_by_label(rs, "a");
	service_started(rs, s, 0, true);
	fake.privilege_error = -ENOSPC;
	CHECK(control_call(rs, 7, (vaddr_t)&req, &result) && result == -ENOSPC);
	CHECK(s->conf.uid == 5);
	fake.privilege_error = 0;
	CHECK(control_call(rs, 7, (vaddr_t)&req, &result) && result == 0);
	CHECK(s->conf.uid == 7 && s->conf.chr_count == 1 && s->conf.chr[0] == 8);
	req.conf = (uint64_t)fs;
	req.conf_len = strlen(fs);
	CHECK(control_call(rs, 7, (vaddr_t)&req, &result) && result == -EPERM);
	req.cmd = AXO_SERVICE_UPDATE;
	CHECK(control_call(rs, 7, (vaddr_t)&req, &result) && result == -EPERM);
	CHECK(s->update == UPDATE_NONE && s->conf.class == CONF_CLASS_DRIVER);
	finish(rs);
}

/* NEG-13, RS-01: each declared command has a handler, and is root's; no other number means
 * anything. */
static void test_all_commands(void)
{
	struct rs *rs = fresh();

	fake.uid = 99;
	for (uint32_t cmd = 0; cmd < AXO_SERVICE_DEVICES + 50; cmd++) {
		bool is_declared = cmd >= AXO_SERVICE_UP && cmd <= AXO_SERVICE_DEVICES;

		CHECK(command(rs, cmd, "a", 0) == (is_declared ? -EPERM : -EINVAL));
	}
	finish(rs);
}

/* One text command for `a`; its output in out. */
static int64_t text_of(struct rs *rs, enum axo_service_cmd cmd, char *out, size_t size)
{
	struct axo_service_req req = {
		.cmd = cmd, .name = "a", .out = (uint64_t)out, .out_len = size - 1};
	int64_t result;

	memset(out, 0, size);
	CHECK(control_call(rs, 7, (vaddr_t)&req, &result));
	return result;
}

/* RS-02, DRV-08: a device number has one service; who has which. And what one may and has not used.
 */
static void test_devices_and_rights(void)
{
	static const char other[] = "\nservice b { chr 4; blk 8 7; }";
	struct rs *rs = fresh();
	struct axo_service_req req = {.cmd = AXO_SERVICE_UP, .name = "b"};
	char out[2048] = "";
	int64_t result;

	CHECK(up_declared(rs, "a",
		      "service a { uid 5; chr 8; blk 7; kcall vumap irqctl; vm map_phys info; }") ==
		0);
	req.conf = (uint64_t)other;
	req.conf_len = strlen(other);
	req.binary = (uint64_t) "abcd";
	req.binary_len = 4;
	req.out = (uint64_t)out;
	req.out_len = sizeof(out);
	CHECK(control_call(rs, 7, (vaddr_t)&req, &result) && result == -EADDRINUSE);
	CHECK(strcmp(out, "2: 'blk 7' is a device of a already") == 0);
	CHECK(!service_by_label(rs, "b") && fake.alive == 1);
	CHECK(text_of(rs, AXO_SERVICE_DEVICES, out, sizeof(out)) > 0);
	CHECK(strcmp(out, "chr 8 a\nblk 7 a\n") == 0);
	CHECK(text_of(rs, AXO_SERVICE_RIGHTS, out, sizeof(out)) > 0);
	CHECK(strstr(out, "service a {\n\tclass driver;\n\tuid 5;\n\tkcall vumap irqctl;\n"));
	CHECK(strstr(out, "\t# never called so far: kcall irqctl\n"));
	CHECK(strstr(out, "\t# never called so far: vm info\n}\n"));
	CHECK(text_of(rs, AXO_SERVICE_RIGHTS, out, 60) == -ENOSPC);
	finish(rs);
}

/* `edit` follows what the declaration says of a replica, and only what has changed of it. */
static void test_edit_replica(void)
{
	static const char *const confs[] = {"service a { replica yes; }", "service a { }"};
	struct rs *rs = fresh();
	struct axo_service_req req = {.cmd = AXO_SERVICE_EDIT, .name = "a"};
	struct service *s;
	int64_t result;

	rs->is_booted = true;
	CHECK(up_declared(rs, "a", confs[1]) == 0);
	s = service_by_label(rs, "a");
	service_started(rs, s, 0, true);
	CHECK(command(rs, AXO_SERVICE_CLONE, "a", 0) == 0 && s->replica_ep != EP_NONE);
	for (int i = 1; i >= 0; i--) { /* asked for by hand: it stays */
		req.conf = (uint64_t)confs[i];
		req.conf_len = strlen(confs[i]);
		CHECK(control_call(rs, 7, (vaddr_t)&req, &result) && result == 0);
		CHECK(s->has_replica && s->replica_ep != EP_NONE && fake.alive == 2);
	}
	req.conf = (uint64_t)confs[1];
	req.conf_len = strlen(confs[1]);
	CHECK(control_call(rs, 7, (vaddr_t)&req, &result) && result == 0);
	CHECK(!s->has_replica && s->replica_ep == EP_NONE && fake.alive == 1);
	finish(rs);
}

/* RS-22: a batch ends with the first step of its program that fails, whatever it is about; another
 * program has no part in it. */
static void test_batch_forgotten(void)
{
	struct rs *rs = fresh();
	struct service *s = running(rs, "a");
	struct axo_service_req req = {.cmd = AXO_SERVICE_UPDATE,
		.name = "a",
		.arg = SEF_LU_WORK_FREE,
		.flags = AXO_SERVICE_BATCH};
	int64_t result;

	CHECK(control_call(rs, 7, (vaddr_t)&req, &result) && result == 0);
	CHECK(s->update == UPDATE_QUEUED && fake.alive == 2);
	running(rs, "b");
	strcpy(req.name, "b");
	CHECK(control_call(rs, 6, (vaddr_t)&req, &result) && result == -EBUSY);
	strcpy(req.name, "nobody");
	CHECK(control_call(rs, 6, (vaddr_t)&req, &result) && result == -ESRCH);
	CHECK(s->update == UPDATE_QUEUED);
	CHECK(control_call(rs, 7, (vaddr_t)&req, &result) && result == -ESRCH);
	CHECK(s->update == UPDATE_NONE && rs->update.phase == PHASE_NONE && fake.alive == 2);
	finish(rs);
}

/* What cannot run is announced to nobody in the end. */
static void test_start_fails(void)
{
	struct rs *rs = fresh();

	fake.start_error = -EPERM;
	CHECK(up(rs, "a") == -EPERM && fake.forgotten == 1 && fake.renounced == 1);
	CHECK(fake.alive == 0 && !service_by_label(rs, "a"));
	finish(rs);
}

/* What is refused does not count for the next death. */
static void test_fault(void)
{
	struct rs *rs = fresh();
	struct axo_service_req req = {.cmd = AXO_SERVICE_FAULT,
		.flags = AXO_SERVICE_NO_BACKOFF,
		.name = "a",
		.arg = SEF_FAULT_DATA,
		.count = UINT32_MAX};
	struct service *s = running(rs, "a");
	int64_t result;

	CHECK(control_call(rs, 7, (vaddr_t)&req, &result) && result == -EINVAL);
	CHECK(!s->is_on_purpose);
	req.arg = 0;
	CHECK(control_call(rs, 7, (vaddr_t)&req, &result) && result == 0 && s->is_on_purpose);
	finish(rs);
}

int main(void)
{
	test_control();
	test_commands();
	test_edit();
	test_all_commands();
	test_devices_and_rights();
	test_edit_replica();
	test_batch_forgotten();
	test_fault();
	test_start_fails();
	printf("%u failures\n", failures);
	return failures != 0;
}
