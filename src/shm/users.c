/* SPDX-License-Identifier: MIT */
/* See users.h. */
#include "shm/users.h"

#include "shm/atomic.h"
#include "shm/layout.h"

void ferryi_users_attach(struct ferryi_users *u, void *control)
{
	struct ferryi_control *c = control;

	u->gate = c->gate;
	u->polled = c->polled;
	u->state = &c->state;
	u->joins = &c->joins;
	u->members = c->members;
	u->repaired = &c->counters.repaired;
}

static uint64_t bit(uint32_t owner)
{
	return (uint64_t)1 << (owner % 64);
}

static uint64_t *members_of(const struct ferryi_users *u, uint32_t owner)
{
	return &u->members[owner % FERRYI_OWNERS / 64];
}

void ferryi_member_add(const struct ferryi_users *u, uint32_t owner)
{
	ferryi_or(members_of(u, owner), bit(owner));
}

void ferryi_member_drop(const struct ferryi_users *u, uint32_t owner)
{
	ferryi_and(members_of(u, owner), ~bit(owner));
}

bool ferryi_member_is(const struct ferryi_users *u, uint32_t owner)
{
	return owner < FERRYI_OWNERS &&
	       (ferryi_load(members_of(u, owner)) & bit(owner)) != 0;
}

uint32_t ferryi_member_count(const struct ferryi_users *u)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < FERRYI_OWNERS / 64; i++)
		n += (uint32_t)__builtin_popcountll(
			ferryi_load(&u->members[i]));
	return n;
}

/*
 * `joins` is even while the object lives and grows by 2 with each join; odd
 * means removed, which is final.  A joiner sets its bit, then moves `joins`; the
 * last leaver reads `joins`, finds no bit, and makes it odd: one of the two
 * CASes fails, so never do both believe that they have succeeded.
 */
bool ferryi_join(const struct ferryi_users *u)
{
	uint64_t joins;

	for (unsigned n = 0; n < 1u << 20; n++) {
		joins = ferryi_load(u->joins);
		if (joins & 1)
			return false;
		/* J1: a member that has not announced itself yet; recovery
		 * drops its bit */
		if (ferryi_cas(u->joins, joins, joins + 2))
			return true;
	}
	return false;
}

bool ferryi_is_retired(const struct ferryi_users *u)
{
	return ferryi_load(u->joins) & 1;
}

static bool remove_at(const struct ferryi_users *u, uint64_t joins)
{
	if (!(joins & 1) && !ferryi_cas(u->joins, joins, joins + 1))
		return false;
	/* J2: removed, but its users are not told; who repairs after us, or
	 * opens it, comes here again */
	ferryi_or(u->state, FERRYI_REMOVED);
	return true;
}

bool ferryi_retire_if_unused(const struct ferryi_users *u)
{
	uint64_t joins = ferryi_load(u->joins);

	return ((joins & 1) || ferryi_member_count(u) == 0) &&
	       remove_at(u, joins);
}

void ferryi_retire(const struct ferryi_users *u)
{
	for (unsigned n = 0; n < 1u << 20; n++)
		if (remove_at(u, ferryi_load(u->joins)))
			return;
}
