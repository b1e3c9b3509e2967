/* SPDX-License-Identifier: MIT */
/*
 * What happens to what is sent.
 *
 * A message is judged once.  What it owes the inner link, a twin, or one that was
 * held back for it, is `ready`, and goes before the next message.  The call waits for
 * room for that, too; when its deadline passes then, the call was a success, and the
 * rest goes with the next call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/fault.h"
#include "sys/clock.h"
#include "sys/process.h"

enum way {
	PLAIN,
	TO,	/* a destination of its own */
	COMMIT, /* a loan of the inner link's */
	FDS,   /* these two are neither doubled nor held back: they stand for */
	REPLY, /* what is the caller's only now */
};

struct out {
	enum way way;
	void *data;
	size_t len;
	uint32_t type, priority;
	const char *to;
	const int *fds;
	unsigned n_fds;
	struct ferry_message *m; /* the loan, or what is answered */
};

static int no_memory(size_t len)
{
	return ferryi_fail(-ENOMEM, "out of memory for a message of %zu bytes",
			   len);
}

/* --- decisions ----------------------------------------------------------------- */

const struct ferryi_verdict *ferryi_fault_judge(struct ferryi_fault *f)
{
	int64_t delay;

	if (f->judged)
		return &f->verdict;
	ferryi_dice_judge(&f->dice, &f->set.odds, &f->verdict);
	delay = f->verdict.delay_ns;
	f->due = delay ? ferry_after(delay) : 0;
	f->judged = true;
	return &f->verdict;
}

void ferryi_fault_used(struct ferryi_fault *f, uint64_t n)
{
	if (f->verdict.delay_ns)
		ferryi_fault_count(&f->stat.delayed, 1);
	f->verdict.delay_ns = 0;
	f->judged = false;
	f->moved += n;
}

bool ferryi_fault_damage(struct ferryi_fault *f, void *data, size_t len)
{
	uint64_t where;

	if (!f->verdict.damage || len == 0)
		return false;
	where = f->verdict.where % (len * 8);
	f->flipped = (unsigned char *)data + where / 8;
	f->bit = (unsigned char)(1u << where % 8);
	*f->flipped ^= f->bit;
	return true;
}

/* --- one message to the inner link --------------------------------------------- */

static int pass_by_loan(struct ferry_link *inner, const struct out *o)
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

static int pass(struct ferry_link *inner, const struct out *o)
{
	const struct ferryi_messages *ms = inner->messages;

	switch (o->way) {
	case TO: return ms->send_to(inner, o->to, o->data, o->len);
	case FDS: return ms->send_fds(inner, o->data, o->len, o->fds, o->n_fds);
	case REPLY: return ms->reply(inner, o->m, o->data, o->len);
	case COMMIT: return ms->commit(inner, o->m);
	case PLAIN: break;
	}
	if (ms->send && !o->type && !o->priority)
		return ms->send(inner, o->data, o->len);
	return pass_by_loan(inner, o);
}

/* In a copy, but for a loan, which is ours to write in. */
static int pass_damaged(struct ferryi_fault *f, const struct out *o)
{
	struct out copy = *o;
	int r;

	if (o->way == COMMIT) {
		if (!f->flipped)
			ferryi_fault_damage(f, o->data, o->len);
		r = pass(f->inner, o);
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
	r = pass(f->inner, &copy);
	free(copy.data);
	return r;
}

/* --- what is kept ---------------------------------------------------------------- */

static struct ferryi_kept *keep(const struct out *o)
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

/* The first one that is ready has gone out. */
static void gone(struct ferryi_fault *f)
{
	struct ferryi_kept *k = f->ready;

	f->ready = k->next;
	ferryi_fault_count(&f->stat.doubled, k->twin);
	ferryi_fault_count(&f->stat.passed, !k->twin);
	ferryi_fault_count(&f->stat.reordered, k->overtaken);
	ferryi_fault_count(&f->stat.damaged, k->damaged);
	ferryi_kept_free(k);
}

/* Accepted here, and refused there: it can never go. */
static bool is_refused(int r)
{
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
static int pay(struct ferryi_fault *f)
{
	int r = 0;

	while (r == 0 && f->ready) {
		struct ferryi_kept *k = f->ready;
		struct out o = { .way = k->to ? TO : PLAIN,
				 .data = k->data,
				 .len = k->m.len,
				 .type = k->m.type,
				 .priority = k->m.priority,
				 .to = k->to };

		r = pass(f->inner, &o);
		if (r == 0)
			gone(f);
		if (is_refused(r)) {
			give_up_first(f);
			r = 0;
		}
	}
	return r;
}

static void drop_twin(struct ferryi_fault *f)
{
	ferryi_kept_free(f->twin);
	f->twin = NULL;
}

static void release_held(struct ferryi_fault *f, bool overtaken)
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
	release_held(f, false);
	while ((r = pay(f)) == -EAGAIN && f->inner->t->gave_up &&
	       f->inner->t->gave_up(f->inner, FERRYI_WANT_SEND, r) == 0)
		gone(f);
	return r;
}

/* --- one message ------------------------------------------------------------------ */

/* It was accepted; a loan is over. */
static void accepted(struct ferryi_fault *f)
{
	ferryi_fault_used(f, 1);
	if (f->commits)
		ferryi_fault_leave(f);
	f->commits = false;
}

/* The message itself is out. */
static void passed(struct ferryi_fault *f)
{
	ferryi_fault_count(&f->stat.passed, 1);
	ferryi_fault_count(&f->stat.damaged, f->damages);
	if (f->twin)
		ferryi_kept_put(&f->ready, f->twin);
	f->twin = NULL;
	f->flipped = NULL;
	release_held(f, true);
	accepted(f);
}

static int drop(struct ferryi_fault *f, const struct out *o)
{
	int r = o->way == COMMIT ? f->inner->messages->abandon(f->inner, o->m) :
				   0;

	if (r < 0)
		return r;
	ferryi_fault_count(&f->stat.dropped, 1);
	accepted(f);
	return 0;
}

static int hold(struct ferryi_fault *f, const struct out *o)
{
	struct ferryi_kept *k = keep(o), *twin = NULL;
	int r = k ? 0 : -ENOMEM;

	if (k && f->verdict.dup) {
		twin = keep(o);
		r = twin ? 0 : -ENOMEM;
	}
	if (r == 0 && o->way == COMMIT)
		r = f->inner->messages->abandon(f->inner, o->m);
	if (r < 0) {
		ferryi_kept_free(k);
		ferryi_kept_free(twin);
		return r;
	}
	if (twin)
		twin->twin = true;
	k->damaged = ferryi_fault_damage(f, k->data, k->m.len);
	f->flipped = NULL;
	k->next = twin;
	f->held = k;
	accepted(f);
	return 0;
}

static int prepare_twin(struct ferryi_fault *f, const struct out *o)
{
	drop_twin(f);
	f->twin = keep(o);
	if (!f->twin)
		return -ENOMEM;
	f->twin->twin = true;
	return 0;
}

/* An attempt at a message whose time has come. */
static int move(struct ferryi_fault *f, const struct out *o)
{
	const struct ferryi_verdict *v = &f->verdict;
	bool keeps = o->way < FDS, damages = v->damage && o->len > 0;
	int r = 0;

	f->commits = o->way == COMMIT;
	f->damages = damages;
	if (v->drop)
		return drop(f, o);
	if (v->reorder && keeps && !f->held)
		return hold(f, o);
	if (v->dup && keeps)
		r = prepare_twin(f, o);
	if (r == 0)
		r = damages ? pass_damaged(f, o) : pass(f->inner, o);
	if (r == 0)
		passed(f);
	else if (r != -EAGAIN)
		drop_twin(f);
	return r;
}

/* The call is a success; what is left to do may wait. */
static int finish(struct ferryi_fault *f)
{
	bool last = f->set.cut && f->moved >= f->set.cut;
	int r;

	if (last)
		release_held(f, false);
	r = pay(f);
	f->sent = r == -EAGAIN;
	if (f->sent)
		return r;
	if (last)
		ferryi_fault_cut(f);
	return 0;
}

static int attempt(struct ferryi_fault *f, const struct out *o)
{
	int r = f->sent ? 0 : pay(f);

	if (r < 0 || f->sent)
		return r < 0 ? r : finish(f);
	ferryi_fault_judge(f);
	if (f->due > ferryi_now())
		return ferryi_fault_rest(f, 0, f->due);
	r = move(f, o);
	return r < 0 ? r : finish(f);
}

static int send_out(struct ferry_link *l, const struct out *o)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_fault_begin(f, 0);

	if (r < 0)
		return r;
	if (f->generation != ferryi_generation())
		ferryi_fault_forget(f);
	r = attempt(f, o);
	ferryi_fault_leave(f);
	return r;
}

int ferryi_fault_end_send(struct ferryi_fault *f, int inner, int err)
{
	bool out = f->sent;

	f->sent = false;
	if (inner == 0 && f->ready) {
		gone(f);
	} else if (inner == 0) {
		passed(f);
		out = true;
	}
	if (f->flipped)
		*f->flipped ^= f->bit;
	f->flipped = NULL;
	drop_twin(f);
	if (!out)
		return inner < 0 ? inner : err;
	if (f->set.cut && f->moved >= f->set.cut)
		ferryi_fault_cut(f);
	return 0;
}

/* --- the calls --------------------------------------------------------------------- */

static int fault_send(struct ferry_link *l, const void *data, size_t len)
{
	struct out o = { .data = (void *)data, .len = len };

	return send_out(l, &o);
}

static int fault_send_to(struct ferry_link *l, const char *to, const void *data,
			 size_t len)
{
	struct out o = { .way = TO, .data = (void *)data, .len = len, .to = to };

	return send_out(l, &o);
}

static int fault_send_fds(struct ferry_link *l, const void *data, size_t len,
			  const int *fds, unsigned n)
{
	struct out o = { .way = FDS,
			 .data = (void *)data,
			 .len = len,
			 .fds = fds,
			 .n_fds = n };

	return send_out(l, &o);
}

static int fault_reply(struct ferry_link *l, const struct ferry_message *m,
		       const void *data, size_t len)
{
	struct out o = { .way = REPLY,
			 .data = (void *)data,
			 .len = len,
			 .m = (struct ferry_message *)m };

	return send_out(l, &o);
}

/* --- loans ------------------------------------------------------ */

int ferryi_fault_hand_out(struct ferry_link *l, struct ferry_message *m, int r)
{
	if (r == 0)
		m->link = l;
	else
		ferryi_fault_leave(ferryi_fault_of(l));
	return r;
}

/* What came before goes first: an inner link may have one loan at a time. */
static int fault_loan(struct ferry_link *l, size_t len, struct ferry_message *m)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_fault_begin(f, 0);

	if (r < 0)
		return r;
	if (f->generation != ferryi_generation())
		ferryi_fault_forget(f);
	r = pay(f);
	if (r == 0)
		r = f->inner->messages->loan(f->inner, len, m);
	return ferryi_fault_hand_out(l, m, r);
}

static int fault_commit(struct ferry_link *l, struct ferry_message *m)
{
	struct out o = { .way = COMMIT,
			 .data = m->data,
			 .len = m->len,
			 .type = m->type,
			 .priority = m->priority,
			 .m = m };

	return send_out(l, &o);
}

const struct ferryi_messages ferryi_messages_of_faults = {
	.send = fault_send,
	.send_to = fault_send_to,
	.send_fds = fault_send_fds,
	.reply = fault_reply,
	.loan = fault_loan,
	.commit = fault_commit,
};
