/* SPDX-License-Identifier: MIT */
/*
 * Kill one process after every instruction of what it does: what crash-channel,
 * crash-process and crash-topic have in common.  (crash.c has the mailboxes' own
 * campaign, with recoverers, pairs of kills and workers.)  crash-kernel kills before
 * and behind every system call instead.
 *
 *   --most 60        about so many kills in each scenario, evenly spread
 *   --only "send"    scenarios whose name contains the words
 *
 * A scenario is first recorded: it has to come to its end, and to have done there
 * what it is named after, or its kills would prove nothing.
 */
#ifndef CRASH_SINGLE_H
#define CRASH_SINGLE_H

#include <stdbool.h>
#include <stddef.h>

#include <ferry.h>

#include "scratch.h"
#include "step.h"

#define SINGLE_HANG_S 5 /* so long nobody hangs */

/* What the victim tells, in memory that no kill can take away: the beginning of
 * each program's own. */
struct single_board {
	struct step_marks marks;
	volatile int ready;
	volatile int did; /* it has done what its scenario is named after */
};

/* One run: to the end, recording it, or to the k-th instruction. */
struct single_run {
	struct step_trace *trace; /* NULL: to the k-th stop at a system call */
	long k;
	bool records;
	long *n; /* how many there are, if it records without a trace */
};

struct single {
	const char *tag; /* of the realm of the test */
	/* Arrays of structures that begin with a name, each ends with one that
	 * has none. */
	const void *scenarios[2];
	size_t scenario_size;
	size_t board_size;
	bool at_calls; /* killed at system calls only */
	void (*run)(const void *scenario, const struct single_run *r);
};

extern struct scratch single_realm;

/* The exit status.  *board is set before anything is run. */
int single_main(const struct single *kind, void *board, int argc, char **argv);

/* Say what is wrong with the run under way; `name` is its scenario's. */
void single_violate(const char *name, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The number of the kill under way. */
long single_kill(void);

ferry_time single_soon(void);
bool single_await(volatile int *flag);

/* Around what the victim does: it is killed in between, or at rest behind it. */
void single_begin(struct single_board *b);
void single_end(struct single_board *b, bool did);
_Noreturn void single_rest(void);

/* Step the victim as far as the run says.  True: what it did has ended. */
bool single_step(struct stepper *s, const char *name,
		 const struct single_run *r, const struct single_board *b);

#endif
