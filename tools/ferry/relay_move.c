/* SPDX-License-Identifier: MIT */
/* One way of a relay: see relay.h. */
#include "relay.h"

#include <errno.h>
#include <inttypes.h>
#include "cancel.h"
#include "feed.h"
#include "report.h"
#include "source.h"

#define PIECE (64 << 10)

/*
 * What cannot be given back when we are asked to end: for so long the other side may
 * still accept it.  A second signal ends that, too.
 *
 * The other way receives from that link and may not have seen yet that it is cancelled,
 * so who resumes it cancels it again, whatever came of it, and takes no more.
 */
#define LAST_CHANCE FERRY_S(1)

/* The first fault is told; the other way often hears of the same end. */
static int fault(struct relay_way *w, const struct relay_end *e, int err)
{
	int status = ferry_error_status(err);

	if (err != -ECANCELED && !atomic_exchange(&w->relay->stopping, true))
		report_error(e->name, e->link, err);
	return status;
}

static void lost(struct relay_way *w, const char *what, size_t len, int status)
{
	report(w->from->name, status,
	       "%s of %zu bytes had been taken and cannot be given back: "
	       "it is lost, %s did not accept it",
	       what, len, w->to->name);
}

/* Something has come, or has gone: no way is idle. */
static void stir(struct relay *r)
{
	atomic_store(&r->active_at, ferry_after(0));
}

/* It has arrived; a status when somebody wants it to end. */
static int passed(struct relay_way *w, const struct ferry_message *m)
{
	struct relay *r = w->relay;
	int status = 0;

	atomic_fetch_add(&r->n_passed, 1);
	stir(r);
	if (!r->o->seen)
		return 0;
	pthread_mutex_lock(&r->lock);
	status = r->o->seen(r->o->context, w->from, w->to, m);
	pthread_mutex_unlock(&r->lock);
	return status;
}

/* --- messages -------------------------------------------------------------------- */

/* With what the other side knows of. */
static int send_on(struct relay_way *w, const struct source *s,
		   const struct ferry_message *m, ferry_time deadline)
{
	unsigned can = w->to->promises;
	struct frame f = { .data = m->data,
			   .len = m->len,
			   .type = can & FERRY_CAN_TYPE ? m->type : 0,
			   .priority = can & FERRY_CAN_PRIORITY ? m->priority :
								  0 };

	if (s->n_fds)
		return ferry_send_fds(w->to->link, f.data, f.len, s->fds,
				      s->n_fds, deadline);
	if (f.type || f.priority)
		return send_with(w->to->link, &f, f.type, f.priority, deadline);
	return ferry_send(w->to->link, f.data, f.len, deadline);
}

static int undelivered(struct relay_way *w, struct ferry_message *m, int err)
{
	size_t len = m->len;
	int status = fault(w, w->to, err);

	if (source_return(m, 0) >= 0)
		note("%s: a message of %zu bytes was given back", w->from->name,
		     len);
	else
		lost(w, "a message", len, status);
	return status;
}

static int deliver(struct relay_way *w, struct source *s,
		   struct ferry_message *m)
{
	struct relay *r = w->relay;
	int err = send_on(w, s, m, patience_deadline(&r->o->patience)), status;

	if (err == -ECANCELED && source_return(m, 0) >= 0)
		return STATUS_NO;
	if (err == -ECANCELED) {
		ferry_resume(w->to->link);
		err = send_on(w, s, m, ferry_after(LAST_CHANCE));
		ferry_cancel(w->to->link);
		err = err == -ETIMEDOUT ? -ECANCELED : err;
	}
	if (err < 0)
		return undelivered(w, m, err);
	status = passed(w, m);
	err = source_done(s, m);
	return err < 0 ? fault(w, w->from, err) : status;
}

/*
 * Asked before each take: a call that need not sleep does not tell that it was
 * cancelled, so while data flows nothing else ends us.
 */
static bool is_stopped(const struct relay *r)
{
	return cancelled() || atomic_load(&r->stopping);
}

/* Those of the first way are counted: the other one could not know when to end. */
static bool wants_more(const struct relay_way *w, uint64_t n_moved)
{
	const struct relay *r = w->relay;

	return !is_stopped(r) &&
	       (w->from != &r->end[0] || n_moved < r->o->count);
}

/* Until when something has to come, whichever way. */
static ferry_time until(const struct relay *r)
{
	const struct patience *p = &r->o->patience;

	return p->nonblock || p->timeout < 0 ?
		       patience_deadline(p) :
		       atomic_load(&r->active_at) + p->timeout;
}

/* Has nothing come by then, the other way neither? */
static bool is_idle(const struct relay *r)
{
	return ferry_after(0) >= until(r);
}

static int next(struct relay *r, struct source *s, struct ferry_message *m)
{
	int err;

	do
		err = source_next(s, m, until(r));
	while (err == -ETIMEDOUT && !is_idle(r));
	return err;
}

static int move_messages(struct relay_way *w)
{
	struct relay *r = w->relay;
	struct ferry_message m;
	struct source s;
	uint64_t n_moved = 0;
	int err = 0, status;

	source_init(&s, w->from->link, w->from->name,
		    w->from->promises & w->to->promises & FERRY_CAN_FDS);
	while (wants_more(w, n_moved)) {
		err = next(r, &s, &m);
		if (err < 0)
			break;
		stir(r);
		n_moved++;
		status = deliver(w, &s, &m);
		if (status)
			relay_stop(r, status);
	}
	source_fini(&s);
	if (err == 0 && !is_stopped(r))
		relay_stop(r, 0);
	return err;
}

/* --- bytes ------------------------------------------------------------------------- */

/* How many of them were written; *out_err: why not all. */
static size_t write_on(struct relay_way *w, const char *data, size_t len,
		       ferry_time deadline, int *out_err)
{
	size_t done = 0;
	ssize_t n = 0;

	while (done < len && n >= 0) {
		n = ferry_write(w->to->link, data + done, len - done, deadline);
		if (n > 0)
			done += (size_t)n;
	}
	*out_err = n < 0 ? (int)n : 0;
	return done;
}

static int deliver_bytes(struct relay_way *w, char *data, size_t len)
{
	ferry_time deadline = patience_deadline(&w->relay->o->patience);
	struct ferry_message m = { .data = data };
	int err, status;

	m.len = write_on(w, data, len, deadline, &err);
	if (err == -ECANCELED) {
		ferry_resume(w->to->link);
		m.len += write_on(w, data + m.len, len - m.len,
				  ferry_after(LAST_CHANCE), &err);
		ferry_cancel(w->to->link);
		err = err == -ETIMEDOUT ? -ECANCELED : err;
	}
	if (err < 0) {
		status = fault(w, w->to, err);
		lost(w, "a piece", len - m.len, status);
		return status;
	}
	return passed(w, &m);
}

static int move_bytes(struct relay_way *w)
{
	struct relay *r = w->relay;
	char buf[PIECE];
	ssize_t n;
	int status;

	while (!is_stopped(r)) {
		do
			n = ferry_read(w->from->link, buf, sizeof buf,
				       until(r));
		while (n == -ETIMEDOUT && !is_idle(r));
		if (n < 0)
			return (int)n;
		stir(r);
		status = deliver_bytes(w, buf, (size_t)n);
		if (status) {
			relay_stop(r, status);
			return 0;
		}
	}
	return -ECANCELED;
}

/* --- a way, and its end --------------------------------------------------------------- */

void *relay_move(void *arg)
{
	struct relay_way *w = arg;
	struct relay *r = w->relay;

	w->end = w->from->stream ? move_bytes(w) : move_messages(w);
	if (w->end == -ENODATA && !(w->to->t && address_is_shared(w->to->t)))
		ferry_shutdown(w->to->link, FERRY_SEND);
	else if (w->end == -ETIMEDOUT) /* neither way goes on alone */
		relay_stop(r, 0);
	else if (w->end < 0 && w->end != -ENODATA && w->end != -EAGAIN &&
		 w->end != -ECANCELED)
		relay_stop(r, fault(w, w->from, w->end));
	return NULL;
}
