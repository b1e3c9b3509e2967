/* SPDX-License-Identifier: MIT */
/*
 * Repair after the dead.  Every step is a CAS on the exact word that was seen,
 * so recovery may be killed anywhere and run again, and may even run twice at
 * once.  The caller has proof that the owner is dead (the realm room), or is
 * the owner itself (close).
 */
#ifndef FERRYI_SHM_RECOVER_H
#define FERRYI_SHM_RECOVER_H

#include "shm/queue.h"

/* No handle of anybody's: what a chunk says that nobody has, and what stands for
 * all of an owner's. */
#define FERRYI_ANY_HANDLE 0u

struct ferryi_recovery {
	uint32_t freed;	   /* loans that were never published */
	uint32_t queued;   /* published: stay where they are, without owner */
	uint32_t returned; /* taken: will be delivered again */
	uint32_t lost;	   /* taken, in an at-most-once mailbox */
};

/*
 * Take back every chunk of `owner`, or only those of one of its handles.  What
 * it held is RETURNED (or dropped and counted, when at most once).
 */
void ferryi_recover_owner(struct ferryi_queue *q, uint32_t owner,
			  uint16_t handle, struct ferryi_recovery *out);

/*
 * Words that no honest participant leaves: owners that are no members, states
 * that do not exist, queued chunks that are in no cell.  Returns how many were
 * mended.  Gates with foreign bits are mended too, and the hints.
 */
uint32_t ferryi_scrub(struct ferryi_queue *q);

/* Cells that no honest participant leaves (mend.c): messages become RETURNED,
 * the ring is empty.  Part of a scrub, which announces what is RETURNED. */
void ferryi_mend_ring(struct ferryi_queue *q);

/* Whether a chunk is in the cell of its `seq`, in the generation of `word`. */
bool ferryi_is_published(const struct ferryi_queue *q, uint32_t index,
			 uint64_t word);

#endif
