/* SPDX-License-Identifier: MIT */
/*
 * A campaign: which kills are made, and what came of them.  crash.c shares the
 * work among processes; campaign.c makes the single kills, double.c the pairs.
 */
#ifndef CRASH_CAMPAIGN_H
#define CRASH_CAMPAIGN_H

#include "round.h"

struct options {
	long stride, most, kill;
	const char *only;
	int jobs, recoverers;
	unsigned seed;
	bool list, json, plain_futex, every;
	long pairs; /* double kills in all; 0: single ones */
};

/* What all workers found about one scenario. */
struct tally {
	volatile int parts_left;
	volatile long instructions, kills, restepped, repaired, thinned, aged;
	volatile long pairs, missed;
	volatile int faults[FAULT_KINDS];
	volatile double wake_s, seconds;
};

/* What a worker works with. */
struct bench {
	struct scratch scratch;
	struct step_trace *trace;  /* of the victim */
	struct step_trace *second; /* of its recoverer */
	char clean[512]; /* the names in a realm after an orderly life */
	int cpu;
};

extern struct options opt;

int tally_total(const struct tally *t);

/* A scenario that fails this often has made its point. */
#define ENOUGH_FAULTS 10

/* Orders for a round of this scenario, which records. */
struct orders orders_to_record(const struct scenario *sc, struct bench *b);

/* One round in a process of its own; its result stands in the ledger. */
void run_round(const struct orders *o);

/* Count it, and report what was violated. */
void tally_add(struct tally *t, const struct orders *o);

/* One part of the single kills of a scenario. */
void kill_singly(const struct scenario *sc, struct tally *t, struct bench *b,
		 int part, int parts, int recoverers);

/* Whether a repair follows a kill in it. */
bool double_fits(const struct scenario *sc);

/* `n` double kills of a scenario; `seed` chooses them. */
void kill_doubly(const struct scenario *sc, struct tally *t, struct bench *b,
		 long n, unsigned seed);

#endif
