/* SPDX-License-Identifier: MIT */
/*
 * One slot of `ferry work`: takes a message, runs the command, and settles the
 * message by how it ended.  Whatever kills this process, a message that is not
 * settled goes back to the mailbox.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "report.h"
#include "work.h"

/* With --until-empty, how often to look whether others hold messages: there
 * is no event for a message of theirs that is released. */
#define LOOK_EVERY FERRY_MS(100)

void work_stop(struct work *w, int status)
{
	int none = 0;

	atomic_compare_exchange_strong(&w->status, &none, status);
	atomic_store(&w->stopping, true);
	ferry_cancel(w->link);
}

/* A permit to take one more; given back when there was no message. */
static bool ticket_take(struct work *w)
{
	uint64_t n = atomic_load(&w->tickets);

	while (n)
		if (atomic_compare_exchange_weak(&w->tickets, &n, n - 1))
			return true;
	return false;
}

static bool is_empty(struct work *w)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };

	return ferry_stat(w->link, &st) < 0 ||
	       st.queued + st.returned + st.held == 0;
}

static bool is_idle(struct work *w)
{
	return w->o.idle >= 0 && atomic_load(&w->n_running) == 0 &&
	       ferry_after(0) - atomic_load(&w->active_at) >= w->o.idle;
}

static ferry_time deadline(const struct work *w)
{
	if (w->o.nonblock)
		return FERRY_NOWAIT;
	if (w->o.until_empty)
		return ferry_after(LOOK_EVERY);
	return w->o.idle < 0 ? FERRY_FOREVER : ferry_after(w->o.idle);
}

/* What is copied out of its place is copied before the next one is taken. */
static int take(struct work_slot *slot, struct ferry_message *m,
		ferry_time until)
{
	struct work *w = slot->work;
	int err;

	if (w->returns)
		return source_next(&slot->source, m, until);
	pthread_mutex_lock(&w->taking);
	err = source_next(&slot->source, m, until);
	pthread_mutex_unlock(&w->taking);
	return err;
}

/* 0 with a message, or why this slot ends (-EAGAIN: nothing more to do). */
static int slot_take(struct work_slot *slot, struct ferry_message *m)
{
	struct work *w = slot->work;
	int err;

	for (;;) {
		err = take(slot, m, FERRY_NOWAIT);
		if (err != -EAGAIN)
			return err;
		if (w->o.until_empty && is_empty(w))
			return -EAGAIN;
		if (is_idle(w))
			return -ETIMEDOUT;
		err = take(slot, m, deadline(w));
		if (err != -ETIMEDOUT)
			return err;
	}
}

static int64_t delay(const struct work *w, uint32_t deliveries)
{
	int64_t d = w->o.delay;

	for (; deliveries > 1 && d < w->o.delay_max; deliveries--)
		d *= 2;
	return d < w->o.delay_max ? d : w->o.delay_max;
}

static int again(struct work *w, struct ferry_message *m, int status)
{
	int64_t ns = delay(w, m->deliveries);
	uint64_t seq = m->seq;
	int err = ferry_requeue(m, ns);

	if (err >= 0)
		note("%s: message %" PRIu64 ": status %d, again in %" PRId64
		     " ms",
		     w->o.name, seq, status, ns / FERRY_MS(1));
	return err;
}

/* Never again: there is nobody who would take it back. */
static int settle_loss(struct work_slot *slot, struct ferry_message *m,
		       int status)
{
	struct work *w = slot->work;

	atomic_store(&w->last_failure, status);
	report(w->o.name, status,
	       "a message of %zu bytes: status %d, and it is not delivered "
	       "again",
	       m->len, status);
	return source_done(&slot->source, m);
}

/* The command failed: another time, or never again. */
static int settle_failure(struct work *w, struct ferry_message *m, int status)
{
	uint64_t seq = m->seq;
	int err;

	atomic_store(&w->last_failure, status);
	if (!w->o.retries_given || m->deliveries <= w->o.retries)
		return again(w, m, status);
	err = ferry_reject(m);
	if (err == -EAGAIN || err == -ENOSPC) {
		report(w->o.name, status,
		       "message %" PRIu64 " stays: the dead-letter mailbox is "
		       "full (empty it)",
		       seq);
		return again(w, m, status);
	}
	if (err >= 0)
		report(w->o.name, status,
		       "message %" PRIu64 " goes to the dead letters after %u "
		       "deliveries: status %d",
		       seq, m->deliveries, status);
	return err;
}

/* At once, for others; queues take back what they do not deliver again. */
static int give_back(struct work_slot *slot, struct ferry_message *m,
		     int status)
{
	int err = source_return(m, 0);

	return err < 0 && !slot->work->returns ? settle_loss(slot, m, status) :
						 err;
}

static int settle(struct work_slot *slot, struct ferry_message *m,
		  struct run_result result)
{
	struct work *w = slot->work;

	if (result.end == RUN_DONE) {
		atomic_fetch_add(&w->n_done, 1);
		return source_done(&slot->source, m);
	}
	if (atomic_load(&w->hurry))
		return give_back(slot, m, result.status);
	if (result.end == RUN_FAILED)
		return w->returns ? settle_failure(w, m, result.status) :
				    settle_loss(slot, m, result.status);
	report(w->o.name, result.status, "%s cannot be run (%s)",
	       w->o.command[0],
	       result.status == STATUS_NOT_FOUND ? "it is not there" :
						   "it is not executable");
	work_stop(w, result.status);
	return give_back(slot, m, result.status);
}

static void show_progress(struct work *w)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };

	if (isatty(STDOUT_FILENO) || ferry_stat(w->link, &st) < 0)
		return; /* the commands' output goes there */
	pthread_mutex_lock(&w->lock);
	progress("done", atomic_load(&w->n_done),
		 (int64_t)(st.queued + st.returned));
	pthread_mutex_unlock(&w->lock);
}

static void slot_work(struct work_slot *slot, struct ferry_message *m)
{
	struct work *w = slot->work;
	int err;

	atomic_fetch_add(&w->n_running, 1);
	atomic_fetch_add(&w->n_taken, 1);
	err = settle(slot, m, run_message(slot, m));
	atomic_store(&w->active_at, ferry_after(0));
	atomic_fetch_sub(&w->n_running, 1);
	if (err < 0)
		work_stop(w, report_error(w->o.name, w->link, err));
	show_progress(w);
}

/* The end of a slot's wait: is it the end of all? */
static void slot_ended(struct work *w, int err)
{
	if (err == -EAGAIN || err == -ETIMEDOUT || err == -ENODATA ||
	    err == -ECANCELED)
		return;
	if (!atomic_exchange(&w->stopping, true))
		work_stop(w, report_error(w->o.name, w->link, err));
}

void *slot_main(void *arg)
{
	struct work_slot *slot = arg;
	struct work *w = slot->work;
	struct ferry_message m;
	int err;

	while (!atomic_load(&w->stopping) && ticket_take(w)) {
		err = slot_take(slot, &m);
		if (err < 0) {
			atomic_fetch_add(&w->tickets, 1);
			slot_ended(w, err);
			break;
		}
		slot_work(slot, &m);
	}
	eventfd_write(w->ended_fd, 1);
	return NULL;
}
