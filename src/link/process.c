/* SPDX-License-Identifier: MIT */
/*
 * process: direct messages between processes that know each other by name.
 *
 * Opened to receive, process:NAME registers NAME for the caller; opened to send,
 * also when it is opened for both, it names the other process.  The link to that one is made
 * on first use, one a pair; what comes back by it is received by who opened it for
 * both, or under the caller's own name.
 *
 * process.h says how it is built.
 */
#include "link/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/process.h"
#include "sys/ready.h"
#include "wire/address.h"

#define LOOK_AGAIN FERRY_MS(2)

/* --- opening ----------------------------------------------------------------- */

static int refuse_key(const struct ferryi_address *a, const char *key,
		      const char *whose)
{
	return ferryi_address_get(a, key) ?
		       ferryi_fail(
			       -EINVAL,
			       "process: %s= is for the one who opens it to "
			       "%s (leave it out)",
			       key, whose) :
		       0;
}

static int open_to_receive(struct ferry_link *l, const struct ferryi_address *a,
			   struct ferryi_process_place *place)
{
	struct ferryi_process *h = ferryi_process_of(l);
	int r = refuse_key(a, "as", "send");

	if (r == 0)
		r = refuse_key(a, "ring", "send");
	if (r == 0)
		r = ferryi_process_place(a, true, place);
	if (r == 0)
		r = ferryi_station_register(&h->station, l, a, place);
	h->holds_name = r == 0;
	return r;
}

static int open_to_send(struct ferry_link *l, const struct ferryi_address *a,
			struct ferryi_process_place *place)
{
	struct ferryi_process *h = ferryi_process_of(l);
	int r = refuse_key(a, "from", "receive");

	if (r == 0)
		r = refuse_key(a, "mode", "receive");
	if (r == 0)
		r = ferryi_channel_read_ring(a, &h->ring_log2);
	if (r == 0)
		r = ferryi_process_place(a, false, place);
	return r == 0 ? ferryi_station_to_send(&h->station, l,
					       ferryi_address_get(a, "as"),
					       place) :
			r;
}

/* Become one of the station's handles. */
static int join(struct ferry_link *l, const char *partner)
{
	struct ferryi_process *h = ferryi_process_of(l);
	struct ferryi_station *s = h->station;
	int r = 0;

	pthread_mutex_lock(&s->lock);
	if (partner)
		r = ferryi_partner_join(s, partner, l->flags & FERRY_RECV,
					&h->partner);
	if (r == 0 && partner) {
		h->losses = h->partner->losses;
		h->ends = h->partner->ends;
	}
	h->next = s->handles;
	s->handles = h;
	pthread_mutex_unlock(&s->lock);
	return r;
}

static void leave(struct ferry_link *l)
{
	struct ferryi_process *h = ferryi_process_of(l);
	struct ferryi_station *s = h->station;
	struct ferryi_process **at;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	for (at = &s->handles; *at && *at != h;)
		at = &(*at)->next;
	if (*at)
		*at = h->next;
	if (s->generation == ferryi_generation()) {
		ferryi_process_drop_held(h);
		for (unsigned side = 0; side < 2; side++)
			if (h->waits_on[side])
				ferryi_line_unpin(h->waits_on[side]);
		if (h->partner)
			ferryi_partner_leave(h->partner, l->flags & FERRY_RECV);
	}
	pthread_mutex_unlock(&s->lock);
	ferryi_station_leave(s, h->holds_name);
}

static void fini(struct ferry_link *l)
{
	struct ferryi_process *h = ferryi_process_of(l);

	leave(l);
	for (unsigned side = 0; side < 2 && h->opened; side++)
		if (h->nudge[side] >= 0)
			ferryi_close(h->nudge[side]);
	free(h->held);
	memset(h, 0, sizeof *h);
}

static int make_nudges(struct ferry_link *l)
{
	struct ferryi_process *h = ferryi_process_of(l);

	h->opened = true;
	for (unsigned side = 0; side < 2; side++)
		h->nudge[side] = ferryi_eventfd();
	if (h->nudge[0] >= 0 && h->nudge[1] >= 0)
		return 0;
	return ferryi_fail(-EMFILE,
			   "%s: no descriptor is left (raise ulimit -n)",
			   l->address);
}

static int process_open(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_process *h = ferryi_process_of(l);
	bool sends = l->flags & FERRY_SEND;
	struct ferryi_process_place place;
	int r = h->opened ? 0 : make_nudges(l);

	if (r == 0)
		r = sends ? open_to_send(l, a, &place) :
			    open_to_receive(l, a, &place);
	if (r < 0)
		return r;
	return join(l, sends ? place.name : ferryi_address_get(a, "from"));
}

/* In the child of a fork: opened as if for the first time. */
static int adopt(struct ferry_link *l)
{
	struct ferryi_process *h = ferryi_process_of(l);
	struct ferryi_address a;
	const char *why;

	if (h->station && h->station->generation == ferryi_generation())
		return 0;
	fini(l);
	if (ferryi_address_parse(&a, l->address, &why) != 0)
		return ferryi_fail(-EINVAL, "%s: %s", l->address, why);
	return process_open(l, &a);
}

/* --- waiting ----------------------------------------------------------------- */

static int interest(struct ferry_link *l, enum ferryi_want want,
		    struct ferryi_wait *w)
{
	if (want == FERRYI_WANT_OPEN) {
		ferryi_wait_tick(w, ferryi_now() + LOOK_AGAIN);
		return 0;
	}
	w->gate = want == FERRYI_WANT_RECV ? FERRYI_RECEIVING : FERRYI_SENDING;
	return ferryi_process_want(l, w->gate, w);
}

/* --- who and how --------------------------------------------------------------- */

static struct ferryi_line *line_of(const struct ferryi_partner *p)
{
	return !p ? NULL : p->out ? p->out : p->lines;
}

static int peer(struct ferry_link *l, struct ferry_process *out)
{
	struct ferryi_process *h = ferryi_process_of(l);
	struct ferryi_line *line;
	int r = ferryi_process_enter(l);

	if (r < 0)
		return r;
	if (!h->partner)
		return ferryi_fail(
			-EOPNOTSUPP,
			"%s: receives from any process (each message "
			"that is taken tells its sender)",
			l->address);
	pthread_mutex_lock(&h->station->lock);
	line = line_of(h->partner);
	r = line ? ferryi_endpoint_peer(line->channel, out) : -ENOENT;
	pthread_mutex_unlock(&h->station->lock);
	return r != -ENOENT ? r :
			      ferryi_fail(r,
					  "%s: there is no link to %s yet "
					  "(the first message makes it)",
					  l->address, h->partner->name);
}

static const char *what_happened(unsigned flags, int err)
{
	switch (err) {
	case -EAGAIN:
	case -ETIMEDOUT:
		return flags & FERRY_SEND ? "nothing can be moved now" :
					    "no message";
	case -ENODATA: return "the other process has closed its end";
	case -ECONNRESET:
		return "the process that it led to has ended (the next send "
		       "looks for the name again)";
	}
	return NULL;
}

static int explain(struct ferry_link *l, int err, char *buf, size_t size)
{
	struct ferryi_process *h = ferryi_process_of(l);
	const char *what = what_happened(l->flags, err);
	struct ferryi_line *line;
	unsigned n;
	pid_t pid;

	if (!what || !h->station ||
	    h->station->generation != ferryi_generation())
		return 0;
	pthread_mutex_lock(&h->station->lock);
	line = line_of(h->partner);
	pid = line ? line->pid : 0;
	n = h->station->n_lines;
	pthread_mutex_unlock(&h->station->lock);
	if (pid)
		return snprintf(buf, size,
				"%s: %s (the other process is pid "
				"%d)",
				l->address, what, (int)pid);
	if (h->partner)
		return snprintf(buf, size, "%s: %s (no link to %s now)",
				l->address, what, h->partner->name);
	return snprintf(buf, size, "%s: %s (%u links lead here)", l->address,
			what, n);
}

const struct ferryi_transport ferryi_transport_process = {
	.info = {
		.scheme = "process",
		.summary = "direct messages to a process with a name",
		.naming = "name that its receiver registers, or path",
		.framing = "message",
		.direction = "duplex, one link a pair",
		.buffering = "bounded, 256 KiB each way unless ?ring=",
		.persistence = "process",
		.promises = FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX |
			    FERRY_CAN_ORDER | FERRY_CAN_RELIABLE |
			    FERRY_CAN_MANY_SEND | FERRY_CAN_NAME |
			    FERRY_CAN_PEER_DEATH | FERRY_CAN_CREDENTIAL |
			    FERRY_CAN_IN_PLACE,
	},
	.keys = "from as mode ring",
	.state_size = sizeof(struct ferryi_process),
	.spins = true,
	.open = process_open,
	.destroy = ferryi_door_destroy,
	.adopt = adopt,
	.peer = peer,
	.fini = fini,
	.interest = interest,
	.explain = explain,
	.messages = &ferryi_messages_of_process,
};
