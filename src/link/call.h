/* SPDX-License-Identifier: MIT */
/*
 * How a call of the user's waits: the loop of wait.h, and turns.
 *
 * A transport that is not concurrent sees one call per direction at a time.
 * The turn is kept while the call sleeps, so that a message in several pieces
 * is not mixed with another thread's; the others wait for it within their own
 * deadline, and a NOWAIT call that finds it taken says -EAGAIN.
 *
 * Where a process has one thread nobody else has the turn, and nobody comes to want
 * it before the call is over: a thread is made by a call of its own.
 *
 * fork: a turn that another thread of the parent held is free in the child.
 */
#ifndef FERRYI_LINK_CALL_H
#define FERRYI_LINK_CALL_H

#include "link/link.h"

struct ferryi_call {
	struct ferry_link *l;
	enum ferryi_want want;
	/* -EAGAIN: nothing was done, or not all; it will be called again. */
	ssize_t (*attempt)(struct ferryi_call *c);

	/* for the attempts, as each needs them */
	const void *data;
	void *buf;
	size_t len, n, done;
	int *fds;
	unsigned n_fds;
	struct ferry_message *m;
	void *more;
};

/* Attempt until it is no longer -EAGAIN, or the deadline, or a cancel. */
ssize_t ferryi_call_wait(struct ferryi_call *c, ferry_time deadline);

/* The same after a first attempt that was -EAGAIN. */
ssize_t ferryi_call_again(struct ferryi_call *c, ferry_time deadline);

/* The same in the turn of the call's direction. */
ssize_t ferryi_call_run(struct ferryi_call *c, ferry_time deadline);

/*
 * What cancels is this process's from now on: that of the parent would wake the
 * parent's waits, and a cancel of the child's would not wake its own.  -EMFILE.
 */
int ferryi_call_renew(struct ferry_link *l);

/* Take the turn of a side, FERRY_SEND or FERRY_RECV. */
int ferryi_turn_take(struct ferry_link *l, unsigned side, ferry_time deadline);
void ferryi_turn_give(struct ferry_link *l, unsigned side);

#endif
