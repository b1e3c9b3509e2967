/* SPDX-License-Identifier: MIT */
/* See broadcast.h: the side of the publishers.  subscribe.c is the other one. */
#include "shm/broadcast.h"

#include <errno.h>
#include <string.h>

#define ROUNDS	    1000 /* each means that others have published */
#define WORD_ROUNDS 4	 /* the word of a published chunk changes once */

void ferryi_broadcast_attach(struct ferryi_broadcast *b, void *base,
			     const struct ferryi_topic_header *h)
{
	memset(b, 0, sizeof *b);
	b->base = base;
	b->control = (void *)(b->base + FERRYI_HEADER_BYTES);
	ferryi_users_attach(&b->users, b->control);
	b->slots = (void *)(b->base + FERRYI_SLOTS_AT);
	b->cells = (void *)(b->base + h->cells_at);
	b->records = (void *)(b->base + h->records_at);
	b->places = b->base + h->places_at;
	b->place_bytes = h->place;
	b->ring_log2 = h->ring_log2;
	b->mask = ferryi_bits(h->ring_log2);
	b->capacity = h->choice.capacity;
	b->message_max = h->choice.message_max;
	b->n_chunks = h->n_chunks;
}

enum ferryi_filled ferryi_broadcast_look(const struct ferryi_broadcast *b,
					 uint64_t at, uint64_t *out_cell)
{
	uint64_t cell = ferryi_load(ferryi_broadcast_cell(b, at));
	uint64_t ahead =
		(ferryi_topic_cell_lap(cell) - ferryi_topic_lap(b, at)) &
		FERRYI_TOPIC_LAPS;

	*out_cell = cell;
	if (ahead == 0)
		return FERRYI_FILLED;
	return ahead <= FERRYI_TOPIC_LAPS / 2 ? FERRYI_OVERWRITTEN :
						FERRYI_NOT_YET;
}

/* The hint is too far: only foreign writes do that.  Begin with what the cells say. */
static uint64_t latest_filled(const struct ferryi_broadcast *b)
{
	uint64_t most = 0;

	for (uint64_t i = 0; i <= b->mask; i++) {
		uint64_t lap = ferryi_topic_cell_lap(ferryi_load(&b->cells[i]));

		if (lap)
			most = ferryi_max(most,
					  ((lap - 1) << b->ring_log2 | i) + 1);
	}
	return most;
}

/* A cell that is to be filled for `at`; of a look, not of a second one. */
static bool is_next(const struct ferryi_broadcast *b, uint64_t at,
		    uint64_t cell)
{
	return ((ferryi_topic_lap(b, at) - ferryi_topic_cell_lap(cell)) &
		FERRYI_TOPIC_LAPS) == 1;
}

int ferryi_broadcast_tail(struct ferryi_broadcast *b, uint64_t *out)
{
	uint64_t hint = ferryi_load(&b->control->tail), at = hint, cell;
	unsigned garbage = 0;

	for (uint64_t n = 0; n <= 2 * (b->mask + 1) + ROUNDS; n++) {
		switch (ferryi_broadcast_look(b, at, &cell)) {
		case FERRYI_FILLED: at++; continue;
		case FERRYI_OVERWRITTEN:
			at = ((ferryi_topic_cell_lap(cell) - 1)
				      << b->ring_log2 |
			      (at & b->mask)) +
			     1;
			continue;
		default: break;
		}
		if (is_next(b, at, cell)) {
			if (at != hint)
				ferryi_cas(&b->control->tail, hint, at);
			*out = at;
			return 0;
		}
		if (garbage++ > 2)
			break;
		at = latest_filled(b);
	}
	return -EBADMSG;
}

/* --- chunks ---------------------------------------------------------------- */

void *ferryi_broadcast_place(const struct ferryi_broadcast *b, uint32_t index)
{
	return b->places + index * b->place_bytes;
}

uint64_t ferryi_broadcast_place_at(const struct ferryi_broadcast *b,
				   uint32_t index)
{
	return (uint64_t)((uint8_t *)ferryi_broadcast_place(b, index) -
			  b->base);
}

bool ferryi_broadcast_in_cell(const struct ferryi_broadcast *b, uint32_t index)
{
	uint64_t seq = ferryi_fetch(&b->records[index].seq);

	return ferryi_load(ferryi_broadcast_cell(b, seq)) ==
	       ferryi_topic_cell(b, seq, index);
}

bool ferryi_broadcast_collect(struct ferryi_broadcast *b, uint32_t index)
{
	uint64_t *word = &b->records[index].word, seen = ferryi_load(word);

	return ferryi_word_state(seen) == FERRYI_QUEUED &&
	       !ferryi_broadcast_in_cell(b, index) &&
	       ferryi_cas(word, seen, ferryi_word_ended(seen));
}

static bool claim(struct ferryi_broadcast *b, uint32_t index, uint32_t owner,
		  struct ferryi_chunk *out)
{
	uint64_t *word = &b->records[index].word, seen = ferryi_load(word);
	uint64_t mine =
		ferryi_word(ferryi_word_gen(seen), FERRYI_LOAN, owner, 0);

	if (ferryi_word_state(seen) != FERRYI_FREE ||
	    !ferryi_cas(word, seen, mine))
		return false;
	*out = (struct ferryi_chunk){ index, mine };
	ferryi_put(&b->spare, (index + 1) % b->n_chunks);
	return true;
}

static bool claim_any(struct ferryi_broadcast *b, uint32_t owner,
		      struct ferryi_chunk *out)
{
	uint32_t from = ferryi_fetch(&b->spare);

	for (uint32_t n = 0; n < b->n_chunks; n++)
		if (claim(b, (from + n) % b->n_chunks, owner, out))
			return true;
	return false;
}

int ferryi_broadcast_loan(struct ferryi_broadcast *b, uint32_t owner,
			  struct ferryi_chunk *out)
{
	if (claim_any(b, owner, out))
		return 0;
	for (uint32_t i = 0; i < b->n_chunks; i++)
		ferryi_broadcast_collect(b, i);
	return claim_any(b, owner, out) ? 0 : -EAGAIN;
}

bool ferryi_broadcast_may_loan(struct ferryi_broadcast *b)
{
	for (uint32_t i = 0; i < b->n_chunks; i++)
		if (ferryi_broadcast_collect(b, i) ||
		    ferryi_word_state(ferryi_load(&b->records[i].word)) ==
			    FERRYI_FREE)
			return true;
	return false;
}

uint32_t ferryi_broadcast_loans(const struct ferryi_broadcast *b,
				uint32_t owner)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < b->n_chunks; i++) {
		uint64_t word = ferryi_load(&b->records[i].word);

		n += ferryi_word_state(word) == FERRYI_LOAN &&
		     ferryi_word_owner(word) == owner &&
		     !ferryi_broadcast_in_cell(b, i);
	}
	return n;
}

int ferryi_broadcast_abandon(struct ferryi_broadcast *b,
			     const struct ferryi_chunk *c)
{
	return ferryi_cas(&b->records[c->index].word, c->word,
			  ferryi_word_ended(c->word)) ?
		       0 :
		       -ESTALE;
}

/* --- publishing ------------------------------------------------------------ */

static bool holds_back(const struct ferryi_broadcast *b, uint32_t slot,
		       uint64_t at)
{
	const struct ferryi_topic_slot *s = &b->slots[slot];
	int64_t behind;

	if (ferryi_word_state(ferryi_load(&s->word)) != FERRYI_LOAN)
		return false; /* its bit is a stranger's */
	behind = (int64_t)(at - ferryi_load(&s->cursor));
	return behind >= (int64_t)b->capacity;
}

bool ferryi_broadcast_is_blocked(const struct ferryi_broadcast *b, uint64_t at,
				 uint32_t *out_slot)
{
	for (uint32_t i = 0; i < FERRYI_SUBSCRIBERS / 64; i++) {
		uint64_t bits = ferryi_load(&b->control->blocking[i]);

		for (; bits; bits &= bits - 1) {
			*out_slot = i * 64 + (uint32_t)__builtin_ctzll(bits);
			if (holds_back(b, *out_slot, at))
				return true;
		}
	}
	return false;
}

/* The chunk in the cell that is about to be filled, and its word (B2). */
struct displaced {
	bool any;
	uint32_t index;
	uint64_t word;
};

static struct displaced in_the_way(const struct ferryi_broadcast *b,
				   uint64_t cell)
{
	struct displaced d = { .index = ferryi_topic_cell_index(cell) };

	d.any = ferryi_topic_cell_lap(cell) && d.index < b->n_chunks;
	if (d.any)
		d.word = ferryi_load(&b->records[d.index].word);
	return d;
}

/* LOAN may become QUEUED meanwhile; another generation is another message. */
static void free_displaced(struct ferryi_broadcast *b,
			   const struct displaced *d)
{
	uint64_t *word = &b->records[d->index].word, seen = d->word;

	for (unsigned n = 0; d->any && n < WORD_ROUNDS; n++) {
		if (ferryi_word_gen(seen) != ferryi_word_gen(d->word) ||
		    ferryi_word_state(seen) == FERRYI_FREE)
			return;
		if (ferryi_cas(word, seen, ferryi_word_ended(seen))) {
			ferryi_put(&b->spare, d->index);
			return;
		}
		seen = ferryi_load(word);
	}
}

/* Into the cell of `at`.  False: another one was first. */
static bool fill(struct ferryi_broadcast *b, const struct ferryi_chunk *c,
		 uint64_t at)
{
	struct ferryi_topic_record *rec = &b->records[c->index];
	uint64_t *cell = ferryi_broadcast_cell(b, at);
	uint64_t seen = ferryi_load(cell);
	struct displaced old = in_the_way(b, seen);

	if (!is_next(b, at, seen))
		return false;
	ferryi_put(&rec->seq, at);
	/* U1: written, in no cell: LOAN(dead) */
	if (!ferryi_cas(cell, seen, ferryi_topic_cell(b, at, c->index)))
		return false;
	/* U2: published: the message is there, nobody is told */
	ferryi_cas(&b->control->tail, at, at + 1);
	ferryi_cas(&rec->word, c->word,
		   ferryi_word(ferryi_word_gen(c->word), FERRYI_QUEUED, 0, 0));
	/* U3: what it displaced is in no cell and not free */
	free_displaced(b, &old);
	return true;
}

int ferryi_broadcast_publish(struct ferryi_broadcast *b,
			     const struct ferryi_chunk *c,
			     uint64_t *out_position, uint32_t *out_slot)
{
	uint64_t at;

	for (unsigned n = 0; n < ROUNDS; n++) {
		int r = ferryi_broadcast_tail(b, &at);

		if (r < 0)
			return r;
		if (ferryi_load(&b->control->state) & FERRYI_CLOSED)
			return -ENODATA;
		if (ferryi_load(&b->records[c->index].word) != c->word)
			return -ESTALE;
		*out_slot = FERRYI_SUBSCRIBERS;
		if (ferryi_broadcast_is_blocked(b, at, out_slot))
			return -EAGAIN;
		if (fill(b, c, at)) {
			*out_position = at;
			return 0;
		}
	}
	return -EAGAIN;
}
