/* SPDX-License-Identifier: MIT */
/*
 * Scenarios of a mailbox's life: created, closed, shut down, destroyed.
 */
#include <errno.h>
#include <string.h>

#include "deed.h"
#include "look.h"
#include "round.h"

static bool create(struct victim *v)
{
	v->box = deed_create("box");
	return v->box != NULL;
}

static bool create_and_leave(struct victim *v)
{
	struct ferry_link *box;

	if (!create(v))
		return false;
	box = v->box;
	v->box = NULL;
	ferry_close(box);
	return true;
}

static bool remove_realm(struct victim *v)
{
	(void)v;
	return deed_gc() >= 0;
}

static bool close_it(struct victim *v)
{
	ferry_close(v->box);
	return true;
}

static bool take_and_loan(struct victim *v)
{
	return deed_take(v->box, &v->m, FERRY_NOWAIT) == 0 &&
	       deed_loan(v->box, ID_VICTIM, &v->m2, FERRY_NOWAIT) == 0;
}

static bool shut(struct victim *v)
{
	return ferry_shutdown(v->box, FERRY_SEND) == 0;
}

static bool destroy(struct victim *v)
{
	(void)v;
	return ferry_destroy("box") == 0;
}

/* The name is there, complete and usable, or it is not there. */
static void verify_created(struct round *r)
{
	int err = ferry_open(&r->box, "box", FERRY_DUPLEX);

	if (err && err != -ENOENT)
		violate(FAULT_OTHER, "open after the creator died: %s",
			ferry_error_name(err));
	if (err)
		r->box = deed_create("box");
	if (!r->box)
		return;
	deed_gc();
	audit_drain(r, r->box);
	ledger_settle(0);
	audit_capacity(r, r->box);
	audit_figures(r->box);
}

/* Somebody comes in while the last user is on its way out. */
static void come_in(void)
{
	struct ferry_link *box = deed_create("box");

	if (box && deed_send(box, ID_HELPER, FERRY_NOWAIT))
		violate(FAULT_OTHER, "the newcomer cannot send");
}

/* Who came in has a mailbox that the others find. */
static void verify_met(struct round *r)
{
	if (!round_await(r->helper, HANG_S))
		violate(FAULT_HANG, "the newcomer does not get in");
	r->box = deed_open("box");
	if (!r->box)
		return;
	round_end(r->helper);
	deed_gc();
	audit_drain(r, r->box);
	ledger_settle(0);
	audit_capacity(r, r->box);
	audit_figures(r->box);
}

/* Gone for everybody, or there for everybody. */
static void verify_destroyed(struct round *r)
{
	struct ferry_mailbox_stat st = { .size = sizeof(st) };
	struct ferry_link *again = NULL;
	struct actor *a = r->sleeper[0];
	int named, told;

	audit_progress(r);
	deed_gc();
	named = ferry_open(&again, "box", FERRY_DUPLEX);
	told = ferry_stat(r->box, &st);
	ferry_close(again);
	if (named == 0 && told == 0) {
		audit_queue(r);
		return;
	}
	if (named != -ENOENT || told != -ESTALE)
		violate(FAULT_OTHER,
			"half destroyed: open says %s, a user is "
			"told %s",
			ferry_error_name(named), ferry_error_name(told));
	if (!a->done || a->rc != -ESTALE)
		violate(FAULT_HANG, "a sleeper was not told: %d %s", a->done,
			ferry_error_name(a->rc));
	round_end(a);
}

const struct scenario scenarios_life[] = {
	{ .name = "create",
	  .flags = SC_NO_BOX,
	  .act = create,
	  .verify = verify_created },
	{ .name = "create, persistent",
	  .flags = SC_NO_BOX | SC_KERNEL,
	  .act = create,
	  .verify = verify_created },
	{ .name = "create in a realm in use",
	  .flags = SC_NO_BOX | SC_TWO_BOXES,
	  .act = create,
	  .verify = verify_created },
	{ .name = "create and close",
	  .flags = SC_NO_BOX,
	  .act = create_and_leave,
	  .verify = verify_created },
	{ .name = "create, the first slots all taken",
	  .flags = SC_NO_BOX,
	  .crowd = 32,
	  .act = create,
	  .verify = verify_created },
	{ .name = "gc in a realm that nobody uses",
	  .flags = SC_NO_BOX,
	  .prepare = create_and_leave,
	  .act = remove_realm,
	  .verify = verify_created },
	{ .name = "close", .queued = 1, .act = close_it },
	{ .name = "close with a held message and a loan",
	  .flags = SC_TWICE,
	  .queued = 1,
	  .receivers = 1,
	  .prepare = take_and_loan,
	  .act = close_it },
	{ .name = "last close, a newcomer, killed",
	  .flags = SC_NO_BOX,
	  .prepare = create,
	  .act = close_it,
	  .help = come_in,
	  .verify = verify_met },
	{ .name = "last close, a newcomer, goes on",
	  .flags = SC_NO_BOX | SC_RESUME,
	  .prepare = create,
	  .act = close_it,
	  .help = come_in,
	  .verify = verify_met },
	{ .name = "shutdown, 2 receivers asleep", .receivers = 2, .act = shut },
	{ .name = "shutdown, a sender asleep",
	  .queued = CAPACITY,
	  .senders = 1,
	  .act = shut },
	{ .name = "destroy, a receiver asleep",
	  .receivers = 1,
	  .act = destroy,
	  .verify = verify_destroyed },
	{ 0 },
};
