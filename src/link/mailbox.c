/* SPDX-License-Identifier: MIT */
/*
 * mailbox: the named queue in shared memory.
 *
 * The queue itself is in shm/, its file and its members in realm/; these files
 * put the two behind the table of a transport: mailbox_open.c (life),
 * mailbox_send.c, mailbox_recv.c, and here what a sleeper waits for.
 */
#include "link/mailbox.h"

#include <errno.h>
#include <limits.h>

#include "base/error.h"
#include "link/pollers.h"
#include "shm/recover.h"
#include "shm/watch.h"
#include "sys/clock.h"
#include "sys/futex.h"
#include "sys/process.h"

int ferryi_mailbox_enter(struct ferry_link *l)
{
	struct ferryi_mailbox *b = l->state;

	if (b->generation != ferryi_generation())
		return ferryi_fail(-ESTALE,
				   "%s was opened before a fork (call "
				   "ferry_adopt_after_fork() in the child)",
				   l->address);
	ferryi_realm_enter(b->realm);
	if (ferryi_realm_is_fenced(b->realm))
		return ferryi_fail(
			-ESTALE,
			"%s: this process was taken for dead, and what "
			"it held was given to others (open it anew)",
			l->address);
	if (ferryi_load(&b->segment->view.queue.control->state) &
	    FERRYI_REMOVED)
		return ferryi_fail(-ESTALE,
				   "%s has been removed (ferry rm, "
				   "ferry_destroy()); open or create it anew",
				   l->address);
	return 0;
}

int ferryi_mailbox_enter_with(struct ferry_link *l,
			      const struct ferry_message *m,
			      struct ferryi_chunk *out)
{
	struct ferryi_mailbox *b = l->state;
	int r = ferryi_mailbox_enter(l);

	if (r < 0)
		return r;
	*out = (struct ferryi_chunk){ (uint32_t)m->reserved[0],
				      m->reserved[1] };
	if (ferryi_word_owner(out->word) != ferryi_realm_owner(b->realm))
		return ferryi_fail(-ESTALE,
				   "%s: the message is not this process's (it "
				   "is its parent's, or this process was taken "
				   "for dead)",
				   l->address);
	return 0;
}

static void wake_sleeper(struct ferryi_segment *s, enum ferryi_gate gate)
{
	uint32_t *word = &s->view.users.gate[gate];
	uint32_t lowered;

	if (ferryi_load(word) == 0) /* the usual case, without a clock */
		return;
	lowered = ferryi_gate_lower(word, ferryi_now());
	/* Sleepers for a chunk differ in the size they need: all must look. */
	if (lowered &&
	    ferryi_futex_wake(word, gate == FERRYI_GATE_CHUNK ? INT_MAX : 1) ==
		    0)
		ferryi_gate_settle(word, lowered);
}

void ferryi_mailbox_wake(struct ferryi_segment *s, enum ferryi_gate gate)
{
	wake_sleeper(s, gate);
	ferryi_pollers_wake(&s->view.users, gate == FERRYI_GATE_RECV ?
						    FERRYI_POLL_RECV :
						    FERRYI_POLL_SEND);
}

void ferryi_mailbox_wake_all(struct ferryi_segment *s)
{
	for (unsigned g = 0; g < FERRYI_GATES; g++)
		ferryi_futex_wake(&s->view.users.gate[g], INT_MAX);
	ferryi_pollers_wake_all(&s->view.users);
}

/*
 * The gate that a call waits at.  A send needs a chunk and a place, a commit has
 * its chunk.
 */
static enum ferryi_gate gate_of(struct ferryi_queue *q, enum ferryi_want want,
				uint64_t len, int64_t now,
				struct ferryi_watch *w)
{
	if (want == FERRYI_WANT_RECV)
		return FERRYI_GATE_RECV;
	if (want == FERRYI_WANT_LOAN)
		return FERRYI_GATE_CHUNK;
	if (want == FERRYI_WANT_COMMIT)
		return FERRYI_GATE_SPACE;
	return ferryi_watch(q, FERRYI_GATE_SPACE, len, now, w) ?
		       FERRYI_GATE_CHUNK :
		       FERRYI_GATE_SPACE;
}

/*
 * Whoever woke us lowered the gate under which others may still sleep: raise it
 * again, and if there is more to do than we have done, wake the next one.
 */
static void hand_on(struct ferryi_segment *s, enum ferryi_gate gate)
{
	struct ferryi_watch watch;

	ferryi_gate_raise(&s->view.users.gate[gate]);
	/* a message that is due later needs somebody who waits for that time */
	if (ferryi_watch(&s->view.queue, gate, 0, ferryi_now(), &watch) ||
	    watch.due != INT64_MAX)
		ferryi_mailbox_wake(s, gate);
}

/*
 * A mailbox that is shut down ends with the last message that others hold: is
 * there one?  Its word is watched, too, since its release tells only those who
 * sleep already.
 */
static bool has_ended(struct ferryi_mailbox *b, struct ferryi_wait *w)
{
	struct ferryi_queue *q = &b->segment->view.queue;
	uint64_t *held, word;

	if (!(ferryi_load(&q->control->state) & FERRYI_CLOSED) ||
	    ferryi_queue_needs_now(q))
		return false;
	held = ferryi_queue_held_by_others(q, ferryi_realm_owner(b->realm),
					   &word);
	if (!held)
		return true;
	ferryi_wait_word(w, ferryi_low_half(held), (uint32_t)word);
	return false;
}

/* Step S1.  The word to sleep on is the first that is watched. */
static void raise_gate(struct ferryi_segment *s, enum ferryi_want want,
		       struct ferryi_wait *w)
{
	uint32_t *gate = &s->view.users.gate[w->gate];

	if (w->polls) {
		gate = &s->view.users.polled[want == FERRYI_WANT_RECV];
		ferryi_wait_word(w, gate, ferryi_poll_gate_raise(gate));
		return;
	}
	ferryi_gate_raise(gate);
	ferryi_wait_word(w, gate, 1);
}

static int interest(struct ferry_link *l, enum ferryi_want want,
		    struct ferryi_wait *w)
{
	struct ferryi_mailbox *b = l->state;
	struct ferryi_queue *q = &b->segment->view.queue;
	struct ferryi_registry *g = ferryi_realm_registry(b->realm);
	struct ferryi_watch watch;
	enum ferryi_gate gate;

	w->realm = b->realm;
	w->epoch = ferryi_load(&g->control->epoch); /* before the words */
	gate = gate_of(q, want, w->len, ferryi_now(), &watch);
	if (w->slept && w->gate != gate) /* woken there, waits here now */
		hand_on(b->segment, w->gate);
	w->gate = gate;
	raise_gate(b->segment, want, w);			 /* S1 */
	if (ferryi_watch(q, gate, w->len, ferryi_now(), &watch)) /* S2 */
		return 1;
	for (unsigned i = 0; i < watch.n; i++)
		ferryi_wait_word(w, watch.words[i].addr,
				 watch.words[i].expected);
	ferryi_wait_tick(w, watch.due);
	return want == FERRYI_WANT_RECV && has_ended(b, w);
}

/* Messages that a receiver need not wait for more of. */
#define GATHER 64u

static unsigned gathered(void *of, unsigned *out_enough)
{
	struct ferryi_mailbox *b = ((struct ferry_link *)of)->state;
	struct ferryi_queue *q = &b->segment->view.queue;
	uint64_t n =
		ferryi_load(&q->control->tail) - ferryi_load(&q->control->head);

	*out_enough = (unsigned)ferryi_min(GATHER, (q->capacity + 1) / 2);
	return (unsigned)ferryi_min(n, q->capacity);
}

static void woke(struct ferry_link *l, const struct ferryi_wait *w)
{
	struct ferryi_mailbox *b = l->state;

	hand_on(b->segment, w->gate);
}

static int end_of_messages(struct ferry_link *l, unsigned direction)
{
	struct ferryi_mailbox *b = l->state;
	int r = ferryi_mailbox_enter(l);

	if (r < 0)
		return r;
	if (direction != FERRY_SEND)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: only the sending side can be shut down "
				   "(FERRY_SEND)",
				   l->address);
	ferryi_or(&b->segment->view.queue.control->state, FERRYI_CLOSED);
	/* D1: closed, nobody woken; the bell wakes them in our place */
	ferryi_mailbox_wake_all(b->segment);
	return 0;
}

static const struct ferryi_messages messages = {
	.send = ferryi_mailbox_send,
	.recv = ferryi_mailbox_recv,
	.send_many = ferryi_mailbox_send_many,
	.recv_many = ferryi_mailbox_recv_many,
	.next_len = ferryi_mailbox_next_len,
	.loan = ferryi_mailbox_loan,
	.commit = ferryi_mailbox_commit,
	.abandon = ferryi_mailbox_abandon,
	.take = ferryi_mailbox_take,
	.release = ferryi_mailbox_release,
	.requeue = ferryi_mailbox_requeue,
	.reject = ferryi_mailbox_reject,
	.peek = ferryi_mailbox_peek,
	.stat = ferryi_mailbox_stat,
};

const struct ferryi_transport ferryi_transport_mailbox = {
	.info = {
		.scheme = "mailbox",
		.summary = "named queue in shared memory; survives anybody's death",
		.naming = "name in the realm, or path",
		.framing = "message",
		.direction = "many to many, one taker",
		.buffering = "bounded",
		.persistence = "process, kernel",
		.promises = FERRY_CAN_MESSAGES | FERRY_CAN_ORDER |
			    FERRY_CAN_RELIABLE | FERRY_CAN_MANY_SEND |
			    FERRY_CAN_MANY_RECV | FERRY_CAN_NAME |
			    FERRY_CAN_SHUTDOWN | FERRY_CAN_IN_PLACE |
			    FERRY_CAN_REDELIVER | FERRY_CAN_PEEK |
			    FERRY_CAN_PERSIST | FERRY_CAN_TYPE | FERRY_CAN_DUPLEX,
	},
	.state_size = sizeof(struct ferryi_mailbox),
	.concurrent = true,
	.sleeps_on_words = true,
	.spins = true,
	.open = ferryi_mailbox_open,
	.adopt = ferryi_mailbox_adopt,
	.shutdown = end_of_messages,
	.fini = ferryi_mailbox_fini,
	.interest = interest,
	.gathered = gathered,
	.woke = woke,
	.explain = ferryi_mailbox_explain,
	.messages = &messages,
};
