/* SPDX-License-Identifier: MIT */
/*
 * Messages and bytes through a channel.  A stream goes in messages of up to
 * PIECE bytes, of which the reader takes what it has room for; a short write in
 * one.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "link/channel.h"

#define PIECE (16u << 10)

/* Full: it has rung already.  Broken: the next call finds out. */
static void ring_bell(int fd)
{
	ferryi_socket_send(fd, "", 1);
}

static int over(struct ferry_link *l, const char *what)
{
	return ferryi_fail(-ENODATA,
			   "%s: this side has ended %s (ferry_shutdown)",
			   l->address, what);
}

static int nonsense(struct ferry_link *l)
{
	return ferryi_fail(-EBADMSG,
			   "%s: the other side has written what makes no "
			   "sense (close it)",
			   l->address);
}

/* --- sending --------------------------------------------------------------- */

static int begin_send(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r = ferryi_channel_enter(l);

	if (r < 0)
		return r;
	return c->unix_.end.ended_out ? over(l, "sending") :
					ferryi_channel_gone(l);
}

static int refused(struct ferry_link *l, int err, size_t len)
{
	struct ferryi_channel *c = ferryi_channel_of(l);

	switch (err) {
	case -EMSGSIZE:
		return ferryi_fail(
			err,
			"%s: a message of %zu bytes is larger than "
			"half of its ring, %llu bytes (make it with "
			"a larger ring=, or send a stream)",
			l->address, len,
			(unsigned long long)ferryi_ring_largest(c->out.n));
	case -EBUSY:
		return ferryi_fail(err,
				   "%s: a loan is out, and a channel has one "
				   "at a time (commit or abandon it)",
				   l->address);
	case -EBADMSG: return nonsense(l);
	}
	return err;
}

static int commit(struct ferryi_channel *c, size_t len)
{
	int r = ferryi_ring_commit(&c->out, len);

	if (r == 0 && ferryi_ring_lower_more(&c->out))
		ring_bell(c->unix_.end.in);
	return r;
}

static int lend(struct ferry_link *l, size_t len, void **place)
{
	int r = begin_send(l);

	if (r < 0)
		return r;
	r = ferryi_ring_loan(&ferryi_channel_of(l)->out, len, place);
	return r < 0 ? refused(l, r, len) : 0;
}

static int channel_send(struct ferry_link *l, const void *data, size_t len)
{
	void *place;
	int r = lend(l, len, &place);

	if (r < 0)
		return r;
	if (len)
		memcpy(place, data, len);
	return commit(ferryi_channel_of(l), len);
}

static int channel_loan(struct ferry_link *l, size_t len,
			struct ferry_message *m)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	void *place;
	int r = lend(l, len, &place);

	if (r < 0)
		return r;
	*m = (struct ferry_message){ .link = l, .len = len, .data = place };
	m->reserved[0] = len;
	m->reserved[1] = c->me;
	return 0;
}

/* A message belongs to the process that took or loaned it. */
static int enter_with(struct ferry_link *l, const struct ferry_message *m)
{
	int r = ferryi_channel_enter(l);

	if (r == 0 && m->reserved[1] != ferryi_channel_of(l)->me)
		r = ferryi_fail(-ESTALE,
				"%s: the message is not this process's (it is "
				"its parent's)",
				l->address);
	return r;
}

static int channel_commit(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r = enter_with(l, m);

	if (r == 0)
		r = begin_send(l);
	if (r < 0)
		return r;
	if (m->len > m->reserved[0])
		return ferryi_fail(-EINVAL,
				   "the message has %zu bytes, %llu were "
				   "loaned (len may only be made smaller)",
				   m->len, (unsigned long long)m->reserved[0]);
	return commit(c, m->len);
}

static int channel_abandon(struct ferry_link *l, struct ferry_message *m)
{
	int r = enter_with(l, m);

	if (r == 0)
		ferryi_ring_abandon(&ferryi_channel_of(l)->out);
	return r;
}

/* --- receiving ------------------------------------------------------------- */

/* Take the next message, or only look at it.  What was sent before the end comes
 * before the end, so that is asked for first. */
static int look(struct ferry_link *l, bool only, size_t max,
		struct ferryi_ring_message *m)
{
	struct ferryi_ring *in = &ferryi_channel_of(l)->in;
	int r = only ? ferryi_ring_next(in, m) : ferryi_ring_take(in, max, m);

	return r == -EBADMSG ? nonsense(l) : r;
}

static int get(struct ferry_link *l, bool only, size_t max,
	       struct ferryi_ring_message *m)
{
	int r = ferryi_channel_enter(l), end;

	if (r < 0)
		return r;
	if (ferryi_channel_of(l)->unix_.end.ended_in)
		return over(l, "receiving");
	r = look(l, only, max, m);
	if (r != -EAGAIN)
		return r;
	end = ferryi_channel_end(l);
	if (end == -EAGAIN)
		return end;
	r = look(l, only, max, m);
	return r == -EAGAIN ? end : r;
}

static void tell_room(struct ferryi_channel *c)
{
	if (ferryi_ring_lower_room(&c->in))
		ring_bell(c->room);
}

/* The message was copied, in the turn of the receiving side.  While others are
 * out, their threads may be ending them. */
static void finish(struct ferryi_channel *c, uint64_t at)
{
	if (__atomic_load_n(&c->held, __ATOMIC_SEQ_CST) == 0)
		ferryi_ring_end_all(&c->in);
	else
		ferryi_ring_end(&c->in, at);
	tell_room(c);
}

static ssize_t channel_recv(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_ring_message m;
	int r = get(l, false, size, &m);

	if (r < 0)
		return r;
	if (m.len)
		memcpy(buf, m.data, m.len);
	finish(ferryi_channel_of(l), m.at);
	return (ssize_t)m.len;
}

static ssize_t channel_next_len(struct ferry_link *l)
{
	struct ferryi_ring_message m;
	int r = get(l, true, 0, &m);

	return r < 0 ? r : (ssize_t)m.len;
}

static int channel_take(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	struct ferryi_ring_message got;
	int r = get(l, false, SIZE_MAX, &got);

	if (r < 0)
		return r;
	__atomic_add_fetch(&c->held, 1, __ATOMIC_SEQ_CST);
	*m = (struct ferry_message){ .link = l,
				     .data = got.data,
				     .len = got.len,
				     .seq = got.at,
				     .id = got.at + 1,
				     .deliveries = 1 };
	if (c->unix_.end.known)
		m->sender = c->unix_.end.peer;
	m->reserved[0] = got.at;
	m->reserved[1] = c->me;
	return 0;
}

static int channel_release(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r = enter_with(l, m);

	if (r < 0)
		return r;
	ferryi_ring_end(&c->in, m->reserved[0]);
	__atomic_sub_fetch(&c->held, 1, __ATOMIC_SEQ_CST);
	tell_room(c);
	return 0;
}

static int channel_reply(struct ferry_link *l, const struct ferry_message *m,
			 const void *data, size_t len)
{
	int r = enter_with(l, m);

	return r < 0 ? r : channel_send(l, data, len);
}

const struct ferryi_messages ferryi_messages_of_channel = {
	.send = channel_send,
	.recv = channel_recv,
	.next_len = channel_next_len,
	.loan = channel_loan,
	.commit = channel_commit,
	.abandon = channel_abandon,
	.take = channel_take,
	.release = channel_release,
	.reply = channel_reply,
};

/* --- bytes ----------------------------------------------------------------- */

static ssize_t channel_write(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	uint64_t least = ferryi_channel_least(len), n;
	void *place;
	int r = begin_send(l);

	if (r < 0)
		return r;
	n = ferryi_min(ferryi_min(len, PIECE), ferryi_ring_largest(c->out.n));
	while ((r = ferryi_ring_loan(&c->out, n, &place)) == -EAGAIN &&
	       n > least)
		n = ferryi_max(n / 2, least);
	if (r < 0)
		return refused(l, r, n);
	memcpy(place, data, n);
	r = commit(c, n);
	return r < 0 ? r : (ssize_t)n;
}

static ssize_t channel_read(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	uint64_t n;
	int r = ferryi_channel_enter(l);

	if (r == 0 && !c->has_part) {
		r = get(l, false, SIZE_MAX, &c->part);
		c->has_part = r == 0;
		c->part_done = 0;
	}
	if (r < 0)
		return r;
	n = ferryi_min(size, c->part.len - c->part_done);
	memcpy(buf, (uint8_t *)c->part.data + c->part_done, n);
	c->part_done += (uint32_t)n;
	if (c->part_done == c->part.len) {
		finish(c, c->part.at);
		c->has_part = false;
	}
	return (ssize_t)n;
}

const struct ferryi_stream ferryi_stream_of_channel = {
	.write = channel_write,
	.read = channel_read,
};
