/* SPDX-License-Identifier: MIT */
/*
 * A ring whose cells somebody has written to: recognise it, and begin anew with
 * the messages that are whole.  Called by scrub; honest participants leave
 * nothing for it to do, whenever they die.
 */
#include "shm/recover.h"

#include "shm/returned.h"

#define TRIES 64 /* a cell changes at most a few times meanwhile */

/* The position that a cell stands for, seen from `base`. */
static int64_t stands_at(const struct ferryi_queue *q, uint64_t cell,
			 uint32_t i, uint64_t base)
{
	return ferryi_cell_laps(&q->cells, cell, base) *
		       (int64_t)(q->ring_mask + 1) +
	       (int64_t)i;
}

static uint64_t first_position(const struct ferryi_queue *q)
{
	return ferryi_cell_turn(&q->cells,
				ferryi_load(ferryi_queue_cell(q, 0)));
}

/*
 * Whether the cells are as honest participants leave them: every full one is
 * before every empty one, the whole not wider than two laps.  *out_sum tells
 * two states apart: a sum that is the same twice was that of one moment.
 */
static bool ring_is_sound(const struct ferryi_queue *q, uint64_t *out_sum)
{
	int64_t ring = (int64_t)q->ring_mask + 1, at;
	int64_t least = INT64_MAX, most = INT64_MIN;
	int64_t last_full = INT64_MIN, first_free = INT64_MAX;
	uint64_t base = first_position(q), sum = 0;
	bool clean = true;

	for (uint32_t i = 0, n = ferryi_queue_reserved(q, 0); i < n; i++) {
		uint64_t cell = ferryi_load(ferryi_queue_cell(q, i));

		sum = (sum ^ cell) * 0x9e3779b97f4a7c15ull;
		sum ^= sum >> 29;
		at = stands_at(q, cell, i, base);
		least = at < least ? at : least;
		most = at > most ? at : most;
		if (ferryi_cell_is_full(cell)) {
			last_full = at > last_full ? at : last_full;
			continue;
		}
		first_free = at < first_free ? at : first_free;
		clean &= cell ==
			 ferryi_cell_free(&q->cells, base + (uint64_t)at);
	}
	*out_sum = sum;
	return clean && last_full < first_free && most - least < 2 * ring;
}

/* What a cell holds is to be delivered from outside the ring. */
static void take_out(struct ferryi_queue *q, uint32_t i, uint64_t cell)
{
	uint32_t index = ferryi_cell_index(&q->cells, cell);
	uint64_t word;

	if (!ferryi_cell_is_full(cell) ||
	    !ferryi_queue_cell_takeable(q, i, cell, &word) ||
	    !ferryi_is_published(q, index, word))
		return;
	ferryi_put(&q->records[index].taker.not_before, 0);
	ferryi_cas(&q->records[index].word, word,
		   ferryi_word(ferryi_word_gen(word) + 1, FERRYI_RETURNED, 0,
			       0));
}

/*
 * A ring that somebody has written to does not go on by itself: nobody can tell
 * which of its cells is right.  Its messages become RETURNED, and all cells the
 * empty ones of one lap; the last first, so that no sender fills one before all
 * that come before it are empty, too.
 */
void ferryi_mend_ring(struct ferryi_queue *q)
{
	uint32_t n = ferryi_queue_reserved(q, 0);
	uint64_t lap = first_position(q) + q->ring_mask + 1, seen, sum, again;

	if (n == 0 || ring_is_sound(q, &sum) || ring_is_sound(q, &again) ||
	    sum != again)
		return; /* or it moves, so it is in use */
	if (n <= q->ring_mask)
		lap = 0; /* as the cells that have no memory yet */
	for (uint32_t i = n; i-- > 0;)
		for (unsigned tries = 0; tries < TRIES; tries++) {
			seen = ferryi_load(ferryi_queue_cell(q, i));
			take_out(q, i, seen);
			/* V5: still not sound, so the next one goes on with it;
			 * the message is RETURNED, but not announced */
			if (ferryi_cas(ferryi_queue_cell(q, i), seen,
				       ferryi_cell_free(&q->cells, lap + i)))
				break;
		}
}
