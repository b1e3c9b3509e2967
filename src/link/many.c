/* SPDX-License-Identifier: MIT */
/*
 * Several messages in one call.  A transport that has a way of its own for
 * that is asked as often as it takes, the others message by message.
 */
#include <errno.h>
#include <limits.h>

#include "base/error.h"
#include "link/call.h"
#include "link/link.h"

static int check(struct ferry_link *l, unsigned side, const struct iovec *v,
		 size_t n)
{
	int err = ferryi_check_messages(l, side);

	if (err)
		return err;
	if (n == 0 || n > SSIZE_MAX || !v)
		return ferryi_fail(-EINVAL,
				   "%zu messages at %p: give at least one", n,
				   (const void *)v);
	return 0;
}

static ssize_t try_send_many(struct ferryi_call *c)
{
	const struct iovec *v = c->data;
	ssize_t r;

	while (c->done < c->n) {
		c->len = v[c->done].iov_len; /* what a wait is for */
		r = c->l->messages->send_many(c->l, v + c->done,
					      c->n - c->done);
		if (r < 0)
			return r;
		c->done += (size_t)r;
	}
	return 0;
}

ssize_t ferry_send_many(struct ferry_link *l, const struct iovec *messages,
			size_t n, ferry_time deadline)
{
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_SEND,
				 .attempt = try_send_many,
				 .data = messages,
				 .n = n };
	ssize_t r = check(l, FERRY_SEND, messages, n);

	if (r < 0)
		return r;
	if (!l->framing && l->messages->send_many)
		r = ferryi_call_run(&c, deadline);
	else
		while (r == 0 && c.done < n) {
			r = ferry_send(l, messages[c.done].iov_base,
				       messages[c.done].iov_len, deadline);
			c.done += r == 0;
		}
	return c.done > 0 ? (ssize_t)c.done : r;
}

static ssize_t try_recv_many(struct ferryi_call *c)
{
	return c->l->messages->recv_many(c->l, c->buf, c->n);
}

static ssize_t recv_one_by_one(struct ferry_link *l, struct iovec *v, size_t n,
			       ferry_time deadline)
{
	size_t done = 0;
	ssize_t len = 0;

	while (done < n) {
		len = ferry_recv(l, v[done].iov_base, v[done].iov_len,
				 done ? FERRY_NOWAIT : deadline);
		if (len < 0)
			break;
		v[done++].iov_len = (size_t)len;
	}
	return done > 0 ? (ssize_t)done : len;
}

ssize_t ferry_recv_many(struct ferry_link *l, struct iovec *buffers, size_t n,
			ferry_time deadline)
{
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_RECV,
				 .attempt = try_recv_many,
				 .buf = buffers,
				 .n = n };
	ssize_t r = check(l, FERRY_RECV, buffers, n);

	if (r < 0)
		return r;
	if (!l->framing && l->messages->recv_many)
		return ferryi_call_run(&c, deadline);
	return recv_one_by_one(l, buffers, n, deadline);
}
