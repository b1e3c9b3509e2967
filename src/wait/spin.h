/* SPDX-License-Identifier: MIT */
/*
 * Whether it pays to look again before sleeping.
 *
 * Waking a sleeper takes some 10 us; what comes sooner is had sooner by looking
 * again, for the price of a CPU.  Each side of a link learns from its last
 * waits:
 *
 *   - After a spin that found nothing the next wait sleeps at once, then the
 *     next 3, 7 .. 255; after one that found something the next one spins, too.
 *     So a link that is idle, or whose peer needs this CPU, hardly spins.
 *   - Where sleeps are over soon after a spin in vain, as with large messages or
 *     slow wake-ups, the next spin is longer, until it is in vain as well.
 *   - A receiver that is as fast as its sender looks at the very cache line that
 *     is being written, and both go at the pace of that line.  Where messages
 *     come by the microsecond it lets some of them gather first.  That is tried
 *     now and then, and kept while it brings as many as it should.
 *
 * A struct ferryi_spin belongs to one process.  Racing threads may spoil what
 * was learnt, which costs a spin or a sleep.
 */
#ifndef FERRYI_WAIT_SPIN_H
#define FERRYI_WAIT_SPIN_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: nothing learnt yet. */
struct ferryi_spin {
	uint32_t skip;	/* so many waits sleep at once after a vain spin */
	uint32_t left;	/* of them are still to come */
	uint32_t far;	/* the next spin is a long one */
	uint32_t gap;	/* so many waits do not gather after a vain try */
	uint32_t trial; /* of them are still to come */
};

/* A long spin is so many times as long. */
#define FERRYI_SPIN_REACH 5

/* A wait begins: for how many ns to spin, given what a short one takes.  0: sleep
 * at once. */
int64_t ferryi_spin_begin(struct ferryi_spin *s, int64_t short_ns);

/* A spin has ended, with something or in vain. */
void ferryi_spin_end(struct ferryi_spin *s, bool found);

/* A wait that slept has ended with something: would a long spin have done it? */
void ferryi_spin_slept(struct ferryi_spin *s, bool was_short);

/*
 * Whether there may be something: for a spinning receiver, between two attempts.
 * Cheap, and without any effect.  A false yes costs an attempt.
 */
typedef bool ferryi_glance_fn(void *of);

/* Between two looks. */
void ferryi_spin_relax(void);

/*
 * How many messages wait, as far as is known without touching what the other
 * side writes often; and how many are enough to look at them.
 */
typedef unsigned ferryi_gathered_fn(void *of, unsigned *out_enough);

/* Let messages gather, if that has paid: for at most 16 us, and only while they
 * keep coming. */
void ferryi_spin_gather(struct ferryi_spin *s, ferryi_gathered_fn *gathered,
			void *of);

#endif
