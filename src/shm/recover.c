/* SPDX-License-Identifier: MIT */
/* See recover.h. */
#include "shm/recover.h"

#include "shm/returned.h"

#define TRIES 64 /* a word changes at most a few times under a dead owner */

/*
 * Whether the chunk was published in this generation.  The sender wrote the
 * position into `seq` before it filled the cell, and the cell stays as it is
 * while the word is LOAN or QUEUED; so one look decides.  When a taker moves
 * the word meanwhile, the caller's CAS fails.
 */
bool ferryi_is_published(const struct ferryi_queue *q, uint32_t index,
			 uint64_t word)
{
	uint64_t seq = ferryi_fetch(&q->records[index].seq);

	return ferryi_queue_has_cell(q, seq) &&
	       ferryi_load(ferryi_queue_cell(q, seq)) ==
		       ferryi_cell_full(&q->cells, seq, index,
					ferryi_word_gen(word));
}

/* What becomes of a chunk whose owner is gone. */
static uint64_t without_owner(const struct ferryi_queue *q, uint32_t index,
			      uint64_t word)
{
	uint64_t gen = ferryi_word_gen(word);

	if (ferryi_word_state(word) == FERRYI_LOAN)
		return ferryi_word(gen,
				   ferryi_is_published(q, index, word) ?
					   FERRYI_QUEUED :
					   FERRYI_FREE,
				   0, 0);
	if (q->at_most_once)
		return ferryi_word_ended(word);
	return ferryi_word(gen + 1, FERRYI_RETURNED, 0,
			   ferryi_word_deliveries(word));
}

static void count(struct ferryi_queue *q, uint64_t from, uint64_t to,
		  struct ferryi_recovery *out)
{
	switch (ferryi_word_state(to)) {
	case FERRYI_QUEUED: out->queued++; break;
	case FERRYI_RETURNED: out->returned++; break;
	default:
		if (ferryi_word_state(from) == FERRYI_LOAN) {
			out->freed++;
			break;
		}
		out->lost++;
		ferryi_add(&q->control->counters.lost, 1);
	}
}

/* An owner that is dead, or closing, writes here no more. */
static void forget_holder(struct ferryi_record *rec)
{
	ferryi_put(&rec->handle, FERRYI_ANY_HANDLE);
	ferryi_put(&rec->taker.not_before, 0);
}

/*
 * A taker that died at T2 left its cell.  It is stale, but a chunk that goes
 * round among receivers changes its generation without using the ring; free the
 * cell before it could come to match again.
 */
static void free_cell(struct ferryi_queue *q, uint32_t index, uint64_t word)
{
	uint64_t seq = ferryi_fetch(&q->records[index].seq);
	uint64_t cell =
		ferryi_cell_full(&q->cells, seq, index, ferryi_word_gen(word));

	if (ferryi_queue_has_cell(q, seq))
		ferryi_cas(ferryi_queue_cell(q, seq), cell,
			   ferryi_cell_free(&q->cells, seq + q->ring_mask + 1));
}

static void recover_chunk(struct ferryi_queue *q, uint32_t index,
			  uint32_t owner, uint16_t handle, bool *out_returned,
			  struct ferryi_recovery *out)
{
	struct ferryi_record *rec = ferryi_queue_record(q, index);
	uint64_t word, next;
	uint32_t state;

	for (unsigned n = 0; n < TRIES; n++) {
		word = ferryi_load(&rec->word);
		state = ferryi_word_state(word);
		/* a death between Q1 and its announcement */
		*out_returned |= state == FERRYI_RETURNED;
		if ((state != FERRYI_LOAN && state != FERRYI_HELD) ||
		    ferryi_word_owner(word) != owner)
			return;
		if (handle != FERRYI_ANY_HANDLE &&
		    (ferryi_fetch(&rec->handle) != handle ||
		     (state == FERRYI_LOAN &&
		      ferryi_is_published(q, index, word))))
			return;
		next = without_owner(q, index, word);
		if (ferryi_word_state(next) != FERRYI_QUEUED) {
			/* taken since we looked into the ring? then it is
			 * somebody else's to sign */
			if (ferryi_load(&rec->word) != word)
				continue;
			forget_holder(rec);
		}
		if (!ferryi_cas(&rec->word, word, next))
			continue;
		if (state == FERRYI_HELD)
			free_cell(q, index, word);
		*out_returned |= ferryi_word_state(next) == FERRYI_RETURNED;
		count(q, word, next, out);
		return;
	}
}

void ferryi_recover_owner(struct ferryi_queue *q, uint32_t owner,
			  uint16_t handle, struct ferryi_recovery *out)
{
	bool returned = false;

	*out = (struct ferryi_recovery){ 0 };
	for (uint32_t k = 0; k < q->n_classes; k++)
		for (uint32_t i = 0, n = ferryi_queue_reserved(q, k); i < n;
		     i++)
			recover_chunk(q, q->classes[k].first + i, owner, handle,
				      &returned, out);
	/* V1: words are repaired, the hint is not; the next recoverer sees
	 * RETURNED words and comes here as well */
	if (returned)
		ferryi_returned_announce(q, 0);
}

/* --- scrub -------------------------------------------------------------- */

static bool is_orphan(const struct ferryi_queue *q, uint64_t word)
{
	return !ferryi_member_is(&q->users, ferryi_word_owner(word));
}

static uint64_t mended(const struct ferryi_queue *q, uint32_t index,
		       uint64_t word)
{
	switch (ferryi_word_state(word)) {
	case FERRYI_FREE:
	case FERRYI_RETURNED: return word;
	case FERRYI_LOAN:
	case FERRYI_HELD:
		return is_orphan(q, word) ? without_owner(q, index, word) :
					    word;
	case FERRYI_QUEUED:
		return ferryi_is_published(q, index, word) ?
			       word :
			       ferryi_word_ended(word);
	}
	return ferryi_word_ended(word);
}

uint32_t ferryi_scrub(struct ferryi_queue *q)
{
	uint32_t n_mended = 0;
	bool returned = false;
	uint64_t word, next;

	ferryi_mend_ring(q);
	/* A head that is too far, at a free cell, looks like an empty queue. */
	if (ferryi_queue_reserved(q, 0) > 0)
		ferryi_queue_heal_hints(q);
	for (uint32_t k = 0; k < q->n_classes; k++)
		for (uint32_t i = 0, n = ferryi_queue_reserved(q, k); i < n;
		     i++) {
			uint32_t index = q->classes[k].first + i;

			word = ferryi_load(&q->records[index].word);
			next = mended(q, index, word);
			if (next != word &&
			    ferryi_cas(&q->records[index].word, word, next))
				n_mended++;
			returned |= ferryi_word_state(next) == FERRYI_RETURNED;
		}
	if (returned)
		ferryi_returned_announce(q, 0);
	for (unsigned g = 0; g < FERRYI_GATES; g++)
		if (ferryi_load(&q->control->gate[g]) > 1)
			ferryi_store(&q->control->gate[g], 1);
	return n_mended;
}

/*
 * The cells tell: each position before the least one that a cell stands for has
 * been filled and taken.  Cells change under our eyes only towards later
 * positions, so that is never too far for head, nor for tail, which the next
 * sender moves on.  The least empty cell would be: while we look, an earlier one
 * may become empty that we saw full.
 */
void ferryi_queue_heal_hints(struct ferryi_queue *q)
{
	uint32_t n = ferryi_queue_reserved(q, 0);
	uint64_t ring = q->ring_mask + 1;
	uint64_t base = ferryi_cell_turn(&q->cells,
					 ferryi_load(ferryi_queue_cell(q, 0)));
	int64_t least = INT64_MAX;

	for (uint32_t i = 0; i < n; i++) {
		uint64_t cell = ferryi_load(ferryi_queue_cell(q, i));
		int64_t at = ferryi_cell_laps(&q->cells, cell, base) *
				     (int64_t)ring +
			     (int64_t)i;

		least = at < least ? at : least;
	}
	base = (base + (uint64_t)least) &
	       (q->cells.turns << q->cells.ring_log2 | q->ring_mask);
	ferryi_store(&q->control->head, base);
	ferryi_store(&q->control->tail, base);
}
