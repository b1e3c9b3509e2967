/* SPDX-License-Identifier: MIT */
/*
 * Messages into a channel.  Those that have descriptors, or are longer than half
 * of the ring, go by channel_beside.c.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/channel.h"
#include "link/turns.h"
#include "shm/atomic.h"

/* Full: it has rung already.  Broken: the next call finds out. */
void ferryi_channel_ring_bell(int fd)
{
	ferryi_socket_send(fd, "", 1);
}

int ferryi_channel_over(struct ferry_link *l, const char *what)
{
	return ferryi_fail(-ENODATA,
			   "%s: this side has ended %s (ferry_shutdown)",
			   l->address, what);
}

int ferryi_channel_nonsense(struct ferry_link *l)
{
	return ferryi_fail(-EBADMSG,
			   "%s: the other side has written what makes no "
			   "sense (close it)",
			   l->address);
}

int ferryi_channel_busy(struct ferry_link *l)
{
	return ferryi_fail(-EBUSY,
			   "%s: a loan is out, and a channel has one at a time "
			   "(commit or abandon it)",
			   l->address);
}

int ferryi_channel_begin_send(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r = ferryi_channel_enter(l);

	if (r < 0)
		return r;
	if (c->unix_.end.ended_out)
		return ferryi_channel_over(l, "sending");
	r = ferryi_channel_gone(l);
	if (r == 0 && ferryi_channel_is(c, FERRYI_CHANNEL_HALF) &&
	    !ferryi_channel_get_turn(c)) {
		c->blocked = FERRYI_BLOCKED_TURN;
		return -EAGAIN;
	}
	return r;
}

int ferryi_channel_lend(struct ferry_link *l, size_t len, void **place)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r = ferryi_ring_loan(&c->out, len, place);

	switch (r) {
	case -EAGAIN:
		c->blocked = FERRYI_BLOCKED_ROOM;
		c->need = len;
		return r;
	case -EBUSY: return ferryi_channel_busy(l);
	case -EBADMSG: return ferryi_channel_nonsense(l);
	}
	return r;
}

void ferryi_channel_committed(struct ferryi_channel *c)
{
	if (ferryi_ring_lower_more(&c->out))
		ferryi_channel_ring_bell(c->unix_.end.in);
}

/* From hand to hand: it is sent once it is taken. */
static int offer(struct ferryi_channel *c, size_t len)
{
	bool fresh = !c->out.offered;
	int r = ferryi_ring_offer(&c->out, len);

	if (fresh)
		ferryi_channel_committed(c);
	if (r == -EAGAIN)
		c->blocked = FERRYI_BLOCKED_HAND;
	return r;
}

static int commit(struct ferryi_channel *c, size_t len)
{
	int r;

	if (ferryi_channel_is(c, FERRYI_CHANNEL_HAND))
		return offer(c, len);
	r = ferryi_ring_commit(&c->out, len, false);
	if (r == 0)
		ferryi_channel_committed(c);
	return r;
}

/* From hand to hand there is no other way to send than through the ring. */
static int too_long(struct ferry_link *l, size_t len)
{
	return ferryi_fail(-EMSGSIZE,
			   "%s: a message of %zu bytes is larger than half of "
			   "its ring, %llu bytes (make it with a larger ring=, "
			   "or with a capacity)",
			   l->address, len,
			   (unsigned long long)ferryi_ring_largest(
				   ferryi_channel_of(l)->out.n));
}

static bool is_long(struct ferryi_channel *c, size_t len)
{
	return len > ferryi_ring_largest(c->out.n);
}

int ferryi_channel_send(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	void *place;
	int r = ferryi_channel_begin_send(l);

	if (r < 0)
		return r;
	if (c->out.offered)
		return offer(c, len);
	if (is_long(c, len))
		return ferryi_channel_is(c, FERRYI_CHANNEL_HAND) ?
			       too_long(l, len) :
			       ferryi_channel_send_beside(l, data, len, NULL,
							  0);
	r = ferryi_channel_lend(l, len, &place);
	if (r < 0)
		return r;
	if (len)
		memcpy(place, data, len);
	return commit(c, len);
}

int ferryi_channel_send_fds(struct ferry_link *l, const void *data, size_t len,
			    const int *fds, unsigned n)
{
	int r = ferryi_channel_begin_send(l);

	if (r < 0)
		return r;
	if (ferryi_channel_is(ferryi_channel_of(l), FERRYI_CHANNEL_HAND))
		return ferryi_fail(
			-EOPNOTSUPP,
			"%s: descriptors do not go from hand to hand "
			"(leave capacity=0 out)",
			l->address);
	return ferryi_channel_send_beside(l, data, len, fds, n);
}

int ferryi_channel_reply(struct ferry_link *l, const struct ferry_message *m,
			 const void *data, size_t len)
{
	int r = ferryi_channel_enter_with(l, m);

	return r < 0 ? r : ferryi_channel_send(l, data, len);
}

/* --- in place -------------------------------------------------------------- */

int ferryi_channel_loan(struct ferry_link *l, size_t len,
			struct ferry_message *m)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	void *place;
	int r = ferryi_channel_begin_send(l);

	if (r == 0 && is_long(c, len) &&
	    ferryi_channel_is(c, FERRYI_CHANNEL_HAND))
		r = too_long(l, len);
	if (r == 0 && (c->out_long.base || ferryi_fetch(&c->out.lent)))
		r = ferryi_channel_busy(l);
	if (r == 0)
		r = is_long(c, len) ? ferryi_channel_lend_long(l, len, &place) :
				      ferryi_channel_lend(l, len, &place);
	if (r < 0)
		return r;
	*m = (struct ferry_message){ .link = l, .len = len, .data = place };
	m->reserved[0] = len;
	m->reserved[1] = c->me;
	return 0;
}

/* A message belongs to the process that took or loaned it. */
int ferryi_channel_enter_with(struct ferry_link *l,
			      const struct ferry_message *m)
{
	int r = ferryi_channel_enter(l);

	if (r == 0 && m->reserved[1] != ferryi_channel_of(l)->me)
		r = ferryi_fail(-ESTALE,
				"%s: the message is not this process's (it is "
				"its parent's)",
				l->address);
	return r;
}

int ferryi_channel_commit(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r = ferryi_channel_enter_with(l, m);

	if (r == 0)
		r = ferryi_channel_begin_send(l);
	if (r < 0)
		return r;
	if (m->len > m->reserved[0])
		return ferryi_fail(-EINVAL,
				   "the message has %zu bytes, %llu were "
				   "loaned (len may only be made smaller)",
				   m->len, (unsigned long long)m->reserved[0]);
	return c->out_long.base ? ferryi_channel_commit_long(l, m->len) :
				  commit(c, m->len);
}

int ferryi_channel_abandon(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r = ferryi_channel_enter_with(l, m);

	if (r < 0)
		return r;
	if (c->out_long.base)
		ferryi_channel_drop_long(c);
	else
		ferryi_ring_abandon(&c->out);
	return 0;
}

/* --- a call that did not succeed --------------------------------------------- */

int ferryi_channel_gave_up(struct ferry_link *l, enum ferryi_want want, int err)
{
	struct ferryi_channel *c = ferryi_channel_of(l);

	if (want != FERRYI_WANT_SEND && want != FERRYI_WANT_COMMIT &&
	    want != FERRYI_WANT_LOAN)
		return err;
	if (c->out.offered) {
		if (!ferryi_ring_withdraw(&c->out))
			return 0; /* it was taken just before */
		if (want == FERRYI_WANT_SEND)
			ferryi_ring_abandon(&c->out);
	}
	return c->blocked == FERRYI_BLOCKED_TURN ?
		       ferryi_turns_gave_up(l, err) :
		       err;
}

/* From hand to hand a call that may not wait is over before anybody can take what it
 * offers: a loop of such calls would never send. */
int ferryi_channel_may_poll(struct ferry_link *l, unsigned direction)
{
	if (direction == FERRY_RECV ||
	    !ferryi_channel_is(ferryi_channel_of(l), FERRYI_CHANNEL_HAND))
		return 0;
	return ferryi_fail(-EOPNOTSUPP,
			   "%s: from hand to hand a send waits until its "
			   "message is taken, and an event loop does not wait "
			   "(send with a deadline, or leave capacity=0 out)",
			   l->address);
}
