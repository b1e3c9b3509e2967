/* SPDX-License-Identifier: MIT */
/*
 * Leases: a slot of the registry, held for as long as the process lives.
 *
 * Proof of life is the lock on byte i.  The slot says for people who that is;
 * it is written before `state` says live, and nobody repairs a slot that is
 * not live.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "realm/state.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/lock.h"
#include "sys/process.h"

/* The slot's lock is ours and it is not live: move in. */
static void occupy(struct ferryi_realm *r, uint32_t i)
{
	const struct ferryi_identity *self = ferryi_identity();
	struct ferryi_slot *s = &r->registry.slots[i];
	uint64_t next = ((ferryi_load(&s->state) >> 8) + 1) << 8 | 1;

	s->pid = self->pid;
	s->uid = self->uid;
	s->gid = self->gid;
	s->start_time = self->start_time;
	s->pid_namespace = self->pid_namespace;
	s->since = ferryi_wall();
	memcpy(s->name, self->name, sizeof s->name);
	/* E1: locked, not live: the lock alone goes when we die */
	ferryi_store(&s->state, next);
	r->owner = i;
	r->incarnation = next;
}

/* 0: it is ours.  -EAGAIN: not this one. */
static int try_slot(struct ferryi_realm *r, uint32_t i, bool dead_too)
{
	struct ferryi_slot *s = &r->registry.slots[i];
	int e;

	if (ferryi_slot_live(s) && !dead_too)
		return -EAGAIN;
	e = ferryi_lock_try(r->fd, i, 1);
	if (e < 0)
		return e;
	if (ferryi_slot_live(s)) /* its last tenant died: repair first */
		ferryi_repair(r, i, ferryi_load(&s->state));
	if (!ferryi_slot_live(s) &&
	    !ferryi_load(&r->registry.control->retired)) {
		occupy(r, i);
		return 0;
	}
	ferryi_lock_drop(r->fd, i, 1);
	return -EAGAIN;
}

static int no_locks(const struct ferryi_realm *r, int e)
{
	return ferryi_fail(-EOPNOTSUPP,
			   "realm %s: its file system has no locks of open "
			   "files (F_OFD_SETLK: %s); use a local one",
			   r->path, strerror(-e));
}

int ferryi_lease_take(struct ferryi_realm *r)
{
	struct ferryi_registry *g = &r->registry;
	int e;

	for (unsigned dead_too = 0; dead_too < 2; dead_too++)
		for (uint32_t i = 0; i < FERRYI_OWNERS; i++) {
			if (i >= ferryi_registry_slots(g)) {
				e = ferryi_registry_reserve(g, r->fd, i);
				if (e < 0)
					return ferryi_fail_sys(
						-e,
						"realm %s: no room for one "
						"more process",
						r->path);
			}
			if (ferryi_load(&g->control->retired))
				return -ESTALE;
			e = try_slot(r, i, dead_too);
			if (e == 0)
				return 0;
			if (e != -EAGAIN)
				return no_locks(r, e);
		}
	return ferryi_fail(-EBUSY,
			   "realm %s: all %u leases are taken (ferry who "
			   "shows by whom)",
			   r->path, FERRYI_OWNERS);
}

/*
 * Leases that this process had before an exec.  For everybody else it lives
 * and, now that it has joined again, maps the registry: only we can know.
 */
void ferryi_lease_end_former(struct ferryi_realm *r)
{
	const struct ferryi_identity *self = ferryi_identity();
	struct ferryi_registry *g = &r->registry;

	for (uint32_t i = 0; i < ferryi_registry_slots(g); i++) {
		const struct ferryi_slot *s = &g->slots[i];
		uint64_t state = ferryi_load(&s->state);

		if (!(state & 1) || s->pid != self->pid ||
		    s->start_time != self->start_time || !s->start_time ||
		    s->pid_namespace != self->pid_namespace ||
		    ferryi_realm_is_ours(r, i) ||
		    ferryi_lock_try(r->fd, i, 1) < 0)
			continue;
		ferryi_repair(r, i, state);
		ferryi_lock_drop(r->fd, i, 1);
	}
}

void ferryi_lease_end(struct ferryi_realm *r)
{
	uint64_t *state = &r->registry.slots[r->owner].state;

	ferryi_cas(state, r->incarnation, r->incarnation & ~1ull);
	/* E2: not live, still locked: the lock goes when we die */
	if (ferryi_is_file(r->fd, r->dev, r->ino)) {
		ferryi_lock_drop(r->fd, r->owner, 1);
		ferryi_close(r->fd);
	}
}

/*
 * closefrom() and the like took our descriptors while we live and use the
 * mappings.  The lock usually stays, since the mapping refers to the same open
 * file description; where it does not (reuse_mapping), lock the byte again, if
 * nobody has declared us dead in between.
 */
int ferryi_lease_renew(struct ferryi_realm *r)
{
	struct ferryi_slot *s = &r->registry.slots[r->owner];
	struct stat st;
	int dir, fd;

	if (ferryi_stat(r->fd, &st) == 0 && st.st_dev == r->dev &&
	    st.st_ino == r->ino && ferryi_load(&s->state) == r->incarnation)
		return 0;
	if (ferryi_load(&s->state) != r->incarnation)
		return -ESTALE;
	dir = ferryi_open_directory(r->path);
	if (dir < 0)
		return -ESTALE;
	fd = ferryi_open_at(dir, FERRYI_REGISTRY_NAME);
	if (fd < 0 || ferryi_stat(fd, &st) < 0 || st.st_ino != r->ino ||
	    (ferryi_lock_try(fd, r->owner, 1) < 0 &&
	     ferryi_lock_held(fd, r->owner, 1) != 1) ||
	    ferryi_load(&s->state) != r->incarnation) {
		ferryi_close(fd);
		ferryi_close(dir);
		return -ESTALE;
	}
	r->fd = fd; /* the old numbers may be somebody else's by now */
	r->dir = dir;
	return 0;
}
