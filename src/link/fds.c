/* SPDX-License-Identifier: MIT */
/* Messages that have descriptors with them. */
#include <errno.h>

#include "base/error.h"
#include "link/call.h"
#include "link/link.h"

static int cannot_carry(struct ferry_link *l)
{
	return ferryi_fail(-EOPNOTSUPP,
			   "%s: messages cannot have descriptors with them "
			   "(those of channels and of unix: with "
			   "type=seqpacket can)",
			   l->address);
}

static ssize_t try_send_fds(struct ferryi_call *c)
{
	return c->l->messages->send_fds(c->l, c->data, c->len, c->fds,
					c->n_fds);
}

int ferry_send_fds(struct ferry_link *l, const void *data, size_t len,
		   const int *fds, unsigned n, ferry_time deadline)
{
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_SEND,
				 .attempt = try_send_fds,
				 .data = data,
				 .len = len,
				 .fds = (int *)fds,
				 .n_fds = n };
	int r = ferryi_check_messages(l, FERRY_SEND);

	if (r < 0)
		return r;
	if (n == 0)
		return ferry_send(l, data, len, deadline);
	if (!fds || n > FERRY_FDS_MAX)
		return ferryi_fail(
			-EINVAL,
			"%u descriptors at %p: a message has at most "
			"%d",
			n, (const void *)fds, FERRY_FDS_MAX);
	if (l->framing || !l->messages->send_fds)
		return cannot_carry(l);
	return (int)ferryi_call_run(&c, deadline);
}

static ssize_t try_recv_fds(struct ferryi_call *c)
{
	unsigned n = c->n_fds;
	ssize_t r = c->l->messages->recv_fds(c->l, c->buf, c->len, c->fds, &n);

	if (r >= 0)
		c->n = n;
	return r;
}

ssize_t ferry_recv_fds(struct ferry_link *l, void *buf, size_t size, int *fds,
		       unsigned *n, ferry_time deadline)
{
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_RECV,
				 .attempt = try_recv_fds,
				 .buf = buf,
				 .len = size,
				 .fds = fds };
	ssize_t r = ferryi_check_messages(l, FERRY_RECV);

	if (r < 0)
		return r;
	if (!n || (!fds && *n > 0))
		return ferryi_fail(-EINVAL, "there is no room for descriptors "
					    "(NULL)");
	if (l->framing || !l->messages->recv_fds)
		return cannot_carry(l);
	c.n_fds = *n;
	r = ferryi_call_run(&c, deadline);
	if (r >= 0)
		*n = (unsigned)c.n;
	return r;
}
