/* SPDX-License-Identifier: MIT */
/* See returned.h. */
#include "shm/returned.h"

#include <errno.h>

void ferryi_returned_announce(struct ferryi_queue *q, int64_t due)
{
	uint64_t *word = &q->control->returned, unit = ferryi_due_unit_up(due);
	uint64_t old, first;

	for (unsigned n = 0; n < 1u << 20; n++) {
		old = ferryi_load(word);
		first = ferryi_returned_any(old) ?
				ferryi_min(ferryi_returned_due(old), unit) :
				unit;
		if (ferryi_cas(word, old,
			       ferryi_returned(first,
					       ferryi_returned_version(old) + 1,
					       true)))
			return;
	}
}

/* What one pass over the words found. */
struct scan {
	bool found; /* a due one */
	uint32_t index;
	uint64_t word, seq;
	uint64_t others;   /* returned ones besides it */
	uint64_t next_due; /* the earliest of those that are not due, units */
};

static void look(const struct ferryi_queue *q, uint32_t index, int64_t now,
		 struct scan *s)
{
	struct ferryi_record *rec = ferryi_queue_record(q, index);
	uint64_t word = ferryi_load(&rec->word), seq = ferryi_fetch(&rec->seq);
	int64_t due = ferryi_fetch(&rec->taker.not_before);

	if (ferryi_word_state(word) != FERRYI_RETURNED)
		return;
	if (due > now) {
		s->others++;
		s->next_due = ferryi_min(s->next_due, ferryi_due_unit_up(due));
		return;
	}
	s->others += s->found;
	if (s->found && s->seq <= seq)
		return;
	s->found = true;
	s->index = index;
	s->word = word;
	s->seq = seq;
}

static void scan(const struct ferryi_queue *q, int64_t now, struct scan *s)
{
	*s = (struct scan){ .next_due = ferryi_bits(40) };
	for (uint32_t k = 0; k < q->n_classes; k++)
		for (uint32_t i = 0, n = ferryi_queue_reserved(q, k); i < n;
		     i++)
			look(q, q->classes[k].first + i, now, s);
}

/* None is due: remember when the next one is, unless one came meanwhile. */
static void settle(struct ferryi_queue *q, uint64_t before,
		   const struct scan *s)
{
	ferryi_cas(&q->control->returned, before,
		   ferryi_returned(s->others ? s->next_due : 0,
				   ferryi_returned_version(before),
				   s->others != 0));
}

int ferryi_returned_take(struct ferryi_queue *q, uint32_t owner, uint64_t max,
			 int64_t now, struct ferryi_chunk *out,
			 uint64_t *out_len)
{
	uint64_t before, mine;
	struct scan s;

	for (unsigned n = 0; n < 64; n++) {
		before = ferryi_load(&q->control->returned);
		if (!ferryi_returned_any(before) ||
		    ferryi_returned_due(before) > ferryi_due_unit(now))
			return -EAGAIN;
		scan(q, now, &s);
		if (!s.found) {
			settle(q, before, &s);
			return -EAGAIN;
		}
		*out_len = ferryi_fetch(&q->records[s.index].len);
		if (*out_len > max &&
		    ferryi_load(&q->records[s.index].word) == s.word)
			return -EMSGSIZE;
		mine = ferryi_word(
			ferryi_word_gen(s.word), FERRYI_HELD, owner,
			(uint32_t)ferryi_min(ferryi_word_deliveries(s.word) + 1,
					     255));
		/* T4: like T1, for a message outside the ring */
		if (!ferryi_cas(&q->records[s.index].word, s.word, mine))
			continue;
		out->index = s.index;
		out->word = mine;
		ferryi_add(&q->control->counters.redelivered, 1);
		if (!s.others)
			settle(q, before, &s);
		return 0;
	}
	return -EAGAIN;
}
