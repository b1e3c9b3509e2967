/* SPDX-License-Identifier: MIT */
/*
 * The two words on which everything rests.
 *
 * A message lies in a chunk.  The *chunk word* says who may touch the chunk;
 * it is the only truth about that.  A *cell* of the ring says which chunk is
 * the message at a position.  Everything else (head, tail, high-water marks,
 * gates) is a hint that may be wrong in the safe direction.
 *
 * Chunk word, 64 bits:
 *
 *	gen:36 | state:4 | owner:16 | deliveries:8
 *
 *   FREE       anybody may claim it
 *   LOAN(o)    process o writes it; or it is published and queued: a sender
 *              does not touch the word again after it has filled the cell
 *   QUEUED     published by a sender that has died since
 *   HELD(o)    process o has taken it and not yet acknowledged
 *   RETURNED   to be delivered again: given back, or its taker died
 *
 * `owner` is the index of the process's lease in the registry of the realm.
 * `gen` grows when a published message ends (FREE) or leaves its cell for good
 * (RETURNED), so that an old cell and an old handle no longer match; it does
 * not grow when a loan is dropped, since that chunk was in no cell.
 *
 * Cell, 64 bits, with widths chosen at creation (layout.c):
 *
 *	FULL:1 | turn:T | gen:G | index:I
 *
 *   FREE(p)      = turn of p, nothing else: waits for the message of position p
 *   FULL(p,c,g)  = the message of position p is chunk c in its generation g
 *
 * where the turn of a position is how often the ring had gone round.
 *
 * The record of chunk c also carries the cell of position c (mod ring).  Where a
 * message lies in the chunk of its own position it is *at home*: word and cell
 * are neighbours.
 *
 *   Accepted  the cell went FREE(p) -> FULL(p,c,g)      one CAS, by the sender
 *   Taken     the word went LOAN/QUEUED(g) -> HELD      one CAS, by the taker;
 *             at home it frees the cell in the same step, where the processor
 *             can (atomic.h)
 *   Ended     the word went HELD -> FREE(g+1)           one CAS, by the taker
 *
 * A FULL cell whose chunk is LOAN or QUEUED in the cell's generation is
 * *takeable*: that is a message in the queue.  A FULL cell that is not takeable
 * is *stale*: its taker has not freed it yet, and anybody may do that for it.
 * takeable -> stale never goes back for the same (c,g).
 */
#ifndef FERRYI_SHM_WORDS_H
#define FERRYI_SHM_WORDS_H

#include <stdbool.h>
#include <stdint.h>

enum ferryi_chunk_state {
	FERRYI_FREE,
	FERRYI_LOAN,
	FERRYI_QUEUED,
	FERRYI_HELD,
	FERRYI_RETURNED,
	FERRYI_STATES,
};

#define FERRYI_OWNER_NONE 0xffffu

static inline uint64_t ferryi_word(uint64_t gen, enum ferryi_chunk_state state,
				   uint32_t owner, uint32_t deliveries)
{
	return gen << 28 | (uint64_t)state << 24 |
	       (uint64_t)(owner & 0xffff) << 8 | (deliveries & 0xff);
}

static inline uint64_t ferryi_word_gen(uint64_t word)
{
	return word >> 28;
}

static inline uint32_t ferryi_word_state(uint64_t word)
{
	return (uint32_t)(word >> 24) & 15;
}

static inline uint32_t ferryi_word_owner(uint64_t word)
{
	return (uint32_t)(word >> 8) & 0xffff;
}

static inline uint32_t ferryi_word_deliveries(uint64_t word)
{
	return (uint32_t)word & 0xff;
}

/* Free, in the next generation. */
static inline uint64_t ferryi_word_ended(uint64_t word)
{
	return ferryi_word(ferryi_word_gen(word) + 1, FERRYI_FREE, 0, 0);
}

/* The futex word of a 64-bit word: the half that every change of it changes. */
static inline uint32_t *ferryi_low_half(uint64_t *word)
{
	return (uint32_t *)word; /* little-endian, checked in layout.h */
}

static inline uint32_t *ferryi_high_half(uint64_t *word)
{
	return (uint32_t *)word + 1;
}

/* --- cells ------------------------------------------------------------- */

#define FERRYI_FULL ((uint64_t)1 << 63)

/* How the 63 bits of a cell are divided in a mailbox, as its header says. */
struct ferryi_cell_shape {
	uint8_t ring_log2;
	uint8_t turn_bits, gen_bits, index_bits;
};

/* The same as masks and shifts. */
struct ferryi_cells {
	uint64_t turns, gens, indices;
	uint8_t ring_log2, gen_at, turn_at;
};

static inline uint64_t ferryi_bits(unsigned n)
{
	return ((uint64_t)1 << n) - 1;
}

static inline struct ferryi_cells ferryi_cells(struct ferryi_cell_shape s)
{
	return (struct ferryi_cells){
		.turns = ferryi_bits(s.turn_bits),
		.gens = ferryi_bits(s.gen_bits),
		.indices = ferryi_bits(s.index_bits),
		.ring_log2 = s.ring_log2,
		.gen_at = s.index_bits,
		.turn_at = (uint8_t)(s.gen_bits + s.index_bits),
	};
}

static inline uint64_t ferryi_cell_free(const struct ferryi_cells *s,
					uint64_t position)
{
	return (position >> s->ring_log2 & s->turns) << s->turn_at;
}

static inline uint64_t ferryi_cell_full(const struct ferryi_cells *s,
					uint64_t position, uint32_t index,
					uint64_t gen)
{
	return FERRYI_FULL | ferryi_cell_free(s, position) |
	       (gen & s->gens) << s->gen_at | index;
}

static inline uint32_t ferryi_cell_index(const struct ferryi_cells *s,
					 uint64_t cell)
{
	return (uint32_t)(cell & s->indices);
}

static inline bool ferryi_cell_is_full(uint64_t cell)
{
	return (cell & FERRYI_FULL) != 0;
}

/* FULL, and with the message of this very position. */
static inline bool ferryi_cell_is_full_at(const struct ferryi_cells *s,
					  uint64_t cell, uint64_t position)
{
	return (cell ^ (FERRYI_FULL | ferryi_cell_free(s, position))) >>
		       s->turn_at ==
	       0;
}

/* The first position of the turn that the cell is in. */
static inline uint64_t ferryi_cell_turn(const struct ferryi_cells *s,
					uint64_t cell)
{
	return (cell >> s->turn_at & s->turns) << s->ring_log2;
}

/* How many laps the cell is ahead of `position` (negative: behind). */
static inline int64_t ferryi_cell_laps(const struct ferryi_cells *s,
				       uint64_t cell, uint64_t position)
{
	uint64_t diff = ((cell >> s->turn_at) - (position >> s->ring_log2)) &
			s->turns;

	return diff > s->turns / 2 ? (int64_t)diff - (int64_t)s->turns - 1 :
				     (int64_t)diff;
}

/* Whether a chunk with this word is the message that this FULL cell means. */
static inline bool ferryi_takeable(const struct ferryi_cells *s, uint64_t cell,
				   uint64_t word)
{
	uint32_t state = ferryi_word_state(word);

	return (state == FERRYI_LOAN || state == FERRYI_QUEUED) &&
	       ((ferryi_word_gen(word) ^ cell >> s->gen_at) & s->gens) == 0;
}

/* --- the word of returned messages -------------------------------------- */

/*
 *	due:40 | version:23 | any:1
 *
 * `any`: some chunk may be RETURNED.  `due`: none of them before this time, in
 * units of 2^20 ns of CLOCK_MONOTONIC; a time to come is rounded up, so that who
 * looks then finds it due.  `version` grows with each return, so
 * that a scan that found none clears `any` only if none came meanwhile.
 */
static inline uint64_t ferryi_due_unit(int64_t ns)
{
	return (uint64_t)ns >> 20 & ferryi_bits(40);
}

static inline uint64_t ferryi_due_unit_up(int64_t ns)
{
	if (ns >= (int64_t)(ferryi_bits(40) << 20))
		return ferryi_bits(40);
	return ferryi_due_unit(ns + (int64_t)ferryi_bits(20));
}

static inline uint64_t ferryi_returned(uint64_t due, uint64_t version, bool any)
{
	return due << 24 | (version & ferryi_bits(23)) << 1 | any;
}

static inline uint64_t ferryi_returned_due(uint64_t word)
{
	return word >> 24;
}

static inline uint64_t ferryi_returned_version(uint64_t word)
{
	return word >> 1 & ferryi_bits(23);
}

static inline bool ferryi_returned_any(uint64_t word)
{
	return word & 1;
}

#endif
