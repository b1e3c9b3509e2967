/* SPDX-License-Identifier: MIT */
/*
 * What the files of crash-kernel share.
 *
 *	kernel.c	a kill, what comes before and after it, and what stays
 *	kernel_ways.c	each scheme, and how two ends of it meet
 *	kernel_moves.c	what one of two ends does: send, receive, close, ...
 *	kernel_deeds.c	the same, in the victim
 *	kernel_found.c	what the auditor finds then
 *	kernel_next.c	a process that comes after the dead one
 *	kernel_names.c	what is done with a name: make, listen, accept, remove, ...
 */
#ifndef CRASH_KERNEL_H
#define CRASH_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <ferry.h>

#include "single.h"

#define SMALL	32
#define LARGE	200000 /* more than a pipe or a socket takes at once */
#define LONGEST LARGE

struct board {
	struct single_board single;
	char address[200]; /* that the victim receives at, when it has chosen */
	volatile int accepted; /* messages that it has sent */
	volatile int got;      /* messages that it has received, in order */
	volatile int wrong;    /* and those that were not what was sent */
	volatile int given;    /* messages that it has put back */
};

/* Of a way. */
#define SENDS	 1u /* the victim may be the one who sends */
#define RECEIVES 2u /* or who receives */
#define STREAM	 4u /* large messages go in pieces */
#define CARRIES	 8u /* descriptors */
#define LENDS	 16u
#define SHUTS	 32u
#define GIVES	 64u   /* back what was taken */
#define TELLS	 128u  /* how long the next one is */
#define KEEPS	 256u  /* what is queued outlives all, for one receiver each */
#define FOR_ALL	 512u  /* and what was received is there for others */
#define VALUES	 1024u /* messages are the values of signals */
#define LATE	 2048u /* the first sends to one who is dead may pass */
#define STAYS	 4096u /* the name does: it was there before who comes next */

/* A scheme, and how two ends of it meet: one is the auditor's, `end`, the other one
 * the victim's, `mine`. */
struct way {
	const char *name;
	const char *address; /* as at() completes it */
	unsigned can;
	int ended; /* what is told behind the last message of a dead sender, */
	int gone;  /* and to who sends to a dead receiver */
	/* Before the victim is forked; in the victim; in the auditor, once it has
	 * begun to join or, with `after`, has joined.  NULL: nothing to do. */
	bool (*make)(const struct way *w, bool sends);
	bool (*join)(const struct way *w, bool sends);
	bool (*meet)(const struct way *w, bool sends);
	bool after;
};

struct scenario {
	const char *name;
	/* As those of a way. */
	bool (*make)(const struct scenario *s);
	bool (*join)(const struct scenario *s);
	bool (*meet)(const struct scenario *s);
	bool (*act)(const struct scenario *s); /* whether it was done */
	void (*audit)(const struct scenario *s, bool finished);
	/* the auditor, in a thread, while the victim acts */
	void *(*meanwhile)(void *scenario);
	/* once the victim is dead; then it ends */
	void (*behind)(const struct scenario *s);
	const struct way *way;
	const struct move *move;
	const char *address;
	unsigned can; /* as that of a way */
	bool after;
};

extern struct board *board;
extern struct ferry_link *end;	/* the auditor's */
extern struct ferry_link *door; /* the auditor's */
extern struct ferry_link *mine; /* the victim's */
extern char buffer[LONGEST];
extern int outlet[2]; /* a pipe; descriptors that go with messages are of it */

extern const struct way ways[]; /* ends with one that has no name */

/* kernel_moves.c, kernel_names.c: lists that end with one that has no name. */
const struct scenario *scenarios_of_moves(void);
extern const struct scenario scenarios_of_names[];

/* The address with %s, the directory of the test, and %d, its number; in one of
 * several places that are used in turn. */
char *at(const char *address);

/* In a process that has never used anything of it: `run` says whether it went well,
 * and has said why not. */
void anew(const struct scenario *s, bool (*run)(const struct scenario *s));

/* For that: listen at the address, be connected to, receive; or receive there. */
bool can_listen(const struct scenario *s);
bool can_receive(const struct scenario *s);

/* The victim is, or has done what it should. */
bool is_dead(void);

/* Until the victim sleeps; false: it is dead, or has done what it should. */
bool await_sleep(void);

/* What nobody uses any more: whoever removes it finds nothing or something, and then
 * it can be removed no more. */
void remove_all(const struct scenario *s);

/* The result is one of these two. */
bool is_one_of(const struct scenario *s, const char *what, int err, int a,
	       int b);

#endif
