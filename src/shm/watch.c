/* SPDX-License-Identifier: MIT */
/* See watch.h. */
#include "shm/watch.h"

/* A gate that is down: when that was, in units of a millisecond. */
#define DOWN	    0x80000000u
#define STAMP	    0x7fffffffu
#define PATIENCE_MS 10u

static uint32_t stamp_of(int64_t now)
{
	return (uint32_t)((uint64_t)now / 1000000) & STAMP;
}

/* Who was woken a moment ago will raise it again; if it does not, it is stopped
 * or has died, and another one must go. */
static bool is_being_handled(uint32_t gate, int64_t now)
{
	return gate & DOWN && ((stamp_of(now) - gate) & STAMP) < PATIENCE_MS;
}

uint32_t ferryi_gate_lower(uint32_t *gate, int64_t now)
{
	if (is_being_handled(ferryi_load(gate), now))
		return 0;
	/* W3: the gate is down, the sleeper not yet woken; the bell rings */
	ferryi_store(gate, DOWN | stamp_of(now));
	return DOWN | stamp_of(now);
}

void ferryi_gate_settle(uint32_t *gate, uint32_t lowered)
{
	ferryi_cas32(gate, lowered, 0);
}

void ferryi_gate_raise(uint32_t *gate)
{
	ferryi_store(gate, 1);
}

uint32_t ferryi_poll_gate_raise(uint32_t *gate)
{
	return ferryi_or(gate, 1u) | 1u;
}

bool ferryi_poll_gate_lower(uint32_t *gate)
{
	uint32_t seen = ferryi_load(gate);

	/* who was faster has not woken them yet, and wakes them for us, too */
	return seen & 1u && ferryi_cas32(gate, seen, seen + 1);
}

static void watch(struct ferryi_watch *w, uint32_t *addr, uint32_t seen)
{
	if (w->n < FERRYI_WATCH_MAX) {
		w->words[w->n].addr = addr;
		w->words[w->n].expected = seen;
		w->n++;
	}
}

/* Nothing may be at the head, nothing returned may be due. */
static bool may_receive(struct ferryi_queue *q, int64_t now,
			struct ferryi_watch *out)
{
	uint64_t returned = ferryi_load(&q->control->returned), head, cell;

	if (ferryi_returned_any(returned)) {
		if (ferryi_returned_due(returned) <= ferryi_due_unit(now))
			return true;
		out->due = (int64_t)ferryi_returned_due(returned) << 20;
	}
	watch(out, ferryi_low_half(&q->control->returned), (uint32_t)returned);
	head = ferryi_load(&q->control->head);
	if (!ferryi_queue_has_cell(q, head)) {
		uint32_t mark = ferryi_load(&q->control->reserved[0]);

		watch(out, &q->control->reserved[0], mark);
		return ferryi_queue_has_cell(q, head);
	}
	cell = ferryi_load(ferryi_queue_cell(q, head));
	if (cell != ferryi_cell_free(&q->cells, head))
		return true;
	watch(out, ferryi_high_half(ferryi_queue_cell(q, head)),
	      (uint32_t)(cell >> 32));
	return false;
}

/* The message that is in the way of the tail must still be there. */
static bool may_fill(struct ferryi_queue *q, struct ferryi_watch *out)
{
	uint64_t tail = ferryi_load(&q->control->tail), seen;
	uint64_t *word = ferryi_queue_in_the_way(q, tail, &seen);

	if (!word)
		return true;
	watch(out, ferryi_low_half(word), (uint32_t)seen);
	return false;
}

/*
 * All chunks that are large enough must be in use, and no more memory to be had
 * for them (as in ferryi_queue_loan(), at most one size up).  Of many, some are
 * watched; the release of another one is told by the gate.
 */
static bool may_loan(struct ferryi_queue *q, uint64_t len,
		     struct ferryi_watch *out)
{
	unsigned sizes = 0;

	for (uint32_t k = 0; k < q->n_classes; k++) {
		const struct ferryi_class *class = &q->classes[k];
		uint32_t n = ferryi_queue_reserved(q, k);

		if ((class->size ? class->size : FERRYI_INLINE) < len)
			continue;
		if (k > 0 && sizes++ < 2 && n < class->count)
			return true;
		for (uint32_t i = 0; i < n; i++) {
			uint64_t *word = &q->records[class->first + i].word;
			uint64_t seen = ferryi_load(word);

			if (ferryi_word_state(seen) == FERRYI_FREE)
				return true;
			watch(out, ferryi_low_half(word), (uint32_t)seen);
		}
	}
	return false;
}

bool ferryi_watch(struct ferryi_queue *q, enum ferryi_gate gate, uint64_t len,
		  int64_t now, struct ferryi_watch *out)
{
	uint32_t state = ferryi_load(&q->control->state);

	out->n = 0;
	out->due = INT64_MAX;
	watch(out, &q->control->state, state);
	if (state & FERRYI_REMOVED)
		return true;
	if (state & FERRYI_CLOSED && gate != FERRYI_GATE_RECV)
		return true;
	switch (gate) {
	case FERRYI_GATE_RECV: return may_receive(q, now, out);
	case FERRYI_GATE_SPACE: return may_fill(q, out);
	default: return may_loan(q, len, out);
	}
}
