/* SPDX-License-Identifier: MIT */
/*
 * The calls about a link as a whole: end a direction, cancel, cross a fork,
 * ask who and where.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/call.h"
#include "link/link.h"
#include "link/pollfd.h"

static int check(struct ferry_link *l)
{
	ferryi_fail_clear();
	return l ? 0 : ferryi_fail(-EINVAL, "there is no link (NULL)");
}

static int take_turns(struct ferry_link *l, unsigned direction)
{
	int err = 0;

	if (direction & FERRY_SEND)
		err = ferryi_turn_take(l, FERRY_SEND, FERRY_NOWAIT);
	if (err || !(direction & FERRY_RECV))
		return err;
	err = ferryi_turn_take(l, FERRY_RECV, FERRY_NOWAIT);
	if (err && (direction & FERRY_SEND))
		ferryi_turn_give(l, FERRY_SEND);
	return err;
}

/* A call has changed what the next one in that direction says. */
static void end_turns(struct ferry_link *l, unsigned direction)
{
	for (unsigned side = FERRY_SEND; side <= FERRY_RECV; side <<= 1) {
		if (!(direction & side))
			continue;
		ferryi_polled_may(ferryi_polled_of(l, side));
		ferryi_turn_give(l, side);
	}
}

int ferry_shutdown(struct ferry_link *l, unsigned direction)
{
	int err = check(l);

	if (err)
		return err;
	if (!direction || direction & ~l->flags || l->listening)
		return ferryi_fail(-EINVAL, "%s is not open in that direction",
				   l->address);
	if (!l->t->shutdown)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: links cannot end one "
				   "direction (close them)",
				   l->t->info.scheme);
	if (take_turns(l, direction) != 0)
		return ferryi_fail(-EBUSY,
				   "%s: another thread is in a call in "
				   "that direction (ferry_cancel() ends it)",
				   l->address);
	err = l->t->shutdown(l, direction);
	end_turns(l, direction);
	return err;
}

int ferry_turn(struct ferry_link *l)
{
	int err = check(l);

	if (err)
		return err;
	if (!l->t->turn || l->listening)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: there are no turns (a channel with "
				   "direction=half has)",
				   l->address);
	return l->t->turn(l);
}

void ferry_cancel(struct ferry_link *l)
{
	if (l)
		ferryi_cancel_set(&l->cancel);
}

void ferry_resume(struct ferry_link *l)
{
	if (l)
		ferryi_cancel_clear(&l->cancel);
}

int ferry_adopt_after_fork(struct ferry_link *l)
{
	int err = check(l);

	if (!err)
		err = ferryi_call_renew(l);
	if (!err && l->t->adopt)
		err = l->t->adopt(l);
	return err;
}

int ferry_peer(struct ferry_link *l, struct ferry_process *out)
{
	int err = check(l);

	if (err)
		return err;
	if (!l->t->peer || l->listening)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: nobody vouches for who is "
				   "at the other end",
				   l->address);
	return l->t->peer(l, out);
}

int ferry_peer_exit(struct ferry_link *l, int *status)
{
	int err = check(l);

	if (err)
		return err;
	if (!l->t->peer_exit || l->listening)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: how the other end has ended is not "
				   "known (channels may tell)",
				   l->address);
	return l->t->peer_exit(l, status);
}

int ferry_local_address(struct ferry_link *l, char *buf, size_t size)
{
	int err = check(l);

	if (err)
		return err;
	if (!l->t->local)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: this end has no address of its own",
				   l->address);
	return l->t->local(l, buf, size);
}

const char *ferry_address(struct ferry_link *l)
{
	return l ? l->address : "";
}
