/* SPDX-License-Identifier: MIT */
/*
 * Messages in and out of queues of POSIX.
 *
 * The kernel hands a message out only to a buffer of the queue's longest message,
 * and cannot show one without handing it out.  So a message that is asked for by
 * ferry_next_len(), or that is longer than the buffer of ferry_recv(), is kept in
 * the link and is what comes next.  Closing the link puts it back with its priority,
 * behind others of the same; it is lost only when the queue is full then, or the
 * process is killed, as a message that was taken.  Buffers of the longest message
 * never leave one here.
 *
 * What is kept is the process's that has received it: in the child of a fork there
 * is none.  Who may not write to the queue could put nothing back, so there a buffer
 * that is smaller than the longest message is refused before anything is received.
 */
#include "link/mq.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "link/queues.h"
#include "sys/mqueues.h"
#include "sys/process.h"

/* --- sending -------------------------------------------------------------- */

static int check_len(struct ferry_link *l, size_t len)
{
	uint64_t max = ferryi_mq_of(l)->max;

	if (len <= max)
		return 0;
	return ferryi_fail(-EMSGSIZE,
			   "%s: a message of %zu bytes is larger than the "
			   "%" PRIu64 " that the queue was made for (max=)",
			   l->address, len, max);
}

static int send_with(struct ferry_link *l, const void *data, size_t len,
		     unsigned priority)
{
	int err = check_len(l, len);

	if (!err)
		err = ferryi_mqueue_send(ferryi_mq_of(l)->fd, data, len,
					 priority);
	if (err == 0 || err == -EAGAIN || err == -EMSGSIZE)
		return err;
	return ferryi_queue_refused(l, err);
}

static int mq_send_one(struct ferry_link *l, const void *data, size_t len)
{
	return send_with(l, data, len, 0);
}

static int mq_loan(struct ferry_link *l, size_t len, struct ferry_message *m)
{
	int err = check_len(l, len);

	return err ? err :
		     ferryi_copies_new(&ferryi_mq_of(l)->copies, l, len, m);
}

static int mq_commit(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_mq *q = ferryi_mq_of(l);
	int err = ferryi_copies_check(&q->copies, m);

	if (!err)
		err = ferryi_queue_no_type(m);
	if (!err && m->priority >= FERRYI_MQUEUE_PRIORITIES)
		err = ferryi_fail(-EINVAL,
				  "%s: the priority %" PRIu32
				  " is too high (at most %u)",
				  l->address, m->priority,
				  FERRYI_MQUEUE_PRIORITIES - 1);
	if (!err)
		err = send_with(l, m->data, m->len, m->priority);
	return err ? err : ferryi_copies_drop(&q->copies, m);
}

static int mq_end(struct ferry_link *l, struct ferry_message *m)
{
	return ferryi_copies_drop(&ferryi_mq_of(l)->copies, m);
}

/* --- receiving ------------------------------------------------------------ */

bool ferryi_mq_keeps(const struct ferryi_mq *q)
{
	return q->kept.link && q->generation == ferryi_generation();
}

/* The place comes first: what the kernel has handed out must not get lost. */
static int receive(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_mq *q = ferryi_mq_of(l);
	unsigned priority = 0;
	ssize_t n = ferryi_copies_new(&q->copies, l, q->max, m);

	if (n < 0)
		return (int)n;
	n = ferryi_mqueue_recv(q->fd, m->data, q->max, &priority);
	if (n >= 0) {
		m->len = (size_t)n;
		m->priority = priority;
		return 0;
	}
	ferryi_copies_drop(&q->copies, m);
	return n == -EAGAIN ? -EAGAIN : ferryi_queue_refused(l, (int)n);
}

static int mq_take(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_mq *q = ferryi_mq_of(l);

	if (!ferryi_mq_keeps(q))
		return receive(l, m);
	*m = q->kept;
	q->kept.link = NULL;
	return 0;
}

static void keep(struct ferryi_mq *q, const struct ferry_message *m)
{
	/* Y2: it is in no queue, and its receiver has not seen it */
	q->kept = *m;
	q->generation = ferryi_generation();
}

/* May a message of any length be received, and stay first if it does not fit? */
static int check_keeping(struct ferry_link *l, int err, size_t size)
{
	struct ferryi_mq *q = ferryi_mq_of(l);

	if (q->gives_back || size >= q->max)
		return 0;
	return ferryi_fail(err,
			   "%s: the kernel shows a message only by handing it "
			   "out, and you may not write to the queue, so it "
			   "could not be put back (receive into %" PRIu64
			   " bytes)",
			   l->address, q->max);
}

static ssize_t mq_next_len(struct ferry_link *l)
{
	struct ferryi_mq *q = ferryi_mq_of(l);
	struct ferry_message m;
	int err = check_keeping(l, -EOPNOTSUPP, 0);

	if (!err)
		err = mq_take(l, &m);
	if (err)
		return err;
	keep(q, &m);
	return (ssize_t)m.len;
}

static ssize_t mq_recv(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_mq *q = ferryi_mq_of(l);
	struct ferry_message m;
	unsigned priority;
	ssize_t n;
	int err;

	if (size >= q->max && !ferryi_mq_keeps(q)) {
		n = ferryi_mqueue_recv(q->fd, buf, size, &priority);
		if (n >= 0 || n == -EAGAIN)
			return n;
	}
	err = check_keeping(l, -EMSGSIZE, size);
	if (!err)
		err = mq_take(l, &m);
	if (err)
		return err;
	if (m.len > size) {
		keep(q, &m);
		return -EMSGSIZE;
	}
	if (m.len)
		memcpy(buf, m.data, m.len);
	n = (ssize_t)m.len;
	err = ferryi_copies_drop(&q->copies, &m);
	return err ? err : n;
}

/* Back into the queue, behind those of its priority. */
static int mq_requeue(struct ferry_link *l, struct ferry_message *m,
		      int64_t delay_ns)
{
	int err = ferryi_queue_at_once(l, delay_ns);

	if (!err)
		err = ferryi_copies_check(&ferryi_mq_of(l)->copies, m);
	if (!err && !ferryi_mq_of(l)->gives_back)
		err = ferryi_fail(-EACCES,
				  "%s: you may not write to it, so nothing can "
				  "be given back",
				  l->address);
	if (!err)
		err = send_with(l, m->data, m->len, m->priority);
	return err ? err : mq_end(l, m);
}

const struct ferryi_messages ferryi_messages_of_mq = {
	.send = mq_send_one,
	.recv = mq_recv,
	.next_len = mq_next_len,
	.loan = mq_loan,
	.commit = mq_commit,
	.abandon = mq_end,
	.take = mq_take,
	.release = mq_end,
	.requeue = mq_requeue,
	.stat = ferryi_mq_stat,
};
