/* SPDX-License-Identifier: MIT */
/*
 * Send and receive: one compare-and-swap each, and help for the dead.
 *
 * Invariants:
 *   I1  a chunk's word is the only truth about who may touch it
 *   I2  a message is queued if and only if some cell is FULL(p,c,g) and the
 *       word of c is takeable in g
 *   I3  takeable -> stale is final for (c,g), so anybody may free a stale cell
 *   I4  positions are filled in order without holes: tail passes a cell only
 *       after it was filled; head passes it only after it was taken or stale
 *   I5  only the owner, or the recoverer of a dead owner, moves a word out of
 *       LOAN or HELD; except that a taker moves a published LOAN to HELD
 *
 * head and tail move forward by CAS only, so they never run backwards; an old
 * one is caught up by the cells (a cell ahead of a hint by any number of laps
 * means that the hint is old, never that the cell is wrong).
 */
#include "shm/queue.h"

#include <errno.h>
#include <string.h>

#include "shm/returned.h"

/* More steps than honest peers can cause in one call; then hints are healed,
 * and after as many again the segment is called damaged. */
#define RECEIVE_AHEAD 8
#define STEPS(q)      (4 * ((q)->ring_mask + 64))

void ferryi_queue_attach(struct ferryi_queue *q, void *base,
			 const struct ferryi_header *h)
{
	memset(q, 0, sizeof *q);
	q->base = base;
	q->control = (void *)(q->base + FERRYI_HEADER_BYTES);
	ferryi_users_attach(&q->users, q->control);
	q->records = (void *)(q->base + h->records_at);
	q->ring_mask = ferryi_bits(h->shape.ring_log2);
	q->capacity = h->choice.capacity;
	q->message_max = h->choice.message_max;
	q->n_classes = h->n_classes;
	q->n_chunks = h->n_chunks;
	q->cells = ferryi_cells(h->shape);
	memcpy(q->classes, h->classes, sizeof q->classes);
	q->at_most_once = h->choice.delivery == 1;
	q->has_pairs = ferryi_has_pairs();
}

void ferryi_queue_format(struct ferryi_control *c,
			 const struct ferryi_header *h)
{
	c->reserved[0] = ferryi_layout_first_chunks(h);
}

static uint64_t word_of(const struct ferryi_queue *q, uint32_t index)
{
	return ferryi_load(&q->records[index].word);
}

/* Whether a chunk that some cell names exists and has memory. */
static bool exists(const struct ferryi_queue *q, uint32_t index)
{
	uint32_t class;

	if (index >= q->n_chunks)
		return false;
	class = ferryi_queue_class(q, index);
	return index - q->classes[class].first <
	       ferryi_queue_reserved(q, class);
}

bool ferryi_queue_cell_takeable(const struct ferryi_queue *q, uint64_t position,
				uint64_t cell, uint64_t *out_word)
{
	uint32_t index = ferryi_cell_index(&q->cells, cell);

	if (index != (position & q->ring_mask) && !exists(q, index))
		return false; /* a message at home shares its cell's memory */
	*out_word = word_of(q, index);
	return ferryi_takeable(&q->cells, cell, *out_word);
}

/* --- send --------------------------------------------------------------- */

/*
 * The position after the last one that this cell proves to be filled, seen
 * from a hint `laps` behind it.
 */
static uint64_t after(const struct ferryi_queue *q, uint64_t position,
		      uint64_t cell, int64_t laps)
{
	uint64_t ring = q->ring_mask + 1;

	if (ferryi_cell_is_full(cell))
		return position + (uint64_t)laps * ring + 1;
	return position + (uint64_t)(laps - 1) * ring + 1;
}

uint64_t *ferryi_queue_in_the_way(const struct ferryi_queue *q, uint64_t tail,
				  uint64_t *out_word)
{
	uint64_t back = tail - q->capacity, cell;

	if (tail < q->capacity || !ferryi_queue_has_cell(q, back))
		return NULL;
	cell = ferryi_load(ferryi_queue_cell(q, back));
	if (!ferryi_cell_is_full_at(&q->cells, cell, back) ||
	    !ferryi_queue_cell_takeable(q, back, cell, out_word))
		return NULL;
	return &q->records[ferryi_cell_index(&q->cells, cell)].word;
}

/* With a capacity below the ring's size the cell itself does not say it. */
static bool at_capacity(const struct ferryi_queue *q, uint64_t tail)
{
	uint64_t word;

	return q->capacity <= q->ring_mask &&
	       ferryi_queue_in_the_way(q, tail, &word);
}

enum step { DONE, RETRY, IS_FULL, IS_EMPTY, STRANGE };

/* The cell of position t waits for its message. */
static enum step fill(struct ferryi_queue *q, const struct ferryi_chunk *c,
		      uint64_t *cell, uint64_t empty, uint64_t t)
{
	if (at_capacity(q, t))
		return ferryi_load(&q->control->tail) == t ? IS_FULL : RETRY;
	ferryi_put(&ferryi_queue_record(q, c->index)->seq, t);
	/* P1: filled in, not yet accepted; if we die here it is freed */
	if (!ferryi_cas(cell, empty,
			ferryi_cell_full(&q->cells, t, c->index,
					 ferryi_word_gen(c->word))))
		return RETRY;
	/* P2: accepted; if we die here the next one moves the tail */
	ferryi_cas(&q->control->tail, t, t + 1);
	return DONE;
}

/* One look at the cell of position *t. */
static enum step try_publish(struct ferryi_queue *q,
			     const struct ferryi_chunk *c, uint64_t *t)
{
	uint64_t *cell = ferryi_queue_cell(q, *t), word, hint = *t;
	uint64_t seen = ferryi_load(cell),
		 empty = ferryi_cell_free(&q->cells, *t);
	int64_t laps;

	if (seen == empty)
		return fill(q, c, cell, empty, *t);
	laps = ferryi_cell_laps(&q->cells, seen, *t);
	if (laps > 0 || (laps == 0 && ferryi_cell_is_full(seen))) {
		*t = after(q, *t, seen, laps);
		ferryi_cas(&q->control->tail, hint, *t);
		return RETRY;
	}
	if (laps == -1 && ferryi_cell_is_full(seen)) {
		if (ferryi_queue_cell_takeable(q, *t, seen, &word))
			return ferryi_load(&q->control->tail) == *t ? IS_FULL :
								      RETRY;
		ferryi_cas(cell, seen,
			   empty); /* stale: its taker is slow or dead */
		return RETRY;
	}
	return STRANGE;
}

/*
 * Closed while we sent: receivers may have been told that no more will come.
 * Take the message back, unless one of them has it already.
 */
static int withdraw_if_closed(struct ferryi_queue *q,
			      const struct ferryi_chunk *c)
{
	uint64_t *word = &ferryi_queue_record(q, c->index)->word;

	if (!(ferryi_load(&q->control->state) & FERRYI_CLOSED))
		return 0;
	return ferryi_cas(word, c->word, ferryi_word_ended(c->word)) ?
		       -ENODATA :
		       0;
}

int ferryi_queue_commit(struct ferryi_queue *q, const struct ferryi_chunk *c,
			struct ferryi_growth *grow)
{
	uint64_t t = ferryi_load(&q->control->tail), steps = STEPS(q);
	enum step step;

	if (ferryi_load(&q->control->state) & FERRYI_REMOVED)
		return -ESTALE;
	if (ferryi_load(&q->control->state) & FERRYI_CLOSED)
		return -ENODATA;
	if (word_of(q, c->index) != c->word)
		return -ESTALE;
	for (uint64_t n = 0; n < 2 * steps; n++) {
		if (!ferryi_queue_has_cell(q, t)) {
			ferryi_growth_plan(q, 0, grow);
			return 1;
		}
		step = try_publish(q, c, &t);
		if (step == DONE)
			return withdraw_if_closed(q, c);
		if (step == IS_FULL)
			return -EAGAIN;
		if (step == STRANGE || n == steps)
			ferryi_queue_heal_hints(q);
		if (step == STRANGE || (n & 15) == 15)
			t = ferryi_load(&q->control->tail);
	}
	return -EBADMSG;
}

int ferryi_queue_abandon(struct ferryi_queue *q, const struct ferryi_chunk *c)
{
	uint64_t *word = &ferryi_queue_record(q, c->index)->word;

	if (ferryi_load(word) != c->word)
		return -ESTALE;
	ferryi_put(&ferryi_queue_record(q, c->index)->handle, 0);
	return ferryi_cas(word, c->word,
			  ferryi_word(ferryi_word_gen(c->word), FERRYI_FREE, 0,
				      0)) ?
		       0 :
		       -ESTALE;
}

/* --- receive ------------------------------------------------------------ */

/*
 * The lines of a message some positions on, while it comes to this processor
 * anyway: only of those that are known to be there, since a sender may be
 * writing the others.
 */
static void look_ahead(struct ferryi_queue *q, uint64_t h)
{
	uint64_t ahead = h + RECEIVE_AHEAD;
	struct ferryi_record *rec = &q->records[ahead & q->ring_mask];

	if (ahead < ferryi_fetch(&q->tail_ago)) {
		ferryi_prefetch(&rec->cell);
		ferryi_prefetch(&rec->data[32]);
	} else if (h % RECEIVE_AHEAD == 0) {
		ferryi_put(&q->tail_ago, ferryi_load(&q->control->tail));
	}
}

static void pass(struct ferryi_queue *q, uint64_t *cell, uint64_t seen,
		 uint64_t h)
{
	/* T2: taken, its cell still FULL; if we die here others free it */
	ferryi_cas(cell, seen,
		   ferryi_cell_free(&q->cells, h + q->ring_mask + 1));
	/* T3: the head still points at it; the next one moves it */
	ferryi_cas(&q->control->head, h, h + 1);
}

/* TAKEN.  A message at home is taken and its cell freed in one step. */
static bool claim(struct ferryi_queue *q, uint32_t index, uint64_t word,
		  uint64_t mine, uint64_t h, uint64_t seen)
{
	struct ferryi_record *rec = ferryi_queue_record(q, index);

	if (index != (h & q->ring_mask) || !q->has_pairs) {
		if (!ferryi_cas(&rec->word, word, mine))
			return false;
		pass(q, ferryi_queue_cell(q, h), seen, h);
		return true;
	}
	if (!ferryi_cas_pair(&rec->cell, seen, word,
			     ferryi_cell_free(&q->cells, h + q->ring_mask + 1),
			     mine))
		return false;
	/* T3 */
	ferryi_cas(&q->control->head, h, h + 1);
	return true;
}

/* The FULL cell of position h names a message: claim it. */
static enum step try_claim(struct ferryi_queue *q, uint32_t owner, uint64_t max,
			   uint64_t h, uint64_t seen, uint64_t word,
			   struct ferryi_chunk *out, uint64_t *out_len)
{
	uint64_t *cell = ferryi_queue_cell(q, h);
	uint32_t index = ferryi_cell_index(&q->cells, seen);
	uint64_t mine =
		ferryi_word(ferryi_word_gen(word), FERRYI_HELD, owner, 1);

	*out_len = ferryi_fetch(&q->records[index].len);
	if (ferryi_load(cell) != seen)
		return RETRY;
	if (*out_len > max)
		return word_of(q, index) == word ? IS_FULL : RETRY;
	/* T1: nothing claimed yet */
	if (!claim(q, index, word, mine, h, seen))
		return RETRY;
	look_ahead(q, h);
	out->index = index;
	out->word = mine;
	return DONE;
}

/*
 * One look at the cell of position *h.  IS_EMPTY: nothing was put there yet, so
 * nothing behind it either (I4).  IS_FULL: too long for `max`.
 */
static enum step try_take(struct ferryi_queue *q, uint32_t owner, uint64_t max,
			  uint64_t *h, struct ferryi_chunk *out,
			  uint64_t *out_len)
{
	uint64_t *cell = ferryi_queue_cell(q, *h), hint = *h, word;
	uint64_t seen = ferryi_load(cell);
	int64_t laps;

	if (ferryi_cell_is_full_at(&q->cells, seen, *h)) {
		if (ferryi_queue_cell_takeable(q, *h, seen, &word))
			return try_claim(q, owner, max, *h, seen, word, out,
					 out_len);
		pass(q, cell, seen, *h); /* stale */
		*h = *h + 1;
		return RETRY;
	}
	if (seen == ferryi_cell_free(&q->cells, *h))
		return IS_EMPTY;
	laps = ferryi_cell_laps(&q->cells, seen, *h);
	if (laps > 0) { /* the hint is old: whatever was here is gone */
		*h += (uint64_t)(laps - 1) * (q->ring_mask + 1) + 1;
		ferryi_cas(&q->control->head, hint, *h);
		return RETRY;
	}
	return STRANGE;
}

static int take_from_ring(struct ferryi_queue *q, uint32_t owner, uint64_t max,
			  struct ferryi_chunk *out, uint64_t *out_len)
{
	uint64_t h = ferryi_load(&q->control->head), steps = STEPS(q);
	enum step step;

	for (uint64_t n = 0; n < 2 * steps; n++) {
		if (!ferryi_queue_has_cell(q, h))
			return -EAGAIN;
		step = try_take(q, owner, max, &h, out, out_len);
		if (step == DONE)
			return 0;
		if (step == IS_EMPTY)
			return -EAGAIN;
		if (step == IS_FULL)
			return -EMSGSIZE;
		if (step == STRANGE || n == steps)
			ferryi_queue_heal_hints(q);
		if (step == STRANGE || (n & 15) == 15)
			h = ferryi_load(&q->control->head);
	}
	return -EBADMSG;
}

int ferryi_queue_take(struct ferryi_queue *q, uint32_t owner, uint64_t max,
		      int64_t now, struct ferryi_chunk *out, uint64_t *out_len)
{
	int r;

	if (ferryi_queue_needs_now(q)) {
		r = ferryi_returned_take(q, owner, max, now, out, out_len);
		if (r != -EAGAIN)
			return r;
	}
	return take_from_ring(q, owner, max, out, out_len);
}

int ferryi_queue_take_queued(struct ferryi_queue *q, uint32_t owner,
			     struct ferryi_chunk *out)
{
	uint64_t len;

	return take_from_ring(q, owner, UINT64_MAX, out, &len);
}

int ferryi_queue_release(struct ferryi_queue *q, const struct ferryi_chunk *c)
{
	uint64_t *word = &ferryi_queue_record(q, c->index)->word;

	if (ferryi_load(word) != c->word)
		return -ESTALE;
	ferryi_put(&ferryi_queue_record(q, c->index)->handle, 0);
	/* R1: until this CAS it is ours and will be delivered again if we die */
	return ferryi_cas(word, c->word, ferryi_word_ended(c->word)) ? 0 :
								       -ESTALE;
}

int ferryi_queue_requeue(struct ferryi_queue *q, const struct ferryi_chunk *c,
			 int64_t due)
{
	struct ferryi_record *rec = ferryi_queue_record(q, c->index);
	uint64_t back = ferryi_word(ferryi_word_gen(c->word) + 1,
				    FERRYI_RETURNED, 0,
				    ferryi_word_deliveries(c->word));

	if (ferryi_load(&rec->word) != c->word)
		return -ESTALE;
	ferryi_put(&rec->handle, 0);
	ferryi_put(&rec->taker.not_before, due);
	if (!ferryi_cas(&rec->word, c->word, back))
		return -ESTALE;
	/* Q1: returned, but not announced; recovery announces it */
	ferryi_returned_announce(q, due);
	return 0;
}
