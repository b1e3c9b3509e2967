/* SPDX-License-Identifier: MIT */
/*
 * The sending side of a mailbox: claim a chunk, write it, publish it, and what
 * a full mailbox does.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/mailbox.h"
#include "shm/recover.h"
#include "sys/clock.h"
#include "sys/process.h"

/* Reserving memory for a growing queue: each round is one step of growth. */
#define GROWTH_ROUNDS 64

/* Dropping the oldest for a place that others fill first; then the call waits
 * like any other, within its deadline. */
#define DROP_ROUNDS 64

/* No more memory is to be had: use again what a message before had. */
static int claim_backed(struct ferryi_mailbox *b, struct ferryi_segment *s,
			uint64_t len, struct ferryi_chunk *out)
{
	struct ferryi_queue *q = &s->view.queue;

	if (ferryi_queue_loan_backed(q, ferryi_realm_owner(b->realm), len,
				     out) < 0)
		return -ENOSPC; /* its sentence is there */
	ferryi_put(&ferryi_queue_record(q, out->index)->handle, b->handle);
	return 0;
}

int ferryi_mailbox_claim(struct ferryi_mailbox *b, struct ferryi_segment *s,
			 uint64_t len, struct ferryi_chunk *out)
{
	struct ferryi_queue *q = &s->view.queue;
	struct ferryi_growth grow;
	int r = -EAGAIN;

	for (unsigned n = 0; n < GROWTH_ROUNDS; n++) {
		r = ferryi_queue_loan(q, ferryi_realm_owner(b->realm), len, out,
				      &grow);
		if (r != 1)
			break;
		r = ferryi_segment_grow(s, &grow);
		if (r < 0)
			return r;
	}
	if (r != 0)
		return r == 1 ? -EAGAIN : r;
	ferryi_put(&ferryi_queue_record(q, out->index)->handle, b->handle);
	r = ferryi_segment_back(s, out->index, len);
	if (r < 0) {
		ferryi_queue_abandon(q, out);
		ferryi_mailbox_wake(s, FERRYI_GATE_CHUNK);
	}
	return r == -ENOSPC ? claim_backed(b, s, len, out) : r;
}

int ferryi_mailbox_publish(struct ferryi_mailbox *b, struct ferryi_segment *s,
			   const struct ferryi_chunk *c)
{
	struct ferryi_record *rec =
		ferryi_queue_record(&s->view.queue, c->index);
	struct ferryi_growth grow;
	int r = -EAGAIN;

	/* a queued message belongs to no handle: its close must pass it by */
	ferryi_put(&rec->handle, FERRYI_ANY_HANDLE);
	for (unsigned n = 0; n < GROWTH_ROUNDS; n++) {
		r = ferryi_queue_commit(&s->view.queue, c, &grow);
		if (r != 1)
			break;
		r = ferryi_segment_grow(s, &grow);
		if (r < 0)
			break;
	}
	if (r == 0)
		ferryi_mailbox_wake(s, FERRYI_GATE_RECV);
	else if (ferryi_load(&rec->word) == c->word)
		ferryi_put(&rec->handle, b->handle);
	return r == 1 ? -EAGAIN : r;
}

/* `at` is ferryi_wall_stamp(), which several messages may share. */
static void sign(struct ferryi_record *rec, uint64_t len, uint32_t type,
		 int64_t at)
{
	const struct ferryi_identity *self = ferryi_identity();

	/* by puts what a receiver may look at before its claim fails */
	ferryi_put(&rec->len, (uint32_t)len);
	rec->priority = 0;
	rec->flags = 0;
	rec->sender.start_time = self->start_time;
	rec->sender.id = 0;
	rec->sender.sent_at = at;
	rec->sender.expires_at = 0;
	rec->sender.pid = self->pid;
	rec->sender.uid = self->uid;
	rec->sender.gid = self->gid;
	rec->sender.type = type;
	memcpy(rec->sender.name, self->name, sizeof rec->sender.name);
}

/* --- full ---------------------------------------------------------------- */

static void drop_oldest(struct ferryi_mailbox *b)
{
	struct ferryi_queue *q = &b->segment->view.queue;
	struct ferryi_chunk old;

	if (ferryi_queue_take_queued(q, ferryi_realm_owner(b->realm), &old) < 0)
		return;
	/* F1: the oldest is ours; if we die here it is delivered again */
	ferryi_queue_release(q, &old);
	ferryi_add(&q->control->counters.dropped, 1);
	ferryi_mailbox_wake(b->segment, FERRYI_GATE_SPACE);
	ferryi_mailbox_wake(b->segment, FERRYI_GATE_CHUNK);
}

/*
 * The mailbox is full.  1: try again.  0: the message is dropped, which counts
 * as success.  -EAGAIN: wait.  -ENOSPC.
 */
static int when_full(struct ferry_link *l)
{
	struct ferryi_mailbox *b = l->state;
	const struct ferryi_choice *c = &b->segment->view.header.choice;

	switch (c->full) {
	case FERRY_FULL_FAIL:
		return ferryi_fail(
			-ENOSPC,
			"%s holds %llu of %llu messages and was made "
			"to refuse more (receive some)",
			l->address, (unsigned long long)c->capacity,
			(unsigned long long)c->capacity);
	case FERRY_FULL_DROP_NEW:
		ferryi_add(&b->segment->view.queue.control->counters.dropped,
			   1);
		return 0;
	case FERRY_FULL_DROP_OLD: drop_oldest(b); return 1;
	}
	return -EAGAIN;
}

static bool is_full(struct ferryi_queue *q)
{
	uint64_t word;

	return ferryi_queue_in_the_way(q, ferryi_load(&q->control->tail),
				       &word);
}

/* --- the table's functions ------------------------------------------------ */

static int too_long(struct ferry_link *l, size_t len)
{
	struct ferryi_mailbox *b = l->state;

	return ferryi_fail(
		-EMSGSIZE,
		"a message of %zu bytes is too long for %s (at most "
		"%llu; make it with a larger limit)",
		len, l->address,
		(unsigned long long)b->segment->view.queue.message_max);
}

static int closed(struct ferry_link *l)
{
	return ferryi_fail(-ENODATA,
			   "%s takes no more messages: a sender has "
			   "shut it down",
			   l->address);
}

static int claim(struct ferry_link *l, size_t len, struct ferryi_chunk *c)
{
	struct ferryi_mailbox *b = l->state;
	int r = ferryi_mailbox_claim(b, b->segment, len, c);

	return r == -EMSGSIZE ? too_long(l, len) : r;
}

/* Publish, and settle what a full mailbox does.  0: *sent or dropped. */
static int publish(struct ferry_link *l, const struct ferryi_chunk *c)
{
	struct ferryi_mailbox *b = l->state;
	int r, f;

	for (unsigned n = 0; n < DROP_ROUNDS; n++) {
		r = ferryi_mailbox_publish(b, b->segment, c);
		if (r == -ENODATA)
			return closed(l);
		if (r != -EAGAIN)
			return r;
		f = when_full(l);
		if (f == 0) {
			ferryi_queue_abandon(&b->segment->view.queue, c);
			ferryi_mailbox_wake(b->segment, FERRYI_GATE_CHUNK);
		}
		if (f <= 0)
			return f;
	}
	return -EAGAIN;
}

static int send_one(struct ferry_link *l, const void *data, size_t len,
		    int64_t at)
{
	struct ferryi_mailbox *b = l->state;
	struct ferryi_queue *q = &b->segment->view.queue;
	struct ferryi_chunk c;
	uint64_t room;
	int r;

	if (len > q->message_max)
		return too_long(l, len);
	if (ferryi_load(&q->control->state) & FERRYI_CLOSED)
		return closed(l);
	if (b->segment->view.header.choice.full == FERRY_FULL_BLOCK &&
	    is_full(q))
		return -EAGAIN; /* before anything is copied for nothing */
	r = claim(l, len, &c);
	if (r < 0)
		return r;
	if (len)
		memcpy(ferryi_queue_place(q, c.index, &room), data, len);
	sign(ferryi_queue_record(q, c.index), len, 0, at);
	r = publish(l, &c);
	if (r < 0) {
		ferryi_queue_abandon(q, &c);
		ferryi_mailbox_wake(b->segment, FERRYI_GATE_CHUNK);
	}
	return r;
}

int ferryi_mailbox_send(struct ferry_link *l, const void *data, size_t len)
{
	int r = ferryi_mailbox_enter(l);

	return r < 0 ? r : send_one(l, data, len, ferryi_wall_stamp());
}

ssize_t ferryi_mailbox_send_many(struct ferry_link *l, const struct iovec *v,
				 size_t n)
{
	int r = ferryi_mailbox_enter(l);
	int64_t at = ferryi_wall_stamp();
	size_t done = 0;

	while (r == 0 && done < n) {
		r = send_one(l, v[done].iov_base, v[done].iov_len, at);
		done += r == 0;
	}
	return done > 0 ? (ssize_t)done : r;
}

int ferryi_mailbox_loan(struct ferry_link *l, size_t len,
			struct ferry_message *m)
{
	struct ferryi_mailbox *b = l->state;
	struct ferryi_chunk c;
	uint64_t room;
	int r = ferryi_mailbox_enter(l);

	if (r < 0)
		return r;
	/* before it waits: interest() sees no reason to sleep in a closed one */
	if (ferryi_load(&b->segment->view.queue.control->state) & FERRYI_CLOSED)
		return closed(l);
	r = claim(l, len, &c);
	if (r < 0)
		return r;
	*m = (struct ferry_message){ .link = l, .len = len };
	m->data = ferryi_queue_place(&b->segment->view.queue, c.index, &room);
	m->reserved[0] = c.index;
	m->reserved[1] = c.word;
	m->reserved[2] = len;
	return 0;
}

int ferryi_mailbox_commit(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_mailbox *b = l->state;
	struct ferryi_queue *q = &b->segment->view.queue;
	struct ferryi_chunk c;
	int r = ferryi_mailbox_enter_with(l, m, &c);

	if (r < 0)
		return r;
	if (m->len > m->reserved[2])
		return ferryi_fail(-EINVAL,
				   "the message has %zu bytes, %llu were "
				   "loaned (len may only be made smaller)",
				   m->len, (unsigned long long)m->reserved[2]);
	if (ferryi_load(&ferryi_queue_record(q, c.index)->word) != c.word)
		return ferryi_fail(-ESTALE, "%s: the loan is no longer ours",
				   l->address);
	sign(ferryi_queue_record(q, c.index), m->len, m->type,
	     ferryi_wall_stamp());
	return publish(l, &c);
}

int ferryi_mailbox_abandon(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_mailbox *b = l->state;
	struct ferryi_chunk c;
	int r = ferryi_mailbox_enter_with(l, m, &c);

	if (r < 0)
		return r;
	r = ferryi_queue_abandon(&b->segment->view.queue, &c);
	ferryi_mailbox_wake(b->segment, FERRYI_GATE_CHUNK);
	return r;
}
