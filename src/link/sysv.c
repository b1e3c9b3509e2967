/* SPDX-License-Identifier: MIT */
/*
 * sysv:KEY and sysv:PATH: System V message queues.  Each message has a type, by
 * which a receiver chooses; within what it chooses the first that was sent comes
 * first.  Who receives makes the queue when there is none.
 *
 * Such a queue has nothing to poll, and a waiter of the kernel's own can neither be
 * cancelled nor given a deadline.  So who waits looks again, after 1 ms, 2, 4, 8 and
 * then every 10 ms.
 */
#include "link/sysv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "link/queues.h"
#include "sys/clock.h"

#define LOOK_FIRST FERRY_MS(1)
#define LOOK_MOST  FERRY_MS(10)
#define OPEN_AGAIN FERRY_MS(2)

/* --- waiting, figures, the end ---------------------------------------------- */

static int sysv_interest(struct ferry_link *l, enum ferryi_want want,
			 struct ferryi_wait *w)
{
	ferry_time *nap = &ferryi_sysv_of(l)->nap[want == FERRYI_WANT_RECV];

	if (want == FERRYI_WANT_OPEN) {
		ferryi_wait_tick(w, ferryi_now() + OPEN_AGAIN);
		return 0;
	}
	*nap = w->slept ? 2 * *nap : LOOK_FIRST;
	if (*nap > LOOK_MOST)
		*nap = LOOK_MOST;
	ferryi_wait_tick(w, ferryi_now() + *nap);
	return 0;
}

int ferryi_sysv_stat(struct ferry_link *l, struct ferry_mailbox_stat *st)
{
	struct ferry_mailbox_stat now = { 0 };
	struct ferryi_sysv is;
	int err = ferryi_sysv_look(ferryi_sysv_of(l)->id, &is);

	if (err)
		return ferryi_sysv_result(l, err);
	now.options.bytes_max = is.bytes_max;
	now.options.persistence = FERRY_PERSIST_KERNEL;
	now.queued = is.queued;
	now.bytes = is.bytes;
	return ferryi_queue_stat(st, &now);
}

static int sysv_explain(struct ferry_link *l, int err, char *buf, size_t size)
{
	struct ferryi_sysv is;

	if ((err != -EAGAIN && err != -ETIMEDOUT) ||
	    ferryi_sysv_look(ferryi_sysv_of(l)->id, &is) != 0)
		return 0;
	return snprintf(buf, size,
			"%s holds %" PRIu64 " messages, %" PRIu64 " of %" PRIu64
			" bytes%s",
			l->address, is.queued, is.bytes, is.bytes_max,
			ferryi_sysv_of(l)->choice.type ? ", of all types" : "");
}

static void sysv_fini(struct ferry_link *l)
{
	struct ferryi_sysv_link *q = ferryi_sysv_of(l);

	ferryi_copies_fini(&q->copies);
	free(q->in.m);
	free(q->out.m);
}

const struct ferryi_transport ferryi_transport_sysv = {
	.info = {
		.scheme = "sysv",
		.summary = "System V message queues, with types",
		.naming = "key or path",
		FERRYI_QUEUE_ROW,
		.promises = FERRYI_QUEUE_PROMISES | FERRY_CAN_TYPE |
			    FERRY_CAN_TICK,
	},
	.keys = "type capacity mode ftok",
	.state_size = sizeof(struct ferryi_sysv_link),
	.open = ferryi_sysv_open_link,
	.destroy = ferryi_sysv_destroy,
	.identify = ferryi_sysv_identify,
	.figures = ferryi_sysv_figures,
	.names = ferryi_sysv_names,
	.fini = sysv_fini,
	.interest = sysv_interest,
	.explain = sysv_explain,
	.messages = &ferryi_messages_of_sysv,
};
