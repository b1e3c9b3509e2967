/* SPDX-License-Identifier: MIT */
/*
 * Double kills: the victim at its instruction k, whoever repairs after it at
 * the instruction j of that, and then the usual audit, by a third one.
 *
 * k and j are drawn at random, evenly over both traces; but of what is executed
 * more than LOOP times (checksums, scans) only one in THIN.  The recoverer's
 * trace depends on what the victim has left, so it is recorded anew, after a
 * kill at another k, for every BATCH pairs.  A run in which the recoverer takes
 * another path, and ends, is a kill but no pair.
 */
#include "campaign.h"

#include <stdlib.h>

/* Pairs for a recording, which takes as long as some fifty of them. */
#define BATCH 64
/* Executions of one instruction that are all drawn, and what then is. */
#define LOOP 64
#define THIN 16
/* One in so many has sleepers that have slept for long. */
#define AGED 16

bool double_fits(const struct scenario *sc)
{
	return !(sc->flags & SC_RESUME);
}

static long draw(unsigned *seed, long n)
{
	long r = rand_r(seed);

	return n > 0 ? (r << 15 ^ rand_r(seed)) % n : 0;
}

static void run_and_add(struct tally *t, const struct orders *o)
{
	run_round(o);
	tally_add(t, o);
}

/* A victim that is killed at some k, and all that its recoverer does. */
static void record_second(struct tally *t, struct orders *o, unsigned *seed)
{
	o->k = draw(seed, o->trace->n);
	o->kind = (enum second_kind)draw(seed, SECOND_KINDS);
	o->to_its_end = true;
	o->second->n = 0;
	run_and_add(t, o);
	step_trace_index(o->second);
	o->to_its_end = false;
}

static long draw_step(const struct step_trace *t, unsigned *seed)
{
	long i = draw(seed, t->n);

	while (t->n && t->at[i].nth > LOOP && draw(seed, THIN))
		i = draw(seed, t->n);
	return i;
}

static void kill_both(struct tally *t, struct orders *o, unsigned *seed)
{
	o->k = draw_step(o->trace, seed);
	o->j = draw_step(o->second, seed);
	o->aged = draw(seed, AGED) == 0;
	run_and_add(t, o);
	if (ledger->second_outcome == STEP_REACHED)
		t->pairs++;
	else
		t->missed++;
}

void kill_doubly(const struct scenario *sc, struct tally *t, struct bench *b,
		 long n, unsigned seed)
{
	struct orders o = orders_to_record(sc, b);

	b->trace->n = 0;
	run_and_add(t, &o);
	step_trace_index(b->trace);
	o.second = b->second;
	o.approach = BY_BREAKPOINT;
	for (long i = 0; t->pairs < n && i < 2 * n; i++) {
		if (tally_total(t) >= ENOUGH_FAULTS)
			break;
		if (i % BATCH == 0)
			record_second(t, &o, &seed);
		kill_both(t, &o, &seed);
	}
}
