/* SPDX-License-Identifier: MIT */
/*
 * Scenarios in which the victim sends: copying, in place, and waiting.
 */
#include <errno.h>

#include "deed.h"
#include "round.h"

static bool send_one(struct victim *v)
{
	return deed_send(v->box, ID_VICTIM, FERRY_NOWAIT) == 0;
}

static bool send_in_vain(struct victim *v)
{
	return deed_send(v->box, ID_VICTIM, FERRY_NOWAIT) == -EAGAIN;
}

static bool send_two_of_many(struct victim *v)
{
	return deed_send_many(v->box, ID_VICTIM) == 2;
}

static bool send_many(struct victim *v)
{
	return deed_send_many(v->box, ID_VICTIM) == DEED_MANY;
}

static bool send_and_wait(struct victim *v)
{
	return deed_send(v->box, ID_VICTIM, FERRY_FOREVER) == 0;
}

static bool loan_commit(struct victim *v)
{
	return deed_loan(v->box, ID_VICTIM, &v->m, FERRY_NOWAIT) == 0 &&
	       deed_commit(&v->m, ID_VICTIM, FERRY_NOWAIT) == 0;
}

static bool loan_abandon(struct victim *v)
{
	return deed_loan(v->box, ID_VICTIM, &v->m, FERRY_NOWAIT) == 0 &&
	       ferry_abandon(&v->m) == 0;
}

static bool loan_beforehand(struct victim *v)
{
	return deed_loan(v->box, ID_VICTIM, &v->m, FERRY_NOWAIT) == 0;
}

static bool abandon(struct victim *v)
{
	return ferry_abandon(&v->m) == 0;
}

static void make_room(struct round *r)
{
	deed_consume(r->box, FERRY_NOWAIT);
}

static void drop_old(struct ferry_mailbox_options *o)
{
	o->full = FERRY_FULL_DROP_OLD;
}

const struct scenario scenarios_send[] = {
	{ .name = "send to an empty mailbox", .act = send_one },
	{ .name = "send, full", .queued = CAPACITY, .act = send_in_vain },
	{ .name = "send, 1 receiver asleep",
	  .flags = SC_TWICE,
	  .receivers = 1,
	  .act = send_one },
	{ .name = "send, 2 receivers asleep", .receivers = 2, .act = send_one },
	{ .name = "send, a loop and a receiver asleep",
	  .receivers = 2,
	  .loops = 1,
	  .act = send_one },
	{ .name = "send 3 in one call, room for 2",
	  .queued = CAPACITY - 2,
	  .act = send_two_of_many },
	{ .name = "send 3 in one call, 2 receivers asleep",
	  .receivers = 2,
	  .act = send_many },
	{ .name = "send 300 bytes, 1 receiver asleep",
	  .size = 300,
	  .receivers = 1,
	  .act = send_one },
	{ .name = "send 5000 bytes, 2 queued",
	  .size = 5000,
	  .flags = SC_TWICE,
	  .queued = 2,
	  .act = send_one },
	{ .name = "send 100 KiB", .size = 100 << 10, .act = send_one },
	{ .name = "send over the oldest",
	  .queued = CAPACITY,
	  .options = drop_old,
	  .flags = SC_MAY_DROP | SC_NEVER_FULL,
	  .act = send_one },
	{ .name = "loan and commit",
	  .flags = SC_TWICE,
	  .receivers = 1,
	  .act = loan_commit },
	{ .name = "loan and commit 5000 bytes",
	  .size = 5000,
	  .queued = 1,
	  .act = loan_commit },
	{ .name = "loan and commit 100 KiB",
	  .size = 100 << 10,
	  .receivers = 1,
	  .act = loan_commit },
	{ .name = "loan and abandon", .size = 300, .act = loan_abandon },
	{ .name = "abandon, a sender asleep for a chunk",
	  .exhaust = true,
	  .senders = 1,
	  .prepare = loan_beforehand,
	  .act = abandon },
	{ .name = "woken sender, another asleep",
	  .queued = CAPACITY,
	  .senders = 1,
	  .act = send_and_wait,
	  .wake = make_room },
	{ .name = "woken sender, 2 others asleep",
	  .queued = CAPACITY,
	  .senders = 2,
	  .act = send_and_wait,
	  .wake = make_room },
	{ 0 },
};
