/* SPDX-License-Identifier: MIT */
/*
 * Half-duplex, direction=half: one side sends at a time.  How a transport keeps the
 * turn is its own; what is asked for and what is said is the same for all.
 */
#ifndef FERRYI_LINK_TURNS_H
#define FERRYI_LINK_TURNS_H

#include "link/link.h"
#include "wire/address.h"

/* direction= of an address.  -EINVAL. */
int ferryi_turns_asked(const struct ferryi_address *a, bool *out);

/* ferry_turn() where there are none, or of what is not ours. */
int ferryi_turns_none(struct ferry_link *l);
int ferryi_turns_not_ours(struct ferry_link *l);

/* For gave_up: a call that may not wait was out of turn. */
int ferryi_turns_gave_up(struct ferry_link *l, int err);

#endif
