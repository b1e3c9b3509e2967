/* SPDX-License-Identifier: MIT */
/* The rules of the calls: see check.c. */
#include <errno.h>

#include "judge.h"

/* --- sending -------------------------------------------------------------- */

static int result_of(uint32_t call)
{
	uint32_t at = judge.returns[call];

	return at == NEVER ? 0 : judge.h->events[at].value;
}

static void loan_begins(struct message *m, const struct event *e)
{
	m->state = CALLED;
	m->holder = e->who;
	m->large = (uint32_t)e->value > judge.h->terms.small;
	judge_use(m, true);
}

static void publish_begins(struct message *m)
{
	int r = result_of(judge.at);

	m->state = CALLED;
	m->send_at = judge.at;
	/* closed meanwhile: it may have been in the queue for a moment */
	judge_may_queue(m, r == 0 || r == -ENODATA);
}

/* What a send, loan or commit waited for must have been so at some instant. */
static void check_wait(const struct message *m, const struct event *e)
{
	const struct process *p = &judge.processes[e->who];
	bool full = p->most_queued >= judge.h->terms.capacity;
	bool spent = p->used > judge_chunks_for(m); /* with itself */

	if (e->kind == EV_LOAN_RETURNS)
		full = false;
	if (e->kind == EV_COMMIT_RETURNS || e->value == -ENOSPC)
		spent = false;
	if (!full && !spent)
		broken("full", "#%u, with at most %u queued, %u chunks used",
		       e->id, p->most_queued, p->used);
}

static void check_failure(const struct message *m, const struct event *e)
{
	bool is_named = e->value == -EAGAIN || e->value == -ETIMEDOUT ||
			e->value == -ECANCELED ||
			(e->value == -ENOSPC && judge.h->terms.refuses);

	if (e->value == -ENODATA && judge.closing)
		return;
	if (is_named)
		check_wait(m, e);
	else if (e->value != -ESTALE || !m->withdrawn)
		broken("refused", "#%u, without a reason", e->id);
}

static void publish_returns(struct message *m, const struct event *e)
{
	if (e->value == 0) {
		m->accepted = true;
		m->sent_at = judge.at;
		if (m->state == CALLED)
			m->state = QUEUED;
		judge_must_queue(m, m->first_take_at != NEVER &&
					    m->first_take_at > judge.at);
		return;
	}
	check_failure(m, e);
	if (m->deliveries)
		broken("unsent", "#%u was delivered, and its send failed",
		       e->id);
	if (e->kind == EV_SEND_RETURNS) {
		m->failed = true;
		judge_end(m);
		return;
	}
	judge_may_queue(m, false);
	m->state = LENT;
	m->withdrawn |= e->value == -ENODATA;
}

static void loan_returns(struct message *m, const struct event *e)
{
	if (e->value == 0) {
		m->state = LENT;
		return;
	}
	check_failure(m, e);
	m->failed = true;
	judge_end(m);
}

static void abandon_returns(struct message *m, const struct event *e)
{
	if (e->value < 0 && !m->withdrawn)
		broken("refused", "the loan of #%u is gone", e->id);
	m->failed = true;
	judge_end(m);
}

/* --- receiving ------------------------------------------------------------ */

static void take_begins(void)
{
	for (unsigned i = 1; i < judge.ids; i++)
		if (judge.messages[i].first_take_at == judge.at)
			judge_must_queue(&judge.messages[i], false);
}

/* More deliveries than were seen: to those who died before they said so. */
static void check_count(const struct message *m, const struct event *e)
{
	unsigned said = (unsigned)e->value, seen = m->deliveries;

	if (said == 1 && seen > 0)
		broken("duplicate", "#%u comes again without a mark", e->id);
	if (said < seen + 1 || said > seen + 1 + judge.killed_taking)
		broken("marked", "#%u says %u deliveries, %u were seen before",
		       e->id, said, seen);
}

static bool holder_lives(const struct message *m)
{
	return !judge.processes[m->holder].dead;
}

static void check_state(const struct message *m, const struct event *e)
{
	if (m->state == UNSEEN || m->state == LENT || m->failed)
		broken("unsent", "#%u was not sent", e->id);
	if (m->lost)
		broken("at-most-once", "#%u comes again", e->id);
	if (m->state == OVER ||
	    (m->state == ENDING && m->released && holder_lives(m)))
		broken("after-ack", "#%u was released", e->id);
	if (m->state == HELD)
		broken("held-twice", "p%u has #%u", m->holder, e->id);
	if (m->state == BACK && e->now < m->due)
		broken("early", "#%u is not due yet", e->id);
}

/* Of messages that come for the first time. */
static void check_order(const struct message *m, const struct event *e)
{
	const struct process *p = &judge.processes[e->who];

	if (e->value != 1 || !m->accepted)
		return;
	if (p->latest != NEVER && p->latest > m->sent_at)
		broken("order", "one sent after #%u was accepted came first",
		       e->id);
	/* but a send that is under way still may find that somebody has it
	 * already, and then it cannot take it back */
	if (p->told_end && m->sent_at < p->call)
		broken("after-end", "#%u was queued when the end was told",
		       e->id);
}

/* What was given back goes before what is queued, once it is due. */
static void check_precedence(const struct message *m, const struct event *e)
{
	uint32_t other = judge.processes[e->who].fresh;

	if (m->state != BACK || other == NEVER || other < m->back_at ||
	    e->value != m->deliveries + 1)
		return;
	if (judge.h->events[other].now >= m->due_by + ROUNDING)
		broken("order",
		       "#%u was given back, and a fresh one came first", e->id);
}

static void take_fails(const struct event *e)
{
	const struct process *p = &judge.processes[e->who];

	if (e->value == -ENODATA)
		judge.told_end = true;
	if (e->value != -EAGAIN && e->value != -ETIMEDOUT &&
	    e->value != -ECANCELED && !(e->value == -ENODATA && judge.closing))
		broken("refused", "a take, without a reason");
	if (p->least_queued > 0)
		broken("empty", "%u were queued all the time", p->least_queued);
}

static void take_returns(struct message *m, const struct event *e)
{
	if (e->value < 0) {
		take_fails(e);
		return;
	}
	check_precedence(m, e);
	check_state(m, e);
	check_count(m, e);
	check_order(m, e);
	if (e->value == 1 &&
	    (judge.latest == NEVER || m->send_at > judge.latest))
		judge.latest = m->send_at;
	if (e->value == 1 && (judge.fresh == NEVER ||
			      judge.processes[e->who].call > judge.fresh))
		judge.fresh = judge.processes[e->who].call;
	m->deliveries = (uint16_t)e->value;
	m->state = HELD;
	m->holder = e->who;
	m->released = false;
	m->may_be_lost = false;
	m->due = m->due_by = 0;
	m->back_at = NEVER;
	judge_may_queue(m, false);
}

static void requeue_begins(struct message *m, const struct event *e)
{
	m->state = ENDING;
	m->delay = (int64_t)e->value * 1000000;
	m->due = e->now + m->delay;
}

static void ending_returns(struct message *m, const struct event *e)
{
	if (e->value < 0)
		broken("refused", "#%u was not its taker's any more", e->id);
	else if (e->kind == EV_RELEASE_RETURNS)
		judge_end(m);
	else if (m->state == ENDING && m->holder == e->who) {
		m->state = BACK;
		m->back_at = judge.at;
		m->due_by = e->now + m->delay;
	}
}

static void peek_returns(const struct message *m, const struct event *e)
{
	uint32_t call = judge.processes[e->who].call;

	if (e->value < 0 && e->value != -EAGAIN)
		broken("refused", "a peek, without a reason");
	if (e->value == 0 && e->id &&
	    (m->state == UNSEEN || (m->state == OVER && m->over_at < call)))
		broken("peek", "#%u was not there", e->id);
}

/* --- departures ----------------------------------------------------------- */

static void departs(struct message *m)
{
	bool once = judge.h->terms.at_most_once;

	switch (m->state) {
	case CALLED: m->state = m->send_at ? MAYBE : LENT; break;
	case HELD:
		m->state = BACK;
		m->lost = once;
		break;
	case ENDING:
		m->lost = once && m->released;
		m->may_be_lost = once;
		break;
	default: break;
	}
}

void judge_departs(unsigned who)
{
	for (unsigned i = 1; i < judge.ids; i++)
		if (judge.messages[i].holder == who)
			departs(&judge.messages[i]);
}

/* --- calls ---------------------------------------------------------------- */

void judge_call(struct message *m, const struct event *e)
{
	struct process *p = &judge.processes[e->who];

	p->call = judge.at;
	p->latest = judge.latest;
	p->fresh = judge.fresh;
	p->told_end = judge.told_end;
	p->most_queued = 0;
	p->used = judge.in_use;
	p->least_queued = NEVER;
	switch (e->kind) {
	case EV_SEND:
		loan_begins(m, e);
		publish_begins(m);
		break;
	case EV_LOAN: loan_begins(m, e); break;
	case EV_COMMIT: publish_begins(m); break;
	case EV_TAKE: take_begins(); break;
	case EV_RELEASE:
		m->state = ENDING;
		m->released = true;
		break;
	case EV_REQUEUE: requeue_begins(m, e); break;
	case EV_CLOSE: judge.closing = true; break;
	case EV_LEAVE: judge_departs(e->who); break;
	}
}

void judge_return(struct message *m, const struct event *e)
{
	struct process *p = &judge.processes[e->who];

	switch (e->kind) {
	case EV_SEND_RETURNS:
	case EV_COMMIT_RETURNS: publish_returns(m, e); break;
	case EV_LOAN_RETURNS: loan_returns(m, e); break;
	case EV_ABANDON_RETURNS: abandon_returns(m, e); break;
	case EV_TAKE_RETURNS: take_returns(m, e); break;
	case EV_RELEASE_RETURNS:
	case EV_REQUEUE_RETURNS: ending_returns(m, e); break;
	case EV_PEEK_RETURNS: peek_returns(m, e); break;
	case EV_CLOSE_RETURNS: judge.closed = e->value == 0; break;
	case EV_LEAVE_RETURNS: p->dead = true; break;
	}
	p->call = NEVER;
}
