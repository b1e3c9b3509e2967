/* SPDX-License-Identifier: MIT */
/*
 * Scenarios around somebody's death: holders that are idle or elsewhere,
 * those who repair, and those who come in over a dead one's place.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "deed.h"
#include "round.h"

static bool take(struct victim *v)
{
	return deed_take(v->box, &v->m, FERRY_NOWAIT) == 0;
}

static bool take_then_use_other(struct victim *v)
{
	return take(v) && deed_send(v->other, ID_VICTIM, FERRY_NOWAIT) == 0;
}

static bool use_other(struct victim *v)
{
	return deed_send(v->other, ID_VICTIM, FERRY_NOWAIT) == 0;
}

static void *take_in_a_thread(void *arg)
{
	return take(arg) ? arg : NULL;
}

static bool thread_takes_and_ends(struct victim *v)
{
	pthread_t t;
	void *took = NULL;

	return pthread_create(&t, NULL, take_in_a_thread, v) == 0 &&
	       pthread_join(t, &took) == 0 && took;
}

static bool stay_idle(struct victim *v)
{
	(void)v;
	return true;
}

static bool open_it(struct victim *v)
{
	return ferry_open(&v->box, "box", FERRY_DUPLEX) == 0;
}

static bool gc(struct victim *v)
{
	(void)v;
	return deed_gc() >= 0;
}

/* Leaves one message held, one loan, one queued and one half on its way. */
static void die_in_a_mess(struct ferry_link *box)
{
	struct ferry_message held, loan;

	deed_send(box, ID_DEAD, FERRY_NOWAIT);
	deed_take(box, &held, FERRY_NOWAIT);
	deed_loan(box, ID_DEAD + 2, &loan, FERRY_NOWAIT);
	deed_send(box, ID_DEAD + 1, FERRY_NOWAIT);
}

/* Leaves an empty queue, a message held for each of two sleepers, one loan. */
static void die_holding(struct ferry_link *box)
{
	struct ferry_message held[2], loan;

	for (int i = 0; i < 2; i++) {
		deed_send(box, ID_DEAD + i, FERRY_NOWAIT);
		deed_take(box, &held[i], FERRY_NOWAIT);
	}
	deed_loan(box, ID_DEAD + 2, &loan, FERRY_NOWAIT);
}

#define BEFORE	   3		      /* messages in the ring */
#define AT_CELL(i) (8192 + 256 * (i)) /* doc/format.md */

/* The cell behind the queued messages claims to be many laps ahead. */
static bool damage_ring(struct victim *v)
{
	uint64_t cell = UINT64_C(9) << 50;
	char path[200];
	int fd;

	(void)v;
	snprintf(path, sizeof path, "%s/box", getenv("FERRY_REALM"));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 ||
	    pwrite(fd, &cell, sizeof cell, AT_CELL(BEFORE)) != sizeof cell)
		return false;
	close(fd);
	return true;
}

/* A ring that is half mended is mended by the next one. */
static void verify_mended(struct round *r)
{
	deed_gc();
	audit_queue(r);
}

static bool look_for_work(struct victim *v)
{
	return deed_consume(v->box, FERRY_FOREVER) == 0;
}

static void the_holder_dies(struct round *r)
{
	round_end(r->dead);
}

const struct scenario scenarios_death[] = {
	{ .name = "takes from A, then uses B",
	  .flags = SC_TWO_BOXES,
	  .queued = 2, /* the receiver has the first */
	  .receivers = 1,
	  .act = take_then_use_other },
	{ .name = "holds of A, uses B",
	  .flags = SC_TWO_BOXES | SC_TWICE,
	  .queued = 1,
	  .receivers = 1,
	  .prepare = take,
	  .act = use_other },
	{ .name = "idle owner",
	  .flags = SC_IDLE,
	  .queued = 1,
	  .receivers = 1,
	  .prepare = take,
	  .act = stay_idle },
	{ .name = "idle owner that used B last",
	  .flags = SC_IDLE | SC_TWO_BOXES,
	  .queued = 1,
	  .receivers = 2,
	  .prepare = take_then_use_other,
	  .act = stay_idle },
	{ .name = "owner whose thread took and ended",
	  .flags = SC_IDLE,
	  .queued = 1,
	  .receivers = 1,
	  .prepare = thread_takes_and_ends,
	  .act = stay_idle },
	{ .name = "open over a dead slot",
	  .flags = SC_OUTSIDE | SC_TWICE,
	  .queued = 1,
	  .dies = die_in_a_mess,
	  .act = open_it },
	{ .name = "open beside a sleeper",
	  .flags = SC_OUTSIDE,
	  .receivers = 1,
	  .act = open_it },
	{ .name = "gc after a death",
	  .flags = SC_TWICE,
	  .queued = 1,
	  .dies = die_in_a_mess,
	  .act = gc },
	{ .name = "gc with nothing to do", .queued = 1, .act = gc },
	{ .name = "gc mends a ring",
	  .flags = SC_TWICE,
	  .queued = BEFORE,
	  .prepare = damage_ring,
	  .act = gc,
	  .verify = verify_mended },
	{ .name = "a sleeper finds a death",
	  .receivers = 1,
	  .dies = die_holding,
	  .act = look_for_work,
	  .wake = the_holder_dies },
	{ 0 },
};
