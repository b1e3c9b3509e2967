/* SPDX-License-Identifier: MIT */
/*
 * The ring of a topic: any number of publishers, and subscribers who each see
 * every message, from a position of their own.
 *
 * A message lies in a chunk.  A *cell* of the ring says which chunk is the message
 * of a position; there are N cells, a power of two greater than the capacity, and
 * N + FERRYI_SPARE_CHUNKS chunks.  A publisher claims a chunk, writes it, and puts
 * it into the cell of the next position, where it displaces the one that is N
 * positions older.
 *
 *	cell:        lap:44 | index:20        0: nothing yet
 *	chunk word:  as in words.h, with the states FREE, LOAN(o) and QUEUED
 *
 *   Published  the cell went (p - N) -> (p, c)     one CAS, by the publisher
 *   Nobody's   the word of c went LOAN -> QUEUED   by the publisher, or recovery
 *   Displaced  the word of the older one -> FREE   by who displaced it, recovery,
 *                                                  or whoever finds no chunk
 *
 * Invariants (test/models/topic.pml):
 *   B1  Positions are filled in order without holes: a publisher tries p only once
 *       it has seen p - 1 filled.
 *   B2  A chunk in a cell is LOAN or QUEUED, in one generation, until it is
 *       displaced.  So the word that a publisher read before its CAS of the cell is
 *       that of the chunk it displaces.
 *   B3  QUEUED and not in the cell of its `seq`: displaced for good, and anybody
 *       may free it.
 *   B4  Each way to FREE is a new generation: whoever comes late changes nothing.
 *   B5  At any time at most one position can be filled by one who asked for
 *       blockers before: the next.  And p is filled only while p - cursor <
 *       capacity for each of them; so what a blocker has not read stays.
 *
 * A reader of a message looks at its cell before and after: unchanged, it has read
 * that message (O35 of doc/memory-order.md).
 *
 * A publisher that is killed or stopped anywhere stops nobody: `tail` is a hint that
 * anybody moves, and what it has left is free or published.  The cost of publishing
 * does not depend on how many subscribe, but for those who block.
 *
 * Pure: no system call, no waiting.  Every loop is bounded, whatever the segment
 * holds, and every value read from it is used as it was checked.
 */
#ifndef FERRYI_SHM_BROADCAST_H
#define FERRYI_SHM_BROADCAST_H

#include "shm/queue.h"
#include "shm/topic.h"

/* One mapping of one topic. */
struct ferryi_broadcast {
	uint8_t *base;
	struct ferryi_topic_control *control;
	struct ferryi_users users;
	uint64_t *cells;
	struct ferryi_topic_slot *slots;
	struct ferryi_topic_record *records;
	uint8_t *places;
	uint64_t place_bytes;
	uint64_t mask; /* N - 1 */
	uint8_t ring_log2;
	uint64_t capacity;
	uint64_t message_max;
	uint32_t n_chunks;
	uint32_t spare; /* hint: the chunk that was displaced last */
};

/* Use a mapping with a header that ferryi_topic_check() accepted. */
void ferryi_broadcast_attach(struct ferryi_broadcast *b, void *base,
			     const struct ferryi_topic_header *h);

/* Claim a chunk.  -EAGAIN: so many publishers have one that none is left. */
int ferryi_broadcast_loan(struct ferryi_broadcast *b, uint32_t owner,
			  struct ferryi_chunk *out);

/*
 * Publish a loan, at *out_position.  -EAGAIN: a subscriber that blocks has a whole
 * capacity before it; *out_slot is its place.  -ESTALE: the loan is not ours any
 * more.  -ENODATA: closed.  -EBADMSG: the ring makes no sense.  On every error the
 * loan is still the caller's.
 */
int ferryi_broadcast_publish(struct ferryi_broadcast *b,
			     const struct ferryi_chunk *c,
			     uint64_t *out_position, uint32_t *out_slot);

/* Give a loan back.  -ESTALE: it was not ours any more. */
int ferryi_broadcast_abandon(struct ferryi_broadcast *b,
			     const struct ferryi_chunk *c);

/* Chunks that `owner` has and has not published. */
uint32_t ferryi_broadcast_loans(const struct ferryi_broadcast *b,
				uint32_t owner);

/* Whether a publisher could go on: what it would have to wait for otherwise. */
bool ferryi_broadcast_may_loan(struct ferryi_broadcast *b);
bool ferryi_broadcast_is_blocked(const struct ferryi_broadcast *b, uint64_t at,
				 uint32_t *out_slot);

/* The position after the last message.  -EBADMSG: the ring makes no sense. */
int ferryi_broadcast_tail(struct ferryi_broadcast *b, uint64_t *out);

/* Whether the cell of `at` says that it is filled: with a chunk, or not. */
enum ferryi_filled {
	FERRYI_NOT_YET,
	FERRYI_FILLED,
	FERRYI_OVERWRITTEN, /* by a later lap */
};
enum ferryi_filled ferryi_broadcast_look(const struct ferryi_broadcast *b,
					 uint64_t at, uint64_t *out_cell);

static inline uint64_t *ferryi_broadcast_cell(const struct ferryi_broadcast *b,
					      uint64_t at)
{
	return &b->cells[at & b->mask];
}

/* A cell's lap is one more than that of its position, so that 0 is nothing yet. */
#define FERRYI_TOPIC_LAPS (~(uint64_t)0 >> FERRYI_TOPIC_INDEX_BITS)

static inline uint64_t ferryi_topic_lap(const struct ferryi_broadcast *b,
					uint64_t at)
{
	return ((at >> b->ring_log2) + 1) & FERRYI_TOPIC_LAPS;
}

static inline uint64_t ferryi_topic_cell(const struct ferryi_broadcast *b,
					 uint64_t at, uint32_t index)
{
	return ferryi_topic_lap(b, at) << FERRYI_TOPIC_INDEX_BITS | index;
}

static inline uint64_t ferryi_topic_cell_lap(uint64_t cell)
{
	return cell >> FERRYI_TOPIC_INDEX_BITS;
}

static inline uint32_t ferryi_topic_cell_index(uint64_t cell)
{
	return (uint32_t)(cell & ferryi_bits(FERRYI_TOPIC_INDEX_BITS));
}

/* Whether a chunk is the message of its `seq` still; and if it is nobody's and no
 * message (B3), free it: true when that was done. */
bool ferryi_broadcast_in_cell(const struct ferryi_broadcast *b, uint32_t index);
bool ferryi_broadcast_collect(struct ferryi_broadcast *b, uint32_t index);

/* Where the payload of a chunk lies, and its offset in the file. */
void *ferryi_broadcast_place(const struct ferryi_broadcast *b, uint32_t index);
uint64_t ferryi_broadcast_place_at(const struct ferryi_broadcast *b,
				   uint32_t index);

/*
 * Take back what `owner` had: loans that are in no cell, and its subscriptions.
 * The caller has proof that it is dead, or is that process.  How much it was.
 * May be killed anywhere and run again.
 */
uint32_t ferryi_broadcast_recover(struct ferryi_broadcast *b, uint32_t owner);

/*
 * What no honest participant leaves: owners that are no members; a ring whose
 * cells are not as publishers leave them is emptied.  How much was mended.
 */
uint32_t ferryi_broadcast_scrub(struct ferryi_broadcast *b);

#endif
