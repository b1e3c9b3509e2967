/* SPDX-License-Identifier: MIT */
/*
 * What decides over faults: a small generator of pseudo-random numbers, and what it
 * says of one message.  Pure; the same seed gives the same decisions everywhere.
 */
#ifndef FERRYI_WIRE_DICE_H
#define FERRYI_WIRE_DICE_H

#include <stdbool.h>
#include <stdint.h>

#define FERRYI_CERTAIN 1000000000u /* a probability is in billionths */

struct ferryi_dice {
	uint64_t state;
};

struct ferryi_odds {
	uint32_t drop, dup, reorder, damage; /* 0 ... FERRYI_CERTAIN */
	int64_t delay_ns;		     /* at most so long */
};

struct ferryi_verdict {
	bool drop, dup, reorder, damage;
	uint64_t where; /* the damage; to be reduced to the bits there are */
	int64_t delay_ns;
};

void ferryi_dice_init(struct ferryi_dice *d, uint64_t seed);

uint64_t ferryi_dice_roll(struct ferryi_dice *d);

/*
 * The next message's.  It takes the same number of rolls whatever the odds are, so
 * that what is dropped stays the same when another fault is added.  A message that is
 * dropped has no other fault.
 */
void ferryi_dice_judge(struct ferryi_dice *d, const struct ferryi_odds *odds,
		       struct ferryi_verdict *out);

/* "0.1" or "10%", from 0 to 1, exact to a billionth.  -EINVAL. */
int ferryi_parse_probability(const char *text, uint32_t *out);

/* Decimal digits.  -EINVAL. */
int ferryi_parse_count(const char *text, uint64_t *out);

#endif
