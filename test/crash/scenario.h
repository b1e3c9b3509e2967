/* SPDX-License-Identifier: MIT */
/*
 * A scenario: who is there, what the victim does while it is stepped, and
 * what may be different afterwards.  The tables stand in scenarios_*.c.
 */
#ifndef CRASH_SCENARIO_H
#define CRASH_SCENARIO_H

#include <ferry.h>

#include "ledger.h"

/* Queued messages that a mailbox of these tests holds. */
#define CAPACITY 4

/* More chunks than any mailbox of these tests has. */
#define MAX_LOANS 512

/* Numbers of messages, by who sends them. */
enum {
	ID_QUEUED = 0,	 /* the auditor, beforehand */
	ID_WAKE = 10,	 /* the auditor, to wake sleepers */
	ID_SLEEPER = 20, /* the sleeping senders */
	ID_DEAD = 30,	 /* the process that died first */
	ID_HELPER = 40,	 /* the one that acts while the victim stands */
	ID_VICTIM = 50,
	ID_RETIRE = 60, /* the auditor, to end the sleep of the rest */
	ID_FIT = 70,	/* the auditor, to measure the capacity */
	ID_LAPS = 80,	/* the helper, round and round */
};

struct victim {
	struct ferry_link *box, *other;
	struct ferry_message m, m2;
};

/* One kill and its audit. */
struct round {
	const struct scenario *sc;
	long k;
	struct ferry_link *box, *other;	      /* the auditor's */
	struct ferry_message loan[MAX_LOANS]; /* what `exhaust` took */
	int n_loans;
	bool aged; /* sleepers have slept for long */
	double killed_at;
	bool woke;	      /* sleepers started, wake() called */
	int deaths;	      /* by a kill in the middle of something */
	struct actor *second; /* the recoverer of a double kill, or NULL */
	struct actor *victim, *dead, *helper, *sleeper[3], *crowd;
	int n_sleepers;
};

enum {
	SC_NO_BOX = 1u << 0,	/* the auditor does not create the mailbox */
	SC_TWO_BOXES = 1u << 1, /* and a second one, "other" */
	SC_RESUME = 1u << 2,	/* the victim goes on instead of being killed */
	SC_MAY_DROP = 1u << 3,	/* the full policy or at-most-once loses some */
	SC_KERNEL = 1u << 4,	/* persistence kernel: destroyed at the end */
	SC_DEAD_LETTERS = 1u << 5, /* "other" is the dead-letter mailbox */
	SC_OUTSIDE = 1u << 6,	   /* the victim has not opened anything yet */
	SC_TWICE = 1u << 7,	 /* also with two recoverers that are killed */
	SC_NEVER_FULL = 1u << 8, /* a send to the full mailbox succeeds */
	SC_LAPS = 1u << 10, /* its helper waits for nobody: await its end */
	SC_IDLE = 1u << 9,  /* only the end is of interest: idle, killed */
};

struct scenario {
	const char *name;
	size_t size; /* bytes of every message; 0: 32 */
	unsigned flags;
	void (*options)(struct ferry_mailbox_options *o);
	int queued;		/* messages there before the victim acts */
	int receivers, senders; /* asleep in a call when it is killed */
	int loops;		/* of the receivers: wait by an event loop */
	int crowd;    /* others that hold a lease; they go before the audit */
	bool exhaust; /* the auditor holds every chunk as a loan */
	void (*dies)(
		struct ferry_link *box); /* somebody, before it is stepped */
	/* Each says whether it has done what it is named after. */
	bool (*prepare)(struct victim *v);
	bool (*act)(struct victim *v);	 /* this is stepped */
	void (*wake)(struct round *r);	 /* once the victim sleeps */
	void (*help)(void);		 /* another process, meanwhile */
	void (*verify)(struct round *r); /* instead of the usual audit */
};

size_t scenario_size(const struct scenario *sc);
const struct scenario *scenario_at(int i); /* NULL behind the last */

extern const struct scenario scenarios_send[], scenarios_take[],
	scenarios_death[], scenarios_life[], scenarios_stop[];

#endif
