/* SPDX-License-Identifier: MIT */
/*
 * Scenarios in which the victim takes, and ends what it took.
 */
#include <errno.h>

#include "deed.h"
#include "round.h"

static bool take(struct victim *v)
{
	return deed_take(v->box, &v->m, FERRY_NOWAIT) == 0;
}

static bool take_in_vain(struct victim *v)
{
	return deed_take(v->box, &v->m, FERRY_NOWAIT) == -EAGAIN;
}

static bool take_and_release(struct victim *v)
{
	return deed_consume(v->box, FERRY_NOWAIT) == 0;
}

static bool receive_many(struct victim *v)
{
	return deed_recv_many(v->box) == DEED_MANY;
}

static bool wait_and_release(struct victim *v)
{
	return deed_consume(v->box, FERRY_FOREVER) == 0;
}

static bool release(struct victim *v)
{
	return deed_release(&v->m) == 0;
}

static bool requeue(struct victim *v)
{
	return ferry_requeue(&v->m, 0) == 0;
}

static bool requeue_later(struct victim *v)
{
	return ferry_requeue(&v->m, FERRY_MS(20)) == 0;
}

static bool reject(struct victim *v)
{
	return ferry_reject(&v->m) == 0;
}

static void send_one_more(struct round *r)
{
	deed_send(r->box, ID_WAKE, FERRY_NOWAIT);
}

static void send_two_more(struct round *r)
{
	deed_send(r->box, ID_WAKE, FERRY_NOWAIT);
	deed_send(r->box, ID_WAKE + 1, FERRY_NOWAIT);
}

static void at_most_once(struct ferry_mailbox_options *o)
{
	o->delivery = FERRY_AT_MOST_ONCE;
}

/* A delivery limit of one: giving it back means the dead letters. */
static void once_only(struct ferry_mailbox_options *o)
{
	o->max_deliveries = 1;
}

const struct scenario scenarios_take[] = {
	{ .name = "take, empty", .act = take_in_vain },
	{ .name = "take", .queued = 3, .act = take },
	{ .name = "take and release",
	  .flags = SC_TWICE,
	  .queued = 3,
	  .act = take_and_release },
	{ .name = "take and release 5000 bytes",
	  .size = 5000,
	  .queued = 2,
	  .act = take_and_release },
	{ .name = "take and release, full, 1 sender asleep",
	  .flags = SC_TWICE,
	  .queued = CAPACITY,
	  .senders = 1,
	  .act = take_and_release },
	{ .name = "take and release, full, 2 senders asleep",
	  .queued = CAPACITY,
	  .senders = 2,
	  .act = take_and_release },
	{ .name = "receive 3 in one call, a sender asleep",
	  .queued = CAPACITY,
	  .senders = 1,
	  .act = receive_many },
	{ .name = "release, a sender asleep for a chunk",
	  .queued = 1,
	  .exhaust = true,
	  .senders = 1,
	  .prepare = take,
	  .act = release },
	{ .name = "take, a receiver asleep beside it",
	  .flags = SC_TWICE,
	  .receivers = 1,
	  .act = wait_and_release,
	  .wake = send_one_more },
	{ .name = "woken receiver, 2 others asleep",
	  .receivers = 2,
	  .act = wait_and_release,
	  .wake = send_two_more },
	{ .name = "woken receiver, 5000 bytes",
	  .size = 5000,
	  .receivers = 1,
	  .act = wait_and_release,
	  .wake = send_one_more },
	{ .name = "take at most once",
	  .queued = 2,
	  .flags = SC_MAY_DROP,
	  .options = at_most_once,
	  .act = take_and_release },
	{ .name = "requeue", .queued = 2, .prepare = take, .act = requeue },
	{ .name = "requeue, 2 receivers asleep",
	  .flags = SC_TWICE,
	  .queued = 1,
	  .receivers = 2,
	  .prepare = take,
	  .act = requeue },
	{ .name = "requeue with delay, 1 receiver asleep",
	  .queued = 1,
	  .receivers = 1,
	  .prepare = take,
	  .act = requeue_later },
	{ .name = "requeue beyond the limit",
	  .queued = 2,
	  .flags = SC_DEAD_LETTERS,
	  .options = once_only,
	  .prepare = take,
	  .act = requeue },
	{ .name = "reject to the dead letters",
	  .queued = 2,
	  .flags = SC_DEAD_LETTERS,
	  .prepare = take,
	  .act = reject },
	{ 0 },
};
