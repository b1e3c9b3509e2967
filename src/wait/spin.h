/* SPDX-License-Identifier: MIT */
/*
 * Whether it pays to look again before sleeping.
 *
 * Waking a sleeper takes some 10 us; what comes sooner is had sooner by looking
 * again, for the price of a CPU.  Each side of a link learns from its last
 * waits: after a spin that found nothing the next wait sleeps at once, then the
 * next 3, 7 .. 255; after one that found something the next one spins, too.  So a
 * link that is idle, or whose peer needs this CPU, hardly spins.
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
	uint32_t skip; /* so many waits sleep at once after a vain spin */
	uint32_t left; /* of them are still to come */
};

/* A wait begins: spin? */
bool ferryi_spin_begin(struct ferryi_spin *s);

/* A spin has ended, with something or in vain. */
void ferryi_spin_end(struct ferryi_spin *s, bool found);

/* Between two looks. */
void ferryi_spin_relax(void);

#endif
