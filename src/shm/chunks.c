/* SPDX-License-Identifier: MIT */
/*
 * Chunks: which one to use for a message, and when a class needs more memory.
 *
 * A claim is one CAS FREE -> LOAN(me) on the chunk's word, so it carries its
 * owner from the first instant.  Where to look first is a hint: the home chunk
 * of the tail for a short message, a cursor for the pools.
 */
#include "shm/queue.h"

#include <errno.h>
#include <string.h>

#include "shm/returned.h"

#define HOME_TRIES   4u
#define SEND_AHEAD   4u
#define FIRST_GROWTH 16u
#define GROWTH_BYTES ((uint64_t)1 << 20)

uint32_t ferryi_queue_class(const struct ferryi_queue *q, uint32_t index)
{
	uint32_t k = 0;

	while (k + 1 < q->n_classes && index >= q->classes[k + 1].first)
		k++;
	return k;
}

uint64_t ferryi_queue_place_at(const struct ferryi_queue *q, uint32_t index)
{
	const struct ferryi_class *k =
		&q->classes[ferryi_queue_class(q, index)];

	return k->size ? k->payload_at + (index - k->first) * k->size : 0;
}

void *ferryi_queue_place(const struct ferryi_queue *q, uint32_t index,
			 uint64_t *out_size)
{
	const struct ferryi_class *k =
		&q->classes[ferryi_queue_class(q, index)];
	uint64_t at = ferryi_queue_place_at(q, index);

	*out_size = at ? k->size : FERRYI_INLINE;
	return at ? q->base + at : q->records[index].data;
}

static uint64_t room(const struct ferryi_class *k)
{
	return k->size ? k->size : FERRYI_INLINE;
}

static bool claim(struct ferryi_queue *q, uint32_t index, uint32_t owner,
		  struct ferryi_chunk *out)
{
	uint64_t *word = &q->records[index].word, seen = ferryi_load(word),
		 mine;

	if (ferryi_word_state(seen) != FERRYI_FREE)
		return false;
	mine = ferryi_word(ferryi_word_gen(seen), FERRYI_LOAN, owner, 0);
	if (!ferryi_cas(word, seen, mine))
		return false;
	/* L1: claimed, empty; if we die here it is freed */
	out->index = index;
	out->word = mine;
	return true;
}

/* Any chunk of a class that has memory, beginning at its cursor. */
static bool claim_in_class(struct ferryi_queue *q, uint32_t class,
			   uint32_t owner, struct ferryi_chunk *out)
{
	uint32_t n = ferryi_queue_reserved(q, class), at;
	uint32_t first = q->classes[class].first;
	uint32_t *cursor = &q->control->cursor[class];
	uint32_t start = ferryi_fetch(cursor);

	for (uint32_t i = 0; i < n; i++) {
		at = (uint32_t)(((uint64_t)start + i) % n);
		if (!claim(q, first + at, owner, out))
			continue;
		ferryi_put(cursor, at + 1);
		return true;
	}
	return false;
}

static bool claim_home(struct ferryi_queue *q, uint32_t owner,
		       struct ferryi_chunk *out)
{
	uint64_t tail = ferryi_load(&q->control->tail);
	struct ferryi_record *rec;

	for (uint32_t i = 0; i < HOME_TRIES; i++)
		if (ferryi_queue_has_cell(q, tail + i) &&
		    claim(q, (uint32_t)((tail + i) & q->ring_mask), owner,
			  out)) {
			rec = &q->records[(tail + i + SEND_AHEAD) &
					  q->ring_mask];
			ferryi_prefetch(&rec->cell);
			ferryi_prefetch(&rec->data[32]);
			return true;
		}
	return false;
}

void ferryi_growth_plan(const struct ferryi_queue *q, uint32_t class,
			struct ferryi_growth *out)
{
	const struct ferryi_class *k = &q->classes[class];
	uint32_t from = ferryi_queue_reserved(q, class);
	uint64_t each = sizeof(struct ferryi_record) +
			(k->size <= FERRYI_EAGER ? k->size : 0);
	uint64_t more = ferryi_max(FIRST_GROWTH, from);
	uint64_t first, end;

	more = ferryi_min(more, ferryi_max(GROWTH_BYTES / each, 1));
	more = ferryi_min(more, k->count - from);
	*out = (struct ferryi_growth){ .class = class,
				       .from = from,
				       .to = from + (uint32_t)more };
	first = (uint64_t)(k->first + from) * sizeof(struct ferryi_record);
	end = first + more * sizeof(struct ferryi_record);
	out->at[0] = (uint64_t)((uint8_t *)q->records - q->base) + first;
	out->bytes[0] = end - first;
	if (k->size && k->size <= FERRYI_EAGER) {
		out->at[1] = k->payload_at + from * k->size;
		out->bytes[1] = more * k->size;
	}
}

void ferryi_queue_grown(struct ferryi_queue *q,
			const struct ferryi_growth *grow)
{
	uint32_t *mark = &q->control->reserved[grow->class], old;

	/* G1: reserved, but not yet marked; the next one reserves it again */
	for (unsigned n = 0; n < 1u << 20; n++) {
		old = ferryi_load(mark);
		if (old >= grow->to || ferryi_cas32(mark, old, grow->to))
			return;
	}
}

int ferryi_queue_loan(struct ferryi_queue *q, uint32_t owner, uint64_t len,
		      struct ferryi_chunk *out, struct ferryi_growth *grow)
{
	uint32_t class = 1, had;

	if (len > q->message_max)
		return -EMSGSIZE;
	if (len <= FERRYI_INLINE && claim_home(q, owner, out))
		return 0;
	while (class + 1 < q->n_classes && room(&q->classes[class]) < len)
		class ++;
	if (len <= FERRYI_INLINE && claim_in_class(q, 0, owner, out))
		return 0;
	for (uint32_t k = class; k < q->n_classes; k++) {
		had = ferryi_queue_reserved(q, k);
		if (claim_in_class(q, k, owner, out))
			return 0;
		if (k > class + 1) /* new memory at most one size up */
			continue;
		ferryi_growth_plan(q, k, grow);
		if (grow->to > grow->from)
			return 1;
		/* somebody else has reserved the last of it since we looked */
		if (grow->from > had && claim_in_class(q, k, owner, out))
			return 0;
	}
	return -EAGAIN;
}

int ferryi_queue_loan_backed(struct ferryi_queue *q, uint32_t owner,
			     uint64_t len, struct ferryi_chunk *out)
{
	for (uint32_t k = 1; k < q->n_classes; k++) {
		uint32_t first = q->classes[k].first;

		if (q->classes[k].size < ferryi_max(len, FERRYI_EAGER + 1))
			continue;
		for (uint32_t i = 0; i < ferryi_queue_reserved(q, k); i++) {
			uint64_t *backed = &q->records[first + i].taker.backed;

			if (ferryi_fetch(backed) < len ||
			    !claim(q, first + i, owner, out))
				continue;
			if (ferryi_fetch(backed) >= len)
				return 0;
			ferryi_queue_abandon(q, out);
		}
	}
	return -EAGAIN;
}
