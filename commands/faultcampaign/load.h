/* SPDX-License-Identifier: BSD-2-Clause */
/* The programs that work while services fail. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What a round of work came to. */
enum outcome {
	WORK_FINE,
	WORK_NOTICED, /* a call failed, or a program ended with an error: somebody saw the fault */
	WORK_WRONG    /* all went well, but the data are not what they must be */
};

/* One kind of work. A round takes some tens of milliseconds and leaves nothing behind. */
struct work {
	const char *name;
	enum outcome (*round)(uint64_t seed);
};

extern const struct work works[];
extern const unsigned works_count;

/* What the poker does all the time, so that the service of this label (to the first dot) gets
 * requests; false: there is nothing that a program could do. */
bool work_poke(const char *label, enum outcome *outcome);

/* Starts one process for each kind of work, and the poker, in a directory of their own. 0, or a
 * negative errno. */
int load_start(const char *directory, uint64_t seed);

/* Brings back what has died; counts that as noticed. */
void load_revive(void);

/* The service that the poker uses from now on; "" for none. */
void load_poke(const char *label);

/* Remembers how far each is now; later load_advanced() says whether each has begun and finished
 * `rounds` whole rounds since. */
void load_mark(void);
bool load_advanced(unsigned rounds);

/* Rounds in which something was noticed, and those that went wrong, so far; rounds in all. */
struct load_counts {
	uint64_t noticed, wrong, rounds;
};
struct load_counts load_counts(void);

/* What they saw last, for a message. */
const char *load_last_words(void);

/* Ends them. */
void load_stop(void);

/* Puts a text into what load_last_words() tells; for works. */
void load_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
