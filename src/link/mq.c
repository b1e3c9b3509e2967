/* SPDX-License-Identifier: MIT */
/*
 * mq:/NAME: POSIX message queues.  The highest priority comes first, and of those
 * the one that was sent first; many may send and receive, each message is taken by
 * one.  Who receives makes the queue when there is none.
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
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/copies.h"
#include "link/queues.h"
#include "sys/files.h"
#include "sys/machine.h"
#include "sys/mqueues.h"
#include "sys/process.h"
#include "sys/stream.h"

/* What the kernel gives a queue of which nothing is asked. */
#define CAPACITY 10u
#define MAX	 8192u

#define ATTEMPTS 16 /* somebody makes and removes it all the time */

struct mq {
	bool opened;
	int fd;
	bool gives_back; /* open for writing as well */
	uint64_t max;	 /* bytes of a message, fixed when the queue was made */
	struct ferryi_copies copies;
	/* the receive side's */
	struct ferry_message kept; /* link: NULL when there is none */
	uint32_t generation;	   /* of the process that keeps it */
};

static struct mq *mq_of(struct ferry_link *l)
{
	return l->state;
}

/* --- names and attributes ------------------------------------------------- */

static int check_name(const struct ferryi_address *a)
{
	const char *name = a->rest;

	if (name[0] != '/' || !name[1] || strchr(name + 1, '/') ||
	    strcmp(name, "/.") == 0 || strcmp(name, "/..") == 0)
		return ferryi_fail(
			-EINVAL,
			"mq:%.100s: a queue's name is one slash and "
			"a name without another one (write mq:/NAME)",
			name);
	if (strlen(name + 1) > NAME_MAX)
		return ferryi_fail(-EINVAL,
				   "mq: the name has %zu bytes behind the "
				   "slash, the kernel takes %d",
				   strlen(name + 1), NAME_MAX);
	return 0;
}

/* What the address asks for; 0: nothing. */
static int read_wanted(const struct ferryi_address *a, struct ferryi_mqueue *w)
{
	int err;

	*w = (struct ferryi_mqueue){ 0 };
	err = ferryi_queue_size(a, "capacity", &w->capacity);
	return err ? err : ferryi_queue_size(a, "max", &w->max);
}

static int check_wanted(struct ferry_link *l, const struct ferryi_mqueue *w,
			const struct ferryi_mqueue *is)
{
	if (w->capacity && w->capacity != is->capacity)
		return ferryi_fail(-EEXIST,
				   "%s: the queue is there and holds %" PRIu64
				   " messages, not %" PRIu64 " (leave "
				   "capacity= out, or remove it first)",
				   l->address, is->capacity, w->capacity);
	if (w->max && w->max != is->max)
		return ferryi_fail(-EEXIST,
				   "%s: the queue is there and takes messages "
				   "of %" PRIu64 " bytes, not %" PRIu64
				   " (leave max= out, or remove it first)",
				   l->address, is->max, w->max);
	return 0;
}

/* --- opening -------------------------------------------------------------- */

/* Who receives may want to put something back. */
static enum ferryi_mqueue_use use_of(const struct ferry_link *l)
{
	return l->flags == FERRY_SEND ? FERRYI_MQUEUE_SEND : FERRYI_MQUEUE_BOTH;
}

static int open_there(struct ferry_link *l, const char *name)
{
	int fd = ferryi_mqueue_open(name, use_of(l));

	mq_of(l)->gives_back = fd >= 0 || fd == -ENOENT;
	if (fd == -EACCES && l->flags == FERRY_RECV)
		fd = ferryi_mqueue_open(name, FERRYI_MQUEUE_RECV);
	return fd;
}

/* EMFILE is this process's descriptors, or this user's bytes in queues. */
static int out_of_either(struct ferry_link *l, const struct ferryi_mqueue *w)
{
	int fd = ferryi_fd_dup(l->cancel.fd);

	if (fd < 0)
		return ferryi_fail_sys(EMFILE, "%s", l->address);
	ferryi_close(fd);
	return ferryi_fail(-ENOSPC,
			   "%s: %" PRIu64 " messages of %" PRIu64
			   " bytes are more than is left of the %" PRIu64
			   " bytes that all message queues of this user may "
			   "have (remove some, or raise ulimit -q)",
			   l->address, w->capacity, w->max,
			   ferryi_machine_max_queue_bytes());
}

static int cannot_create(struct ferry_link *l, const struct ferryi_mqueue *w,
			 int err)
{
	switch (err) {
	case -EMFILE: return out_of_either(l, w);
	case -EINVAL:
		return ferryi_fail(
			-EINVAL,
			"%s: %" PRIu64 " messages of %" PRIu64 " bytes are "
			"more than the %" PRIu64 " of %" PRIu64 " that the "
			"kernel allows (raise fs.mqueue.msg_max, "
			"fs.mqueue.msgsize_max)",
			l->address, w->capacity, w->max,
			ferryi_machine_setting("fs/mqueue/msg_max", 0),
			ferryi_machine_setting("fs/mqueue/msgsize_max", 0));
	case -ENOSPC:
		return ferryi_fail(
			-ENOSPC,
			"%s: there are %" PRIu64 " message queues already "
			"(remove some, or raise fs.mqueue.queues_max)",
			l->address,
			ferryi_machine_setting("fs/mqueue/queues_max", 0));
	case -ENOMEM:
		return ferryi_fail(-ENOMEM,
				   "%s: the kernel has no memory for %" PRIu64
				   " messages of %" PRIu64 " bytes",
				   l->address, w->capacity, w->max);
	}
	return ferryi_fail_sys(-err, "%s: no queue could be made: %s",
			       l->address, strerror(-err));
}

static int create(struct ferry_link *l, const struct ferryi_address *a,
		  struct ferryi_mqueue w)
{
	unsigned mode;
	int err = ferryi_queue_mode(a, &mode), fd;

	if (err)
		return err;
	if (!w.capacity)
		w.capacity = ferryi_machine_setting("fs/mqueue/msg_default",
						    CAPACITY);
	if (!w.max)
		w.max = ferryi_machine_setting("fs/mqueue/msgsize_default",
					       MAX);
	fd = ferryi_mqueue_create(a->rest, use_of(l), mode, w.capacity, w.max);
	return fd >= 0 || fd == -EEXIST ? fd : cannot_create(l, &w, fd);
}

static int cannot_open(struct ferry_link *l, int err)
{
	switch (err) {
	case -ENOENT:
		return ferryi_fail(-ENOENT,
				   "%s does not exist (who receives makes it; "
				   "start that one first)",
				   l->address);
	case -EACCES:
		return ferryi_fail(-EACCES,
				   "%s: you may not %s (its owner gave it its "
				   "mode when it was made, mode=)",
				   l->address,
				   l->flags == FERRY_SEND ? "send to it" :
				   l->flags == FERRY_RECV ? "receive from it" :
							    "do both with it");
	case -ENOSYS:
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: this kernel has no POSIX message "
				   "queues",
				   l->address);
	}
	return ferryi_fail_sys(-err, "%s: opening it failed: %s", l->address,
			       strerror(-err));
}

/* A descriptor of the queue, made when there is none, or an error. */
static int find(struct ferry_link *l, const struct ferryi_address *a,
		const struct ferryi_mqueue *w)
{
	int fd = -ENOENT;

	for (int i = 0; i < ATTEMPTS; i++) {
		fd = open_there(l, a->rest);
		if (fd >= 0)
			return fd;
		if (fd != -ENOENT || !(l->flags & FERRY_RECV))
			return cannot_open(l, fd);
		fd = create(l, a, *w);
		if (fd != -EEXIST)
			return fd;
	}
	return ferryi_fail(-EBUSY,
			   "%s: it is made and removed all the time by others",
			   l->address);
}

static int mq_open_link(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_mqueue wanted, is;
	struct mq *q = mq_of(l);
	unsigned mode;
	int err = check_name(a);

	if (!err)
		err = read_wanted(a, &wanted);
	if (!err)
		err = ferryi_queue_mode(a, &mode);
	if (err)
		return err;
	q->fd = find(l, a, &wanted);
	if (q->fd < 0)
		return q->fd;
	q->opened = true;
	err = ferryi_mqueue_look(q->fd, &is);
	if (err)
		return ferryi_fail_sys(-err, "%s: what it is like: %s",
				       l->address, strerror(-err));
	q->max = is.max;
	return check_wanted(l, &wanted, &is);
}

static int mq_destroy(const char *rest)
{
	struct ferryi_address a;
	int err = ferryi_queue_parse(&a, "mq", rest);

	if (!err)
		err = check_name(&a);
	if (err)
		return err;
	err = ferryi_mqueue_unlink(a.rest);
	switch (err) {
	case 0: return 0;
	case -ENOENT:
		return ferryi_fail(-ENOENT, "mq:%s does not exist", a.rest);
	case -EACCES:
	case -EPERM:
		return ferryi_fail(
			-EACCES, "mq:%s: only its owner may remove it", a.rest);
	}
	return ferryi_fail_sys(-err, "mq:%s: removing it failed: %s", a.rest,
			       strerror(-err));
}

/* --- sending -------------------------------------------------------------- */

static int check_len(struct ferry_link *l, size_t len)
{
	uint64_t max = mq_of(l)->max;

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
		err = ferryi_mqueue_send(mq_of(l)->fd, data, len, priority);
	if (err == 0 || err == -EAGAIN || err == -EMSGSIZE)
		return err;
	return ferryi_fail_sys(-err, "%s: the kernel refuses: %s", l->address,
			       strerror(-err));
}

static int mq_send_one(struct ferry_link *l, const void *data, size_t len)
{
	return send_with(l, data, len, 0);
}

static int mq_loan(struct ferry_link *l, size_t len, struct ferry_message *m)
{
	int err = check_len(l, len);

	return err ? err : ferryi_copies_new(&mq_of(l)->copies, l, len, m);
}

static int mq_commit(struct ferry_link *l, struct ferry_message *m)
{
	struct mq *q = mq_of(l);
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
	return ferryi_copies_drop(&mq_of(l)->copies, m);
}

/* --- receiving ------------------------------------------------------------ */

static bool keeps(const struct mq *q)
{
	return q->kept.link && q->generation == ferryi_generation();
}

/* The place comes first: what the kernel has handed out must not get lost. */
static int receive(struct ferry_link *l, struct ferry_message *m)
{
	struct mq *q = mq_of(l);
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
	return n == -EAGAIN ?
		       -EAGAIN :
		       ferryi_fail_sys((int)-n, "%s: the kernel refuses: %s",
				       l->address, strerror((int)-n));
}

static int mq_take(struct ferry_link *l, struct ferry_message *m)
{
	struct mq *q = mq_of(l);

	if (!keeps(q))
		return receive(l, m);
	*m = q->kept;
	q->kept.link = NULL;
	return 0;
}

static void keep(struct mq *q, const struct ferry_message *m)
{
	q->kept = *m;
	q->generation = ferryi_generation();
}

/* May a message of any length be received, and stay first if it does not fit? */
static int check_keeping(struct ferry_link *l, int err, size_t size)
{
	struct mq *q = mq_of(l);

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
	struct mq *q = mq_of(l);
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
	struct mq *q = mq_of(l);
	struct ferry_message m;
	unsigned priority;
	ssize_t n;
	int err;

	if (size >= q->max && !keeps(q)) {
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
	int err;

	if (delay_ns > 0)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: a message can be given back at once "
				   "only (mailboxes know a delay)",
				   l->address);
	err = ferryi_copies_check(&mq_of(l)->copies, m);
	if (!err && !mq_of(l)->gives_back)
		err = ferryi_fail(-EACCES,
				  "%s: you may not write to it, so nothing can "
				  "be given back",
				  l->address);
	if (!err)
		err = send_with(l, m->data, m->len, m->priority);
	return err ? err : mq_end(l, m);
}

/* --- waiting, figures, the end ---------------------------------------------- */

static int mq_interest(struct ferry_link *l, enum ferryi_want want,
		       struct ferryi_wait *w)
{
	ferryi_wait_fd(w, mq_of(l)->fd,
		       want == FERRYI_WANT_RECV ? POLLIN : POLLOUT);
	return 0;
}

static int mq_stat(struct ferry_link *l, struct ferry_mailbox_stat *st)
{
	struct ferry_mailbox_stat now = { 0 };
	struct ferryi_mqueue is;
	int err = ferryi_mqueue_look(mq_of(l)->fd, &is);

	if (err)
		return ferryi_fail_sys(-err, "%s: what it is like: %s",
				       l->address, strerror(-err));
	now.options.capacity = is.capacity;
	now.options.message_max = is.max;
	now.options.persistence = FERRY_PERSIST_KERNEL;
	now.queued = is.queued;
	now.held = keeps(mq_of(l));
	return ferryi_queue_stat(st, &now);
}

static int mq_explain(struct ferry_link *l, int err, char *buf, size_t size)
{
	struct ferryi_mqueue is;

	if ((err != -EAGAIN && err != -ETIMEDOUT) ||
	    ferryi_mqueue_look(mq_of(l)->fd, &is) != 0)
		return 0;
	return snprintf(buf, size,
			"%s holds %" PRIu64 " of %" PRIu64 " messages",
			l->address, is.queued, is.capacity);
}

static void mq_fini(struct ferry_link *l)
{
	struct mq *q = mq_of(l);

	if (!q->opened)
		return;
	if (keeps(q))
		ferryi_mqueue_send(q->fd, q->kept.data, q->kept.len,
				   q->kept.priority);
	ferryi_copies_fini(&q->copies);
	ferryi_close(q->fd);
}

static const struct ferryi_messages mq_messages = {
	.send = mq_send_one,
	.recv = mq_recv,
	.next_len = mq_next_len,
	.loan = mq_loan,
	.commit = mq_commit,
	.abandon = mq_end,
	.take = mq_take,
	.release = mq_end,
	.requeue = mq_requeue,
	.stat = mq_stat,
};

const struct ferryi_transport ferryi_transport_mq = {
	.info = {
		.scheme = "mq",
		.summary = "POSIX message queues, with priorities",
		.naming = "/NAME",
		.framing = "message",
		.direction = "many to many",
		.buffering = "kernel, bounded",
		.persistence = "kernel",
		.promises = FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX |
			    FERRY_CAN_ORDER | FERRY_CAN_RELIABLE |
			    FERRY_CAN_MANY_SEND | FERRY_CAN_MANY_RECV |
			    FERRY_CAN_NAME | FERRY_CAN_PERSIST |
			    FERRY_CAN_PRIORITY,
	},
	.keys = "capacity max mode",
	.state_size = sizeof(struct mq),
	.open = mq_open_link,
	.destroy = mq_destroy,
	.fini = mq_fini,
	.interest = mq_interest,
	.explain = mq_explain,
	.messages = &mq_messages,
};
