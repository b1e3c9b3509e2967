/* SPDX-License-Identifier: MIT */
/*
 * Scenarios in which the victim stands still, after any of its instructions,
 * while somebody else goes three laps round the ring; then it goes on to its
 * end, or is killed.  Nobody may wait for it, and what it does afterwards, with
 * all that it had read by then, must harm nothing.
 */
#include <errno.h>

#include "deed.h"
#include "round.h"

/* What a call of one who was only stopped must answer. */
static bool must(const char *call, int err)
{
	if (err)
		violate(FAULT_OTHER, "%s after a stop said %s", call,
			ferry_error_name(err));
	return err == 0;
}

static bool send_one(struct victim *v)
{
	return must("send", deed_send(v->box, ID_VICTIM, FERRY_NOWAIT));
}

static bool send_and_wait(struct victim *v)
{
	return must("send", deed_send(v->box, ID_VICTIM, FERRY_FOREVER));
}

static bool loan(struct victim *v)
{
	return must("loan", deed_loan(v->box, ID_VICTIM, &v->m, FERRY_NOWAIT));
}

static bool commit(struct victim *v)
{
	return must("commit", deed_commit(&v->m, ID_VICTIM, FERRY_NOWAIT));
}

static bool abandon(struct victim *v)
{
	return must("abandon", ferry_abandon(&v->m));
}

/* Between two laps there is a moment in which there is nothing to take. */
static bool take(struct victim *v)
{
	int err = deed_take(v->box, &v->m, FERRY_NOWAIT);

	return err != -EAGAIN && must("take", err);
}

static bool take_and_release(struct victim *v)
{
	return deed_consume(v->box, FERRY_NOWAIT) == 0;
}

static bool wait_and_release(struct victim *v)
{
	return must("take", deed_consume(v->box, FERRY_FOREVER));
}

static bool release(struct victim *v)
{
	return must("release", deed_release(&v->m));
}

static bool requeue(struct victim *v)
{
	return must("requeue", ferry_requeue(&v->m, 0));
}

static bool requeue_later(struct victim *v)
{
	return must("requeue", ferry_requeue(&v->m, FERRY_MS(5)));
}

static void wake_a_receiver(struct round *r)
{
	deed_send(r->box, ID_WAKE, FERRY_NOWAIT);
}

static void wake_a_sender(struct round *r)
{
	deed_consume(r->box, FERRY_NOWAIT);
}

static void drop_old(struct ferry_mailbox_options *o)
{
	o->full = FERRY_FULL_DROP_OLD;
}

/* One message in and one out; where it is full, first one out. */
static void one_place_on(struct ferry_link *box, long id)
{
	int err = deed_send(box, id, FERRY_NOWAIT);

	if (err == -EAGAIN) {
		if (deed_consume(box, FERRY_NOWAIT))
			violate(FAULT_HANG, "neither room nor a message");
		err = deed_send(box, id, FERRY_NOWAIT);
	} else if (deed_consume(box, FERRY_NOWAIT)) {
		violate(FAULT_HANG, "what was sent cannot be taken");
	}
	if (err)
		violate(FAULT_HANG, "a send beside a stopped one said %s",
			ferry_error_name(err));
}

static void three_laps(void)
{
	struct ferry_link *box = deed_open("box");

	for (int i = 0; i < 3 * CAPACITY; i++)
		one_place_on(box, ID_LAPS + i);
}

/* And something is left for whoever goes on. */
static void three_laps_and_two(void)
{
	struct ferry_link *box = deed_open("box");

	for (int i = 0; i < 3 * CAPACITY; i++)
		one_place_on(box, ID_LAPS + i);
	deed_send(box, ID_HELPER, FERRY_NOWAIT);
	deed_send(box, ID_HELPER + 1, FERRY_NOWAIT);
}

#define STOPPED SC_LAPS | SC_RESUME

const struct scenario scenarios_stop[] = {
	{ .name = "sender stopped for three laps",
	  .flags = STOPPED,
	  .act = send_one,
	  .help = three_laps_and_two },
	{ .name = "sender of 300 bytes stopped for three laps",
	  .size = 300,
	  .flags = STOPPED,
	  .queued = 1,
	  .act = send_one,
	  .help = three_laps },
	{ .name = "sender of 5000 bytes stopped for three laps",
	  .size = 5000,
	  .flags = STOPPED,
	  .queued = 1,
	  .act = send_one,
	  .help = three_laps },
	{ .name = "sender over the oldest stopped for three laps",
	  .flags = STOPPED | SC_MAY_DROP | SC_NEVER_FULL,
	  .queued = CAPACITY,
	  .options = drop_old,
	  .act = send_one,
	  .help = three_laps },
	{ .name = "woken sender stopped for three laps",
	  .flags = STOPPED,
	  .queued = CAPACITY,
	  .act = send_and_wait,
	  .wake = wake_a_sender,
	  .help = three_laps },
	{ .name = "loan stopped for three laps",
	  .flags = STOPPED,
	  .act = loan,
	  .help = three_laps },
	{ .name = "commit stopped for three laps",
	  .flags = STOPPED,
	  .queued = 1,
	  .prepare = loan,
	  .act = commit,
	  .help = three_laps },
	{ .name = "abandon stopped for three laps",
	  .flags = STOPPED,
	  .prepare = loan,
	  .act = abandon,
	  .help = three_laps },
	{ .name = "take stopped for three laps",
	  .flags = STOPPED,
	  .queued = 1,
	  .act = take,
	  .help = three_laps },
	{ .name = "receiver stopped for three laps",
	  .flags = STOPPED,
	  .queued = 1,
	  .act = take_and_release,
	  .help = three_laps_and_two },
	{ .name = "receiver of 5000 bytes stopped for three laps",
	  .size = 5000,
	  .flags = STOPPED,
	  .queued = 2,
	  .act = take_and_release,
	  .help = three_laps },
	{ .name = "woken receiver stopped for three laps",
	  .flags = STOPPED,
	  .act = wait_and_release,
	  .wake = wake_a_receiver,
	  .help = three_laps_and_two },
	{ .name = "release stopped for three laps",
	  .flags = STOPPED,
	  .queued = 2,
	  .prepare = take,
	  .act = release,
	  .help = three_laps },
	{ .name = "requeue stopped for three laps",
	  .flags = STOPPED,
	  .queued = 2,
	  .prepare = take,
	  .act = requeue,
	  .help = three_laps },
	{ .name = "requeue with delay stopped for three laps",
	  .flags = STOPPED,
	  .queued = 1,
	  .prepare = take,
	  .act = requeue_later,
	  .help = three_laps },
	{ .name = "sender killed after three laps",
	  .flags = SC_LAPS,
	  .act = send_one,
	  .help = three_laps_and_two },
	{ .name = "receiver killed after three laps",
	  .flags = SC_LAPS,
	  .queued = 1,
	  .act = take_and_release,
	  .help = three_laps_and_two },
	{ .name = "requeue killed after three laps",
	  .flags = SC_LAPS,
	  .queued = 2,
	  .prepare = take,
	  .act = requeue,
	  .help = three_laps },
	{ 0 },
};
