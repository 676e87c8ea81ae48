/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/vfs/random.h"

#include <string.h>

#include "lib/sys/grant.h"
#include "lib/sys/kcall.h"
#include "proto/chr.h"
#include "servers/vfs/device.h"
#include "servers/vfs/devnum.h"
#include "servers/vfs/trans.h"
#include "servers/vfs/vfs.h"

#define RANDOM_MAJOR 1
#define RANDOM_MINOR 9 /* urandom */

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t next(void)
{
	uint64_t *s = vfs->random_state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

/* What the clock and the addresses tell, until the device can be asked. */
static void stir_clock(void)
{
	struct proc_times times = {0};

	(void)sys_times(EP_SELF, &times);
	vfs->random_state[0] ^= hash_u64(times.uptime_ns + 1);
	vfs->random_state[1] ^= hash_u64(times.realtime_ns + 2);
	vfs->random_state[2] ^= hash_u64(times.idle_ns ^ times.system_ns << 20);
	vfs->random_state[3] |= 1;
}

static void stir_device(void)
{
	endpoint_t driver = device_chr_driver(dev_make(RANDOM_MAJOR, RANDOM_MINOR));
	struct message m = {.type = CHR_READ}, answer;
	struct chr_io_req *req = MSG(&m, chr_io_req);
	uint64_t fresh[4] = {0};
	struct trans trans;

	if (driver == EP_NONE) {
		return;
	}
	trans_begin(&trans, driver, &answer);
	req->seq = trans.seq;
	req->major = RANDOM_MAJOR;
	req->minor = RANDOM_MINOR;
	req->grant = grant_direct(driver, fresh, sizeof(fresh), GRANT_WRITE);
	req->bytes = sizeof(fresh);
	trans_send(&trans, &m);
	if (trans_wait(&trans) == 0 && MSG(&answer, chr_rep)->result == (int64_t)sizeof(fresh)) {
		for (int i = 0; i < 4; i++) {
			vfs->random_state[i] ^= fresh[i];
		}
		vfs->is_random_seeded = true;
	}
	(void)grant_revoke(req->grant);
}

void random_fill(void *buf, size_t bytes)
{
	char *to = buf;

	stir_clock();
	if (!vfs->is_random_seeded) {
		stir_device();
	}
	while (bytes > 0) {
		uint64_t word = next();
		size_t len = u64_min(bytes, sizeof(word));

		memcpy(to, &word, len);
		to += len;
		bytes -= len;
	}
}

uint64_t random_u64(void)
{
	uint64_t word;

	random_fill(&word, sizeof(word));
	return word;
}
