/* SPDX-License-Identifier: MIT */
/*
 * Whom to wake, and what to wait for.  Pure: the caller makes the futex calls.
 *
 * Waiting, by one who has just failed (the labels are those of
 * doc/memory-order.md):
 *
 *	S1  raise the gate
 *	S2  look again: may it go on?  collect the words that say no
 *	    sleep while the gate is 1 and those words are unchanged
 *
 * Waking, by one who has changed a word:
 *
 *	W1  the change (accept, take, release)
 *	W2  is the gate up?  lower it and wake one sleeper
 *
 * A gate is 1 (up: somebody may sleep), 0 (nobody does), or says when it was
 * lowered.  Who was woken raises it again at the end of its call (hand_on).
 * While that may still happen others do not wake a second sleeper; later they
 * do, since the first may be stopped.
 *
 * S1 before S2 and W1 before W2, each pair sequentially consistent: either the
 * sleeper sees the change or the waker sees the gate.  When the waker dies
 * between W1 and its wake, the words that the kernel compares again, and the
 * bell of the realm, take its place.
 */
#ifndef FERRYI_SHM_WATCH_H
#define FERRYI_SHM_WATCH_H

#include "shm/queue.h"

/* W2, of a gate that is not 0.  Not 0: wake one sleeper of it, and if there was
 * none, settle it with this value. */
uint32_t ferryi_gate_lower(uint32_t *gate, int64_t now);

/* Nobody slept: the gate is 0, unless somebody has raised it since. */
void ferryi_gate_settle(uint32_t *gate, uint32_t lowered);

/* S1. */
void ferryi_gate_raise(uint32_t *gate);

/*
 * The gate of event loops (link/pollers.h), all of which are woken.  Its lowest bit
 * says that one may sleep; the rest counts the wake-ups, so that one who sees the
 * value that it raised has missed none, whoever has raised it again.
 *
 * raise: S1; the value to sleep on.  lower: W2; true: wake all.
 */
uint32_t ferryi_poll_gate_raise(uint32_t *gate);
bool ferryi_poll_gate_lower(uint32_t *gate);

/* What a sleeper watches, besides its gate (which must be 1). */
#define FERRYI_WATCH_MAX 32
struct ferryi_watch {
	struct {
		uint32_t *addr;
		uint32_t expected;
	} words[FERRYI_WATCH_MAX];
	unsigned n;
	int64_t due; /* a returned message is due then, or INT64_MAX */
};

/*
 * S2.  True: it may go on, try again.  False: *out says what would have to
 * change.  `len` counts for FERRYI_GATE_CHUNK only.
 */
bool ferryi_watch(struct ferryi_queue *q, enum ferryi_gate gate, uint64_t len,
		  int64_t now, struct ferryi_watch *out);

#endif
