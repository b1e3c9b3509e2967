/* SPDX-License-Identifier: MIT */
/*
 * The calls that copy messages and bytes.  Each checks what the link is, then
 * runs one attempt of the transport's in the loop of call.c.  Nothing here
 * knows a scheme.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "link/call.h"
#include "link/framing.h"
#include "link/link.h"
#include "link/pollfd.h"

/* --- what may be called on what ------------------------------------------ */

static int check_side(struct ferry_link *l, unsigned side)
{
	ferryi_fail_clear();
	if (!l)
		return ferryi_fail(-EINVAL, "there is no link (NULL)");
	if (l->listening)
		return ferryi_fail(-EINVAL,
				   "%s only listens (send and receive "
				   "on what ferry_accept() gives)",
				   l->address);
	if (!(l->flags & side))
		return ferryi_fail(-EINVAL, "%s is open to %s only", l->address,
				   side == FERRY_SEND ? "receive" : "send");
	return 0;
}

int ferryi_refuse_messages(struct ferry_link *l, unsigned side)
{
	int err = check_side(l, side);

	if (!err && !l->messages && !l->framing)
		return ferryi_fail(-EPROTOTYPE,
				   "%s is a stream (use "
				   "ferry_read() and ferry_write(), or open it "
				   "with framing=len32)",
				   l->address);
	return err;
}

static int check_stream(struct ferry_link *l, unsigned side)
{
	int err = check_side(l, side);

	if (!err && (!l->stream || l->framing))
		return ferryi_fail(-EPROTOTYPE,
				   "%s carries messages (use "
				   "ferry_send() and ferry_recv())",
				   l->address);
	return err;
}

int ferryi_lacks(struct ferry_link *l, const char *what)
{
	return ferryi_fail(-EOPNOTSUPP, "%s: links do not %s (mailboxes do)",
			   l->t->info.scheme, what);
}

/* --- messages ------------------------------------------------------------ */

static ssize_t try_send(struct ferryi_call *c)
{
	return c->l->messages->send(c->l, c->data, c->len);
}

/* Where the transport only lends: the same with a copy. */
static int send_by_loan(struct ferry_link *l, const void *data, size_t len,
			ferry_time deadline)
{
	struct ferry_message m;
	int err = ferry_loan(l, len, &m, deadline);

	if (err)
		return err;
	if (len)
		memcpy(m.data, data, len);
	err = ferry_commit(&m, deadline);
	if (err && err != -ESTALE)
		l->messages->abandon(l, &m);
	return err;
}

/* In the turn, and the first attempt was -EAGAIN. */
static __attribute__((noinline)) int send_again(struct ferry_link *l,
						const void *data, size_t len,
						ferry_time deadline)
{
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_SEND,
				 .attempt = try_send,
				 .data = data,
				 .len = len };

	return (int)ferryi_call_again(&c, deadline);
}

/* The first attempt is made from here: it is most often the only one. */
static int send_whole(struct ferry_link *l, const void *data, size_t len,
		      ferry_time deadline)
{
	int err = l->messages->send(l, data, len);

	if (err == -EAGAIN)
		return send_again(l, data, len, deadline);
	ferryi_polled_may(ferryi_polled_of(l, FERRY_SEND));
	return err;
}

int ferry_send(struct ferry_link *l, const void *data, size_t len,
	       ferry_time deadline)
{
	int err = ferryi_check_messages(l, FERRY_SEND);

	if (err)
		return err;
	if (!l->framing && !l->messages->send)
		return send_by_loan(l, data, len, deadline);
	err = ferryi_turn_take(l, FERRY_SEND, deadline);
	if (err)
		return err;
	err = l->framing ? ferryi_framing_send(l, data, len, deadline) :
			   send_whole(l, data, len, deadline);
	ferryi_turn_give(l, FERRY_SEND);
	return err;
}

static ssize_t try_send_to(struct ferryi_call *c)
{
	return c->l->messages->send_to(c->l, c->more, c->data, c->len);
}

int ferryi_send_to(struct ferry_link *l, const char *to, const void *data,
		   size_t len, ferry_time deadline)
{
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_SEND,
				 .attempt = try_send_to,
				 .data = data,
				 .len = len,
				 .more = (char *)to };

	return (int)ferryi_call_run(&c, deadline);
}

int ferry_send_to(struct ferry_link *l, const char *address, const void *data,
		  size_t len, ferry_time deadline)
{
	int err = ferryi_check_messages(l, FERRY_SEND);

	if (err)
		return err;
	if (!address)
		return ferryi_fail(-EINVAL, "there is no address (NULL)");
	if (l->framing || !l->messages->send_to)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: messages have no destination of their "
				   "own (open a link to it)",
				   l->address);
	return ferryi_send_to(l, address, data, len, deadline);
}

static ssize_t try_recv(struct ferryi_call *c)
{
	return c->l->framing ? ferryi_framing_recv(c->l, c->buf, c->len) :
			       c->l->messages->recv(c->l, c->buf, c->len);
}

/* Too small a buffer gives the message back at once: it stays the next one. */
static ssize_t recv_by_take(struct ferry_link *l, void *buf, size_t size,
			    ferry_time deadline)
{
	struct ferry_message m;
	int err = ferry_take(l, &m, deadline);
	ssize_t len;

	if (err)
		return err;
	if (m.len > size) {
		err = ferry_requeue(&m, 0);
		return err ? err : -EMSGSIZE;
	}
	len = (ssize_t)m.len;
	if (len)
		memcpy(buf, m.data, m.len);
	err = ferry_release(&m);
	return err ? err : len;
}

static __attribute__((noinline)) ssize_t recv_again(struct ferry_link *l,
						    void *buf, size_t size,
						    ferry_time deadline)
{
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_RECV,
				 .attempt = try_recv,
				 .buf = buf,
				 .len = size };

	return ferryi_call_again(&c, deadline);
}

/* The first attempt is made from here, as in send_whole(). */
static ssize_t recv_in_turn(struct ferry_link *l, void *buf, size_t size,
			    ferry_time deadline)
{
	ssize_t n = ferryi_turn_take(l, FERRY_RECV, deadline);

	if (n < 0)
		return n;
	n = l->framing ? ferryi_framing_recv(l, buf, size) :
			 l->messages->recv(l, buf, size);
	if (n == -EAGAIN)
		n = recv_again(l, buf, size, deadline);
	else
		ferryi_polled_may(ferryi_polled_of(l, FERRY_RECV));
	ferryi_turn_give(l, FERRY_RECV);
	return n;
}

ssize_t ferry_recv(struct ferry_link *l, void *buf, size_t size,
		   ferry_time deadline)
{
	ssize_t n = ferryi_check_messages(l, FERRY_RECV);

	if (n < 0)
		return n;
	n = l->framing || l->messages->recv ?
		    recv_in_turn(l, buf, size, deadline) :
		    recv_by_take(l, buf, size, deadline);
	if (n == -EMSGSIZE && !ferryi_fail_sentence(-EMSGSIZE))
		ferryi_fail_note(
			-EMSGSIZE,
			"%s: the next message is longer than "
			"the buffer of %zu bytes (ferry_next_len() tells; "
			"it stays first)",
			l->address, size);
	return n;
}

ssize_t ferry_next_len(struct ferry_link *l)
{
	ssize_t n = ferryi_check_messages(l, FERRY_RECV);

	if (n < 0)
		return n;
	if (!l->framing && !l->messages->next_len)
		return ferryi_lacks(l, "tell the next length");
	n = ferryi_turn_take(l, FERRY_RECV, FERRY_NOWAIT);
	if (n < 0)
		return n;
	n = l->framing ? ferryi_framing_next_len(l) : l->messages->next_len(l);
	if (n != -EAGAIN) /* it may have come from where the descriptor looks */
		ferryi_polled_may(ferryi_polled_of(l, FERRY_RECV));
	ferryi_turn_give(l, FERRY_RECV);
	return n;
}

/* --- bytes --------------------------------------------------------------- */

static ssize_t try_write(struct ferryi_call *c)
{
	const char *from = c->data;
	ssize_t n;

	while (c->done < c->len) {
		n = c->l->stream->write(c->l, from + c->done, c->len - c->done);
		if (n < 0)
			return n;
		c->done += (size_t)n;
	}
	return 0;
}

ssize_t ferry_write(struct ferry_link *l, const void *data, size_t len,
		    ferry_time deadline)
{
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_SEND,
				 .attempt = try_write,
				 .data = data,
				 .len = len };
	ssize_t n = check_stream(l, FERRY_SEND);

	if (n < 0)
		return n;
	if (len > SSIZE_MAX)
		return ferryi_fail(-EINVAL,
				   "%zu bytes are more than one call "
				   "can count",
				   len);
	n = ferryi_call_run(&c, deadline);
	return n < 0 && c.done == 0 ? n : (ssize_t)c.done;
}

static ssize_t try_read(struct ferryi_call *c)
{
	return c->l->stream->read(c->l, c->buf, c->len);
}

ssize_t ferry_read(struct ferry_link *l, void *buf, size_t size,
		   ferry_time deadline)
{
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_RECV,
				 .attempt = try_read,
				 .buf = buf,
				 .len = size };
	ssize_t n = check_stream(l, FERRY_RECV);

	if (n < 0)
		return n;
	if (size == 0)
		return ferryi_fail(-EINVAL, "a buffer of 0 bytes cannot be "
					    "read into");
	return ferryi_call_run(&c, deadline);
}
