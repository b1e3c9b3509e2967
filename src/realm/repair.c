/* SPDX-License-Identifier: MIT */
/*
 * Repair after a dead process: in every object of the realm that it used, then
 * its slot, then the bell for everybody.
 *
 * The order matters.  The slot stays live until all objects are repaired, so
 * when the repairer dies too, the next one finds the same slot and begins
 * again; and nobody moves into it before.  Only one process repairs after a
 * slot at a time (RECOVER + i), since the one that moves in would otherwise be
 * repaired by a straggler.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>

#include "base/error.h"
#include "realm/segment.h"
#include "realm/state.h"
#include "shm/recover.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/futex.h"
#include "sys/lock.h"
#include "sys/process.h"

struct job {
	struct ferryi_realm *realm;
	uint32_t owner;
	bool complete; /* every object could be opened */
	bool changed;  /* something was repaired */
};

static bool was_member(int fd, uint32_t owner)
{
	uint64_t word = 0, at = FERRYI_HEADER_BYTES +
				offsetof(struct ferryi_control, members) +
				owner / 64 * sizeof word;

	return ferryi_read_at(fd, &word, sizeof word, at) == sizeof word &&
	       (word >> owner % 64 & 1);
}

static int repair_object(const char *name, void *arg)
{
	struct job *job = arg;
	struct ferryi_view v;
	uint32_t n;
	int fd;

	if (!ferryi_file_kind(name))
		return 0;
	fd = ferryi_open_at(job->realm->dir, name);
	if (fd < 0) {
		job->complete &= fd != -EACCES && fd != -EMFILE &&
				 fd != -ENFILE;
		return 0;
	}
	if (!was_member(fd, job->owner)) {
		ferryi_close(fd);
		return 0;
	}
	if (ferryi_view_open(&v, fd) < 0) { /* closes fd; no object */
		job->complete &= v.state != FERRY_NO_ACCESS;
		return 0;
	}
	n = ferryi_view_recover(&v, job->owner);
	ferryi_add(v.users.repaired, n);
	/* V2: repaired, still a member; the next repairer finds nothing to do */
	ferryi_member_drop(&v.users, job->owner);
	job->changed = true;
	if (ferryi_view_may_end(&v) && ferryi_retire_if_unused(&v.users))
		ferryi_realm_unlink(job->realm, name, &v.file);
	ferryi_view_close(&v);
	return 0;
}

static void ring(struct ferryi_realm *r)
{
	uint32_t *epoch = &r->registry.control->epoch;

	ferryi_add(epoch, 1);
	ferryi_futex_wake(epoch, INT_MAX);
}

static void clear_net(struct ferryi_realm *r, uint32_t i)
{
	ferryi_cas32(&r->registry.control->net, i + 1, 0);
}

int ferryi_repair(struct ferryi_realm *r, uint32_t i, uint64_t state)
{
	struct ferryi_slot *s = &r->registry.slots[i];
	struct job job = { r, i, true, false };

	if (ferryi_lock_try(r->fd, FERRYI_LOCK_RECOVER + i, 1) < 0)
		return 0;
	if (ferryi_load(&s->state) != state) {
		ferryi_lock_drop(r->fd, FERRYI_LOCK_RECOVER + i, 1);
		return 0;
	}
	if (ferryi_each_name(r->dir, repair_object, &job) < 0)
		job.complete = false;
	clear_net(r, i);
	/* V3: all objects repaired, the slot still live */
	if (job.complete)
		ferryi_cas(&s->state, state, state & ~1ull);
	/* V4: free, the others not told yet; our own token rings for them */
	if (job.complete || job.changed)
		ring(r);
	ferryi_lock_drop(r->fd, FERRYI_LOCK_RECOVER + i, 1);
	return job.complete;
}

/*
 * The lock of a live slot is free.  Either its process is dead, or it has
 * closed our descriptor behind our back (closefrom) and still uses the mapping;
 * after an exec it lives too, but maps nothing.
 */
static bool still_maps(const struct ferryi_realm *r,
		       const struct ferryi_slot *s)
{
	return s->pid_namespace &&
	       s->pid_namespace == ferryi_identity()->pid_namespace &&
	       ferryi_may_live(s->pid, s->start_time) &&
	       ferryi_maps_file(s->pid, r->dev, r->ino) == 1;
}

/*
 * The lock is held: by a process that lives, by one that is on its way out, or
 * by a forked child that outlives its parent.
 */
static enum ferryi_fate fate_of(const struct ferryi_slot *s)
{
	if (!s->pid_namespace ||
	    s->pid_namespace != ferryi_identity()->pid_namespace)
		return FERRYI_ALIVE;
	return ferryi_fate(s->pid, s->start_time);
}

/* Without `ending` only the lock is asked. */
static int look_at(struct ferryi_realm *r, uint32_t i, bool *ending)
{
	struct ferryi_slot *s = &r->registry.slots[i];
	uint64_t state = ferryi_load(&s->state);
	enum ferryi_fate fate;
	int found = 0;

	if (!(state & 1))
		return 0;
	if (ferryi_lock_try(r->fd, i, 1) < 0) {
		if (!ending)
			return 0;
		fate = fate_of(s);
		*ending |= fate == FERRYI_ENDING;
		return fate == FERRYI_ENDED ? ferryi_repair(r, i, state) : 0;
	}
	if (ferryi_load(&s->state) == state && !still_maps(r, s))
		found = ferryi_repair(r, i, state);
	ferryi_lock_drop(r->fd, i, 1);
	return found;
}

static int look_at_all(struct ferryi_realm *r, bool *ending)
{
	struct ferryi_registry_control *c = r->registry.control;
	int64_t began = ferryi_now(), cpu = ferryi_cpu();
	int found = 0;

	if (pthread_mutex_trylock(&r->looking) != 0)
		return 0;
	if (ferryi_lease_renew(r) == 0) {
		for (uint32_t i = 0; i < ferryi_registry_slots(&r->registry);
		     i++)
			if (i != r->owner)
				found += look_at(r, i, ending);
		ferryi_put(&c->look_us,
			   (uint32_t)((ferryi_cpu() - cpu) / 1000));
		ferryi_store(&c->looked_at, began);
	}
	if (ferryi_load(&c->death) != 0)
		ferryi_store(&c->death, 0); /* foreign */
	pthread_mutex_unlock(&r->looking);
	return found;
}

int ferryi_realm_look(struct ferryi_realm *r, bool *out_ending)
{
	bool ending = false;
	int found = look_at_all(r, &ending);

	if (out_ending)
		*out_ending = ending;
	return found;
}

int ferryi_realm_glance(struct ferryi_realm *r)
{
	return look_at_all(r, NULL);
}

int ferryi_realm_renew(struct ferryi_realm *r)
{
	int e;

	pthread_mutex_lock(&r->looking);
	e = ferryi_lease_renew(r);
	pthread_mutex_unlock(&r->looking);
	return e;
}

#define NAMES_WAIT 2000000000 /* ns */

int ferryi_realm_unlink(struct ferryi_realm *r, const char *name,
			const struct stat *file)
{
	struct stat now;
	int e;

	pthread_mutex_lock(&r->names);
	e = ferryi_lock_wait(r->fd, FERRYI_LOCK_NAMES, 1,
			     ferryi_now() + NAMES_WAIT);
	if (e < 0) {
		pthread_mutex_unlock(&r->names);
		return ferryi_fail(
			-EBUSY,
			"realm %s: a process that removes a name holds "
			"the lock and does not go on (is it stopped?)",
			r->path);
	}
	e = ferryi_stat_at(r->dir, name, &now);
	if (e == 0 && now.st_dev == file->st_dev && now.st_ino == file->st_ino)
		e = ferryi_unlink(r->dir, name);
	ferryi_lock_drop(r->fd, FERRYI_LOCK_NAMES, 1);
	pthread_mutex_unlock(&r->names);
	if (e == 0 || e == -ENOENT)
		return 0;
	return ferryi_fail_sys(-e, "%s/%s: cannot be removed", r->path, name);
}

/* Nothing but the registry is in the directory. */
static int not_registry(const char *name, void *arg)
{
	(void)arg;
	return ferryi_file_kind(name) ? 1 : 0;
}

/* Another one may have retired it, and a third made a new one of the name. */
static bool still_named(int dir, int fd)
{
	struct stat st;

	return ferryi_stat_at(dir, FERRYI_REGISTRY_NAME, &st) == 0 &&
	       ferryi_is_file(fd, st.st_dev, st.st_ino);
}

int ferryi_realm_retire(const char *directory, bool apply)
{
	struct ferryi_registry g;
	int dir = ferryi_open_directory(directory), fd, r = 0;

	if (dir < 0)
		return 0;
	if (ferryi_each_name(dir, not_registry, NULL) != 0) {
		ferryi_close(dir);
		return 0;
	}
	fd = ferryi_registry_open(&g, dir, directory, false);
	if (fd >= 0) {
		if (ferryi_lock_try(fd, 0, FERRYI_OWNERS) == 0 &&
		    still_named(dir, fd)) {
			r = 1;
			if (apply) {
				ferryi_store(&g.control->retired, 1);
				/* J3: retired, its name still there; who joins
				 * finishes (lease.c) */
				ferryi_unlink(dir, FERRYI_REGISTRY_NAME);
			}
		}
		ferryi_unmap((uint8_t *)g.control - FERRYI_HEADER_BYTES,
			     FERRYI_REGISTRY_BYTES);
		ferryi_close(fd);
	}
	ferryi_close(dir);
	return r;
}
