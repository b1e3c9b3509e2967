/* SPDX-License-Identifier: MIT */
/*
 * What the judge knows at a point of the history.  For check*.c only.
 */
#ifndef SIM_JUDGE_H
#define SIM_JUDGE_H

#include "check.h"

#define NEVER	 UINT32_MAX
#define ROUNDING 3000000 /* ns: a delay is counted in units of a millisecond */

enum state {
	UNSEEN,
	CALLED, /* a send, loan or commit of it has not returned */
	LENT,
	QUEUED, /* accepted, not seen since */
	HELD,
	ENDING, /* a release or requeue of it has not returned */
	BACK,	/* it waits to be delivered again */
	MAYBE,	/* its sender died in the call */
	OVER,
};

struct message {
	enum state state;
	bool accepted;
	bool failed;	/* its send said no */
	bool released;	/* a release of it was begun */
	bool withdrawn; /* its commit said that it is shut down */
	bool lost;	/* its taker died, and it is delivered at most once */
	bool may_be_lost;
	bool large;
	bool in_use, may_queue, must_queue; /* counted in the bounds */
	uint8_t holder;			    /* who has it, or had it last */
	uint16_t deliveries;		    /* that callers have seen */
	uint32_t send_at, sent_at, first_take_at, back_at, over_at; /* events */
	int64_t delay, due, due_by; /* ns; time may pass within the call */
};

struct process {
	uint32_t call; /* its open call, or NEVER */
	bool dead;
	/* during the call; `used` counts messages, not instants: a search
	 * for a free chunk sees them one after the other */
	unsigned most_queued, used, least_queued;
	/* when it began: */
	uint32_t latest; /* send of the youngest message taken until then */
	uint32_t fresh;	 /* call of the last that gave one for the first time */
	bool told_end;	 /* some take had said that no more will come */
};

struct judge {
	const struct history *h;
	struct verdict *out;
	uint32_t at;
	unsigned ids;
	/* what may be queued, what may need a chunk, what must be queued */
	unsigned may_queue, in_use, must_queue;
	unsigned killed_taking;
	uint32_t latest, fresh;
	bool told_end, closing, closed;
	struct message messages[HISTORY_IDS];
	struct process processes[HISTORY_PROCS];
	uint32_t returns[HISTORY_MOST]; /* of a call, or NEVER */
};

extern struct judge judge;

void broken(const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Keep the bounds. */
void judge_use(struct message *m, bool to);
void judge_may_queue(struct message *m, bool to);
void judge_must_queue(struct message *m, bool to);
void judge_end(struct message *m);
unsigned judge_chunks_for(const struct message *m);

/* check_calls.c: the call of the process begins or returns here. */
void judge_call(struct message *m, const struct event *e);
void judge_return(struct message *m, const struct event *e);
/* What a process had, and was doing, when it left or was killed. */
void judge_departs(unsigned who);

#endif
