/* SPDX-License-Identifier: MIT */
/*
 * How a link with faults waits and ends.  `use` counts the users of the inner link
 * above two bits; whoever is the last one behind a cut closes it.
 */
#include <errno.h>
#include <stdio.h>

#include "base/error.h"
#include "link/fault.h"
#include "sys/clock.h"
#include "sys/process.h"

#define CUT    1u
#define CLOSED 2u
#define USER   4u

/* The gate of a wait that has slept for a time of ours only: inner knows nothing of
 * it. */
#define NOWHERE (~0u)

/* Behind a cut nobody wakes who sleeps on the inner link. */
#define LOOK_AGAIN FERRY_MS(20)

/* --- the use of the inner link ----------------------------------------------- */

int ferryi_fault_enter(struct ferryi_fault *f)
{
	if (!(__atomic_fetch_add(&f->use, USER, __ATOMIC_ACQ_REL) & CUT))
		return 0;
	ferryi_fault_leave(f);
	return -ECONNRESET;
}

void ferryi_fault_leave(struct ferryi_fault *f)
{
	uint32_t left = CUT;

	if (__atomic_sub_fetch(&f->use, USER, __ATOMIC_ACQ_REL) == CUT &&
	    __atomic_compare_exchange_n(&f->use, &left, CUT | CLOSED, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		ferryi_link_free(f->inner);
		f->inner = NULL;
	}
}

/* The side sleeps no longer. */
static void awake(struct ferryi_fault *f, unsigned side)
{
	if (!f->asleep[side])
		return;
	f->asleep[side] = false;
	ferryi_fault_leave(f);
}

int ferryi_fault_begin(struct ferryi_fault *f, unsigned side)
{
	awake(f, side);
	f->resting[side] = false;
	return ferryi_fault_enter(f);
}

void ferryi_fault_cut(struct ferryi_fault *f)
{
	__atomic_store_n(&f->stat.cut, true, __ATOMIC_RELAXED);
	__atomic_fetch_or(&f->use, CUT, __ATOMIC_ACQ_REL);
}

/* --- waiting ------------------------------------------------------------------ */

int ferryi_fault_rest(struct ferryi_fault *f, unsigned side, ferry_time until)
{
	f->resting[side] = true;
	f->until[side] = until;
	return -EAGAIN;
}

/* Does a call of that kind send what is owed before its own? */
static bool owes(const struct ferryi_fault *f, enum ferryi_want want)
{
	return want != FERRYI_WANT_RECV && want != FERRYI_WANT_OPEN &&
	       !f->at_recv && f->ready;
}

static int inner_interest(struct ferryi_fault *f, enum ferryi_want want,
			  struct ferryi_wait *w)
{
	uint64_t len = w->len;
	bool slept = w->slept;
	int r;

	if (owes(f, want)) {
		want = FERRYI_WANT_SEND; /* what is owed goes first */
		w->len = f->ready->m.len;
	}
	if (!slept)
		w->gate = 0;
	else if (w->gate == NOWHERE)
		w->slept = false;
	r = f->inner->t->interest(f->inner, want, w);
	w->slept = slept;
	w->len = len;
	return r;
}

int ferryi_fault_interest(struct ferry_link *l, enum ferryi_want want,
			  struct ferryi_wait *w)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	unsigned side = want == FERRYI_WANT_RECV;
	int r;

	if (f->resting[side]) {
		if (!w->slept)
			w->gate = NOWHERE;
		ferryi_wait_tick(w, f->until[side]);
		return 0;
	}
	if (!f->asleep[side] && ferryi_fault_enter(f) < 0)
		return 1;
	f->asleep[side] = true;
	r = inner_interest(f, want, w);
	if (side && f->at_recv && f->held)
		ferryi_wait_tick(w, f->held_until);
	if (f->set.cut)
		ferryi_wait_tick(w, ferryi_now() + LOOK_AGAIN);
	return r;
}

int ferryi_fault_gave_up(struct ferry_link *l, enum ferryi_want want, int err)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	unsigned side = want == FERRYI_WANT_RECV;
	int r = err;

	awake(f, side);
	if (ferryi_fault_enter(f) < 0)
		return err;
	if (!f->resting[side] && f->inner && f->inner->t->gave_up)
		r = f->inner->t->gave_up(
			f->inner, owes(f, want) ? FERRYI_WANT_SEND : want, err);
	if (l->messages && side == 0 && want != FERRYI_WANT_OPEN)
		r = ferryi_fault_end_send(f, r, err);
	ferryi_fault_leave(f);
	return r;
}

unsigned ferryi_fault_gathered(void *of, unsigned *out_enough)
{
	struct ferryi_fault *f = ferryi_fault_of(of);
	unsigned n;

	*out_enough = 0;
	if (ferryi_fault_enter(f) < 0)
		return 0;
	n = f->inner->t->gathered(f->inner, out_enough);
	ferryi_fault_leave(f);
	return n;
}

bool ferryi_fault_glance(void *of)
{
	struct ferryi_fault *f = ferryi_fault_of(of);
	bool seen;

	if (f->at_recv || ferryi_fault_enter(f) < 0)
		return true;
	seen = f->inner->t->glance(f->inner);
	ferryi_fault_leave(f);
	return seen;
}

void ferryi_fault_woke(struct ferry_link *l, const struct ferryi_wait *w)
{
	struct ferryi_fault *f = ferryi_fault_of(l);

	if (w->gate == NOWHERE || ferryi_fault_enter(f) < 0)
		return;
	f->inner->t->woke(f->inner, w);
	ferryi_fault_leave(f);
}

/* --- half of it, and who ------------------------------------------------------- */

static int no_room(struct ferry_link *l)
{
	return ferryi_fail(-EBUSY,
			   "%s: a message that was held back or doubled finds "
			   "no room (end sending again when some was received)",
			   l->address);
}

int ferryi_fault_shutdown(struct ferry_link *l, unsigned direction)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_fault_enter(f);

	if (r < 0)
		return r;
	if (direction & FERRY_SEND && !f->at_recv)
		r = ferryi_fault_flush(l);
	if (r == -EAGAIN)
		r = no_room(l);
	else
		r = f->inner->t->shutdown(f->inner, direction);
	if (r == 0 && l->stream && direction & FERRY_RECV)
		ferryi_fault_forget(f); /* bytes that were read */
	ferryi_fault_leave(f);
	return r;
}

int ferryi_fault_adopt(struct ferry_link *l)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_fault_enter(f);

	if (r < 0)
		return r;
	r = f->inner->t->adopt(f->inner);
	ferryi_fault_leave(f);
	return r;
}

int ferryi_fault_turn(struct ferry_link *l)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_fault_enter(f);

	if (r < 0)
		return r;
	r = f->inner->t->turn(f->inner);
	ferryi_fault_leave(f);
	return r;
}

int ferryi_fault_may_poll(struct ferry_link *l, unsigned direction)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_fault_enter(f);

	if (r < 0)
		return r;
	r = f->inner->t->may_poll(f->inner, direction);
	ferryi_fault_leave(f);
	return r;
}

int ferryi_fault_peer(struct ferry_link *l, struct ferry_process *out)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_fault_enter(f);

	if (r < 0)
		return r;
	r = f->inner->t->peer(f->inner, out);
	ferryi_fault_leave(f);
	return r;
}

int ferryi_fault_peer_exit(struct ferry_link *l, int *status)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_fault_enter(f);

	if (r < 0)
		return r;
	r = f->inner->t->peer_exit(f->inner, status);
	ferryi_fault_leave(f);
	return r;
}

/* Of the socket, not of its faults: who sends there need have none. */
int ferryi_fault_local(struct ferry_link *l, char *buf, size_t size)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_fault_enter(f);

	if (r < 0)
		return r;
	r = f->inner->t->local(f->inner, buf, size);
	ferryi_fault_leave(f);
	return r;
}

int ferryi_fault_explain(struct ferry_link *l, int err, char *buf, size_t size)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int n = 0;

	if (ferryi_fault_enter(f) < 0)
		return err == -ECONNRESET ?
			       snprintf(buf, size,
					"%s: the connection was cut, as cut= "
					"says",
					l->address) :
			       0;
	if (f->inner && f->inner->t->explain)
		n = f->inner->t->explain(f->inner, err, buf, size);
	ferryi_fault_leave(f);
	return n;
}

void ferryi_fault_fini(struct ferry_link *l)
{
	struct ferryi_fault *f = ferryi_fault_of(l);

	if (f->inner && !l->listening && !f->at_recv &&
	    ferryi_fault_enter(f) == 0) {
		ferryi_fault_flush(l);
		ferryi_fault_leave(f);
	}
	ferryi_fault_forget(f);
	ferryi_copies_fini(&f->copies);
	ferryi_link_free(f->inner);
}
