/* SPDX-License-Identifier: MIT */
/*
 * What happened, as seen from outside: calls and what they returned, deaths and
 * stops.  The scheduler's side writes it; the checker (check.c) reads nothing
 * else.
 */
#ifndef SIM_HISTORY_H
#define SIM_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_MOST  4096
#define HISTORY_IDS   512
#define HISTORY_PROCS 16
#define NOBODY	      255

/* A call is followed by its return, kind + 1, unless its process dies in it. */
enum event_kind {
	EV_SEND,	 /* id, value: bytes */
	EV_SEND_RETURNS, /* id, value: the result */
	EV_LOAN,
	EV_LOAN_RETURNS,
	EV_COMMIT,
	EV_COMMIT_RETURNS,
	EV_ABANDON,
	EV_ABANDON_RETURNS,
	EV_TAKE,
	EV_TAKE_RETURNS, /* id and value: deliveries; or value: the error */
	EV_RELEASE,
	EV_RELEASE_RETURNS,
	EV_REQUEUE, /* value: delay in ms */
	EV_REQUEUE_RETURNS,
	EV_PEEK,
	EV_PEEK_RETURNS,
	EV_CLOSE,
	EV_CLOSE_RETURNS,
	EV_LEAVE,
	EV_LEAVE_RETURNS,
	EV_CALLS, /* the kinds below are no calls */
	EV_BEGINS = EV_CALLS,
	EV_KILLED,
	EV_EXITS, /* with all that it has */
	EV_STOPPED,
	EV_CONTINUED,
	EV_DAMAGED,  /* id: what the taker holds is not what was sent */
	EV_STRANGER, /* id: it names another sender */
	EV_QUIET, /* all are asleep, nobody is stopped, all dead are repaired */
	EV_UNNOTICED, /* a death that sleepers were told of is not repaired */
	EV_ENDLESS,   /* value: steps */
	EV_STUCK,     /* it was cancelled and does not return */
	EV_LEFT_OVER, /* value: chunks in use after all was taken */
	EV_FITS,      /* value: messages that fit into the empty mailbox */
	EV_KINDS,
};

struct event {
	int64_t now; /* ns, of the simulated clock */
	uint32_t step;
	uint8_t kind, who;
	uint16_t id;
	int32_t value;
	uint32_t pad;
};

/* The mailbox as its maker chose it. */
struct terms {
	uint32_t capacity;
	uint32_t chunks; /* messages it has memory for, wherever they are */
	uint32_t chunks_large; /* those of more than `small` bytes */
	uint32_t small;
	bool at_most_once;
	bool refuses; /* when full, instead of waiting */
};

struct history {
	struct terms terms;
	unsigned n;
	struct event events[HISTORY_MOST];
};

extern struct history history;

void history_add(enum event_kind kind, unsigned who, unsigned id,
		 int32_t value);
void history_print(const struct event *e);
const char *history_name(unsigned kind);

#endif
