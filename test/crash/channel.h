/* SPDX-License-Identifier: MIT */
/*
 * What the files of crash-channel share: the scenarios of an end that is killed,
 * and what both sides keep.
 *
 *	channel.c		a kill, and what comes before and after it
 *	channel_ends.c		messages, bytes, connections, names
 *	channel_ways.c		from hand to hand, in turns, beside the ring, exported
 */
#ifndef CRASH_CHANNEL_H
#define CRASH_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <ferry.h>

#include "single.h"

#define NAME "channel:ends"

struct board {
	struct single_board single;
	volatile int accepted; /* messages it sent before, or while stepped */
	volatile int refused;  /* sends that said that they did nothing */
	volatile int acked;    /* messages that it received */
};

/* Of a scenario. */
#define AUDITOR_LISTENS 1u /* at NAME */
#define VICTIM_LISTENS	2u /* and is connected to before it is stepped */
#define ENDS_IN_ORDER	4u /* if it comes so far */
#define RECEIVE_FIRST	8u /* what was sent before */
#define VICTIMS_TURN	16u
#define WITH_OUTLET	32u /* each of those for it has one */

struct scenario {
	const char *name;
	size_t size;	     /* of each message */
	const char *address; /* of the pair; NULL: there is none */
	int before;	     /* messages that the victim has sent */
	int queued;	     /* messages for it; -1: as many as fit */
	unsigned how;
	bool (*act)(const struct scenario *s); /* whether it was done */
	/* the other end, in a thread, from before until the victim is dead */
	void *(*meanwhile)(void *scenario);
	void (*audit)(const struct scenario *s, bool finished);
};

/* Each ends with one that has no name. */
extern const struct scenario scenarios_of_ends[], scenarios_of_ways[];

extern struct board *board;
extern struct ferry_link *end;	/* the auditor's */
extern struct ferry_link *mine; /* the victim's */
extern char buffer[1 << 17];
extern int received;  /* by the auditor, before the kill */
extern int outlet[2]; /* a pipe; the victim has its writing end, too */

/* channel_ends.c */
int give(const struct scenario *s, struct ferry_link *l, long id);
bool send_one(const struct scenario *s);
bool receive_one(const struct scenario *s);

/* All that comes from the victim, and the end; how many messages. */
int drain(const struct scenario *s, struct ferry_link *l, int *out_end);
void audit_received(const struct scenario *s, int n, int how, bool finished);
void audit_drain(const struct scenario *s, bool finished);

/* Threads of the other end, and what they have seen. */
extern struct seen {
	int n, how;
} slept;
void *receive_all(void *scenario);
void *send_more(void *scenario);
void audit_slept(const struct scenario *s, bool finished);

/* Who slept for room got it, or heard of the death. */
void audit_sender(const struct scenario *s, bool finished);

/* A dead receiver is noticed by who sends on. */
void audit_told(const struct scenario *s, bool finished);

#endif
