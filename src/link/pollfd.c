/* SPDX-License-Identifier: MIT */
/* See pollfd.h. */
#include "link/pollfd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/call.h"
#include "sys/files.h"
#include "sys/process.h"
#include "sys/ready.h"

struct ferryi_polled {
	uint32_t generation; /* a set is shared with the parent after a fork */
	int set;
	int more;  /* eventfd */
	int timer; /* of a tick */
	bool may;  /* `more` is readable */
	unsigned n_in;
	int in[FERRYI_WAIT_FDS]; /* what else is in the set */
};

static bool is_ours(const struct ferryi_polled *p)
{
	return p && p->generation == ferryi_generation();
}

void ferryi_polled_may(struct ferryi_polled *p)
{
	if (!is_ours(p) || p->may)
		return;
	p->may = true;
	ferryi_eventfd_set(p->more);
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

void ferryi_polled_for(struct ferryi_polled *p, const struct ferryi_wait *w)
{
	if (!is_ours(p))
		return;
	ferryi_timer_set(p->timer, w->tick);
	if (!watch(p, w))
		return;
	p->may = false;
	ferryi_eventfd_clear(p->more);
}

void ferryi_polled_free(struct ferryi_polled *p)
{
	if (!p)
		return;
	if (p->set >= 0)
		ferryi_close(p->set);
	if (p->more >= 0)
		ferryi_close(p->more);
	if (p->timer >= 0)
		ferryi_close(p->timer);
	free(p);
}

/* --- making one -------------------------------------------------------------- */

/* A cancel is something that happens. */
static int fill(struct ferryi_polled *p, int cancel)
{
	p->set = ferryi_set_new();
	p->more = ferryi_eventfd();
	p->timer = ferryi_timer();
	if (p->set < 0 || p->more < 0 || p->timer < 0)
		return -EMFILE;
	if (ferryi_set_add(p->set, p->more, NULL) != 0 ||
	    ferryi_set_add(p->set, p->timer, NULL) != 0 ||
	    ferryi_set_add(p->set, cancel, NULL) != 0)
		return -ENOMEM;
	ferryi_polled_may(p);
	return 0;
}

static int make(struct ferry_link *l, struct ferryi_polled **out)
{
	struct ferryi_polled *p = calloc(1, sizeof *p);
	int r = -ENOMEM;

	if (p) {
		p->generation = ferryi_generation();
		p->set = p->more = p->timer = -1;
		r = fill(p, l->cancel.fd);
	}
	if (r == 0)
		*out = p;
	else
		ferryi_polled_free(p);
	return r == 0 ? 0 :
			ferryi_fail(r, "%s: no descriptor to poll: %s",
				    l->address, ferryi_error_hint(r));
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
	if (l->t->sleeps_on_words)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: who waits sleeps on memory, which no "
				   "event loop can poll (wait in a thread)",
				   l->address);
	return 0;
}

int ferry_pollfd(struct ferry_link *l, unsigned direction)
{
	struct ferryi_polled **p;
	int r = check(l, direction);

	if (r < 0)
		return r;
	if (ferryi_turn_take(l, direction, FERRY_NOWAIT) != 0)
		return ferryi_fail(-EBUSY,
				   "%s: another thread is in a call in that "
				   "direction",
				   l->address);
	p = &l->polled[direction == FERRY_RECV];
	if (*p && !is_ours(*p)) {
		ferryi_polled_free(*p);
		*p = NULL;
	}
	r = *p ? 0 : make(l, p);
	if (r == 0)
		r = (*p)->set;
	ferryi_turn_give(l, direction);
	return r;
}
