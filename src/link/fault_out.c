/* SPDX-License-Identifier: MIT */
/*
 * How a message goes to the inner link, and what is owed to it: a twin, or one that was
 * held back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/fault.h"
#include "sys/process.h"

static int no_memory(size_t len)
{
	return ferryi_fail(-ENOMEM, "out of memory for a message of %zu bytes",
			   len);
}

/* --- one message to the inner link --------------------------------------------- */

static int pass_by_loan(struct ferry_link *inner, const struct ferryi_out *o)
{
	struct ferry_message m = { .link = inner };
	int r = inner->messages->loan(inner, o->len, &m);

	if (r < 0)
		return r;
	if (o->len)
		memcpy(m.data, o->data, o->len);
	m.type = o->type;
	m.priority = o->priority;
	r = inner->messages->commit(inner, &m);
	if (r < 0 && r != -ESTALE)
		inner->messages->abandon(inner, &m);
	return r;
}

int ferryi_fault_pass(struct ferry_link *inner, const struct ferryi_out *o)
{
	const struct ferryi_messages *ms = inner->messages;

	switch (o->way) {
	case FERRYI_WAY_TO: return ms->send_to(inner, o->to, o->data, o->len);
	case FERRYI_WAY_FDS:
		return ms->send_fds(inner, o->data, o->len, o->fds, o->n_fds);
	case FERRYI_WAY_REPLY:
		return ms->reply ?
			       ms->reply(inner, o->m, o->data, o->len) :
			       ms->send_to(inner, o->m->from, o->data, o->len);
	case FERRYI_WAY_COMMIT: return ms->commit(inner, o->m);
	case FERRYI_WAY_PLAIN: break;
	}
	if (ms->send && !o->type && !o->priority)
		return ms->send(inner, o->data, o->len);
	return pass_by_loan(inner, o);
}

/* In a copy, but for a loan, which is ours to write in. */
int ferryi_fault_pass_damaged(struct ferryi_fault *f,
			      const struct ferryi_out *o)
{
	struct ferryi_out copy = *o;
	int r;

	if (o->way == FERRYI_WAY_COMMIT) {
		if (!f->flipped)
			ferryi_fault_damage(f, o->data, o->len);
		r = ferryi_fault_pass(f->inner, o);
		if (r < 0 && r != -EAGAIN) /* it is the caller's again */
			*f->flipped ^= f->bit;
		if (r != -EAGAIN)
			f->flipped = NULL;
		return r;
	}
	copy.data = malloc(o->len);
	if (!copy.data)
		return no_memory(o->len);
	memcpy(copy.data, o->data, o->len);
	ferryi_fault_damage(f, copy.data, o->len);
	f->flipped = NULL;
	r = ferryi_fault_pass(f->inner, &copy);
	free(copy.data);
	return r;
}

/* --- what is kept ---------------------------------------------------------------- */

struct ferryi_kept *ferryi_fault_keep(const struct ferryi_out *o)
{
	struct ferryi_kept *k = ferryi_kept_new(o->data, o->len, o->to);

	if (!k) {
		no_memory(o->len);
		return NULL;
	}
	k->m.type = o->type;
	k->m.priority = o->priority;
	return k;
}

void ferryi_fault_paid(struct ferryi_fault *f)
{
	struct ferryi_kept *k = f->ready;

	f->ready = k->next;
	ferryi_fault_count(&f->stat.doubled, k->twin);
	ferryi_fault_count(&f->stat.passed, !k->twin);
	ferryi_fault_count(&f->stat.reordered, k->overtaken);
	ferryi_fault_count(&f->stat.damaged, k->damaged);
	ferryi_kept_free(k);
}

/* This machine lacks something now; the next attempt may find it. */
static bool is_for_later(int r)
{
	return r == -EAGAIN || r == -ENOMEM || r == -ENOSPC || r == -EMFILE;
}

/*
 * Accepted here, and refused there.  What the inner link says of a destination says
 * nothing of any other: such a message must not stand before those of others, so it
 * goes at once or not at all.  Where all go the same way only what is wrong with the
 * message itself is its own: the rest ends the call that pays.
 */
static bool is_refused(const struct ferryi_kept *k, int r)
{
	if (k->to)
		return r < 0 && !is_for_later(r);
	return r == -EMSGSIZE || r == -EINVAL;
}

static void give_up_first(struct ferryi_fault *f)
{
	struct ferryi_kept *k = f->ready;

	f->ready = k->next;
	ferryi_fault_count(&f->stat.dropped, !k->twin);
	ferryi_kept_free(k);
}

/* Send what is ready. */
int ferryi_fault_pay(struct ferryi_fault *f)
{
	int r = 0;

	while (r == 0 && f->ready) {
		struct ferryi_kept *k = f->ready;
		struct ferryi_out o = { .way = k->to ? FERRYI_WAY_TO :
						       FERRYI_WAY_PLAIN,
					.data = k->data,
					.len = k->m.len,
					.type = k->m.type,
					.priority = k->m.priority,
					.to = k->to };

		r = ferryi_fault_pass(f->inner, &o);
		if (r == 0) {
			ferryi_fault_paid(f);
		} else if (is_refused(k, r)) {
			give_up_first(f);
			r = 0;
		}
	}
	return r;
}

void ferryi_fault_drop_twin(struct ferryi_fault *f)
{
	ferryi_kept_free(f->twin);
	f->twin = NULL;
}

void ferryi_fault_release_held(struct ferryi_fault *f, bool overtaken)
{
	if (!f->held)
		return;
	f->held->overtaken = overtaken;
	ferryi_kept_put(&f->ready, f->held);
	f->held = NULL;
}

int ferryi_fault_flush(struct ferry_link *l)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r;

	if (f->generation != ferryi_generation())
		ferryi_fault_forget(f);
	ferryi_fault_release_held(f, false);
	while ((r = ferryi_fault_pay(f)) == -EAGAIN && f->inner->t->gave_up &&
	       f->inner->t->gave_up(f->inner, FERRYI_WANT_SEND, r) == 0)
		ferryi_fault_paid(f);
	return r;
}
