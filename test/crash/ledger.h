/* SPDX-License-Identifier: MIT */
/*
 * The ledger: what happened to every message, in memory that no kill can take
 * away, and the violations that were found.
 *
 * One anonymous shared mapping, made before anybody is forked.  A participant
 * writes down what it is about to do before it does it and what came of it
 * afterwards, so the auditor knows for each message whether it *must*, *may*
 * or *must not* be seen again.
 */
#ifndef CRASH_LEDGER_H
#define CRASH_LEDGER_H

#include <semaphore.h>
#include <stdbool.h>
#include <sys/types.h>

#include <ferry.h>

#include "step.h"

#define LEDGER_IDS    128
#define LEDGER_ACTORS 48
#define LEDGER_TEXTS  8

/* The life of one message. */
struct entry {
	volatile int began;    /* its send was called */
	volatile int accepted; /* and returned 0 */
	volatile int seen;     /* deliveries that were noted */
	volatile int ending;   /* a release or reject of it was called */
	volatile int acked;    /* a release returned 0 */
	volatile int dead;     /* copies found among the dead letters */
	volatile pid_t sender;
};

/* One process that takes part. */
struct actor {
	pid_t pid;
	sem_t go;	    /* it waits for this before it does anything */
	volatile int ready; /* about to make the call that sleeps */
	volatile int done;  /* that call returned */
	volatile int rc;
	volatile double done_at;
};

enum fault {
	FAULT_HANG,
	FAULT_LOST,
	FAULT_DUPLICATE, /* delivered twice without the mark */
	FAULT_AFTER_ACK,
	FAULT_DAMAGED,
	FAULT_LEAK,
	FAULT_ORDER,
	FAULT_OTHER,
	FAULT_KINDS,
};

struct ledger {
	struct step_marks marks;
	struct entry entry[LEDGER_IDS];
	struct actor actor[LEDGER_ACTORS];
	volatile int faults[FAULT_KINDS];
	volatile int n_texts;
	char text[LEDGER_TEXTS][240];
	volatile long steps;   /* of the victim, when it was killed */
	volatile int repaired; /* recoverers that were quicker than their kill */
	volatile int outcome;  /* enum step_result */
	volatile int did; /* the victim, what its scenario is named after */
	volatile int second_outcome; /* the same of its recoverer */
	volatile double wake_s;	     /* the slowest sleeper, after the kill */
	volatile int finished;	     /* the audit came to its end */
};

extern struct ledger *ledger;
extern const char *const fault_name[FAULT_KINDS];

bool ledger_make(void);
void ledger_clear(void);
int ledger_total(void);

/* Write a violation down.  Anybody may call it. */
void violate(enum fault kind, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A message was handed out; returns its number, or -1 when it is damaged. */
long ledger_deliver(const struct ferry_message *m, size_t size);

/* Settle the books once nothing is left in any mailbox. */
void ledger_settle(uint64_t may_be_missing);

#endif
