/* SPDX-License-Identifier: MIT */
/*
 * The receiving side of a mailbox: take, and the four ways a taken message
 * ends: release, requeue, reject, and the limit of deliveries.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/mailbox.h"
#include "sys/clock.h"
#include "sys/process.h"

/* A message that cannot be moved to the dead letters now is tried again then. */
#define LETTER_RETRY FERRY_S(1)

static struct ferryi_queue *queue_of(struct ferry_link *l)
{
	struct ferryi_mailbox *b = l->state;

	return &b->segment->view.queue;
}

/* --- dead letters --------------------------------------------------------- */

/* A copy in the dead-letter mailbox, with its sender and id as they were. */
static int post_letter(struct ferryi_mailbox *b, const struct ferryi_chunk *c)
{
	struct ferryi_queue *from = &b->segment->view.queue;
	struct ferryi_queue *to = &b->letters->view.queue;
	struct ferryi_record *old = ferryi_queue_record(from, c->index), *copy;
	uint64_t room, len = ferryi_fetch(&old->len);
	const void *data = ferryi_queue_place(from, c->index, &room);
	struct ferryi_chunk letter;
	int r;

	len = ferryi_min(len, room);
	r = ferryi_mailbox_claim(b, b->letters, len, &letter);
	if (r < 0)
		return r;
	copy = ferryi_queue_record(to, letter.index);
	memcpy(ferryi_queue_place(to, letter.index, &room), data, len);
	copy->len = (uint32_t)len;
	copy->priority = old->priority;
	copy->flags = 0;
	copy->sender = old->sender;
	if (copy->sender.id == 0)
		copy->sender.id = ferryi_fetch(&old->seq) + 1;
	r = ferryi_mailbox_publish(b, b->letters, &letter);
	if (r < 0) {
		ferryi_queue_abandon(to, &letter);
		ferryi_mailbox_wake(b->letters, FERRYI_GATE_CHUNK);
	}
	return r;
}

static int end(struct ferryi_mailbox *b, const struct ferryi_chunk *c)
{
	struct ferryi_queue *q = &b->segment->view.queue;
	int r = ferryi_queue_release(q, c);

	ferryi_mailbox_wake(b->segment, FERRYI_GATE_CHUNK);
	if (ferryi_load(&q->control->state) & FERRYI_CLOSED)
		ferryi_mailbox_wake_all(
			b->segment); /* it may have been the last */
	return r;
}

/* Out of the mailbox: to the dead letters, or counted. */
static int put_away(struct ferryi_mailbox *b, const struct ferryi_chunk *c)
{
	struct ferryi_counters *n = &b->segment->view.queue.control->counters;
	int r;

	if (b->letters) {
		r = post_letter(b, c);
		if (r == -ESTALE)
			return ferryi_fail(
				r,
				"the dead-letter mailbox %s has been "
				"removed (open the mailbox anew, which "
				"makes it again); the message is kept",
				b->letters->name);
		if (r < 0)
			return r;
	}
	/* A1: the letter is posted and the message still ours; if we die here
	 * it comes back, marked redelivered, and is posted again */
	r = end(b, c);
	if (r < 0)
		return ferryi_fail(r, "the message is no longer ours");
	if (r == 0)
		ferryi_add(b->letters ? &n->dead_lettered : &n->rejected, 1);
	return r;
}

static bool is_spent(const struct ferryi_mailbox *b,
		     const struct ferryi_chunk *c)
{
	uint32_t limit = b->segment->view.header.choice.max_deliveries;

	return limit && ferryi_word_deliveries(c->word) > limit;
}

/* --- taking --------------------------------------------------------------- */

/*
 * For those who ask who has it.  Not by a receiver that copies the message and
 * ends it in the same call: the line would go back and forth for nothing.
 */
static void sign(struct ferryi_record *rec)
{
	const struct ferryi_identity *self = ferryi_identity();

	rec->taker.start_time = self->start_time;
	rec->taker.taken_at = ferryi_now_stamp();
	rec->taker.pid = self->pid;
	rec->taker.uid = self->uid;
	rec->taker.gid = self->gid;
	memcpy(rec->taker.name, self->name, sizeof rec->taker.name);
	ferryi_put(&rec->flags, FERRYI_TAKER_KNOWN);
}

/* The next message of at most `max` bytes that has deliveries left. */
static int next(struct ferry_link *l, uint64_t max, struct ferryi_chunk *c,
		uint64_t *out_len)
{
	struct ferryi_mailbox *b = l->state;
	struct ferryi_queue *q = queue_of(l);
	struct ferryi_record *rec;
	int r;

	for (;;) {
		r = ferryi_queue_take(q, ferryi_realm_owner(b->realm), max,
				      ferryi_queue_needs_now(q) ? ferryi_now() :
								  0,
				      c, out_len);
		if (r < 0)
			return r;
		rec = ferryi_queue_record(q, c->index);
		ferryi_put(&rec->handle, b->handle);
		ferryi_put(&rec->flags, 0);
		ferryi_mailbox_wake(b->segment, FERRYI_GATE_SPACE);
		if (!is_spent(b, c))
			return 0;
		if (put_away(b, c) < 0)
			ferryi_queue_requeue(q, c, ferryi_now() + LETTER_RETRY);
	}
}

/* Somebody else still holds a message, or one waits for its time. */
static bool may_come_back(struct ferry_link *l)
{
	struct ferryi_mailbox *b = l->state;
	struct ferryi_queue *q = queue_of(l);
	uint64_t word;

	return ferryi_queue_needs_now(q) ||
	       ferryi_queue_held_by_others(q, ferryi_realm_owner(b->realm),
					   &word);
}

/* Asked before the look that finds nothing: then no more will come. */
static bool is_closed(struct ferry_link *l)
{
	return ferryi_load(&queue_of(l)->control->state) & FERRYI_CLOSED;
}

static int nothing_more(struct ferry_link *l)
{
	if (may_come_back(l))
		return -EAGAIN;
	return ferryi_fail(-ENODATA, "%s is empty and takes no more messages",
			   l->address);
}

static int take(struct ferry_link *l, uint64_t max, struct ferryi_chunk *c,
		uint64_t *out_len)
{
	int r = next(l, max, c, out_len);

	if (r != -EAGAIN || !is_closed(l))
		return r;
	r = next(l, max, c, out_len); /* what was sent before it was closed */
	return r == -EAGAIN ? nothing_more(l) : r;
}

static uint64_t clamp(struct ferry_link *l, const struct ferryi_chunk *c,
		      uint64_t len, void **out_data)
{
	uint64_t room;

	*out_data = ferryi_queue_place(queue_of(l), c->index, &room);
	return ferryi_min(len, room); /* written by another process */
}

static void fill_process(struct ferry_process *p, const struct ferryi_sender *s)
{
	p->start_time = s->start_time;
	p->pid = (pid_t)s->pid;
	p->uid = s->uid;
	p->gid = s->gid;
	p->proof = FERRY_CLAIMED;
	memcpy(p->name, s->name, sizeof p->name);
	p->name[sizeof p->name - 1] = 0;
}

static void fill(struct ferry_message *m, const struct ferryi_record *rec,
		 uint32_t deliveries)
{
	m->seq = rec->seq;
	m->id = rec->sender.id ? rec->sender.id : rec->seq + 1;
	m->sent_at = rec->sender.sent_at;
	m->type = rec->sender.type;
	m->deliveries = deliveries;
	m->redelivered = deliveries > 1;
	fill_process(&m->sender, &rec->sender);
}

int ferryi_mailbox_take(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_chunk c;
	uint64_t len;
	int r = ferryi_mailbox_enter(l);

	if (r == 0)
		r = take(l, UINT64_MAX, &c, &len);
	if (r < 0)
		return r;
	sign(ferryi_queue_record(queue_of(l), c.index));
	*m = (struct ferry_message){ .link = l };
	m->len = clamp(l, &c, len, &m->data);
	m->reserved[0] = c.index;
	m->reserved[1] = c.word;
	fill(m, ferryi_queue_record(queue_of(l), c.index),
	     ferryi_word_deliveries(c.word));
	return 0;
}

static ssize_t recv_one(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_chunk c;
	uint64_t len;
	void *data;
	int r = take(l, size, &c, &len);

	if (r == -EMSGSIZE)
		return ferryi_fail(r,
				   "the next message of %s has %llu bytes, the "
				   "buffer %zu (it stays first; "
				   "ferry_next_len() tells its length)",
				   l->address, (unsigned long long)len, size);
	if (r < 0)
		return r;
	len = clamp(l, &c, len, &data);
	if (len)
		memcpy(buf, data, len);
	r = end(l->state, &c);
	return r < 0 ? r : (ssize_t)len;
}

ssize_t ferryi_mailbox_recv(struct ferry_link *l, void *buf, size_t size)
{
	int r = ferryi_mailbox_enter(l);

	return r < 0 ? r : recv_one(l, buf, size);
}

ssize_t ferryi_mailbox_recv_many(struct ferry_link *l, struct iovec *v,
				 size_t n)
{
	ssize_t r = ferryi_mailbox_enter(l);
	size_t done = 0;

	while (r >= 0 && done < n) {
		r = recv_one(l, v[done].iov_base, v[done].iov_len);
		if (r >= 0)
			v[done++].iov_len = (size_t)r;
	}
	return done > 0 ? (ssize_t)done : r;
}

static ssize_t first_len(struct ferry_link *l)
{
	struct ferryi_record rec;
	uint64_t cursor = 0;
	uint32_t deliveries;
	int r = ferryi_queue_peek(queue_of(l), &cursor, ferryi_now(), &rec,
				  &deliveries, NULL, 0);

	return r < 0 ? r : (ssize_t)rec.len;
}

ssize_t ferryi_mailbox_next_len(struct ferry_link *l)
{
	ssize_t n = ferryi_mailbox_enter(l);

	if (n < 0)
		return n;
	n = first_len(l);
	if (n != -EAGAIN || !is_closed(l))
		return n;
	n = first_len(l);
	return n == -EAGAIN ? nothing_more(l) : n;
}

/* --- the ends of a message ------------------------------------------------ */

static int no_longer_ours(struct ferry_link *l)
{
	return ferryi_fail(
		-ESTALE,
		"%s: the message is no longer ours (this "
		"process was taken for dead, or it was ended before)",
		l->address);
}

int ferryi_mailbox_release(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_chunk c;
	int r = ferryi_mailbox_enter_with(l, m, &c);

	if (r < 0)
		return r;
	return end(l->state, &c) < 0 ? no_longer_ours(l) : 0;
}

int ferryi_mailbox_requeue(struct ferry_link *l, struct ferry_message *m,
			   int64_t delay_ns)
{
	struct ferryi_mailbox *b = l->state;
	struct ferryi_chunk c;
	int r = ferryi_mailbox_enter_with(l, m, &c);

	if (r < 0)
		return r;
	r = ferryi_queue_requeue(queue_of(l), &c,
				 delay_ns > 0 ? ferry_after(delay_ns) : 0);
	if (r < 0)
		return no_longer_ours(l);
	ferryi_mailbox_wake(b->segment, FERRYI_GATE_RECV);
	return 0;
}

int ferryi_mailbox_reject(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_mailbox *b = l->state;
	struct ferryi_chunk c;
	int r = ferryi_mailbox_enter_with(l, m, &c);

	if (r < 0)
		return r;
	r = put_away(b, &c);
	if (r == -EAGAIN)
		return ferryi_fail(r,
				   "the dead-letter mailbox %s is full; the "
				   "message is still ours",
				   b->letters->name);
	return r;
}

int ferryi_mailbox_peek(struct ferry_link *l, uint64_t *cursor,
			struct ferry_message *m, void *buf, size_t size)
{
	struct ferryi_record rec;
	uint32_t deliveries;
	int r = ferryi_mailbox_enter(l);

	if (r == 0)
		r = ferryi_queue_peek(queue_of(l), cursor, INT64_MAX, &rec,
				      &deliveries, buf, size);
	if (r < 0)
		return r;
	*m = (struct ferry_message){ .len = rec.len, .data = buf };
	fill(m, &rec, deliveries);
	return 0;
}
