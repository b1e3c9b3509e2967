/* SPDX-License-Identifier: MIT */
/*
 * topic: the named broadcast in shared memory.
 *
 * The ring is in shm/ (broadcast.h, subscribe.h), its file and its users in realm/;
 * topic_open.c is the life of a link, topic_move.c moves messages, and here is what
 * a sleeper waits for, and what only topics can.
 *
 * Who publishes wakes all that sleep for news, who makes room all that sleep for
 * room: nobody has a wake-up to hand on.
 */
#include "link/topic.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "link/call.h"
#include "link/pollers.h"
#include "shm/watch.h"
#include "sys/clock.h"
#include "sys/futex.h"
#include "sys/process.h"

/* Calls that find the same one in the way, between two looks whether it lives. */
#define PATIENCE 64u

int ferryi_topic_enter(struct ferry_link *l)
{
	struct ferryi_topic *t = ferryi_topic_of(l);

	if (t->generation != ferryi_generation())
		return ferryi_fail(-ESTALE,
				   "%s was opened before a fork (call "
				   "ferry_adopt_after_fork() in the child)",
				   l->address);
	ferryi_realm_enter(t->realm);
	if (ferryi_realm_is_fenced(t->realm))
		return ferryi_fail(
			-ESTALE,
			"%s: this process was taken for dead, and its "
			"subscription was ended (open it anew)",
			l->address);
	if (ferryi_load(t->segment->view.users.state) & FERRYI_REMOVED)
		return ferryi_fail(-ESTALE,
				   "%s has been removed (ferry rm, "
				   "ferry_destroy()); open it anew",
				   l->address);
	return 0;
}

static void wake_sleepers(struct ferryi_segment *s, enum ferryi_topic_gate gate)
{
	uint32_t *word = &s->view.users.gate[gate], lowered;

	if (ferryi_load(word) == 0) /* the usual case, without a clock */
		return;
	lowered = ferryi_gate_lower(word, ferryi_now());
	if (!lowered)
		return;
	ferryi_futex_wake(word, INT_MAX);
	ferryi_gate_settle(word, lowered);
}

void ferryi_topic_wake(struct ferryi_segment *s, enum ferryi_topic_gate gate)
{
	wake_sleepers(s, gate);
	if (gate != FERRYI_GATE_CROWD)
		ferryi_pollers_wake(&s->view.users, gate == FERRYI_GATE_NEWS ?
							    FERRYI_POLL_RECV :
							    FERRYI_POLL_SEND);
}

/* --- waiting ----------------------------------------------------------------- */

void ferryi_topic_doubt(struct ferry_link *l, uint32_t slot)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	uint64_t word;

	if (slot >= FERRYI_SUBSCRIBERS || t->blocked++ % PATIENCE != 0)
		return;
	word = ferryi_load(&ferryi_broadcast_of(l)->slots[slot].word);
	if (!ferryi_realm_holds(t->realm, ferryi_word_owner(word)))
		ferryi_realm_look(t->realm, NULL);
}

static void watch(struct ferryi_wait *w, uint64_t *word, uint64_t seen)
{
	ferryi_wait_word(w, ferryi_low_half(word), (uint32_t)seen);
}

/* News: the cell of the cursor must still say that there is none. */
static int await_news(struct ferry_link *l, struct ferryi_wait *w)
{
	struct ferryi_broadcast *b = ferryi_broadcast_of(l);
	uint64_t at = ferryi_topic_of(l)->sub.cursor, cell;

	if (ferryi_broadcast_look(b, at, &cell) != FERRYI_NOT_YET)
		return 1;
	watch(w, ferryi_broadcast_cell(b, at), cell);
	return 0;
}

/* A chunk, and nobody in the way who blocks. */
static int await_room(struct ferry_link *l, enum ferryi_want want,
		      struct ferryi_wait *w)
{
	struct ferryi_broadcast *b = ferryi_broadcast_of(l);
	struct ferryi_topic_slot *s;
	uint64_t tail, cursor, word;
	uint32_t slot;
	int r;

	if (want != FERRYI_WANT_COMMIT && !ferryi_broadcast_may_loan(b))
		return 0; /* whoever ends a loan, or publishes, wakes us */
	if (want == FERRYI_WANT_LOAN)
		return 1;
	r = ferryi_broadcast_tail(b, &tail);
	if (r < 0 || !ferryi_broadcast_is_blocked(b, tail, &slot))
		return 1;
	s = &b->slots[slot];
	word = ferryi_load(&s->word);
	cursor = ferryi_load(&s->cursor);
	ferryi_topic_of(l)->blocked = 0;
	ferryi_topic_doubt(l, slot);
	watch(w, &s->word, word);
	watch(w, &s->cursor, cursor);
	return ferryi_broadcast_is_blocked(b, tail, &slot) ? 0 : 1;
}

static int await_crowd(struct ferry_link *l, struct ferryi_wait *w)
{
	struct ferryi_broadcast *b = ferryi_broadcast_of(l);

	for (uint32_t i = 0; i < FERRYI_SUBSCRIBERS / 64; i++) {
		uint64_t *bits = &b->control->subscribed[i];
		uint64_t seen = ferryi_load(bits);

		watch(w, bits, seen);
		ferryi_wait_word(w, ferryi_high_half(bits),
				 (uint32_t)(seen >> 32));
	}
	return ferryi_broadcast_subscribers(b) >= w->len;
}

static enum ferryi_topic_gate gate_of(enum ferryi_want want)
{
	if (want == FERRYI_WANT_RECV)
		return FERRYI_GATE_NEWS;
	return want == FERRYI_WANT_CROWD ? FERRYI_GATE_CROWD : FERRYI_GATE_ROOM;
}

/* Step S1.  The word to sleep on is the first that is watched. */
static void raise_gate(struct ferryi_users *u, enum ferryi_want want,
		       struct ferryi_wait *w)
{
	uint32_t *gate = &u->gate[gate_of(want)];

	if (w->polls) {
		gate = &u->polled[want == FERRYI_WANT_RECV];
		ferryi_wait_word(w, gate, ferryi_poll_gate_raise(gate));
		return;
	}
	ferryi_gate_raise(gate);
	ferryi_wait_word(w, gate, 1);
}

static int interest(struct ferry_link *l, enum ferryi_want want,
		    struct ferryi_wait *w)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	struct ferryi_users *u = &t->segment->view.users;
	uint32_t state;

	w->realm = t->realm;
	w->epoch =
		ferryi_load(&ferryi_realm_registry(t->realm)
				     ->control->epoch); /* before the words */
	raise_gate(u, want, w);				/* S1 */
	state = ferryi_load(u->state);			/* S2 */
	if (state & (FERRYI_CLOSED | FERRYI_REMOVED) &&
	    want != FERRYI_WANT_CROWD)
		return 1;
	if (state & FERRYI_REMOVED)
		return 1;
	ferryi_wait_word(w, u->state, state);
	if (want == FERRYI_WANT_RECV)
		return await_news(l, w);
	return want == FERRYI_WANT_CROWD ? await_crowd(l, w) :
					   await_room(l, want, w);
}

static int end_of_messages(struct ferry_link *l, unsigned direction)
{
	struct ferryi_segment *s = ferryi_topic_of(l)->segment;
	int r = ferryi_topic_enter(l);

	if (r < 0)
		return r;
	if (direction != FERRY_SEND)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: only the publishing side can be shut "
				   "down (FERRY_SEND); close to unsubscribe",
				   l->address);
	ferryi_or(s->view.users.state, FERRYI_CLOSED);
	/* D3: closed, nobody woken; the bell wakes them in our place */
	for (unsigned g = 0; g < FERRYI_GATES; g++)
		ferryi_futex_wake(&s->view.users.gate[g], INT_MAX);
	ferryi_pollers_wake_all(&s->view.users);
	return 0;
}

/* --- sentences --------------------------------------------------------------- */

static int explain_blocked(struct ferry_link *l, char *buf, size_t size)
{
	struct ferryi_broadcast *b = ferryi_broadcast_of(l);
	uint64_t tail;
	uint32_t slot;

	if (ferryi_broadcast_tail(b, &tail) < 0 ||
	    !ferryi_broadcast_is_blocked(b, tail, &slot))
		return 0;
	return snprintf(
		buf, size,
		"%s: the subscriber with pid %u blocks and has not "
		"read the last %llu messages (end it, or let it "
		"subscribe with policy=drop-old)",
		l->address, ferryi_fetch(&b->slots[slot].pid),
		(unsigned long long)(tail -
				     ferryi_load(&b->slots[slot].cursor)));
}

static int explain(struct ferry_link *l, int err, char *buf, size_t size)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	int n = 0;

	if ((err != -EAGAIN && err != -ETIMEDOUT && err != -ECANCELED) ||
	    t->generation != ferryi_generation())
		return 0;
	if (l->flags & FERRY_SEND && err != -ECANCELED)
		n = explain_blocked(l, buf, size);
	if (n > 0)
		return n;
	return snprintf(buf, size, "%s: %s; it has %u subscriber%s", l->address,
			err == -EAGAIN	  ? "nothing can be done now" :
			err == -ETIMEDOUT ? "the deadline passed" :
					    "cancelled",
			ferryi_broadcast_subscribers(ferryi_broadcast_of(l)),
			ferryi_broadcast_subscribers(ferryi_broadcast_of(l)) ==
					1 ?
				"" :
				"s");
}

/* --- what only topics can ------------------------------------------------------ */

static int check_topic(struct ferry_link *l)
{
	ferryi_fail_clear();
	if (!l)
		return ferryi_fail(-EINVAL, "there is no link (NULL)");
	if (l->t != &ferryi_transport_topic)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s is no topic (topic:NAME is one)",
				   l->address);
	return ferryi_topic_enter(l);
}

static ssize_t try_publish(struct ferryi_call *c)
{
	return ferryi_topic_publish(c->l, c->data, c->len, c->more);
}

int ferry_publish(struct ferry_link *l, const void *data, size_t len,
		  unsigned *out_reached, ferry_time deadline)
{
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_SEND,
				 .attempt = try_publish,
				 .data = data,
				 .len = len,
				 .more = out_reached };
	int r = check_topic(l);

	if (r == 0)
		r = ferryi_check_messages(l, FERRY_SEND);
	return r < 0 ? r : (int)ferryi_call_run(&c, deadline);
}

static ssize_t try_crowd(struct ferryi_call *c)
{
	int r = ferryi_topic_enter(c->l);

	if (r < 0)
		return r;
	return ferryi_broadcast_subscribers(ferryi_broadcast_of(c->l)) >=
			       c->len ?
		       0 :
		       -EAGAIN;
}

int ferry_topic_wait(struct ferry_link *l, unsigned n, ferry_time deadline)
{
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_CROWD,
				 .attempt = try_crowd,
				 .len = n };
	int r = check_topic(l);

	if (r < 0)
		return r;
	if (n > FERRYI_SUBSCRIBERS)
		return ferryi_fail(-EINVAL,
				   "%s: a topic has at most %u subscribers",
				   l->address, FERRYI_SUBSCRIBERS);
	return (int)ferryi_call_wait(&c, deadline);
}

int ferry_topic_stat(struct ferry_link *l, struct ferry_topic_stat *st)
{
	struct ferry_topic_stat now;
	int r = check_topic(l);

	if (r < 0)
		return r;
	if (st->size == 0 || st->size > sizeof now)
		return ferryi_fail(-EINVAL,
				   "stat: set size to sizeof *st first");
	ferryi_view_topic_stat(&ferryi_topic_of(l)->segment->view, &now);
	now.size = st->size;
	memcpy(st, &now, st->size);
	return 0;
}

ssize_t ferry_topic_subscribers(struct ferry_link *l,
				struct ferry_subscriber *out, size_t n)
{
	int r = check_topic(l);

	return r < 0 ? r :
		       (ssize_t)ferryi_view_subscribers(
			       &ferryi_topic_of(l)->segment->view, out, n);
}

const struct ferryi_transport ferryi_transport_topic = {
	.info = {
		.scheme = "topic",
		.summary = "named broadcast in shared memory; each subscriber sees all",
		.naming = "name in the realm, or path",
		.framing = "message",
		.direction = "many to all",
		.buffering = "bounded; block, drop-old, latest or disconnect, per subscriber",
		.persistence = "process, kernel",
		.promises = FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX |
			    FERRY_CAN_ORDER | FERRY_CAN_RELIABLE |
			    FERRY_CAN_MANY_SEND | FERRY_CAN_NAME |
			    FERRY_CAN_SHUTDOWN | FERRY_CAN_IN_PLACE |
			    FERRY_CAN_PEEK | FERRY_CAN_PERSIST | FERRY_CAN_TYPE |
			    FERRY_CAN_BROADCAST,
	},
	.keys = "capacity from max mode persist policy",
	.state_size = sizeof(struct ferryi_topic),
	.sleeps_on_words = true,
	.spins = true,
	.open = ferryi_topic_open,
	.adopt = ferryi_topic_adopt,
	.shutdown = end_of_messages,
	.fini = ferryi_topic_fini,
	.interest = interest,
	.explain = explain,
	.messages = &ferryi_messages_of_topic,
};
