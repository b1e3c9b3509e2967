/* SPDX-License-Identifier: MIT */
/*
 * What all objects of a realm have in common that processes use by name: whose
 * they are, when they end, and where their users sleep.
 *
 * It lies at the same place in the control page of every kind of segment
 * (layout.h), so that who repairs, removes or lists need not know the kind.
 */
#ifndef FERRYI_SHM_USERS_H
#define FERRYI_SHM_USERS_H

#include <stdbool.h>
#include <stdint.h>

struct ferryi_users {
	uint32_t *gate;	    /* FERRYI_GATES of them: who may sleep, watch.h */
	uint32_t *polled;   /* FERRYI_POLL_GATES of them, of event loops */
	uint32_t *state;    /* FERRYI_CLOSED, FERRYI_REMOVED */
	uint64_t *joins;    /* + 2 with each user; odd: removed, final */
	uint64_t *members;  /* bit: this lease uses the object */
	uint64_t *repaired; /* counter: what was taken back from the dead */
};

/* Of the control page of a mapped segment. */
void ferryi_users_attach(struct ferryi_users *u, void *control);

void ferryi_member_add(const struct ferryi_users *u, uint32_t owner);
void ferryi_member_drop(const struct ferryi_users *u, uint32_t owner);
bool ferryi_member_is(const struct ferryi_users *u, uint32_t owner);
uint32_t ferryi_member_count(const struct ferryi_users *u);

/*
 * The last user of an object that ends with it: mark it removed unless somebody
 * joins.  `joins` was read before the members were counted.  True: it is
 * removed now, for good.
 */
bool ferryi_retire_if_unused(const struct ferryi_users *u);

/* Announce a join after ferryi_member_add().  False: it had been removed. */
bool ferryi_join(const struct ferryi_users *u);

/* Removed, for good; perhaps by one who died before he said so in `state`. */
bool ferryi_is_retired(const struct ferryi_users *u);

/* Remove it whoever uses it. */
void ferryi_retire(const struct ferryi_users *u);

#endif
