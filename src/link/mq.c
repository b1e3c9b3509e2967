/* SPDX-License-Identifier: MIT */
/*
 * mq:/NAME: POSIX message queues.  The highest priority comes first, and of those
 * the one that was sent first; many may send and receive, each message is taken by
 * one.  Who receives makes the queue when there is none.
 */
#include "link/mq.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "link/queues.h"
#include "sys/files.h"
#include "sys/mqueues.h"

/* --- waiting, figures, the end ---------------------------------------------- */

static int mq_interest(struct ferry_link *l, enum ferryi_want want,
		       struct ferryi_wait *w)
{
	ferryi_wait_fd(w, ferryi_mq_of(l)->fd,
		       want == FERRYI_WANT_RECV ? POLLIN : POLLOUT);
	return 0;
}

int ferryi_mq_stat(struct ferry_link *l, struct ferry_mailbox_stat *st)
{
	struct ferry_mailbox_stat now = { 0 };
	struct ferryi_mqueue is;
	int err = ferryi_mqueue_look(ferryi_mq_of(l)->fd, &is);

	if (err)
		return ferryi_fail_sys(-err, "%s: what it is like: %s",
				       l->address, strerror(-err));
	now.options.capacity = is.capacity;
	now.options.message_max = is.max;
	now.options.persistence = FERRY_PERSIST_KERNEL;
	now.queued = is.queued;
	now.held = ferryi_mq_keeps(ferryi_mq_of(l));
	return ferryi_queue_stat(st, &now);
}

static int mq_explain(struct ferry_link *l, int err, char *buf, size_t size)
{
	struct ferryi_mqueue is;

	if ((err != -EAGAIN && err != -ETIMEDOUT) ||
	    ferryi_mqueue_look(ferryi_mq_of(l)->fd, &is) != 0)
		return 0;
	return snprintf(buf, size,
			"%s holds %" PRIu64 " of %" PRIu64 " messages",
			l->address, is.queued, is.capacity);
}

static void mq_fini(struct ferry_link *l)
{
	struct ferryi_mq *q = ferryi_mq_of(l);

	if (!q->opened)
		return;
	if (ferryi_mq_keeps(q))
		ferryi_mqueue_send(q->fd, q->kept.data, q->kept.len,
				   q->kept.priority);
	ferryi_copies_fini(&q->copies);
	ferryi_close(q->fd);
}

const struct ferryi_transport ferryi_transport_mq = {
	.info = {
		.scheme = "mq",
		.summary = "POSIX message queues, with priorities",
		.naming = "/NAME",
		FERRYI_QUEUE_ROW,
		.promises = FERRYI_QUEUE_PROMISES | FERRY_CAN_PRIORITY,
	},
	.keys = "capacity max mode",
	.state_size = sizeof(struct ferryi_mq),
	.open = ferryi_mq_open,
	.destroy = ferryi_mq_destroy,
	.identify = ferryi_mq_identify,
	.figures = ferryi_mq_figures,
	.names = ferryi_mq_names,
	.fini = mq_fini,
	.interest = mq_interest,
	.explain = mq_explain,
	.messages = &ferryi_messages_of_mq,
};
