/* SPDX-License-Identifier: MIT */
/*
 * Taking part in a realm and leaving it: which realms this process is in, and
 * what a fork does to that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <ferry/mailbox.h>

#include "base/error.h"
#include "realm/state.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/lock.h"
#include "sys/process.h"
#include "sys/token.h"

/* Beyond this many leases a join looks for the dead only if nobody has for a
 * second: the kernel's list of locks makes a look quadratic. */
#define MANY_LEASES 128u

#define REMOVAL_WAIT 2000000000 /* ns, for one that removes a registry */

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static struct ferryi_realm *realms;

void ferryi_realms_lock(void)
{
	pthread_mutex_lock(&list_lock);
}

void ferryi_realms_unlock(void)
{
	pthread_mutex_unlock(&list_lock);
}

/*
 * In the child: the lease is the parent's, and its lock belongs to the open
 * file description that we now share; a child that kept it would keep a dead
 * parent alive.  The realms are forgotten; handles notice by their generation.
 */
static void in_child(void)
{
	for (struct ferryi_realm *r = realms; r; r = r->next)
		if (r->refs) {
			ferryi_close(r->fd);
			ferryi_close(r->dir);
			r->fd = r->dir = -1;
		}
	realms = NULL;
	ferryi_token_forget();
	ferryi_realms_unlock();
}

static void guard_fork(void)
{
	pthread_atfork(ferryi_realms_lock, ferryi_realms_unlock, in_child);
}

/* A registry whose remover is half-way, or died there: wait for it, or finish, so that
 * a new one can be. */
static int finish_removal(struct ferryi_realm *r)
{
	struct stat st;
	int e = 0;

	if (ferryi_lock_wait(r->fd, 0, FERRYI_OWNERS,
			     ferryi_now() + REMOVAL_WAIT) < 0)
		return ferryi_fail(-EBUSY,
				   "realm %s: its registry is being removed, "
				   "and the process that does it does not go "
				   "on (is it stopped?)",
				   r->path);
	if (ferryi_stat_at(r->dir, FERRYI_REGISTRY_NAME, &st) == 0 &&
	    st.st_ino == r->ino)
		e = ferryi_unlink(r->dir, FERRYI_REGISTRY_NAME);
	ferryi_lock_drop(r->fd, 0, FERRYI_OWNERS);
	return e == 0 || e == -ENOENT ?
		       0 :
		       ferryi_fail_sys(
			       -e,
			       "realm %s: its registry is half removed, "
			       "and the rest cannot be",
			       r->path);
}

static void unmap_registry(struct ferryi_realm *r)
{
	if (r->registry.control)
		ferryi_unmap((uint8_t *)r->registry.control -
				     FERRYI_HEADER_BYTES,
			     FERRYI_REGISTRY_BYTES);
	r->registry.control = NULL;
}

/* The directory is open: open the registry and take a lease in it.  Each time that this
 * begins anew a registry has been removed. */
static int enter(struct ferryi_realm *r, bool create)
{
	struct stat st;
	int e;

	for (;;) {
		e = ferryi_registry_open(&r->registry, r->dir, r->path, create);
		if (e < 0)
			return e;
		r->fd = e;
		e = ferryi_stat(r->fd, &st);
		if (e < 0)
			return ferryi_fail_sys(-e,
					       "realm %s: cannot look at its "
					       "registry",
					       r->path);
		r->dev = st.st_dev;
		r->ino = st.st_ino;
		e = ferryi_lease_take(r);
		if (e != -ESTALE)
			return e;
		e = finish_removal(r);
		if (e < 0)
			return e;
		unmap_registry(r);
		ferryi_close(r->fd);
		r->fd = -1;
	}
}

static void discard(struct ferryi_realm *r)
{
	unmap_registry(r);
	ferryi_close(r->fd);
	ferryi_close(r->dir);
	pthread_mutex_destroy(&r->looking);
	pthread_mutex_destroy(&r->names);
	free(r->path);
	free(r);
}

static struct ferryi_realm *new_realm(const char *directory)
{
	struct ferryi_realm *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->fd = r->dir = -1;
	r->generation = ferryi_generation();
	r->path = strdup(directory);
	pthread_mutex_init(&r->looking, NULL);
	pthread_mutex_init(&r->names, NULL);
	if (!r->path) {
		discard(r);
		return NULL;
	}
	return r;
}

static struct ferryi_realm *find(int dir)
{
	struct stat a, b;

	if (ferryi_stat(dir, &a) < 0)
		return NULL;
	for (struct ferryi_realm *r = realms; r; r = r->next)
		if (r->refs && r->generation == ferryi_generation() &&
		    ferryi_stat(r->dir, &b) == 0 && a.st_dev == b.st_dev &&
		    a.st_ino == b.st_ino)
			return r;
	return NULL;
}

/*
 * A realm that we left keeps its mapping, for the tokens of our threads.  Come
 * back, and it is used again.
 */
static void reuse_mapping(struct ferryi_realm *r)
{
	struct ferryi_realm **p = &realms, *old;

	for (; *p; p = &(*p)->next) {
		old = *p;
		if (old->refs || old->dev != r->dev || old->ino != r->ino)
			continue;
		unmap_registry(r);
		r->registry = old->registry;
		old->registry.control = NULL;
		*p = old->next;
		old->fd = old->dir = -1;
		discard(old);
		return;
	}
}

/* To know our descriptors again after a closefrom(). */
static void note_directory(struct ferryi_realm *r)
{
	struct stat st = { 0 };

	ferryi_stat(r->dir, &st);
	r->dir_dev = st.st_dev;
	r->dir_ino = st.st_ino;
}

bool ferryi_realm_is_ours(const struct ferryi_realm *r, uint32_t i)
{
	for (const struct ferryi_realm *o = realms; o; o = o->next)
		if (o->refs && o->owner == i && o->dev == r->dev &&
		    o->ino == r->ino)
			return true;
	return false;
}

static int join(struct ferryi_realm **out, const char *directory,
		enum ferryi_make make)
{
	int dir = ferryi_realm_directory(directory,
					 make == FERRYI_MAKE_DIRECTORY);
	struct ferryi_realm *r;
	int e;

	if (dir < 0)
		return dir;
	r = find(dir);
	if (r) {
		ferryi_close(dir);
		r->refs++;
		*out = r;
		return 0;
	}
	r = new_realm(directory);
	if (!r) {
		ferryi_close(dir);
		return ferryi_fail(-ENOMEM, "out of memory");
	}
	r->dir = dir;
	note_directory(r);
	e = enter(r, make != FERRYI_MAKE_NOTHING);
	if (e < 0) {
		discard(r);
		return e;
	}
	reuse_mapping(r);
	r->refs = 1;
	r->next = realms;
	realms = r;
	ferryi_lease_end_former(r);
	*out = r;
	return 1;
}

/* A time in the future is somebody's stray write. */
static bool looked_lately(const struct ferryi_registry *g)
{
	int64_t now = ferryi_now(), at = ferryi_load(&g->control->looked_at);

	return at <= now && at >= now - FERRY_S(1);
}

static void look_at_first(struct ferryi_realm *r)
{
	const struct ferryi_registry *g = &r->registry;
	uint32_t live = 0;

	for (uint32_t i = 0; i < ferryi_registry_slots(g); i++)
		live += ferryi_slot_live(&g->slots[i]);
	if (live <= MANY_LEASES || !looked_lately(g))
		ferryi_realm_look(r, NULL);
}

int ferryi_realm_join(struct ferryi_realm **out, const char *directory,
		      enum ferryi_make make)
{
	int r;

	pthread_once(&fork_once, guard_fork);
	ferryi_realms_lock();
	r = join(out, directory, make);
	ferryi_realms_unlock();
	if (r < 0)
		return r;
	ferryi_realm_enter(*out);
	if (r == 1)
		look_at_first(*out);
	return 0;
}

void ferryi_realm_leave(struct ferryi_realm *r)
{
	if (r->generation != ferryi_generation())
		return; /* the parent's; in_child() has forgotten it */
	ferryi_realms_lock();
	if (--r->refs == 0) {
		ferryi_lease_end(r);
		ferryi_token_disarm(&r->registry.control->death);
		if (ferryi_is_file(r->dir, r->dir_dev, r->dir_ino))
			ferryi_close(r->dir);
		r->fd = r->dir = -1;
	}
	ferryi_realms_unlock();
}

void ferryi_realm_enter(struct ferryi_realm *r)
{
	ferryi_token_arm(&r->registry.control->death);
}

bool ferryi_realm_is_fenced(const struct ferryi_realm *r)
{
	return ferryi_load(&r->registry.slots[r->owner].state) !=
	       r->incarnation;
}

uint32_t ferryi_realm_owner(const struct ferryi_realm *r)
{
	return r->owner;
}

unsigned ferryi_realm_pollers(struct ferryi_realm *r, int more)
{
	return __atomic_add_fetch(&r->pollers, (unsigned)more,
				  __ATOMIC_RELAXED);
}

int64_t ferryi_realm_turn(struct ferryi_realm *r, int64_t now, int64_t period)
{
	int64_t last = __atomic_load_n(&r->turn, __ATOMIC_RELAXED);
	int64_t latest, mine;

	latest = now + period * (ferryi_realm_pollers(r, 0) - 1);
	do {
		mine = last < now ? now : last > latest ? latest : last;
		mine += period;
	} while (!__atomic_compare_exchange_n(&r->turn, &last, mine, true,
					      __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	return mine;
}

bool ferryi_realm_holds(const struct ferryi_realm *r, uint32_t owner)
{
	return owner == r->owner || ferryi_lock_held(r->fd, owner, 1) != 0;
}

int ferryi_realm_dir(const struct ferryi_realm *r)
{
	return r->dir;
}

const char *ferryi_realm_path(const struct ferryi_realm *r)
{
	return r->path;
}

struct ferryi_registry *ferryi_realm_registry(struct ferryi_realm *r)
{
	return &r->registry;
}
