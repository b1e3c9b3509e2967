/* SPDX-License-Identifier: MIT */
/*
 * Scenarios in which the victim takes, and ends what it took.
 */
#include "deed.h"
#include "round.h"

static void take(struct victim *v)
{
	deed_take(v->box, &v->m, FERRY_NOWAIT);
}

static void take_and_release(struct victim *v)
{
	deed_consume(v->box, FERRY_NOWAIT);
}

static void receive_many(struct victim *v)
{
	deed_recv_many(v->box);
}

static void wait_and_release(struct victim *v)
{
	deed_consume(v->box, FERRY_FOREVER);
}

static void release(struct victim *v)
{
	deed_release(&v->m);
}

static void requeue(struct victim *v)
{
	ferry_requeue(&v->m, 0);
}

static void requeue_later(struct victim *v)
{
	ferry_requeue(&v->m, FERRY_MS(20));
}

static void reject(struct victim *v)
{
	ferry_reject(&v->m);
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
	{ .name = "take, empty", .act = take },
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
