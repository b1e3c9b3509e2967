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

#include "base/error.h"
#include "link/fault.h"
#include "sys/clock.h"
#include "sys/process.h"

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
	ferryi_fault_release_held(f, true);
	accepted(f);
}

static int drop(struct ferryi_fault *f, const struct ferryi_out *o)
{
	int r = o->way == FERRYI_WAY_COMMIT ?
			f->inner->messages->abandon(f->inner, o->m) :
			0;

	if (r < 0)
		return r;
	ferryi_fault_count(&f->stat.dropped, 1);
	accepted(f);
	return 0;
}

static int hold(struct ferryi_fault *f, const struct ferryi_out *o)
{
	struct ferryi_kept *k = ferryi_fault_keep(o), *twin = NULL;
	int r = k ? 0 : -ENOMEM;

	if (k && f->verdict.dup) {
		twin = ferryi_fault_keep(o);
		r = twin ? 0 : -ENOMEM;
	}
	if (r == 0 && o->way == FERRYI_WAY_COMMIT)
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

static int prepare_twin(struct ferryi_fault *f, const struct ferryi_out *o)
{
	ferryi_fault_drop_twin(f);
	f->twin = ferryi_fault_keep(o);
	if (!f->twin)
		return -ENOMEM;
	f->twin->twin = true;
	return 0;
}

/* An attempt at a message whose time has come. */
static int move(struct ferryi_fault *f, const struct ferryi_out *o)
{
	const struct ferryi_verdict *v = &f->verdict;
	bool keeps = o->way < FERRYI_WAY_FDS, damages = v->damage && o->len > 0;
	int r = 0;

	f->commits = o->way == FERRYI_WAY_COMMIT;
	f->damages = damages;
	if (v->drop)
		return drop(f, o);
	if (v->reorder && keeps && !f->held)
		return hold(f, o);
	if (v->dup && keeps)
		r = prepare_twin(f, o);
	if (r == 0)
		r = damages ? ferryi_fault_pass_damaged(f, o) :
			      ferryi_fault_pass(f->inner, o);
	if (r == 0)
		passed(f);
	else if (r != -EAGAIN)
		ferryi_fault_drop_twin(f);
	return r;
}

/* The call is a success; what is left to do may wait. */
static int finish(struct ferryi_fault *f)
{
	bool last = f->set.cut && f->moved >= f->set.cut;
	int r;

	if (last)
		ferryi_fault_release_held(f, false);
	r = ferryi_fault_pay(f);
	f->sent = r == -EAGAIN;
	if (f->sent)
		return r;
	if (last)
		ferryi_fault_cut(f);
	return 0;
}

static int attempt(struct ferryi_fault *f, const struct ferryi_out *o)
{
	int r = f->sent ? 0 : ferryi_fault_pay(f);

	if (r < 0 || f->sent)
		return r < 0 ? r : finish(f);
	ferryi_fault_judge(f);
	if (f->due > ferryi_now())
		return ferryi_fault_rest(f, 0, f->due);
	r = move(f, o);
	return r < 0 ? r : finish(f);
}

static int send_out(struct ferry_link *l, const struct ferryi_out *o)
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
		ferryi_fault_paid(f);
	} else if (inner == 0) {
		passed(f);
		out = true;
	}
	if (f->flipped)
		*f->flipped ^= f->bit;
	f->flipped = NULL;
	ferryi_fault_drop_twin(f);
	if (!out)
		return inner < 0 ? inner : err;
	if (f->set.cut && f->moved >= f->set.cut)
		ferryi_fault_cut(f);
	return 0;
}

/* --- the calls --------------------------------------------------------------------- */

static int fault_send(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_out o = { .data = (void *)data, .len = len };

	return send_out(l, &o);
}

static int fault_send_to(struct ferry_link *l, const char *to, const void *data,
			 size_t len)
{
	struct ferryi_out o = {
		.way = FERRYI_WAY_TO, .data = (void *)data, .len = len, .to = to
	};

	return send_out(l, &o);
}

static int fault_send_fds(struct ferry_link *l, const void *data, size_t len,
			  const int *fds, unsigned n)
{
	struct ferryi_out o = { .way = FERRYI_WAY_FDS,
				.data = (void *)data,
				.len = len,
				.fds = fds,
				.n_fds = n };

	return send_out(l, &o);
}

static int fault_reply(struct ferry_link *l, const struct ferry_message *m,
		       const void *data, size_t len)
{
	struct ferryi_out o = { .way = FERRYI_WAY_REPLY,
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
	r = ferryi_fault_pay(f);
	if (r == 0)
		r = f->inner->messages->loan(f->inner, len, m);
	return ferryi_fault_hand_out(l, m, r);
}

static int fault_commit(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_out o = { .way = FERRYI_WAY_COMMIT,
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
