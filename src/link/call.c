/* SPDX-License-Identifier: MIT */
/* See call.h. */
#include "link/call.h"

#include <errno.h>
#include <limits.h>

#include "base/error.h"
#include "link/pollfd.h"
#include "sys/futex.h"
#include "sys/process.h"

/* Looks of a call that may not wait, at what seems to be there and is not. */
#define LOOKS_MOST 16u

/*
 * A turn word is 0, or the generation of the process that holds it, with
 * WAITED once somebody sleeps on it.  A word of another generation was copied
 * by fork while a thread of the parent was in a call; that thread is not here.
 */
#define WAITED 0x80000000u

static uint32_t *turn_of(struct ferry_link *l, unsigned side)
{
	return &l->turn[side == FERRY_RECV];
}

static bool turn_cas(uint32_t *turn, uint32_t *seen, uint32_t next)
{
	return __atomic_compare_exchange_n(turn, seen, next, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static int turn_try(struct ferry_link *l, unsigned side, uint32_t me)
{
	uint32_t seen = 0;

	while (!turn_cas(turn_of(l, side), &seen, me))
		if ((seen & ~WAITED) == me)
			return -EAGAIN;
	return 0;
}

void ferryi_turn_give(struct ferry_link *l, unsigned side)
{
	uint32_t *turn = turn_of(l, side);

	if (l->t->concurrent)
		return;
	if (ferryi_is_alone()) {
		*turn = 0;
		return;
	}
	/* All of them: one that is woken may be about to time out. */
	if (__atomic_exchange_n(turn, 0, __ATOMIC_SEQ_CST) & WAITED)
		ferryi_futex_wake(turn, INT_MAX);
}

/* Somebody has it.  A function of its own: what it keeps is larger than all that a
 * call without a wait touches. */
static __attribute__((noinline)) int turn_wait(struct ferry_link *l,
					       unsigned side,
					       ferry_time deadline)
{
	struct ferryi_wait w;
	uint32_t me = ferryi_generation() & ~WAITED;
	uint32_t *turn = turn_of(l, side);
	int r;

	ferryi_wait_init(&w, deadline, &l->cancel);
	while ((r = turn_try(l, side, me)) == -EAGAIN) {
		uint32_t seen = me;

		if (deadline == FERRY_NOWAIT)
			break;
		if (!turn_cas(turn, &seen, me | WAITED) &&
		    seen != (me | WAITED))
			continue;
		ferryi_wait_begin(&w);
		ferryi_wait_word(&w, turn, me | WAITED);
		r = ferryi_wait_sleep(&w);
		if (r < 0)
			break;
	}
	ferryi_wait_end(&w, r);
	return r;
}

int ferryi_turn_take(struct ferry_link *l, unsigned side, ferry_time deadline)
{
	if (l->t->concurrent)
		return 0;
	if (ferryi_is_alone()) {
		*turn_of(l, side) = ferryi_generation() & ~WAITED;
		return 0;
	}
	return turn_try(l, side, ferryi_generation() & ~WAITED) == 0 ?
		       0 :
		       turn_wait(l, side, deadline);
}

int ferryi_call_renew(struct ferry_link *l)
{
	int r = ferryi_cancel_renew(&l->cancel);

	if (r < 0)
		return ferryi_fail(-EMFILE,
				   "%s: no descriptor is left (raise "
				   "ulimit -n)",
				   l->address);
	return 0;
}

/* A child that has not adopted the link may sleep on descriptors, but not on the one
 * by which the parent cancels. */
static int renew_to_sleep(struct ferry_link *l, ferry_time deadline)
{
	if (deadline == FERRY_NOWAIT || l->t->sleeps_on_words ||
	    l->cancel.fd < 0)
		return 0;
	return ferryi_call_renew(l);
}

/* Before the first look of a spin, which glances; let messages gather, or not. */
static void begin_spin(struct ferryi_wait *w, struct ferryi_call *c)
{
	struct ferry_link *l = c->l;

	if (c->want != FERRYI_WANT_RECV || l->listening)
		return;
	w->glance = l->t->glance;
	w->glance_of = l;
	if (l->t->gathered)
		ferryi_spin_gather(w->spin, l->t->gathered, l);
}

/* The same side as that of the turn.  Nobody polls for a crowd. */
static struct ferryi_polled *polled_of(const struct ferryi_call *c)
{
	if (c->want == FERRYI_WANT_CROWD)
		return NULL;
	return ferryi_polled_of(c->l, c->want == FERRYI_WANT_RECV ? FERRY_RECV :
								    FERRY_SEND);
}

static int interest(struct ferryi_call *c, struct ferryi_wait *w)
{
	ferryi_wait_begin(w);
	return c->l->t->interest ? c->l->t->interest(c->l, c->want, w) :
				   -EOPNOTSUPP;
}

/* For an event loop: nothing now, and when to call again; or what came just then. */
static ssize_t leave_to_poll(struct ferryi_call *c, struct ferryi_wait *w,
			     struct ferryi_polled *p)
{
	ssize_t r = -EAGAIN;
	int s = 1;

	ferryi_polled_begin(p, w);
	for (unsigned i = 0; s == 1 && r == -EAGAIN && i < LOOKS_MOST; i++) {
		s = interest(c, w);
		if (s == 0)
			s = ferryi_polled_for(p, w);
		if (s == 1)
			r = c->attempt(c);
	}
	ferryi_polled_end(p, s == 0);
	return s < 0 ? s : r;
}

ssize_t ferryi_call_again(struct ferryi_call *c, ferry_time deadline)
{
	struct ferry_link *l = c->l;
	struct ferryi_polled *polled = polled_of(c);
	struct ferryi_wait w;
	ssize_t r;
	int s;

	ferryi_wait_init(&w, deadline, &l->cancel);
	w.len = c->len;
	if (l->t->spins)
		w.spin = &l->spin[c->want == FERRYI_WANT_RECV];
	s = renew_to_sleep(l, deadline);
	do {
		r = s < 0 ? s : ferryi_wait_check(&w);
		if (r < 0)
			break;
		if (ferryi_wait_spin(&w)) {
			if (w.spins == 0)
				begin_spin(&w, c);
			continue;
		}
		s = interest(c, &w);
		if (s == 0)
			s = ferryi_wait_sleep(&w);
		if (s < 0) {
			r = s;
			break;
		}
	} while ((r = c->attempt(c)) == -EAGAIN);
	if (r == -EAGAIN && polled)
		r = leave_to_poll(c, &w, polled);
	else
		ferryi_polled_may(polled);
	if (r < 0 && l->t->gave_up)
		r = l->t->gave_up(l, c->want, (int)r);
	if (w.slept && l->t->woke)
		l->t->woke(l, &w);
	ferryi_wait_end(&w, r);
	return r;
}

ssize_t ferryi_call_wait(struct ferryi_call *c, ferry_time deadline)
{
	ssize_t r = c->attempt(c);

	if (r == -EAGAIN)
		return ferryi_call_again(c, deadline);
	ferryi_polled_may(polled_of(c));
	return r;
}

ssize_t ferryi_call_run(struct ferryi_call *c, ferry_time deadline)
{
	unsigned side = c->want == FERRYI_WANT_RECV ? FERRY_RECV : FERRY_SEND;
	ssize_t r;

	if (c->l->t->concurrent)
		return ferryi_call_wait(c, deadline);
	r = ferryi_turn_take(c->l, side, deadline);
	if (r < 0)
		return r;
	r = ferryi_call_wait(c, deadline);
	ferryi_turn_give(c->l, side);
	return r;
}
