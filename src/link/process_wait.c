/* SPDX-License-Identifier: MIT */
/*
 * What calls of process: sleep on, and who wakes whom (process.h).
 */
#include <errno.h>
#include <poll.h>

#include "link/process.h"
#include "sys/clock.h"
#include "sys/ready.h"

/* A full backlog cannot be polled for. */
#define LOOK_AGAIN FERRY_MS(2)

/*
 * From here on the line rings; true: look again.  The bell is read in between, and
 * may have rung for another handle: who sees that something has happened tells
 * the others.
 */
static bool arm(struct ferryi_process *h, struct ferryi_line *line,
		unsigned side, struct ferryi_wait *whole, int *out_fd)
{
	struct ferry_link *c = line->channel;
	struct ferryi_wait w;
	bool found;

	ferryi_wait_init(&w, FERRY_FOREVER, NULL);
	w.len = whole->len;
	ferryi_wait_begin(&w);
	found = c->t->interest(c,
			       side == FERRYI_SENDING ? FERRYI_WANT_SEND :
							FERRYI_WANT_RECV,
			       &w) != 0;
	*out_fd = found ? -1 : w.fds[0].fd;
	ferryi_wait_tick(whole, w.tick);
	if (found && side == FERRYI_RECEIVING)
		ferryi_line_activate(line); /* for who is about to sleep */
	if (found || line->room != ferryi_channel_of(c)->out.head)
		ferryi_station_nudge(h->station);
	line->room = ferryi_channel_of(c)->out.head;
	return found;
}

static void fall_asleep(struct ferryi_process *h, unsigned side,
			struct ferryi_line *line, struct ferryi_wait *w)
{
	h->asleep[side] = true;
	if (line && !h->waits_on[side]) {
		ferryi_line_pin(line);
		h->waits_on[side] = line;
	}
	ferryi_wait_fd(w, h->nudge[side], POLLIN);
}

static int want_any(struct ferryi_process *h, struct ferryi_wait *w)
{
	struct ferryi_station *s = h->station;
	bool again = false;
	int fd;

	for (unsigned i = s->n_active; i > 0; i--)
		if (arm(h, s->active[i - 1], FERRYI_RECEIVING, w, &fd))
			again = true;
		else
			ferryi_line_rest(s->active[i - 1]);
	if (again)
		return 1;
	ferryi_wait_fd(w, s->all, POLLIN);
	fall_asleep(h, FERRYI_RECEIVING, NULL, w);
	return 0;
}

static int want_from(struct ferryi_process *h, struct ferryi_wait *w)
{
	struct ferryi_line *first = h->partner->lines;
	int fd = -1;

	if (first && arm(h, first, FERRYI_RECEIVING, w, &fd))
		return 1;
	if (first)
		ferryi_line_rest(first);
	if (fd >= 0)
		ferryi_wait_fd(w, fd, POLLIN);
	ferryi_wait_fd(w, h->station->doors, POLLIN);
	fall_asleep(h, FERRYI_RECEIVING, first, w);
	return 0;
}

static int want_room(struct ferryi_process *h, struct ferryi_wait *w)
{
	struct ferryi_line *line = h->sending;
	int fd;

	if (!line) {
		ferryi_wait_tick(w, ferryi_now() + LOOK_AGAIN);
		return 0;
	}
	if (line->over || arm(h, line, FERRYI_SENDING, w, &fd))
		return 1;
	ferryi_wait_fd(w, fd, POLLIN);
	fall_asleep(h, FERRYI_SENDING, line, w);
	return 0;
}

int ferryi_process_want(struct ferry_link *l, unsigned side,
			struct ferryi_wait *w)
{
	struct ferryi_process *h = ferryi_process_of(l);
	int r = ferryi_process_lock(l);

	if (r < 0)
		return r;
	ferryi_eventfd_clear(h->nudge[side]);
	if (side == FERRYI_SENDING)
		r = want_room(h, w);
	else
		r = h->partner ? want_from(h, w) : want_any(h, w);
	pthread_mutex_unlock(&h->station->lock);
	return r;
}
