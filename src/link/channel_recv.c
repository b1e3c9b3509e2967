/* SPDX-License-Identifier: MIT */
/* Messages out of a channel. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/channel.h"
#include "shm/atomic.h"

/* What was sent before the end comes before the end, so that is asked for first. */
static int look(struct ferry_link *l, struct ferryi_ring_message *m)
{
	int r = ferryi_ring_next(&ferryi_channel_of(l)->in, m);

	return r == -EBADMSG ? ferryi_channel_nonsense(l) : r;
}

/*
 * Half-duplex: who waits for a message lets others send.  While we have the turn
 * nothing comes that was not there when we got it; so one more look tells.
 */
static int let_go(struct ferry_link *l, struct ferryi_ring_message *m)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r;

	if (!ferryi_channel_is(c, FERRYI_CHANNEL_HALF) ||
	    !ferryi_channel_has_turn(c))
		return -EAGAIN;
	r = look(l, m);
	if (r == -EAGAIN)
		ferryi_channel_pass_turn(c, FERRYI_CHANNEL_NOBODY);
	return r;
}

int ferryi_channel_next(struct ferry_link *l, struct ferryi_ring_message *m)
{
	int r = ferryi_channel_enter(l), end;

	if (r < 0)
		return r;
	if (ferryi_channel_of(l)->unix_.end.ended_in)
		return ferryi_channel_over(l, "receiving");
	r = look(l, m);
	if (r != -EAGAIN)
		return r;
	end = ferryi_channel_end(l);
	if (end == -EAGAIN)
		return let_go(l, m);
	r = look(l, m);
	return r == -EAGAIN ? end : r;
}

void ferryi_channel_tell_room(struct ferryi_channel *c)
{
	if (ferryi_ring_lower_room(&c->in))
		ferryi_channel_ring_bell(c->room);
}

int ferryi_channel_take_this(struct ferryi_channel *c,
			     const struct ferryi_ring_message *m)
{
	int r = ferryi_ring_take_this(&c->in, m);

	if (r == 0 && ferryi_channel_is(c, FERRYI_CHANNEL_HAND))
		ferryi_channel_tell_room(c);
	return r;
}

/* The message was copied, in the turn of the receiving side.  While others are
 * out, their threads may be ending them. */
void ferryi_channel_finish(struct ferryi_channel *c, uint64_t at)
{
	if (__atomic_load_n(&c->held, __ATOMIC_SEQ_CST) == 0)
		ferryi_ring_end_all(&c->in);
	else
		ferryi_ring_end(&c->in, at);
	ferryi_channel_tell_room(c);
}

ssize_t ferryi_channel_recv_fds(struct ferry_link *l, void *buf, size_t size,
				int *fds, unsigned *n)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	struct ferryi_ring_message m;
	int r = ferryi_channel_next(l, &m);

	if (r < 0)
		return r;
	if (m.beside)
		return ferryi_channel_recv_beside(l, &m, buf, size, fds, n);
	if (m.len > size)
		return -EMSGSIZE;
	r = ferryi_channel_take_this(c, &m);
	if (r < 0)
		return r;
	if (m.len)
		memcpy(buf, m.data, m.len);
	ferryi_channel_finish(c, m.at);
	*n = 0;
	return (ssize_t)m.len;
}

ssize_t ferryi_channel_recv(struct ferry_link *l, void *buf, size_t size)
{
	unsigned none = 0;

	return ferryi_channel_recv_fds(l, buf, size, NULL, &none);
}

ssize_t ferryi_channel_next_len(struct ferry_link *l)
{
	struct ferryi_ring_message m;
	int r = ferryi_channel_next(l, &m);

	if (r < 0)
		return r;
	return m.beside ? ferryi_channel_len_beside(l, &m) : (ssize_t)m.len;
}

/* --- in place -------------------------------------------------------------- */

static void fill(struct ferry_link *l, struct ferry_message *m,
		 const struct ferryi_ring_message *got)
{
	struct ferryi_channel *c = ferryi_channel_of(l);

	__atomic_add_fetch(&c->held, 1, __ATOMIC_SEQ_CST);
	*m = (struct ferry_message){ .link = l,
				     .data = got->data,
				     .len = got->len,
				     .seq = got->at,
				     .id = got->at + 1,
				     .deliveries = 1 };
	if (c->unix_.end.known)
		m->sender = c->unix_.end.peer;
	m->reserved[0] = got->at;
	m->reserved[1] = c->me;
}

int ferryi_channel_take(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_ring_message got;
	uint64_t len;
	void *data;
	int r = ferryi_channel_next(l, &got);

	if (r < 0)
		return r;
	if (got.beside) {
		r = ferryi_channel_take_beside(l, &got, &data, &len);
		if (r < 0)
			return r;
		fill(l, m, &got);
		m->data = data;
		m->len = len;
		return 0;
	}
	r = ferryi_channel_take_this(ferryi_channel_of(l), &got);
	if (r < 0)
		return r;
	fill(l, m, &got);
	return 0;
}

int ferryi_channel_release(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r = ferryi_channel_enter_with(l, m);

	if (r < 0)
		return r;
	if (m->data == ferryi_load(&c->in_long.base))
		ferryi_channel_end_long(c);
	ferryi_ring_end(&c->in, m->reserved[0]);
	__atomic_sub_fetch(&c->held, 1, __ATOMIC_SEQ_CST);
	ferryi_channel_tell_room(c);
	return 0;
}
