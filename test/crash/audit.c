/* SPDX-License-Identifier: MIT */
/*
 * What the survivors check after a kill, through the public calls only.
 *
 * The order matters.  First the auditor only looks on: sleepers that can make
 * progress must do so by themselves.  Only then does it repair, and whatever
 * the repair brings to light is something a sleeper ought to have found.
 */
#include "round.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "deed.h"
#include "look.h"

/* Looks in a row that must agree before the auditor believes in a standstill. */
#define STILL_LOOKS 3

static int asleep(const struct round *r)
{
	int n = 0;

	for (int i = 0; i < r->n_sleepers; i++)
		n += !r->sleeper[i]->done;
	return n;
}

static bool all_in_futex(const struct round *r)
{
	for (int i = 0; i < r->n_sleepers; i++)
		if (!r->sleeper[i]->done && !look_in_futex(r->sleeper[i]->pid))
			return false;
	return true;
}

static int stat_of(struct ferry_link *link, struct ferry_mailbox_stat *st)
{
	memset(st, 0, sizeof(*st));
	st->size = sizeof(*st);
	return ferry_stat(link, st);
}

/* Could a sleeper return, as far as one can see from outside? */
static bool possible(const struct round *r, struct ferry_mailbox_stat *st)
{
	uint64_t loans = (uint64_t)r->n_loans;

	if (stat_of(r->box, st) == -ESTALE || st->closed)
		return true;
	if (r->sc->receivers)
		return st->queued + st->returned + st->held > 0;
	if (r->sc->exhaust)
		return st->queued + st->returned + st->held + loans <= loans;
	return st->queued + st->returned < CAPACITY;
}

static void note_wake_time(const struct round *r)
{
	for (int i = 0; i < r->n_sleepers; i++) {
		double d = r->sleeper[i]->done_at - r->killed_at;

		if (r->sleeper[i]->done && d > ledger->wake_s)
			ledger->wake_s = d;
	}
}

void audit_progress(struct round *r)
{
	struct ferry_mailbox_stat st;
	struct look_limit limit = look_limit(HANG_S);
	int still = 0;

	while (asleep(r) && still < STILL_LOOKS) {
		if (possible(r, &st)) {
			still = 0;
		} else {
			still = all_in_futex(r) ? still + 1 : 0;
		}
		if (look_is_over(&limit)) {
			violate(FAULT_HANG,
				"%d sleep: queued %d held %d "
				"returned %d loaned %d",
				asleep(r), (int)st.queued, (int)st.held,
				(int)st.returned, (int)st.loaned);
			break;
		}
		look_pause_us(100);
	}
	note_wake_time(r);
}

int audit_drain(struct round *r, struct ferry_link *link)
{
	struct ferry_mailbox_stat st;
	struct ferry_message m;
	struct look_limit limit = look_limit(HANG_S);
	int n = 0, err;

	for (;;) {
		err = deed_take(link, &m, FERRY_NOWAIT);
		if (err == 0) {
			if (deed_release(&m))
				violate(FAULT_OTHER, "a release failed");
			n++;
			continue;
		}
		if (err != -EAGAIN && err != -ENODATA)
			violate(FAULT_OTHER, "the drain ended with %s",
				ferry_error_name(err));
		/* A message that was given back with a delay comes later. */
		stat_of(link, &st);
		if (err != -EAGAIN || !st.returned || look_is_over(&limit))
			break;
		look_pause_us(500);
	}
	(void)r;
	return n;
}

/* Whoever sleeps still could not go on.  Did the repair bring something up? */
static void check_nothing_was_hidden(struct round *r, int sleeping)
{
	int found = 0;

	if (!sleeping)
		return;
	look_pause_us(300);
	if (r->sc->receivers)
		found = audit_drain(r, r->box);
	if (asleep(r) < sleeping || found)
		violate(FAULT_HANG, "%d slept on until somebody repaired",
			sleeping);
}

/* One message for those who sleep; whoever of them gets it. */
static void wake_one(struct round *r, int i)
{
	struct look_limit limit = look_limit(HANG_S);
	int before = asleep(r);
	int err = deed_send(r->box, ID_RETIRE + i, FERRY_NOWAIT);

	if (err && err != -ENODATA && err != -ESTALE)
		violate(FAULT_OTHER, "a send to a sleeper failed with %s",
			ferry_error_name(err));
	while (asleep(r) == before && !look_is_over(&limit))
		look_pause_us(100);
	if (asleep(r) == before)
		violate(FAULT_HANG, "a receiver sleeps beside a message");
}

/* Room for those who sleep, until all of them have sent. */
static void make_room(struct round *r)
{
	struct look_limit limit = look_limit(HANG_S);

	while (asleep(r) && !look_is_over(&limit)) {
		audit_drain(r, r->box);
		look_pause_us(200);
	}
	if (asleep(r))
		violate(FAULT_HANG, "a sender sleeps beside free places");
}

void audit_retire(struct round *r)
{
	if (r->sc->receivers)
		for (int i = asleep(r); i > 0 && asleep(r); i--)
			wake_one(r, i);
	else
		make_room(r);
	for (int i = 0; i < r->n_sleepers; i++)
		round_end(r->sleeper[i]);
}

void audit_capacity(struct round *r, struct ferry_link *link)
{
	struct ferry_message m;
	int n = 0, err = -EAGAIN;
	int most = CAPACITY + !(r->sc->flags & SC_NEVER_FULL);

	while (n < most &&
	       (err = deed_send(link, ID_FIT + n, FERRY_NOWAIT)) == 0)
		n++;
	if (n != CAPACITY || (err != -EAGAIN && most > CAPACITY))
		violate(FAULT_LEAK, "%d of %d messages fit, then %s", n,
			CAPACITY, ferry_error_name(err));
	for (int i = 0; i < n; i++) {
		if (deed_take(link, &m, FERRY_NOWAIT)) {
			violate(FAULT_LOST, "message %d of %d is gone", i, n);
			break;
		}
		if (*(int64_t *)m.data != ID_FIT + i)
			violate(FAULT_ORDER, "message %ld came in place %d",
				(long)*(int64_t *)m.data - ID_FIT, i);
		if (deed_release(&m))
			violate(FAULT_OTHER, "a release failed");
	}
}

void audit_figures(struct ferry_link *link)
{
	struct ferry_mailbox_stat st;
	int err = stat_of(link, &st);

	if (err)
		violate(FAULT_OTHER, "stat failed: %s", ferry_error_name(err));
	if (st.queued || st.held || st.returned || st.loaned)
		violate(FAULT_LEAK,
			"left: queued %d held %d returned %d "
			"loaned %d",
			(int)st.queued, (int)st.held, (int)st.returned,
			(int)st.loaned);
	if (st.users != 1)
		violate(FAULT_LEAK, "%u users, of which one lives", st.users);
}

/*
 * Copies that were moved to the dead letters count as delivered there.  Who dies
 * at A1 has posted one that is posted once more; in a double kill that can be
 * the recoverer, in its take of a message that is spent.
 */
static void collect_dead_letters(struct round *r)
{
	struct ferry_message m;

	while (ferry_take(r->other, &m, FERRY_NOWAIT) == 0) {
		int64_t id = *(int64_t *)m.data;

		if (id < 0 || id >= LEDGER_IDS)
			violate(FAULT_DAMAGED, "a dead letter is damaged");
		else if (ledger->entry[id].dead++ >= r->deaths)
			violate(FAULT_DUPLICATE, "%d dead letters %d",
				ledger->entry[id].dead, (int)id);
		ferry_release(&m);
	}
}

void audit_queue(struct round *r)
{
	struct ferry_mailbox_stat st;
	int sleeping;

	if (r->helper) {
		if (!round_await(r->helper, HANG_S))
			violate(FAULT_HANG, "the helper does not get through");
		round_end(r->helper);
	}
	audit_progress(r);
	sleeping = asleep(r);
	for (int i = 0; i < r->n_loans; i++)
		ferry_abandon(&r->loan[i]);
	if (r->n_loans)
		sleeping = 0; /* they may go on now */
	deed_gc();
	check_nothing_was_hidden(r, sleeping);
	audit_retire(r);
	deed_gc();
	audit_drain(r, r->box);
	if (r->sc->flags & SC_DEAD_LETTERS)
		collect_dead_letters(r);
	else if (r->other)
		audit_drain(r, r->other);
	stat_of(r->box, &st);
	/* Killed between the drop and its count: one is not counted. */
	ledger_settle(r->sc->flags & SC_MAY_DROP ?
			      st.dropped + st.lost + (uint64_t)r->deaths :
			      0);
	if (!st.closed)
		audit_capacity(r, r->box);
	audit_figures(r->box);
	if (r->other)
		audit_figures(r->other);
}

void audit_residue(const struct orders *o)
{
	struct ferry_object *list = NULL;
	struct ferry_garbage *g = NULL;
	char names[512];
	size_t n = 0;

	if (o->sc->flags & SC_KERNEL)
		ferry_destroy("box");
	if (ferry_list(NULL, &list, &n) < 0 || n)
		violate(FAULT_LEAK, "%zu objects are left, first %s", n,
			n ? list[0].name : "?");
	ferry_free(list);
	scratch_names(o->scratch, names, sizeof(names));
	if (strcmp(names, o->clean))
		violate(FAULT_LEAK, "files are left: %s (clean: %s)", names,
			o->clean);
	deed_gc();
	n = 0;
	if (ferry_gc(NULL, false, &g, &n) < 0 || n)
		violate(FAULT_LEAK, "gc still finds %s", n ? g[0].path : "?");
	ferry_free(g);
	if (scratch_names(o->scratch, names, sizeof(names)))
		violate(FAULT_LEAK, "gc leaves %s", names);
}
