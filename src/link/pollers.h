/* SPDX-License-Identifier: MIT */
/*
 * The gates of event loops, beside those of sleepers: one a direction in every
 * object in memory.
 *
 * A loop comes when it likes, so a wake-up meant for one sleeper must never be given
 * to a loop.  So loops wait at gates of their own, and all of them are woken, in
 * addition to the sleeper.  The order is that of every sleeper (shm/watch.h):
 *
 *	S1  raise the gate; S2 look again; then sleep while the gate is as raised
 *	W1  the change; W2 is the gate up?  lower it and wake all
 *
 * and nobody has a wake-up to hand on.
 */
#ifndef FERRYI_LINK_POLLERS_H
#define FERRYI_LINK_POLLERS_H

#include "shm/layout.h"
#include "shm/users.h"

/* Something has changed for loops in that direction. */
void ferryi_pollers_wake(const struct ferryi_users *u,
			 enum ferryi_poll_gate gate);

/* The object has changed as a whole. */
void ferryi_pollers_wake_all(const struct ferryi_users *u);

#endif
