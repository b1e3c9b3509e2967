/* SPDX-License-Identifier: MIT */
/* See subscribe.h. */
#include "shm/subscribe.h"

#include <errno.h>

#define ROUNDS                                                                 \
	100 /* each means that publishers went round the ring meanwhile */

static uint64_t behind(uint64_t tail, uint64_t n)
{
	return tail > n ? tail - n : 0;
}

static uint64_t bit(uint32_t slot)
{
	return (uint64_t)1 << slot % 64;
}

static void set_cursor(struct ferryi_broadcast *b,
		       struct ferryi_subscription *s, uint64_t at)
{
	s->cursor = at;
	ferryi_store(&b->slots[s->slot].cursor, at);
}

static void add_to(uint64_t *counter, uint64_t n)
{
	ferryi_put(counter, ferryi_fetch(counter) + n);
}

/* --- joining and leaving ----------------------------------------------------- */

static bool claim_slot(struct ferryi_broadcast *b, uint32_t owner,
		       struct ferryi_subscription *s)
{
	for (uint32_t i = 0; i < FERRYI_SUBSCRIBERS; i++) {
		uint64_t *word = &b->slots[i].word, seen = ferryi_load(word);

		if (ferryi_word_state(seen) != FERRYI_FREE)
			continue;
		s->slot = i;
		s->word = ferryi_word(ferryi_word_gen(seen), FERRYI_LOAN, owner,
				      s->policy);
		if (ferryi_cas(word, seen, s->word))
			return true;
	}
	return false;
}

/* Where it begins, if the tail is `tail`. */
static uint64_t begin_at(const struct ferryi_broadcast *b,
			 enum ferryi_from from, uint64_t tail)
{
	if (from == FERRYI_FROM_NOW)
		return tail;
	return behind(tail, from == FERRYI_FROM_LAST ? 1 : b->capacity);
}

int ferryi_broadcast_subscribe(struct ferryi_broadcast *b, uint32_t owner,
			       enum ferryi_policy policy, enum ferryi_from from,
			       struct ferryi_subscription *out)
{
	struct ferryi_subscription s = { .policy = policy };
	uint64_t tail;
	int r = ferryi_broadcast_tail(b, &tail);

	if (r < 0)
		return r;
	if (!claim_slot(b, owner, &s))
		return -ENOSPC;
	/* M1: a place is taken, nobody counts it */
	ferryi_put(&b->slots[s.slot].delivered, 0);
	ferryi_put(&b->slots[s.slot].dropped, 0);
	ferryi_put(&b->slots[s.slot].is_cut, 0);
	set_cursor(b, &s, begin_at(b, from, tail));
	if (policy == FERRYI_POLICY_BLOCK)
		ferryi_or(&b->control->blocking[s.slot / 64], bit(s.slot));
	/* M2: publishers wait for it, if it blocks; now see where they are */
	r = ferryi_broadcast_tail(b, &tail);
	if (r < 0) {
		ferryi_broadcast_unsubscribe(b, &s);
		return r;
	}
	set_cursor(b, &s, begin_at(b, from, tail));
	ferryi_or(&b->control->subscribed[s.slot / 64], bit(s.slot));
	*out = s;
	return 0;
}

void ferryi_broadcast_unsubscribe(struct ferryi_broadcast *b,
				  const struct ferryi_subscription *s)
{
	struct ferryi_topic_slot *slot = &b->slots[s->slot];

	ferryi_and(&b->control->blocking[s->slot / 64], ~bit(s->slot));
	ferryi_and(&b->control->subscribed[s->slot / 64], ~bit(s->slot));
	ferryi_add(&b->control->dropped, ferryi_fetch(&slot->dropped));
	/* M3: nobody waits for it, its place is still taken */
	ferryi_cas(&slot->word, s->word, ferryi_word_ended(s->word));
}

uint32_t ferryi_broadcast_subscribers(const struct ferryi_broadcast *b)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < FERRYI_SUBSCRIBERS / 64; i++)
		n += (uint32_t)__builtin_popcountll(
			ferryi_load(&b->control->subscribed[i]));
	return n;
}

/* --- reading ----------------------------------------------------------------- */

static void skip_to(struct ferryi_broadcast *b, struct ferryi_subscription *s,
		    uint64_t at)
{
	add_to(&b->slots[s->slot].dropped, at - s->cursor);
	set_cursor(b, s, at);
}

/* Cut off: no more is kept, or read, for it. */
static int cut(struct ferryi_broadcast *b, struct ferryi_subscription *s)
{
	if (!s->cut) {
		ferryi_and(&b->control->subscribed[s->slot / 64],
			   ~bit(s->slot));
		ferryi_put(&b->slots[s->slot].is_cut, 1);
		ferryi_add(&b->control->disconnected, 1);
	}
	s->cut = true;
	return -ECONNRESET;
}

/* What stood at the cursor is overwritten. */
static int overrun(struct ferryi_broadcast *b, struct ferryi_subscription *s)
{
	uint64_t tail;
	int r;

	if (s->policy == FERRYI_POLICY_DISCONNECT)
		return cut(b, s);
	r = ferryi_broadcast_tail(b, &tail);
	if (r == 0)
		skip_to(b, s,
			ferryi_max(behind(tail, b->capacity), s->cursor + 1));
	return r;
}

/* The newest there is, when that is all it wants. */
static int to_latest(struct ferryi_broadcast *b, struct ferryi_subscription *s)
{
	uint64_t tail;
	int r = ferryi_broadcast_tail(b, &tail);

	if (r == 0 && tail > s->cursor + 1)
		skip_to(b, s, tail - 1);
	return r;
}

int ferryi_broadcast_read(struct ferryi_broadcast *b, uint64_t at,
			  struct ferryi_news *out)
{
	const struct ferryi_topic_record *rec;
	enum ferryi_filled filled = ferryi_broadcast_look(b, at, &out->cell);

	if (filled != FERRYI_FILLED)
		return filled == FERRYI_NOT_YET ? -EAGAIN : -ESTALE;
	out->at = at;
	out->index = ferryi_topic_cell_index(out->cell);
	if (out->index >= b->n_chunks)
		return -EBADMSG;
	rec = &b->records[out->index];
	out->len = ferryi_min(ferryi_fetch(&rec->len), b->place_bytes);
	out->data = ferryi_broadcast_place(b, out->index);
	out->sender = rec->sender;
	return ferryi_broadcast_is_whole(b, out) ? 0 : -ESTALE;
}

/* In a cell that was mended there is none. */
static bool is_no_message(const struct ferryi_news *n)
{
	return n->index == ferryi_bits(FERRYI_TOPIC_INDEX_BITS);
}

int ferryi_broadcast_next(struct ferryi_broadcast *b,
			  struct ferryi_subscription *s,
			  struct ferryi_news *out)
{
	int r = s->cut ? -ECONNRESET : 0;

	for (unsigned n = 0; r == 0 && n < ROUNDS; n++) {
		if (s->policy == FERRYI_POLICY_LATEST)
			r = to_latest(b, s);
		if (r < 0)
			break;
		r = ferryi_broadcast_read(b, s->cursor, out);
		if (r == 0 || r == -EAGAIN)
			return r;
		if (r == -ESTALE) {
			r = overrun(b, s);
			continue;
		}
		ferryi_broadcast_pass(b, s, s->cursor, false);
		if (is_no_message(out))
			r = 0;
	}
	return r < 0 ? r : -EAGAIN;
}

bool ferryi_broadcast_is_whole(const struct ferryi_broadcast *b,
			       const struct ferryi_news *n)
{
	ferryi_fence();
	return ferryi_load(ferryi_broadcast_cell(b, n->at)) == n->cell;
}

void ferryi_broadcast_pass(struct ferryi_broadcast *b,
			   struct ferryi_subscription *s, uint64_t at,
			   bool whole)
{
	struct ferryi_topic_slot *slot = &b->slots[s->slot];

	add_to(whole ? &slot->delivered : &slot->dropped, 1);
	set_cursor(b, s, at + 1);
}
