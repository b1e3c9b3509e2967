/* SPDX-License-Identifier: MIT */
/*
 * An end of a channel goes to another process: across exec, or through a socket.
 *
 * All that only this side knows goes along: how far it has sent and received.  The
 * new owner does not know which slots hold parts of old messages, and so takes
 * all of them for such.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/channel.h"
#include "link/parcel.h"
#include "shm/atomic.h"

struct place {
	uint64_t at, head, count;
};

/* What struct ferryi_parcel.state holds. */
struct state {
	uint32_t flags, side;
	uint32_t ended_in, ended_out, has_part, part_done;
	uint64_t long_until;
	struct place in, out;
};

_Static_assert(sizeof(struct state) <=
		       sizeof(((struct ferryi_parcel *)0)->state),
	       "it has to fit");

static struct place place_of(const struct ferryi_ring *r)
{
	return (struct place){ r->at, r->head, r->count };
}

static bool is_busy(struct ferryi_channel *c)
{
	return ferryi_fetch(&c->out.lent) || c->out_long.base ||
	       __atomic_load_n(&c->held, __ATOMIC_SEQ_CST) > 0;
}

int ferryi_channel_pack(struct ferry_link *l, struct ferryi_parcel *p, int *fds)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	struct state s = { .flags = c->flags,
			   .side = c->side,
			   .ended_in = c->unix_.end.ended_in,
			   .ended_out = c->unix_.end.ended_out,
			   .has_part = c->has_part,
			   .part_done = c->part_done,
			   .long_until = c->long_until,
			   .in = place_of(&c->in),
			   .out = place_of(&c->out) };
	int r = ferryi_channel_enter(l);

	if (r < 0)
		return r;
	if (is_busy(c))
		return ferryi_fail(-EBUSY,
				   "%s: a message is loaned or taken (end it "
				   "before the export)",
				   l->address);
	memcpy(p->state, &s, sizeof s);
	fds[0] = c->unix_.end.in;
	fds[1 + FERRYI_CHANNEL_MEMORY] = c->memory;
	fds[1 + FERRYI_CHANNEL_ROOM_SOCKET] = c->room;
	fds[1 + FERRYI_CHANNEL_CARRIER_SOCKET] = c->carrier;
	p->n_fds = 1 + FERRYI_CHANNEL_PASSED;
	return 0;
}

void ferryi_channel_packed(struct ferry_link *l)
{
	ferryi_channel_of(l)->given_away = true;
}

/* --- on the other side ------------------------------------------------------- */

static bool makes_sense(const struct ferryi_channel *c, const struct place *p)
{
	return p->head <= p->at &&
	       p->at - p->head <= (UINT64_C(1) << c->ring_log2);
}

static void go_to(struct ferryi_ring *r, const struct place *p)
{
	r->at = p->at;
	r->head = p->head;
	r->count = p->count;
}

/* The message that is being read lies where the receiver's `head` is. */
static int go_on_reading(struct ferry_link *l, const struct state *s)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	uint64_t at = c->in.at;
	int r;

	c->in.at = c->in.head;
	r = ferryi_ring_next(&c->in, &c->part);
	c->in.at = at;
	if (r < 0 || s->part_done > c->part.len)
		return ferryi_channel_nonsense(l);
	c->part_done = s->part_done;
	c->has_part = true;
	return 0;
}

static int go_on(struct ferry_link *l, const struct state *s)
{
	struct ferryi_channel *c = ferryi_channel_of(l);

	if (!makes_sense(c, &s->in) || !makes_sense(c, &s->out))
		return ferryi_channel_nonsense(l);
	go_to(&c->in, &s->in);
	go_to(&c->out, &s->out);
	memset(c->out.bits, 0xff, (UINT64_C(1) << c->ring_log2) / 8);
	c->long_until = s->long_until;
	c->unix_.end.ended_in = s->ended_in;
	c->unix_.end.ended_out = s->ended_out;
	return s->has_part ? go_on_reading(l, s) : 0;
}

int ferryi_channel_unpack(struct ferry_link *l, const struct ferryi_parcel *p,
			  const int *fds)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	struct state s;
	int r;

	memcpy(&s, p->state, sizeof s);
	if (p->n_fds != 1 + FERRYI_CHANNEL_PASSED || s.side > 1)
		return ferryi_channel_nonsense(l);
	c->flags = s.flags;
	c->memory = fds[1 + FERRYI_CHANNEL_MEMORY];
	c->room = fds[1 + FERRYI_CHANNEL_ROOM_SOCKET];
	c->carrier = fds[1 + FERRYI_CHANNEL_CARRIER_SOCKET];
	r = ferryi_channel_read_header(l);
	if (r == 0)
		r = ferryi_channel_attach(l, s.side);
	if (r == 0)
		r = go_on(l, &s);
	if (r < 0)
		return r;
	ferryi_endpoint_set(l, fds[0], fds[0]);
	ferryi_endpoint_meet(l);
	return 0;
}
