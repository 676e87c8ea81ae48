/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * faultcampaign: makes services fail under load, and prints what came of it. docs/reliability.md.
 * Exit status: 0 all survived (or as many as --least says), nothing lost; 1 not so; 2 wrong use.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/faultcampaign/load.h"
#include "commands/faultcampaign/report.h"
#include "commands/faultcampaign/services.h"

#define SERVICES_MAX    32
#define LOOK_NS         2000000
#define FIRE_LIMIT_NS   20000000000ull /* a fault that shows at the next request, or by silence */
#define ANSWER_LIMIT_NS 30000000000ull
#define WORK_LIMIT_NS   60000000000ull
#define PROGRESS        50

struct target {
	char *name;
	char label[24];
};

struct campaign {
	uint64_t seed, state;
	unsigned long count;
	unsigned least;
	uint32_t flags; /* of AXO_SERVICE_FAULT */
	bool verbose;
	const char *directory;
	struct target targets[SERVICES_MAX];
	unsigned targets_count;
	int kinds[FAULT_KINDS];
	unsigned kinds_count;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void look_later(void)
{
	load_revive();
	nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
}

static uint32_t pick(struct campaign *campaign, uint32_t below)
{
	campaign->state = campaign->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(campaign->state >> 33) % below;
}

static int usage(FILE *out)
{
	fprintf(out,
		"usage: faultcampaign [--seed N] [--count N] [--kinds LIST] [--services LIST] "
		"[--boundary]\n"
		"                     [--no-rollback] [--least PERCENT] [--dir DIRECTORY] "
		"[--verbose]\n"
		"kinds: kill pointer assert exit loop silent wrong memory grants text data (the "
		"first four)\n"
		"services: labels, or names of file systems (virtio_blk,ext2,ds,sched,tty)\n"
		"--boundary: faults between two requests, not within one\n"
		"--no-rollback: pm and vfs stay as they crashed\n"
		"--least: how many percent must be survived (100)\n");
	return 2;
}

static int complain(const char *what, int error)
{
	fprintf(stderr, "faultcampaign: %s: %s\n", what, strerror(-error));
	return 1;
}

/* Waits for the program's next rounds. False: they do not come. */
static bool wait_for_work(unsigned rounds)
{
	uint64_t end = now_ns() + WORK_LIMIT_NS;

	load_mark();
	while (!load_advanced(rounds)) {
		if (now_ns() > end) {
			return false;
		}
		look_later();
	}
	return true;
}

/* Waits until the service has been started again; false: not within the limit, or the programs have
 * gone on long enough that the fault must have passed without a crash. */
static bool wait_for_restart(
	const char *label, uint32_t restarts, bool may_pass, struct axo_service_stats *stats)
{
	uint64_t end = now_ns() + FIRE_LIMIT_NS;

	load_mark();
	while (now_ns() < end) {
		if (services_stats(label, stats) == 0 && stats->restarts > restarts) {
			return true;
		}
		if (may_pass && load_advanced(2)) {
			return false;
		}
		look_later();
	}
	return false;
}

static bool wait_for_answer(const char *label)
{
	uint64_t end = now_ns() + ANSWER_LIMIT_NS;
	int r;

	while ((r = services_ping(label)) != 0 && r != -ENOSYS && now_ns() < end) {
		look_later();
	}
	return r == 0 || r == -ENOSYS;
}

/* One fault, and all that follows from it. Negative: RS refuses it. */
static int inject(const struct campaign *campaign, const struct target *target, int kind,
	uint64_t seed, struct result *result)
{
	struct axo_service_stats before, after;
	struct load_counts counts = load_counts(), counts_after;
	enum outcome ignored;
	bool must_restart = fault_is_deadly(kind) || fault_is_silent(kind);
	bool has_requests = work_poke(target->label, &ignored);
	int r = services_stats(target->label, &before);

	*result = (struct result){.service = target->name, .kind = kind};
	if (r < 0) {
		return r;
	}
	load_poke(target->label);
	r = services_fault(target->label, kind, seed,
		campaign->flags | (has_requests ? 0 : AXO_SERVICE_BOUNDARY));
	if (r < 0 && r != -ERESTART) {
		return r;
	}
	result->restarted = wait_for_restart(target->label, before.restarts, !must_restart, &after);
	if (result->restarted) {
		result->recovery_ns = after.last_recovery_ns;
	} else if (!must_restart && services_restart(target->label) == 0) {
		/* What the fault left in it must not be counted with the next one. */
		(void)wait_for_restart(target->label, before.restarts, true, &after);
	}
	result->survived = (result->restarted || !must_restart) && wait_for_answer(target->label);
	result->down = !wait_for_work(1);
	load_poke("");
	counts_after = load_counts();
	result->noticed = counts_after.noticed > counts.noticed;
	result->lost = counts_after.wrong > counts.wrong;
	result->survived = result->survived && !result->down && !result->lost;
	return 0;
}

static void tell(const struct campaign *campaign, unsigned long number, const struct result *result)
{
	bool bad = !result->survived || result->lost || result->down;

	if (bad || result->noticed || campaign->verbose) {
		printf("fault %lu: %s %s: %s%s%s%s, %.1f ms", number, result->service,
			fault_name(result->kind), result->survived ? "survived" : "NOT SURVIVED",
			result->noticed ? ", noticed" : "", result->lost ? ", DATA LOST" : "",
			result->down ? ", DOWN" : "", (double)result->recovery_ns / 1e6);
		printf(bad || result->noticed ? " (%s)\n" : "\n", load_last_words());
	}
	if (number % PROGRESS == 0) {
		struct load_counts counts = load_counts();

		printf("%lu faults, %llu rounds of work\n", number,
			(unsigned long long)counts.rounds);
	}
	fflush(stdout);
}

/* RS refuses faults of it, or has given it up: the campaign goes on with the others. */
static void drop(struct campaign *campaign, struct target *target)
{
	*target = campaign->targets[--campaign->targets_count];
}

static int run(struct campaign *campaign)
{
	bool refused = false;
	int r = load_start(campaign->directory, campaign->seed);

	if (r < 0) {
		return complain(campaign->directory, r);
	}
	if (!wait_for_work(1)) {
		load_stop();
		fprintf(stderr,
			"faultcampaign: the programs do not work without faults either: %s\n",
			load_last_words());
		return 1;
	}
	for (unsigned long number = 1; number <= campaign->count && campaign->targets_count > 0;
		number++) {
		struct target *target = &campaign->targets[pick(campaign, campaign->targets_count)];
		int kind = campaign->kinds[pick(campaign, campaign->kinds_count)];
		struct result result;

		r = inject(campaign, target, kind, campaign->seed + number, &result);
		if (r < 0) {
			refused = true;
			(void)complain(target->label, r);
			drop(campaign, target);
			continue;
		}
		(void)report_add(&result);
		tell(campaign, number, &result);
		if (result.down) {
			break;
		}
	}
	load_stop();
	report_print();
	return !refused && report_is_good(campaign->least) ? 0 : 1;
}

/* Takes a list of names apart. 0, or what main() ends with. */
static int set_services(struct campaign *campaign, char *list)
{
	campaign->targets_count = 0;
	for (char *name = strtok_r(list, ",", &list); name; name = strtok_r(NULL, ",", &list)) {
		struct target *target = &campaign->targets[campaign->targets_count];
		int r;

		if (campaign->targets_count == SERVICES_MAX) {
			return complain("services", -E2BIG);
		}
		target->name = name;
		r = services_resolve(name, target->label);
		if (r < 0) {
			return complain(name, r);
		}
		campaign->targets_count++;
	}
	return campaign->targets_count ? 0 : usage(stderr);
}

static int set_kinds(struct campaign *campaign, char *list)
{
	campaign->kinds_count = 0;
	for (char *name = strtok_r(list, ",", &list); name; name = strtok_r(NULL, ",", &list)) {
		int kind = fault_by_name(name);

		if (kind < 0 || campaign->kinds_count == FAULT_KINDS) {
			fprintf(stderr, "faultcampaign: %s: no such kind of fault\n", name);
			return 2;
		}
		campaign->kinds[campaign->kinds_count++] = kind;
	}
	return campaign->kinds_count ? 0 : usage(stderr);
}

int main(int argc, char **argv)
{
	static char default_kinds[] = "kill,pointer,assert,exit",
		    default_services[] = "virtio_blk,ext2,ds,sched,tty";
	static struct campaign campaign = {
		.seed = 1, .count = 30, .least = 100, .directory = "/var/tmp/faultcampaign"};
	static const struct option options[] = {{"seed", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'}, {"kinds", required_argument, NULL, 'k'},
		{"services", required_argument, NULL, 'S'}, {"boundary", no_argument, NULL, 'b'},
		{"no-rollback", no_argument, NULL, 'n'}, {"least", required_argument, NULL, 'l'},
		{"dir", required_argument, NULL, 'd'}, {"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'}, {0}};
	char *kinds = default_kinds, *services = default_services;
	int option, r;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			campaign.seed = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			campaign.count = strtoul(optarg, NULL, 0);
			break;
		case 'k':
			kinds = optarg;
			break;
		case 'S':
			services = optarg;
			break;
		case 'b':
			campaign.flags |= AXO_SERVICE_BOUNDARY;
			break;
		case 'n':
			campaign.flags |= AXO_SERVICE_STANDS;
			break;
		case 'l':
			campaign.least = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'd':
			campaign.directory = optarg;
			break;
		case 'v':
			campaign.verbose = true;
			break;
		case 'h':
			(void)usage(stdout);
			return 0;
		default:
			return usage(stderr);
		}
	}
	if (optind != argc) {
		return usage(stderr);
	}
	campaign.state = campaign.seed * 0x9e3779b97f4a7c15u + 1;
	r = set_kinds(&campaign, kinds);
	if (r == 0) {
		r = set_services(&campaign, services);
	}
	return r ? r : run(&campaign);
}
