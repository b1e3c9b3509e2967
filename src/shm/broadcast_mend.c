/* SPDX-License-Identifier: MIT */
/* See broadcast.h: what the dead leave, and what strangers have written. */
#include "shm/broadcast.h"

/* --- recovery -------------------------------------------------------------- */

/* What a dead owner leaves is published, or free. */
static bool recover_chunk(struct ferryi_broadcast *b, uint32_t index,
			  uint32_t owner)
{
	uint64_t *word = &b->records[index].word, seen = ferryi_load(word);
	uint64_t next;

	if (ferryi_word_state(seen) != FERRYI_LOAN ||
	    ferryi_word_owner(seen) != owner)
		return false;
	next = ferryi_broadcast_in_cell(b, index) ?
		       ferryi_word(ferryi_word_gen(seen), FERRYI_QUEUED, 0, 0) :
		       ferryi_word_ended(seen);
	return ferryi_cas(word, seen, next);
}

/* The bits first: a slot that is free has none. */
static void empty_slot(struct ferryi_broadcast *b, uint32_t i, uint64_t word)
{
	uint64_t bit = (uint64_t)1 << i % 64;

	ferryi_and(&b->control->blocking[i / 64], ~bit);
	ferryi_and(&b->control->subscribed[i / 64], ~bit);
	/* V6: nobody waits for it any more, its place is still taken */
	ferryi_cas(&b->slots[i].word, word, ferryi_word_ended(word));
}

static bool recover_slot(struct ferryi_broadcast *b, uint32_t i, uint32_t owner)
{
	uint64_t word = ferryi_load(&b->slots[i].word);

	if (ferryi_word_state(word) != FERRYI_LOAN ||
	    ferryi_word_owner(word) != owner)
		return false;
	empty_slot(b, i, word);
	return true;
}

uint32_t ferryi_broadcast_recover(struct ferryi_broadcast *b, uint32_t owner)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < FERRYI_SUBSCRIBERS; i++)
		n += recover_slot(b, i, owner);
	for (uint32_t i = 0; i < b->n_chunks; i++)
		n += recover_chunk(b, i, owner) ||
		     ferryi_broadcast_collect(b, i);
	return n;
}

/* --- scrub ----------------------------------------------------------------- */

/* Filled in order: the cells before some one have the lap behind that of the rest,
 * and each names a chunk.  *out_sum tells two states apart. */
static bool ring_is_sound(const struct ferryi_broadcast *b, uint64_t *out_sum)
{
	uint64_t first = ferryi_topic_cell_lap(ferryi_load(&b->cells[0])),
		 lap = first;
	bool sound = true;

	*out_sum = 0;
	for (uint64_t i = 0; i <= b->mask; i++) {
		uint64_t cell = ferryi_load(&b->cells[i]);

		*out_sum = (*out_sum ^ cell) * 0x9e3779b97f4a7c15ull;
		*out_sum ^= *out_sum >> 29;
		if (ferryi_topic_cell_lap(cell) != lap &&
		    ferryi_topic_cell_lap(cell) + 1 == first)
			lap = ferryi_topic_cell_lap(cell);
		sound &= ferryi_topic_cell_lap(cell) == lap &&
			 (lap == 0 ||
			  ferryi_topic_cell_index(cell) < b->n_chunks);
	}
	return sound;
}

/*
 * Nobody can tell which cell is right: begin anew with the lap behind the latest
 * one that a message vouches for, all cells filled with what is no message.
 */
static uint32_t mend_ring(struct ferryi_broadcast *b)
{
	uint64_t lap = 0, sum, again;

	if (ring_is_sound(b, &sum) || ring_is_sound(b, &again) || sum != again)
		return 0; /* or it moves, so it is in use */
	for (uint32_t i = 0; i < b->n_chunks; i++)
		if (ferryi_word_state(ferryi_load(&b->records[i].word)) ==
			    FERRYI_QUEUED &&
		    ferryi_broadcast_in_cell(b, i))
			lap = ferryi_max(lap,
					 ferryi_fetch(&b->records[i].seq) >>
						 b->ring_log2);
	lap += 1;
	for (uint64_t i = 0; i <= b->mask; i++)
		ferryi_store(
			&b->cells[i],
			ferryi_topic_cell(b, lap << b->ring_log2 | i,
					  (uint32_t)ferryi_bits(
						  FERRYI_TOPIC_INDEX_BITS)));
	ferryi_store(&b->control->tail, (lap + 1) << b->ring_log2);
	return 1;
}

static bool is_nobodys(const struct ferryi_broadcast *b, uint64_t word)
{
	return ferryi_word_state(word) == FERRYI_LOAN &&
	       !ferryi_member_is(&b->users, ferryi_word_owner(word));
}

uint32_t ferryi_broadcast_scrub(struct ferryi_broadcast *b)
{
	uint32_t n = mend_ring(b);

	for (uint32_t i = 0; i < FERRYI_SUBSCRIBERS; i++) {
		uint64_t word = ferryi_load(&b->slots[i].word);

		if (is_nobodys(b, word))
			n += recover_slot(b, i, ferryi_word_owner(word));
	}
	for (uint32_t i = 0; i < b->n_chunks; i++) {
		uint64_t *at = &b->records[i].word, word = ferryi_load(at);

		if (ferryi_word_state(word) > FERRYI_QUEUED)
			n += ferryi_cas(at, word, ferryi_word_ended(word));
		else if (is_nobodys(b, word))
			n += recover_chunk(b, i, ferryi_word_owner(word));
		else
			n += ferryi_broadcast_collect(b, i);
	}
	for (unsigned g = 0; g < FERRYI_GATES; g++)
		if (ferryi_load(&b->control->gate[g]) > 1)
			ferryi_store(&b->control->gate[g], 1);
	return n;
}
