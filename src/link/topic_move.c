/* SPDX-License-Identifier: MIT */
/* Publishing and reading: see topic.h. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/topic.h"
#include "sys/clock.h"
#include "sys/process.h"

/* Each means that publishers went round the ring while one message was read. */
#define READ_ROUNDS 100

/* --- publishing ---------------------------------------------------------------- */

static void sign(struct ferryi_topic_record *rec, uint64_t len, uint32_t type)
{
	const struct ferryi_identity *self = ferryi_identity();

	ferryi_put(&rec->len, (uint32_t)len);
	rec->sender.start_time = self->start_time;
	rec->sender.id = 0;
	rec->sender.sent_at = ferryi_wall_stamp();
	rec->sender.expires_at = 0;
	rec->sender.pid = self->pid;
	rec->sender.uid = self->uid;
	rec->sender.gid = self->gid;
	rec->sender.type = type;
	memcpy(rec->sender.name, self->name, sizeof rec->sender.name);
}

static void abandon(struct ferry_link *l, const struct ferryi_chunk *c)
{
	ferryi_broadcast_abandon(ferryi_broadcast_of(l), c);
	ferryi_topic_wake(ferryi_topic_of(l)->segment, FERRYI_GATE_ROOM);
}

/* A chunk with memory for `len` bytes. */
static int claim(struct ferry_link *l, size_t len, struct ferryi_chunk *out)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	struct ferryi_broadcast *b = ferryi_broadcast_of(l);
	int r;

	if (len > b->message_max)
		return ferryi_fail(
			-EMSGSIZE,
			"a message of %zu bytes is too long for %s (at most "
			"%llu; make it with a larger max=)",
			len, l->address, (unsigned long long)b->message_max);
	r = ferryi_broadcast_loan(b, ferryi_realm_owner(t->realm), out);
	if (r < 0)
		return r;
	r = ferryi_segment_back_topic(t->segment, out->index, len);
	if (r < 0)
		abandon(l, out);
	return r;
}

static int closed(struct ferry_link *l)
{
	return ferryi_fail(-ENODATA,
			   "%s takes no more messages: a publisher has shut it "
			   "down",
			   l->address);
}

static int nonsense(struct ferry_link *l)
{
	return ferryi_fail(-EBADMSG,
			   "%s: what stands in its ring makes no sense; "
			   "somebody wrote to it (ferry gc --apply mends it)",
			   l->address);
}

/* A wait would be for nothing, or nothing is to be copied for it. */
static int may_publish(struct ferry_link *l)
{
	struct ferryi_broadcast *b = ferryi_broadcast_of(l);
	uint64_t tail;
	uint32_t slot;
	int r;

	if (ferryi_load(b->users.state) & FERRYI_CLOSED)
		return closed(l);
	r = ferryi_broadcast_tail(b, &tail);
	if (r < 0)
		return nonsense(l);
	if (!ferryi_broadcast_is_blocked(b, tail, &slot))
		return 0;
	ferryi_topic_doubt(l, slot);
	return -EAGAIN;
}

static int publish(struct ferry_link *l, const struct ferryi_chunk *c,
		   unsigned *out_reached)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	struct ferryi_broadcast *b = ferryi_broadcast_of(l);
	uint64_t at;
	uint32_t slot;
	int r = ferryi_broadcast_publish(b, c, &at, &slot);

	if (r == -EAGAIN)
		ferryi_topic_doubt(l, slot);
	if (r == -ENODATA)
		return closed(l);
	if (r == -EBADMSG)
		return nonsense(l);
	if (r == -ESTALE)
		return ferryi_fail(r, "%s: the loan is no longer ours",
				   l->address);
	if (r < 0)
		return r;
	if (out_reached)
		*out_reached = ferryi_broadcast_subscribers(b);
	ferryi_topic_wake(t->segment, FERRYI_GATE_NEWS);
	ferryi_topic_wake(t->segment, FERRYI_GATE_ROOM);
	return 0;
}

int ferryi_topic_publish(struct ferry_link *l, const void *data, size_t len,
			 unsigned *out_reached)
{
	struct ferryi_broadcast *b = ferryi_broadcast_of(l);
	struct ferryi_chunk c;
	int r = ferryi_topic_enter(l);

	if (r == 0)
		r = may_publish(l);
	if (r == 0)
		r = claim(l, len, &c);
	if (r != 0)
		return r;
	if (len)
		memcpy(ferryi_broadcast_place(b, c.index), data, len);
	sign(&b->records[c.index], len, 0);
	r = publish(l, &c, out_reached);
	if (r < 0)
		abandon(l, &c);
	return r;
}

static int topic_send(struct ferry_link *l, const void *data, size_t len)
{
	return ferryi_topic_publish(l, data, len, NULL);
}

static int topic_loan(struct ferry_link *l, size_t len, struct ferry_message *m)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	int r = ferryi_topic_enter(l);

	if (r == 0 && t->has_loan)
		r = ferryi_fail(-EBUSY,
				"%s: there is a loan already (commit it or "
				"abandon it first)",
				l->address);
	if (r == 0 &&
	    ferryi_load(ferryi_broadcast_of(l)->users.state) & FERRYI_CLOSED)
		r = closed(l);
	if (r == 0)
		r = claim(l, len, &t->loan);
	if (r < 0)
		return r;
	t->has_loan = true;
	*m = (struct ferry_message){ .link = l, .len = len };
	m->data = ferryi_broadcast_place(ferryi_broadcast_of(l), t->loan.index);
	m->reserved[0] = t->loan.index;
	m->reserved[1] = t->loan.word;
	m->reserved[2] = len;
	return 0;
}

static int check_loan(struct ferry_link *l, const struct ferry_message *m)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	int r = ferryi_topic_enter(l);

	if (r < 0)
		return r;
	if (!t->has_loan || m->reserved[1] != t->loan.word ||
	    m->reserved[0] != t->loan.index)
		return ferryi_fail(-ESTALE, "%s: the loan is no longer ours",
				   l->address);
	return 0;
}

static int topic_commit(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	int r = check_loan(l, m);

	if (r < 0)
		return r;
	if (m->len > m->reserved[2])
		return ferryi_fail(-EINVAL,
				   "the message has %zu bytes, %llu were "
				   "loaned (len may only be made smaller)",
				   m->len, (unsigned long long)m->reserved[2]);
	sign(&ferryi_broadcast_of(l)->records[t->loan.index], m->len, m->type);
	r = publish(l, &t->loan, NULL);
	t->has_loan = r < 0;
	return r;
}

static int topic_abandon(struct ferry_link *l, struct ferry_message *m)
{
	int r = check_loan(l, m);

	if (r < 0)
		return r;
	ferryi_topic_of(l)->has_loan = false;
	abandon(l, &ferryi_topic_of(l)->loan);
	return 0;
}

/* --- reading ------------------------------------------------------------------- */

static bool *holds(struct ferry_link *l)
{
	return &ferryi_topic_of(l)->holds;
}

static int nothing_there(struct ferry_link *l)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	uint64_t cell;

	if (!(ferryi_load(t->segment->view.users.state) & FERRYI_CLOSED))
		return -EAGAIN;
	/* closed: what came before that is still to be had */
	if (ferryi_broadcast_look(ferryi_broadcast_of(l), t->sub.cursor,
				  &cell) != FERRYI_NOT_YET)
		return -EAGAIN;
	return ferryi_fail(-ENODATA,
			   "%s takes no more messages, and the last has been "
			   "read",
			   l->address);
}

/* The message at the cursor. */
static int next(struct ferry_link *l, struct ferryi_news *n)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	int r = ferryi_topic_enter(l);

	if (r < 0)
		return r;
	if (__atomic_load_n(holds(l), __ATOMIC_ACQUIRE))
		return ferryi_fail(-EBUSY,
				   "%s: a message is taken in place (release "
				   "it first)",
				   l->address);
	r = ferryi_broadcast_next(ferryi_broadcast_of(l), &t->sub, n);
	if (r == -EAGAIN)
		return nothing_there(l);
	if (r == -EBADMSG)
		return nonsense(l);
	if (r == -ECONNRESET)
		return ferryi_fail(r,
				   "%s: this subscriber was too slow and is "
				   "disconnected, as policy=disconnect asks "
				   "(open it anew)",
				   l->address);
	return r;
}

/* Behind a message; who waits for room looks again. */
static void pass(struct ferry_link *l, uint64_t at, bool whole)
{
	struct ferryi_topic *t = ferryi_topic_of(l);

	ferryi_broadcast_pass(ferryi_broadcast_of(l), &t->sub, at, whole);
	if (t->policy == FERRYI_POLICY_BLOCK)
		ferryi_topic_wake(t->segment, FERRYI_GATE_ROOM);
}

static int too_small(struct ferry_link *l, uint64_t len, size_t size)
{
	return ferryi_fail(-EMSGSIZE,
			   "the next message of %s has %llu bytes, the "
			   "buffer %zu (it stays first; "
			   "ferry_next_len() tells its length)",
			   l->address, (unsigned long long)len, size);
}

static ssize_t topic_recv(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_broadcast *b = ferryi_broadcast_of(l);
	struct ferryi_news n;

	for (unsigned i = 0; i < READ_ROUNDS; i++) {
		int r = next(l, &n);

		if (r < 0)
			return r;
		if (n.len > size)
			return too_small(l, n.len, size);
		if (n.len)
			memcpy(buf, n.data, n.len);
		if (!ferryi_broadcast_is_whole(b, &n))
			continue; /* it goes on as its policy says */
		pass(l, n.at, true);
		return (ssize_t)n.len;
	}
	return -EAGAIN;
}

static ssize_t topic_next_len(struct ferry_link *l)
{
	struct ferryi_news n;
	int r = next(l, &n);

	return r < 0 ? r : (ssize_t)n.len;
}

static void fill(struct ferry_message *m, const struct ferryi_news *n)
{
	const struct ferryi_sender *s = &n->sender;
	struct ferry_process *p = &m->sender;

	m->seq = n->at;
	m->id = n->at + 1;
	m->sent_at = s->sent_at;
	m->type = s->type;
	m->deliveries = 1;
	p->start_time = s->start_time;
	p->pid = (pid_t)s->pid;
	p->uid = s->uid;
	p->gid = s->gid;
	p->proof = FERRY_CLAIMED;
	memcpy(p->name, s->name, sizeof p->name);
	p->name[sizeof p->name - 1] = 0;
}

static int topic_take(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	int r = next(l, &t->held);

	if (r < 0)
		return r;
	*m = (struct ferry_message){ .link = l, .len = t->held.len };
	m->data = (void *)(uintptr_t)t->held.data;
	m->reserved[0] = t->held.at;
	fill(m, &t->held);
	__atomic_store_n(holds(l), true, __ATOMIC_RELEASE);
	return 0;
}

static int topic_release(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	int r = ferryi_topic_enter(l);
	bool whole;

	if (r < 0)
		return r;
	if (!__atomic_load_n(holds(l), __ATOMIC_ACQUIRE) ||
	    m->reserved[0] != t->held.at)
		return ferryi_fail(-ESTALE,
				   "%s: the message is no longer ours (it was "
				   "ended before)",
				   l->address);
	whole = ferryi_broadcast_is_whole(ferryi_broadcast_of(l), &t->held);
	pass(l, t->held.at, whole);
	__atomic_store_n(holds(l), false, __ATOMIC_RELEASE);
	if (whole)
		return 0;
	return ferryi_fail(-ESTALE,
			   "%s: the message was overwritten while it was read "
			   "in place (throw away what was read; copy it, or "
			   "subscribe with policy=block)",
			   l->address);
}

/* --- looking ------------------------------------------------------------------- */

/* A reader that nobody knows of. */
static int topic_peek(struct ferry_link *l, uint64_t *cursor,
		      struct ferry_message *m, void *buf, size_t size)
{
	struct ferryi_broadcast *b = ferryi_broadcast_of(l);
	struct ferryi_news n;
	uint64_t tail;
	int r = ferryi_topic_enter(l);

	for (unsigned i = 0; r == 0 && i < READ_ROUNDS; i++) {
		r = ferryi_broadcast_tail(b, &tail);
		if (r < 0)
			return nonsense(l);
		if (tail > b->capacity && *cursor < tail - b->capacity)
			*cursor = tail - b->capacity;
		if (*cursor >= tail)
			return -EAGAIN;
		r = ferryi_broadcast_read(b, *cursor, &n);
		*cursor += r == -EBADMSG;
		if (r < 0) {
			r = 0;
			continue;
		}
		if (size) /* `buf` may be NULL */
			memcpy(buf, n.data, ferryi_min(n.len, size));
		if (!ferryi_broadcast_is_whole(b, &n))
			continue;
		*m = (struct ferry_message){ .len = n.len, .data = buf };
		fill(m, &n);
		*cursor = n.at + 1;
		return 0;
	}
	return r < 0 ? r : -EAGAIN;
}

const struct ferryi_messages ferryi_messages_of_topic = {
	.send = topic_send,
	.recv = topic_recv,
	.next_len = topic_next_len,
	.loan = topic_loan,
	.commit = topic_commit,
	.abandon = topic_abandon,
	.take = topic_take,
	.release = topic_release,
	.peek = topic_peek,
};
