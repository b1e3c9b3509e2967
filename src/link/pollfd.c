/* SPDX-License-Identifier: MIT */
/* See pollfd.h. */
#include "link/pollfd.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/call.h"
#include "sys/files.h"
#include "sys/process.h"
#include "sys/ready.h"
#include "wait/stand_in.h"

struct ferryi_polled {
	uint32_t generation; /* a set is shared with the parent after a fork */
	pthread_mutex_t lock;
	int set;
	int more;   /* eventfd */
	int timer;  /* of a tick */
	int cancel; /* the link's */
	bool may;   /* `more` is readable; atomic */
	unsigned n_in;
	int in[FERRYI_WAIT_FDS]; /* what else is in the set */
	bool on_words;
	struct ferryi_stand_in stand_in;
	struct ferryi_doze doze;
};

static bool is_ours(const struct ferryi_polled *p)
{
	return p && p->generation == ferryi_generation();
}

static void set_may(struct ferryi_polled *p)
{
	if (p->may)
		return;
	__atomic_store_n(&p->may, true, __ATOMIC_RELAXED);
	ferryi_eventfd_set(p->more);
}

void ferryi_polled_may(struct ferryi_polled *p)
{
	if (!is_ours(p) || __atomic_load_n(&p->may, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&p->lock);
	set_may(p);
	ferryi_doze_reset(&p->doze);
	pthread_mutex_unlock(&p->lock);
}

static bool is_wanted(const struct ferryi_wait *w, int fd)
{
	for (unsigned i = 0; i < w->n_fds; i++)
		if (w->fds[i].fd == fd)
			return true;
	return false;
}

/* False: one cannot be waited for, as a regular file, which is always ready. */
static bool watch(struct ferryi_polled *p, const struct ferryi_wait *w)
{
	bool all = true;

	for (unsigned i = 0; i < p->n_in; i++)
		if (!is_wanted(w, p->in[i]))
			ferryi_set_remove(p->set, p->in[i]);
	p->n_in = 0;
	for (unsigned i = 0; i < w->n_fds; i++) {
		all &= ferryi_set_watch(p->set, w->fds[i].fd,
					w->fds[i].events) == 0;
		p->in[p->n_in++] = w->fds[i].fd;
	}
	return all;
}

void ferryi_polled_begin(struct ferryi_polled *p, struct ferryi_wait *w)
{
	if (!is_ours(p))
		return;
	pthread_mutex_lock(&p->lock);
	if (!p->on_words)
		return;
	w->polls = true;
	ferryi_doze_end(&p->doze);
	ferryi_stand_in_stop(&p->stand_in);
}

/* Without a sleep, as when no ring can be made any more, it stays readable. */
static int sleep_on_words(struct ferryi_polled *p, struct ferryi_wait *w)
{
	int r = ferryi_stand_in_sleep(&p->stand_in, w);

	if (r == 0)
		ferryi_doze_begin(&p->doze, w);
	return r == -EAGAIN ? 1 : r;
}

int ferryi_polled_for(struct ferryi_polled *p, struct ferryi_wait *w)
{
	int r = 0;

	if (!is_ours(p))
		return 0;
	if (p->on_words)
		r = sleep_on_words(p, w);
	if (r != 0)
		return r == 1 ? 1 : -EAGAIN;
	ferryi_timer_set(p->timer, w->tick);
	if (!watch(p, w))
		return -EAGAIN;
	__atomic_store_n(&p->may, false, __ATOMIC_RELAXED);
	ferryi_eventfd_clear(p->more);
	return 0;
}

void ferryi_polled_end(struct ferryi_polled *p, bool waits)
{
	if (!is_ours(p))
		return;
	if (!waits) {
		__atomic_store_n(&p->may, true, __ATOMIC_RELAXED);
		ferryi_eventfd_set(p->more);
		ferryi_doze_reset(&p->doze);
	}
	pthread_mutex_unlock(&p->lock);
}

/* The set outlives its descriptor where a child of a fork has a copy, and then goes
 * on telling the loop that it was given to: from now on, nothing. */
static void empty(struct ferryi_polled *p)
{
	ferryi_set_remove(p->set, p->more);
	ferryi_set_remove(p->set, p->timer);
	ferryi_set_remove(p->set, p->cancel);
	if (p->on_words)
		ferryi_set_remove(p->set, p->stand_in.told);
	for (unsigned i = 0; i < p->n_in; i++)
		ferryi_set_remove(p->set, p->in[i]);
}

void ferryi_polled_free(struct ferryi_polled *p)
{
	if (!p)
		return;
	if (is_ours(p)) /* a child's copy is the parent's set */
		empty(p);
	if (p->on_words) {
		ferryi_stand_in_free(&p->stand_in, is_ours(p));
		if (is_ours(p))
			ferryi_doze_fini(&p->doze);
	}
	if (p->set >= 0)
		ferryi_close(p->set);
	if (p->more >= 0)
		ferryi_close(p->more);
	if (p->timer >= 0)
		ferryi_close(p->timer);
	free(p);
}

/* --- making one -------------------------------------------------------------- */

static int nothing_left(struct ferry_link *l, int err)
{
	err = err == -ENFILE ? -EMFILE : err;
	return ferryi_fail(err, "%s: no descriptor to poll: %s", l->address,
			   ferryi_error_hint(err));
}

/* A cancel is something that happens. */
static int fill(struct ferryi_polled *p, struct ferry_link *l)
{
	int r = ferryi_call_renew(l);

	if (r == 0)
		r = ferryi_cancel_need_fd(&l->cancel);
	p->set = ferryi_set_new();
	p->more = ferryi_eventfd();
	p->timer = ferryi_timer();
	p->cancel = l->cancel.fd;
	if (r < 0 || p->set < 0 || p->more < 0 || p->timer < 0)
		return nothing_left(l, -EMFILE);
	if (ferryi_set_add(p->set, p->more, NULL) != 0 ||
	    ferryi_set_add(p->set, p->timer, NULL) != 0 ||
	    ferryi_set_add(p->set, p->cancel, NULL) != 0)
		return nothing_left(l, -ENOMEM);
	set_may(p);
	return 0;
}

static int no_stand_in(struct ferry_link *l, int err)
{
	char why[120];

	if (err == -EMFILE || err == -ENFILE)
		return nothing_left(l, err);
	if (err == -ENOMEM && !l->may_thread)
		return ferryi_fail(err,
				   "%s: there is no memory for a ring of "
				   "io_uring, one for each link that is polled "
				   "(raise ulimit -l, or open the link with "
				   "FERRY_THREAD)",
				   l->address);
	if (l->may_thread)
		return ferryi_fail(-ENOMEM,
				   "%s: no thread can be started that would "
				   "wait for an event loop: %s (raise ulimit "
				   "-u)",
				   l->address, strerror(-err));
	ferryi_uring_why_not(err, why, sizeof why);
	return ferryi_fail(-EOPNOTSUPP,
			   "%s: an event loop waits for memory through "
			   "io_uring, from Linux 6.7 on, and %s (open the link "
			   "with FERRY_THREAD, and a thread of the library's "
			   "waits instead)",
			   l->address, why);
}

/* Somebody who sleeps on words for the loop. */
static int fill_words(struct ferryi_polled *p, struct ferry_link *l)
{
	int r = ferryi_stand_in_new(&p->stand_in, l->may_thread);

	if (r < 0)
		return no_stand_in(l, r);
	p->on_words = true;
	return ferryi_set_add(p->set, p->stand_in.told, NULL) == 0 ?
		       0 :
		       nothing_left(l, -ENOMEM);
}

static int make(struct ferry_link *l, struct ferryi_polled **out)
{
	struct ferryi_polled *p = calloc(1, sizeof *p);
	int r;

	if (!p)
		return nothing_left(l, -ENOMEM);
	p->generation = ferryi_generation();
	pthread_mutex_init(&p->lock, NULL);
	p->set = p->more = p->timer = p->cancel = -1;
	r = fill(p, l);
	if (r == 0 && l->t->sleeps_on_words)
		r = fill_words(p, l);
	if (r == 0)
		*out = p;
	else
		ferryi_polled_free(p);
	return r;
}

static int check(struct ferry_link *l, unsigned direction)
{
	ferryi_fail_clear();
	if (!l)
		return ferryi_fail(-EINVAL, "there is no link (NULL)");
	if ((direction != FERRY_SEND && direction != FERRY_RECV) ||
	    !(l->flags & direction))
		return ferryi_fail(-EINVAL,
				   "%s: poll for one direction that it is "
				   "open in",
				   l->address);
	if (l->listening && direction == FERRY_SEND)
		return ferryi_fail(-EINVAL,
				   "%s only listens (poll to receive, then "
				   "accept)",
				   l->address);
	if (l->t->sleeps_on_words &&
	    l->cancel.generation != ferryi_generation())
		return ferryi_fail(-ESTALE,
				   "%s was opened before a fork (call "
				   "ferry_adopt_after_fork() in the child)",
				   l->address);
	return 0;
}

/* Of a transport that is concurrent two threads may ask at once. */
static int get(struct ferry_link *l, struct ferryi_polled **at)
{
	struct ferryi_polled *old = __atomic_load_n(at, __ATOMIC_ACQUIRE), *p;
	int r;

	if (is_ours(old))
		return old->set;
	r = make(l, &p);
	if (r < 0)
		return r;
	if (__atomic_compare_exchange_n(at, &old, p, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE)) {
		ferryi_polled_free(old);
		return p->set;
	}
	ferryi_polled_free(p);
	return old->set;
}

int ferry_pollfd(struct ferry_link *l, unsigned direction)
{
	int r = check(l, direction);

	if (r < 0)
		return r;
	if (ferryi_turn_take(l, direction, FERRY_NOWAIT) != 0)
		return ferryi_fail(-EBUSY,
				   "%s: another thread is in a call in that "
				   "direction",
				   l->address);
	if (l->t->may_poll && !l->listening)
		r = l->t->may_poll(l, direction);
	if (r == 0)
		r = get(l, &l->polled[direction == FERRY_RECV]);
	ferryi_turn_give(l, direction);
	return r;
}
