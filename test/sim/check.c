/* SPDX-License-Identifier: MIT */
/*
 * See check.h.  One pass over the events, with what is known of each message
 * and of each open call (judge.h); check_calls.c has the rules of the calls.
 *
 * Where a death leaves open what happened, both is allowed: a message whose
 * sender died in the call may be delivered or not; one whose taker died in the
 * call was perhaps delivered to it.  A rule about "full" or "empty" is broken
 * only if there was no instant within the call at which it was true; for that,
 * bounds are kept of what may have been queued, what may have been in use, and
 * what must have been queued.
 */
#include "check.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "judge.h"

struct judge judge;

void broken(const char *rule, const char *fmt, ...)
{
	va_list ap;

	if (judge.out->rule)
		return;
	judge.out->rule = rule;
	judge.out->at = judge.at;
	va_start(ap, fmt);
	vsnprintf(judge.out->why, sizeof judge.out->why, fmt, ap);
	va_end(ap);
}

/* --- bounds --------------------------------------------------------------- */

static void set(bool *flag, unsigned *count, bool to)
{
	*count = *count + to - *flag;
	*flag = to;
}

void judge_use(struct message *m, bool to)
{
	for (unsigned i = 0; to && !m->in_use && i < HISTORY_PROCS; i++)
		judge.processes[i].used++;
	set(&m->in_use, &judge.in_use, to);
}

void judge_may_queue(struct message *m, bool to)
{
	set(&m->may_queue, &judge.may_queue, to);
}

void judge_must_queue(struct message *m, bool to)
{
	set(&m->must_queue, &judge.must_queue, to);
}

void judge_end(struct message *m)
{
	m->state = OVER;
	m->over_at = judge.at;
	judge_use(m, false);
	judge_may_queue(m, false);
}

unsigned judge_chunks_for(const struct message *m)
{
	return m->large ? judge.h->terms.chunks_large : judge.h->terms.chunks;
}

static void measure(struct process *p)
{
	if (judge.may_queue > p->most_queued)
		p->most_queued = judge.may_queue;
	if (judge.must_queue < p->least_queued)
		p->least_queued = judge.must_queue;
}

/* --- looking ahead -------------------------------------------------------- */

static bool is_call(unsigned kind)
{
	return kind < EV_CALLS && kind % 2 == 0;
}

/* Which return belongs to which call, and by which call a message came first. */
static void pair(const struct history *h)
{
	uint32_t open[HISTORY_PROCS] = { 0 };

	for (uint32_t i = 0; i < h->n; i++) {
		const struct event *e = &h->events[i];
		struct message *m = &judge.messages[e->id];

		if (e->kind >= EV_CALLS)
			continue;
		if (e->id >= judge.ids)
			judge.ids = e->id + 1u;
		if (is_call(e->kind)) {
			open[e->who] = i;
			judge.returns[i] = NEVER;
			continue;
		}
		judge.returns[open[e->who]] = i;
		if (e->kind == EV_TAKE_RETURNS && e->value == 1 && e->id &&
		    m->first_take_at == NEVER)
			m->first_take_at = open[e->who];
	}
}

/* --- nobody can run ------------------------------------------------------- */

/* The dead are repaired: nothing is on loan to them, or held. */
static void settle(void)
{
	for (unsigned i = 1; i < judge.ids; i++) {
		struct message *m = &judge.messages[i];

		if (judge.processes[m->holder].dead &&
		    (m->state == LENT || (m->state == BACK && m->lost)))
			judge_end(m);
	}
}

/* Messages that a sleeping receiver ought to have. */
static unsigned takeable(int64_t now)
{
	bool unsure = judge.h->terms.at_most_once && judge.killed_taking;
	unsigned n = 0;

	for (unsigned i = 1; i < judge.ids; i++) {
		const struct message *m = &judge.messages[i];

		n += m->state == QUEUED || (m->state == BACK && !m->lost &&
					    m->due_by + ROUNDING <= now);
	}
	return unsure ? 0 : n;
}

/* Messages that were sent and may come yet. */
static unsigned outstanding(void)
{
	unsigned n = 0;

	for (unsigned i = 1; i < judge.ids; i++)
		n += judge.messages[i].in_use &&
		     judge.messages[i].state != LENT &&
		     judge.messages[i].state != CALLED;
	return n;
}

static void check_receiver(const struct event *call, int64_t now)
{
	unsigned n = takeable(now);

	if (n)
		broken("asleep", "p%u takes, and %u could be taken", call->who,
		       n);
	if (judge.closed && !outstanding())
		broken("asleep", "p%u takes, and no more will come", call->who);
}

static void check_sender(const struct event *call)
{
	const struct message *m = &judge.messages[call->id];
	bool place = judge.may_queue - m->may_queue < judge.h->terms.capacity;
	bool chunk = judge.in_use - 1 < judge_chunks_for(m);

	if (judge.closed && call->kind != EV_LOAN)
		broken("asleep", "p%u sends, and it is shut down", call->who);
	if ((call->kind == EV_SEND && place && chunk) ||
	    (call->kind == EV_COMMIT && place) ||
	    (call->kind == EV_LOAN && chunk))
		broken("asleep", "p%u sends #%u, with %u queued, %u in use",
		       call->who, call->id, judge.may_queue, judge.in_use);
}

static void is_quiet(const struct event *e)
{
	settle();
	for (unsigned i = 0; i < HISTORY_PROCS; i++) {
		const struct event *call;

		if (judge.processes[i].call == NEVER)
			continue;
		call = &judge.h->events[judge.processes[i].call];
		if (call->kind == EV_TAKE)
			check_receiver(call, e->now);
		else
			check_sender(call);
	}
}

/* --- the pass ------------------------------------------------------------- */

static void is_gone(const struct event *e)
{
	struct process *p = &judge.processes[e->who];

	if (p->call != NEVER && judge.h->events[p->call].kind == EV_TAKE)
		judge.killed_taking++;
	p->dead = true;
	p->call = NEVER;
	judge_departs(e->who);
}

static void check_room(const struct event *e)
{
	const struct terms *t = &judge.h->terms;
	unsigned fit = t->capacity < t->chunks ? t->capacity : t->chunks;

	if (!judge.closing && (unsigned)e->value != fit)
		broken("leak", "%d messages of %u fit", e->value, fit);
}

static void other(const struct event *e)
{
	switch (e->kind) {
	case EV_EXITS:
	case EV_KILLED: is_gone(e); break;
	case EV_QUIET: is_quiet(e); break;
	case EV_DAMAGED: broken("damaged", "#%u", e->id); break;
	case EV_STRANGER: broken("damaged", "#%u: its sender", e->id); break;
	case EV_UNNOTICED: broken("unnoticed", "p%u is dead", e->who); break;
	case EV_ENDLESS: broken("endless", "%d steps", e->value); break;
	case EV_STUCK: broken("stuck", "p%u, though cancelled", e->who); break;
	case EV_FITS: check_room(e); break;
	case EV_LEFT_OVER:
		if (e->value)
			broken("leak", "%d chunks are not free", e->value);
		break;
	}
}

static void check_end(void)
{
	unsigned missing = 0;

	for (unsigned i = 1; i < judge.ids; i++) {
		const struct message *m = &judge.messages[i];

		if (!m->accepted || m->state == OVER || m->lost ||
		    m->may_be_lost || (m->state == ENDING && m->released))
			continue;
		if (judge.h->terms.at_most_once &&
		    missing++ < judge.killed_taking)
			continue;
		judge.at = m->sent_at;
		broken("lost", "#%u was accepted and is gone", i);
	}
}

static void begin(const struct history *h, struct verdict *out)
{
	memset(&judge, 0, offsetof(struct judge, returns));
	memset(out, 0, sizeof *out);
	judge.h = h;
	judge.out = out;
	judge.latest = judge.fresh = NEVER;
	for (unsigned i = 0; i < HISTORY_PROCS; i++)
		judge.processes[i].call = NEVER;
	for (unsigned i = 0; i < HISTORY_IDS; i++)
		judge.messages[i].first_take_at = judge.messages[i].back_at =
			NEVER;
}

void check_history(const struct history *h, struct verdict *out)
{
	const struct event *e;

	begin(h, out);
	if (h->n == HISTORY_MOST)
		broken("endless", "the history is full");
	pair(h);
	for (judge.at = 0; judge.at < h->n && !out->rule; judge.at++) {
		e = &h->events[judge.at];
		if (is_call(e->kind))
			judge_call(&judge.messages[e->id], e);
		else if (e->kind < EV_CALLS)
			judge_return(&judge.messages[e->id], e);
		else
			other(e);
		for (unsigned i = 0; i < HISTORY_PROCS; i++)
			if (judge.processes[i].call != NEVER)
				measure(&judge.processes[i]);
	}
	if (!out->rule)
		check_end();
}
