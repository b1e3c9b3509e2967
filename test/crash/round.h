/* SPDX-License-Identifier: MIT */
/*
 * A round: build a scenario, kill the victim at instruction k, audit.
 *
 * round.c forks the participants and drives the victim; audit.c is what the
 * survivors check.  A round runs in a process of its own, whose children are
 * the participants, so that a library that hangs or crashes under the auditor
 * is a violation and not the end of the test.
 */
#ifndef CRASH_ROUND_H
#define CRASH_ROUND_H

#include "scenario.h"
#include "scratch.h"
#include "step.h"

/* What repairs after the victim, in a double kill. */
enum second_kind {
	CLEANS_UP, /* ferry_gc() */
	COMES_IN,  /* opens, takes, releases, closes */
	SECOND_KINDS,
};

/* How the victim is brought to instruction k. */
enum approach {
	BY_RECORD,     /* step to the end and write the trace */
	BY_BREAKPOINT, /* along the trace */
	BY_STEPS,
};

struct orders {
	const struct scenario *sc;
	long k;
	enum approach approach;
	struct step_trace *trace;
	int recoverers; /* killed at random points before the audit */
	unsigned seed;
	bool aged;		   /* sleepers have slept for long */
	int cpu;		   /* for the victim and its stepper */
	struct step_trace *second; /* of a recoverer that is stepped, or NULL */
	enum second_kind kind;	   /* what that one does */
	bool to_its_end;	   /* and is recorded, instead of killed at j */
	long j;
	const struct scratch *scratch;
	const char *clean; /* names in a realm that nobody uses any more */
};

/* The whole round.  Its result stands in the ledger.  Never returns. */
void round_run(const struct orders *o) __attribute__((noreturn));

/* audit.c: how long sleepers may take before it counts as a hang. */
#define HANG_S 5.0

/* Wait until every sleeper that can make progress has made it. */
void audit_progress(struct round *r);

/* The usual audit: drain, books, capacity, order, figures. */
void audit_queue(struct round *r);

/* Its parts, for scenarios with an audit of their own. */
int audit_drain(struct round *r, struct ferry_link *link);
void audit_capacity(struct round *r, struct ferry_link *link);
void audit_figures(struct ferry_link *link);

/* Nothing is left behind once everybody has gone. */
void audit_residue(const struct orders *o);

/* End the sleep of those who could not make progress, then end them. */
void audit_retire(struct round *r);

/* second.c: the recoverer of a double kill.  It is there before the victim
 * acts; once that is dead it is driven to its instruction j, and killed. */
extern const char *const second_name[SECOND_KINDS];
void second_be(struct actor *a);
void second_start(const struct orders *o);
void second_attach(struct round *r);
void second_await(struct round *r); /* just before the victim is killed */
void second_drive(struct round *r, const struct orders *o);

/* For the hooks of scenarios. */
bool round_await(struct actor *a, double seconds);
void round_end(struct actor *a);

#endif
