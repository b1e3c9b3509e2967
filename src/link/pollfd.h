/* SPDX-License-Identifier: MIT */
/*
 * A descriptor that an event loop can wait for, one a direction.
 *
 * It is a set of descriptors.  In it are what interest() named when the last call
 * found nothing, and an eventfd that is readable from a call that found something
 * to one that did not: so the descriptor is readable until a call was -EAGAIN, and
 * from the next thing that happens.
 *
 * Called with the turn of the direction.
 */
#ifndef FERRYI_LINK_POLLFD_H
#define FERRYI_LINK_POLLFD_H

#include "link/link.h"

struct ferryi_polled;

/* A call has ended, and the next one may find something.  NULL is allowed. */
void ferryi_polled_may(struct ferryi_polled *p);

/* A call that may not wait has found nothing, and waits for `w`. */
void ferryi_polled_for(struct ferryi_polled *p, const struct ferryi_wait *w);

void ferryi_polled_free(struct ferryi_polled *p);

#endif
