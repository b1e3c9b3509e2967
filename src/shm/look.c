/* SPDX-License-Identifier: MIT */
/*
 * Looking without touching: peek and census.  What is copied from a chunk is
 * right if its word was the same before and after the copy.
 */
#include <errno.h>
#include <string.h>

#include "shm/queue.h"

struct best {
	bool found;
	uint32_t index;
	uint64_t word, seq;
};

/* Queued (takeable through its cell) or returned. */
static bool is_waiting(const struct ferryi_queue *q, uint32_t index,
		       uint64_t word, uint64_t seq)
{
	uint64_t cell;

	if (ferryi_word_state(word) == FERRYI_RETURNED)
		return true;
	if (!ferryi_queue_has_cell(q, seq))
		return false;
	cell = ferryi_load(ferryi_queue_cell(q, seq));
	return cell == ferryi_cell_full(&q->cells, seq, index,
					ferryi_word_gen(word)) &&
	       ferryi_takeable(&q->cells, cell, word);
}

static void consider(const struct ferryi_queue *q, uint32_t index,
		     uint64_t from, int64_t now, struct best *b)
{
	uint64_t word = ferryi_load(&q->records[index].word);
	uint64_t seq = ferryi_fetch(&q->records[index].seq);
	uint32_t state = ferryi_word_state(word);

	if (state == FERRYI_RETURNED &&
	    ferryi_fetch(&q->records[index].taker.not_before) > now)
		return;
	if (state == FERRYI_FREE || state == FERRYI_HELD || seq < from ||
	    (b->found && b->seq <= seq) || !is_waiting(q, index, word, seq))
		return;
	*b = (struct best){ true, index, word, seq };
}

int ferryi_queue_peek(struct ferryi_queue *q, uint64_t *cursor, int64_t now,
		      struct ferryi_record *out, uint32_t *out_deliveries,
		      void *buf, uint64_t size)
{
	uint64_t place, len;
	const void *data;

	for (unsigned n = 0; n < 1000; n++) {
		struct best b = { 0 };

		for (uint32_t k = 0; k < q->n_classes; k++)
			for (uint32_t i = 0, m = ferryi_queue_reserved(q, k);
			     i < m; i++)
				consider(q, q->classes[k].first + i, *cursor,
					 now, &b);
		if (!b.found)
			return -EAGAIN;
		memcpy(out, &q->records[b.index], sizeof *out);
		data = ferryi_queue_place(q, b.index, &place);
		len = ferryi_min(out->len, place);
		if (size) /* `buf` may be NULL */
			memcpy(buf, data, ferryi_min(len, size));
		if (ferryi_load(&q->records[b.index].word) != b.word)
			continue; /* taken under our eyes: look anew */
		out->len = (uint32_t)len;
		*out_deliveries = ferryi_word_deliveries(b.word);
		*cursor = b.seq + 1;
		return 0;
	}
	return -EAGAIN;
}

void ferryi_queue_census(const struct ferryi_queue *q,
			 struct ferryi_census *out)
{
	memset(out, 0, sizeof *out);
	for (uint32_t k = 0; k < q->n_classes; k++)
		for (uint32_t i = 0, n = ferryi_queue_reserved(q, k); i < n;
		     i++) {
			uint32_t index = q->classes[k].first + i;
			uint64_t word = ferryi_load(&q->records[index].word);
			uint32_t state = ferryi_word_state(word);

			if (state >= FERRYI_STATES)
				continue;
			if ((state == FERRYI_LOAN || state == FERRYI_QUEUED) &&
			    is_waiting(q, index, word,
				       ferryi_fetch(&q->records[index].seq)))
				out->queued++;
			else
				out->chunks[state]++;
		}
}

uint64_t *ferryi_queue_held_by_others(const struct ferryi_queue *q,
				      uint32_t owner, uint64_t *out_word)
{
	for (uint32_t k = 0; k < q->n_classes; k++)
		for (uint32_t i = 0, n = ferryi_queue_reserved(q, k); i < n;
		     i++) {
			uint64_t *word =
				&q->records[q->classes[k].first + i].word;

			*out_word = ferryi_load(word);
			if (ferryi_word_state(*out_word) == FERRYI_HELD &&
			    ferryi_word_owner(*out_word) != owner)
				return word;
		}
	return NULL;
}
