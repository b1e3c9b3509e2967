/* SPDX-License-Identifier: MIT */
/*
 * ferry_gc(): repair after the dead, and remove what they left, on proof only:
 *
 *   - a lease whose lock is free: repaired, with every object it used
 *   - a mailbox that ends with its users and has none: removed
 *   - an unfinished file whose maker is dead: removed
 *   - the socket of a channel at which nobody listens any more, or of the name of
 *     a process that has died: removed
 *   - the registry of a realm without objects and users: removed
 *
 * Without `apply` nothing is changed: then the leases are only looked at.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "inspect/inspect.h"
#include "shm/recover.h"
#include "sys/files.h"
#include "sys/process.h"
#include "sys/sockets.h"

struct sweep {
	int dir;
	const char *path;
	bool apply;
	struct ferryi_realm *realm; /* NULL until the dead are repaired */
	struct ferryi_list list;
	int error;
};

static struct ferry_garbage *found(struct sweep *s, const char *name,
				   uint64_t bytes, const char *why)
{
	struct ferry_garbage *g = (void *)s->list.items;
	char path[sizeof g->path];
	bool whole = (size_t)snprintf(path, sizeof path, "%s%s%s", s->path,
				      name[0] ? "/" : "", name) < sizeof path;

	for (size_t i = 0; whole && i < s->list.n; i++)
		if (strcmp(g[i].path, path) == 0)
			return &g[i]; /* known since the look before */
	g = ferryi_list_add(&s->list, sizeof *g);
	if (!g) {
		s->error = -ENOMEM;
		return NULL;
	}
	memcpy(g->path, path, sizeof path);
	snprintf(g->why, sizeof g->why, "%s", why);
	g->bytes = bytes;
	return g;
}

/* ".unfinished.PID.NUMBER": made by creators on file systems without unnamed
 * files; its maker may still be at it. */
static void sweep_unfinished(struct sweep *s, const char *name)
{
	struct ferry_garbage *g;
	struct stat st;
	int pid;

	if (sscanf(name, FERRYI_UNFINISHED "%d.", &pid) != 1 ||
	    ferryi_stat_at(s->dir, name, &st) < 0 ||
	    ferryi_may_live((uint32_t)pid, 0))
		return;
	g = found(s, name, (uint64_t)st.st_blocks * 512,
		  "its maker died before it was finished");
	if (g && s->apply)
		g->removed = ferryi_unlink(s->dir, name) == 0;
}

/* Asked with the directory locked: who is about to listen holds that lock. */
static bool is_deserted(struct sweep *s, const char *name)
{
	char path[FERRYI_SOCKET_PATH_MAX + 1];
	struct stat st;
	int fd, r;

	if (snprintf(path, sizeof path, "%s/%s", s->path, name) >=
		    (int)sizeof path ||
	    ferryi_stat_at(s->dir, name, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = ferryi_socket(FERRYI_SOCKET_STREAM);
	if (fd < 0)
		return false;
	r = ferryi_socket_connect(fd, path);
	ferryi_close(fd);
	return r == -ECONNREFUSED;
}

static void sweep_door(struct sweep *s, const char *name)
{
	struct ferry_garbage *g;

	if (ferryi_directory_lock_try(s->dir) < 0)
		return; /* somebody comes or goes just now */
	if (is_deserted(s, name)) {
		g = found(s, name, 0, "nobody listens there any more");
		if (g && s->apply)
			g->removed = ferryi_unlink(s->dir, name) == 0;
	}
	ferryi_directory_unlock(s->dir);
}

static bool is_unused(struct sweep *s, const char *name, struct ferryi_view *v)
{
	struct ferry_object o = { 0 };

	if (s->realm) /* the dead are repaired already: no member is left */
		return ferryi_retire_if_unused(&v->users);
	ferryi_inspect_file(s->dir, name, &o);
	return o.state == FERRY_ABANDONED;
}

static void sweep_object(struct sweep *s, const char *name)
{
	struct ferry_garbage *g;
	struct ferryi_view v;
	int fd = ferryi_open_at(s->dir, name);

	if (fd < 0 || ferryi_view_open(&v, fd) < 0)
		return; /* foreign, damaged: not ours to remove */
	if (s->realm)
		ferryi_view_scrub(&v);
	if (ferryi_view_may_end(&v) && is_unused(s, name, &v)) {
		g = found(
			s, name, (uint64_t)v.file.st_blocks * 512,
			ferryi_is_retired(&v.users) && !s->realm ?
				"it was removed, but its name is still there" :
				"it ends with its users, and they have all "
				"died");
		if (g && s->realm)
			g->removed = ferryi_realm_unlink(s->realm, name,
							 &v.file) == 0;
	}
	ferryi_view_close(&v);
}

static int visit(const char *name, void *arg)
{
	struct sweep *s = arg;

	if (strncmp(name, FERRYI_UNFINISHED, strlen(FERRYI_UNFINISHED)) == 0)
		sweep_unfinished(s, name);
	else if (strncmp(name, FERRYI_DOOR_PREFIX,
			 strlen(FERRYI_DOOR_PREFIX)) == 0 ||
		 ferryi_inspect_is_door(name))
		sweep_door(s, name);
	else if (ferryi_file_kind(name))
		sweep_object(s, name);
	return s->error;
}

static void sweep_leases(struct sweep *s)
{
	struct ferry_user *users;
	char name[64];
	size_t n;

	if (ferry_who(s->path, NULL, &users, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (users[i].alive)
			continue;
		snprintf(name, sizeof name, FERRYI_REGISTRY_NAME "#%d",
			 (int)users[i].process.pid);
		found(s, name, 0,
		      "a lease whose process has died: what it held is given "
		      "back");
	}
	ferry_free(users);
}

static void sweep_registry(struct sweep *s)
{
	struct ferry_garbage *g;

	if (ferryi_realm_retire(s->path, s->apply) != 1)
		return;
	g = found(s, FERRYI_REGISTRY_NAME, 0,
		  "nobody takes part in the realm and it holds no object");
	if (g)
		g->removed = s->apply;
}

/* What the repair of the dead has done to what was found before it. */
static void note_repairs(struct sweep *s)
{
	size_t skip = strlen(s->path) + 1, n_users = 0;
	struct ferry_garbage *g = (void *)s->list.items;
	struct ferry_user *users = NULL;
	struct stat st;
	int pid;

	if (skip >= sizeof g->path || /* cut */
	    ferry_who(s->path, NULL, &users, &n_users) < 0)
		return;
	for (size_t i = 0; i < s->list.n; i++) {
		g[i].removed = true;
		if (sscanf(g[i].path + skip, FERRYI_REGISTRY_NAME "#%d",
			   &pid) != 1) {
			g[i].removed = ferryi_stat_at(s->dir, g[i].path + skip,
						      &st) == -ENOENT;
			continue;
		}
		for (size_t u = 0; u < n_users; u++)
			if (!users[u].alive && users[u].process.pid == pid)
				g[i].removed = false;
	}
	ferry_free(users);
}

/* Repair after the dead, and once more through all names. */
static int repair(struct sweep *s)
{
	int r = ferryi_realm_join(&s->realm, s->path, FERRYI_MAKE_NOTHING);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	ferryi_realm_look(s->realm, NULL);
	note_repairs(s);
	r = ferryi_each_name(s->dir, visit, s);
	ferryi_realm_leave(s->realm);
	return r;
}

static int sweep(struct sweep *s)
{
	int r;

	s->dir = ferryi_realm_directory(s->path, false);
	if (s->dir < 0)
		return s->dir == -ENOENT ? 0 : s->dir;
	sweep_leases(s);
	r = ferryi_each_name(s->dir, visit, s);
	if (r == 0 && s->apply)
		r = repair(s);
	if (r == 0)
		sweep_registry(s);
	ferryi_close(s->dir);
	return r;
}

int ferry_gc(const char *realm, bool apply, struct ferry_garbage **out,
	     size_t *n_out)
{
	struct sweep s = { 0 };
	char path[4096];
	int r;

	ferryi_fail_clear();
	r = ferryi_inspect_path(realm, path, sizeof path);
	if (r < 0)
		return r;
	s.path = path;
	s.apply = apply;
	r = sweep(&s);
	if (r < 0) {
		free(s.list.items);
		return r;
	}
	*out = (void *)s.list.items;
	*n_out = s.list.n;
	return 0;
}
