/* SPDX-License-Identifier: MIT */
/*
 * Messages that are lent and taken, and what can be done with one that was taken; and
 * looking at those that are there.
 */
#include <errno.h>

#include "base/error.h"
#include "link/call.h"
#include "link/link.h"

/* A message that is still with its link. */
static int check_held(const struct ferry_message *m)
{
	ferryi_fail_clear();
	if (!m || !m->link)
		return ferryi_fail(-EINVAL,
				   "the message is spent (each loan "
				   "and each taken message is ended once)");
	return 0;
}

static ssize_t try_loan(struct ferryi_call *c)
{
	return c->l->messages->loan(c->l, c->len, c->m);
}

int ferry_loan(struct ferry_link *l, size_t len, struct ferry_message *out,
	       ferry_time deadline)
{
	struct ferry_message m = { .link = l };
	struct ferryi_call c = { .l = l,
				 .want = FERRYI_WANT_LOAN,
				 .attempt = try_loan,
				 .len = len,
				 .m = &m };
	int err = ferryi_check_messages(l, FERRY_SEND);

	if (err)
		return err;
	if (l->framing || !l->messages->loan)
		return ferryi_lacks(l, "lend memory");
	err = (int)ferryi_call_run(&c, deadline);
	if (err == 0)
		*out = m;
	return err;
}

/* What the transport does not carry is refused, and not dropped. */
static int check_priority(const struct ferry_message *m)
{
	const struct ferry_transport_info *t = &m->link->t->info;

	if (m->priority == 0 || t->promises & FERRY_CAN_PRIORITY)
		return 0;
	return ferryi_fail(-EOPNOTSUPP,
			   "%s: messages have no priority (mq: has)",
			   m->link->address);
}

static ssize_t try_commit(struct ferryi_call *c)
{
	return c->l->messages->commit(c->l, c->m);
}

int ferry_commit(struct ferry_message *m, ferry_time deadline)
{
	struct ferryi_call c = { .want = FERRYI_WANT_COMMIT,
				 .attempt = try_commit,
				 .m = m };
	int err = check_held(m);

	if (!err)
		err = check_priority(m);
	if (err)
		return err;
	c.l = m->link;
	err = (int)ferryi_call_run(&c, deadline);
	if (err == 0)
		m->link = NULL;
	return err;
}

static ssize_t try_take(struct ferryi_call *c)
{
	return c->l->messages->take(c->l, c->m);
}

int ferry_take(struct ferry_link *l, struct ferry_message *out,
	       ferry_time deadline)
{
	struct ferry_message m = { .link = l };
	struct ferryi_call c = {
		.l = l, .want = FERRYI_WANT_RECV, .attempt = try_take, .m = &m
	};
	int err = ferryi_check_messages(l, FERRY_RECV);

	if (err)
		return err;
	if (l->framing || !l->messages->take)
		return ferryi_lacks(l, "hand out messages in place");
	err = (int)ferryi_call_run(&c, deadline);
	if (err == 0)
		*out = m;
	return err;
}

/* The calls that end a message at once: spent on success. */
static int end_message(struct ferry_message *m, int err)
{
	if (err == 0)
		m->link = NULL;
	return err;
}

int ferry_abandon(struct ferry_message *m)
{
	int err = check_held(m);

	return err ? err :
		     end_message(m, m->link->messages->abandon(m->link, m));
}

int ferry_release(struct ferry_message *m)
{
	int err = check_held(m);

	return err ? err :
		     end_message(m, m->link->messages->release(m->link, m));
}

/* Where each message has its destination an answer needs one, too. */
static bool leads_back(const struct ferry_message *m)
{
	const struct ferryi_messages *ms = m->link->messages;

	return ms->send_to ? m->from != NULL : ms->reply != NULL;
}

static ssize_t try_reply(struct ferryi_call *c)
{
	return c->l->messages->reply(c->l, c->m, c->data, c->len);
}

int ferry_reply(const struct ferry_message *m, const void *data, size_t len,
		ferry_time deadline)
{
	struct ferry_message copy;
	struct ferryi_call c = { .want = FERRYI_WANT_SEND,
				 .attempt = try_reply,
				 .data = data,
				 .len = len,
				 .m = &copy };
	int err = check_held(m);

	if (err)
		return err;
	if (!leads_back(m))
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: no way leads back to a sender (use "
				   "channel: or process:)",
				   m->link->address);
	if (!m->link->messages->reply)
		return ferryi_send_to(m->link, m->from, data, len, deadline);
	copy = *m;
	c.l = m->link;
	return (int)ferryi_call_run(&c, deadline);
}

int ferry_requeue(struct ferry_message *m, int64_t delay_ns)
{
	int err = check_held(m);

	if (err)
		return err;
	if (!m->link->messages->requeue)
		return ferryi_lacks(m->link, "take messages back");
	return end_message(m, m->link->messages->requeue(m->link, m, delay_ns));
}

int ferry_reject(struct ferry_message *m)
{
	int err = check_held(m);

	if (err)
		return err;
	if (!m->link->messages->reject)
		return ferryi_lacks(m->link, "take messages back");
	return end_message(m, m->link->messages->reject(m->link, m));
}

int ferry_peek(struct ferry_link *l, uint64_t *cursor,
	       struct ferry_message *out, void *buf, size_t size)
{
	int err = ferryi_check_messages(l, FERRY_SEND | FERRY_RECV);

	if (err)
		return err;
	if (l->framing || !l->messages->peek)
		return ferryi_lacks(l, "show messages without taking them");
	return l->messages->peek(l, cursor, out, buf, size);
}

int ferry_stat(struct ferry_link *l, struct ferry_mailbox_stat *st)
{
	int err = ferryi_check_messages(l, FERRY_SEND | FERRY_RECV);

	if (err)
		return err;
	if (l->framing || !l->messages->stat)
		return ferryi_lacks(l, "count");
	return l->messages->stat(l, st);
}
