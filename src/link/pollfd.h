/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that an event loop can wait for, one a direction.
 *
 * It is a set of descriptors.  In it are what interest() named when the last call
 * found nothing, and an eventfd that is readable from a call that found something
 * to one that did not: so the descriptor is readable until a call was -EAGAIN, and
 * from the next thing that happens.
 *
 * Of a link that sleeps on words, interest() names words.  A stand-in sleeps on them
 * (wait/stand_in.h), and the eventfd that it writes is in the set.  A call that has
 * found nothing does, in this order:
 *
 *	C   end the old sleep, clear its eventfd         ferryi_polled_begin
 *	S1  raise the gate of loops, S2 look again       interest
 *	A   let the stand-in sleep on what S1 and S2 saw ferryi_polled_for
 *
 * C before S2: what is cleared is seen by that look.  S2 before A: what comes between
 * differs from what was seen, and A says so.  So a message that comes at any moment
 * is found by the look, or by A, or wakes the stand-in.  A thread at a time does this,
 * under a lock, also where the transport is concurrent.  Who is killed here leaves a
 * gate that is up: a wake-up for nobody.
 */
#ifndef FERRYI_LINK_POLLFD_H
#define FERRYI_LINK_POLLFD_H

#include "link/link.h"

struct ferryi_polled;

/* That of a direction; NULL: nobody asked.  Another thread may ask just now. */
static inline struct ferryi_polled *ferryi_polled_of(struct ferry_link *l,
						     unsigned direction)
{
	return __atomic_load_n(&l->polled[direction == FERRY_RECV],
			       __ATOMIC_ACQUIRE);
}

/* A call has ended, and the next one may find something.  NULL is allowed. */
void ferryi_polled_may(struct ferryi_polled *p);

/* A call that may not wait has found nothing.  The lock is held until the end. */
void ferryi_polled_begin(struct ferryi_polled *p, struct ferryi_wait *w);

/* It waits for `w`.  0; 1: look again at once, the words have changed. */
int ferryi_polled_for(struct ferryi_polled *p, struct ferryi_wait *w);

/* `waits`: the last answer was 0; else it goes on being readable, and a loop that hears
 * of edges only is given one more. */
void ferryi_polled_end(struct ferryi_polled *p, bool waits);

void ferryi_polled_free(struct ferryi_polled *p);

#endif
