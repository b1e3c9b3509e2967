/* SPDX-License-Identifier: MIT */
/* See turns.h. */
#include "link/turns.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

int ferryi_turns_asked(const struct ferryi_address *a, bool *out)
{
	const char *direction = ferryi_address_get(a, "direction");

	if (direction && strcmp(direction, "half") != 0)
		return ferryi_fail(
			-EINVAL,
			"%s: direction=%.100s is not half (leave it out for "
			"both at a time)",
			a->scheme, direction);
	*out = direction != NULL;
	return 0;
}

int ferryi_turns_none(struct ferry_link *l)
{
	return ferryi_fail(-EOPNOTSUPP,
			   "%s: both sides may send at any time (open it with "
			   "direction=half)",
			   l->address);
}

int ferryi_turns_not_ours(struct ferry_link *l)
{
	return ferryi_fail(-EBUSY, "%s: the turn is the other side's",
			   l->address);
}

int ferryi_turns_gave_up(struct ferry_link *l, int err)
{
	if (err != -EAGAIN)
		return err;
	return ferryi_fail(-EBUSY,
			   "%s: it is the other side's turn (wait with a "
			   "deadline, or receive first)",
			   l->address);
}
