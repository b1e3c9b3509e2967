/* SPDX-License-Identifier: MIT */
/*
 * What a link to a pipe keeps.  For pipe*.c only.
 *
 *	pipe.c		how the ends come about, and go to other programs
 *	pipe_half.c	a pair with turns
 */
#ifndef FERRYI_LINK_PIPE_H
#define FERRYI_LINK_PIPE_H

#include "link/endpoint.h"

/*
 * Where the turn may lie: one eventfd each, of which one is readable.  That is all
 * there is to know of it, so it is the same in every process that has an end.
 */
enum {
	FERRYI_PIPE_OURS,
	FERRYI_PIPE_THEIRS,
	FERRYI_PIPE_NOBODYS, /* of who sends first */
	FERRYI_PIPE_PLACES
};

struct ferryi_pipe {
	struct ferryi_endpoint end; /* first */
	bool half;
	bool out_of_turn; /* the last attempt to send was */
	int turn[FERRYI_PIPE_PLACES];
};

static inline struct ferryi_pipe *ferryi_pipe_of(struct ferry_link *l)
{
	return l->state;
}

/* --- pipe_half.c ------------------------------------------------------------- */

/* Two ends that have their pipes: ends[1] has the turn.  Errors of the system. */
int ferryi_pipe_take_turns(struct ferry_link *ends[2]);

/* The same for an end that came from another process. */
void ferryi_pipe_use_turns(struct ferry_link *l, const int *fds);

void ferryi_pipe_forget_turns(struct ferryi_pipe *p);

/* for the table; without turns as ferryi_endpoint_interest() */
int ferryi_pipe_turn(struct ferry_link *l);
int ferryi_pipe_interest(struct ferry_link *l, enum ferryi_want want,
			 struct ferryi_wait *w);
int ferryi_pipe_gave_up(struct ferry_link *l, enum ferryi_want want, int err);

#endif
