/* SPDX-License-Identifier: MIT */
/*
 * Stations: what this process is to others.
 *
 * There is one for each name that it has registered in a realm, and one without
 * a name for what it sends otherwise.  A name is held as long as a handle is open
 * that was opened to receive under it; the lines stay for those that send.
 *
 * fork: a name is its process's.  The child's copies of the descriptors are closed
 * in the fork, so that a name and its lines end with the process that has them,
 * whatever children it leaves.  A handle in the child answers -ESTALE;
 * ferry_adopt_after_fork() opens its address anew.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/process.h"
#include "sys/files.h"
#include "sys/process.h"
#include "sys/ready.h"
#include "wire/address.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ferryi_station *stations;

/* --- names ----------------------------------------------------------------- */

int ferryi_process_place(const struct ferryi_address *a, bool make_realm,
			 struct ferryi_process_place *out)
{
	struct ferryi_place p;
	char door[FERRYI_SOCKET_PATH_MAX + 1], real[4096];
	int r, dir;

	if (!*a->rest)
		return ferryi_fail(-EINVAL,
				   "process: needs a name (process:NAME)");
	r = ferryi_place_parse(&p, a->rest);
	if (r < 0)
		return r;
	dir = ferryi_realm_directory(p.directory, make_realm && p.is_default);
	if (dir < 0)
		return dir;
	/* Two must spell it alike: a certificate tells the path. */
	ferryi_path_of(dir, real, sizeof real);
	ferryi_close(dir);
	if (real[0] != '/')
		memcpy(real, p.directory, sizeof real);
	r = ferryi_door_path(real, p.name, door);
	if (r < 0)
		return r;
	memcpy(out->directory, real, strlen(real) + 1); /* it fits a path */
	memcpy(out->name, p.name, sizeof out->name);
	out->is_default = p.is_default;
	return 0;
}

/* --- forks ----------------------------------------------------------------- */

static void lock_all(void)
{
	pthread_mutex_lock(&list_lock);
	for (struct ferryi_station *s = stations; s; s = s->next)
		pthread_mutex_lock(&s->lock);
}

static void unlock_all(void)
{
	for (struct ferryi_station *s = stations; s; s = s->next)
		pthread_mutex_unlock(&s->lock);
	pthread_mutex_unlock(&list_lock);
}

/* The sets first: in a child they are the parent's, too, and stay as they are. */
static void empty(struct ferryi_station *s)
{
	ferryi_close(s->all);
	ferryi_close(s->doors);
	s->all = s->doors = -1;
	ferryi_station_hang_up(s, true);
	ferryi_door_close(s);
	free(s->active);
	s->active = NULL;
}

/* Handles notice by the generation; the stations are theirs to free. */
static void in_child(void)
{
	for (struct ferryi_station *s = stations; s; s = s->next)
		empty(s);
	unlock_all();
	stations = NULL;
}

static void guard_fork(void)
{
	ferryi_generation(); /* its own handler comes before ours */
	pthread_atfork(lock_all, unlock_all, in_child);
}

/* --- the list of them -------------------------------------------------------- */

static struct ferryi_station *find(const char *name, const char *directory)
{
	for (struct ferryi_station *s = stations; s; s = s->next)
		if (strcmp(s->name, name) == 0 &&
		    strcmp(s->directory, directory) == 0)
			return s;
	return NULL;
}

static void destroy(struct ferryi_station *s)
{
	if (s->generation == ferryi_generation())
		empty(s);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static int make_sets(struct ferryi_station *s)
{
	s->all = ferryi_set_new();
	s->doors = ferryi_set_new();
	if (s->all < 0 || s->doors < 0)
		return -EMFILE;
	return ferryi_set_add(s->all, s->doors, NULL);
}

static int create(struct ferryi_station **out, const char *name,
		  const struct ferryi_process_place *p)
{
	struct ferryi_station *s = calloc(1, sizeof *s);
	int r;

	if (!s)
		return ferryi_fail(-ENOMEM, "out of memory for a station");
	pthread_mutex_init(&s->lock, NULL);
	snprintf(s->name, sizeof s->name, "%s", name);
	memcpy(s->directory, p->directory, sizeof s->directory);
	s->is_default = p->is_default;
	s->generation = ferryi_generation();
	s->certificate = -1;
	r = make_sets(s);
	if (r < 0) {
		destroy(s);
		return ferryi_fail_sys(-r,
				       "process:%s: no descriptor is left "
				       "(raise ulimit -n)",
				       p->name);
	}
	s->next = stations;
	stations = s;
	*out = s;
	return 0;
}

static void drop_if_unused(struct ferryi_station *s)
{
	struct ferryi_station **p = &stations;

	if (s->users)
		return;
	while (*p && *p != s)
		p = &(*p)->next;
	if (*p)
		*p = s->next;
	destroy(s);
}

/* --- handles come and go ------------------------------------------------------ */

static int use_name(struct ferryi_station *s, struct ferry_link *l,
		    const struct ferryi_address *a)
{
	int r;

	pthread_mutex_lock(&s->lock);
	r = s->door ? 0 : ferryi_door_open(s, l, a);
	if (r == 0) {
		s->users++;
		s->receivers++;
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

int ferryi_station_register(struct ferryi_station **out, struct ferry_link *l,
			    const struct ferryi_address *a,
			    const struct ferryi_process_place *p)
{
	struct ferryi_station *s;
	int r = 0;

	pthread_once(&once, guard_fork);
	pthread_mutex_lock(&list_lock);
	s = find(p->name, p->directory);
	if (!s)
		r = create(&s, p->name, p);
	if (r == 0) {
		r = use_name(s, l, a);
		if (r < 0)
			drop_if_unused(s);
	}
	pthread_mutex_unlock(&list_lock);
	if (r == 0)
		*out = s;
	return r;
}

/* The names that this process has in the directory: how many, and one of them. */
static unsigned own_names(const char *directory, struct ferryi_station **out)
{
	unsigned n = 0;

	for (struct ferryi_station *s = stations; s; s = s->next)
		if (s->door && strcmp(s->directory, directory) == 0) {
			*out = s;
			n++;
		}
	return n;
}

static int choose(struct ferryi_station **out, struct ferry_link *l,
		  const char *as, const struct ferryi_process_place *to)
{
	struct ferryi_station *s = NULL;
	unsigned n = own_names(to->directory, &s);

	if (as) {
		s = find(as, to->directory);
		n = s && s->door ? 1 : 0;
		if (n == 0)
			return ferryi_fail(-ENOENT,
					   "%s: this process has no name %s "
					   "in that realm (open process:%s to "
					   "receive first)",
					   l->address, as, as);
	}
	if (n > 1)
		return ferryi_fail(-EINVAL,
				   "%s: this process has %u names (say with "
				   "as= which one sends)",
				   l->address, n);
	*out = n ? s : find("", to->directory);
	return *out ? 0 : create(out, "", to);
}

int ferryi_station_to_send(struct ferryi_station **out, struct ferry_link *l,
			   const char *as,
			   const struct ferryi_process_place *to)
{
	int r;

	pthread_once(&once, guard_fork);
	pthread_mutex_lock(&list_lock);
	r = choose(out, l, as, to);
	if (r == 0) {
		pthread_mutex_lock(&(*out)->lock);
		(*out)->users++;
		pthread_mutex_unlock(&(*out)->lock);
	}
	pthread_mutex_unlock(&list_lock);
	return r;
}

void ferryi_station_leave(struct ferryi_station *s, bool held_name)
{
	pthread_mutex_lock(&list_lock);
	pthread_mutex_lock(&s->lock);
	s->users--;
	if (held_name && --s->receivers == 0 &&
	    s->generation == ferryi_generation()) {
		ferryi_door_close(s);
		ferryi_station_hang_up(s, false);
	}
	pthread_mutex_unlock(&s->lock);
	drop_if_unused(s);
	pthread_mutex_unlock(&list_lock);
}
