/* SPDX-License-Identifier: MIT */
/*
 * What came back: messages that were given back or whose taker died.  They lie
 * in their chunks outside the ring, ordered by seq, and go before the ring.
 *
 * `control.returned` (words.h) is a hint that some exist.  It may say so
 * wrongly, never the contrary for longer than it takes to recover a death
 * between the two steps of returning one.
 */
#ifndef FERRYI_SHM_RETURNED_H
#define FERRYI_SHM_RETURNED_H

#include "shm/queue.h"

/* Claim the due one with the least seq.  -EAGAIN: none is due; -EMSGSIZE. */
int ferryi_returned_take(struct ferryi_queue *q, uint32_t owner, uint64_t max,
			 int64_t now, struct ferryi_chunk *out,
			 uint64_t *out_len);

/* A word has just become RETURNED: say so. */
void ferryi_returned_announce(struct ferryi_queue *q, int64_t due);

/* What must be reserved to use more chunks of a class; to == from: no more. */
void ferryi_growth_plan(const struct ferryi_queue *q, uint32_t class,
			struct ferryi_growth *out);

#endif
