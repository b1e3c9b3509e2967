/* SPDX-License-Identifier: MIT */
/*
 * ferry_list() and ferry_look(): what exists.  Looking joins nothing and leaves
 * no trace; it reads the files as they are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "inspect/inspect.h"
#include "shm/recover.h"
#include "sys/files.h"
#include "sys/lock.h"

void *ferryi_list_add(struct ferryi_list *l, size_t size)
{
	char *grown;

	l->size = size;
	if (l->n == l->cap) {
		l->cap = l->cap ? 2 * l->cap : 16;
		grown = realloc(l->items, l->cap * size);
		if (!grown)
			return NULL;
		l->items = grown;
	}
	memset(l->items + l->n * size, 0, size);
	return l->items + l->n++ * size;
}

void ferry_free(void *list)
{
	free(list);
}

int ferry_realm(char *buf, size_t size)
{
	ferryi_fail_clear();
	return ferryi_realm_default(buf, size);
}

int ferryi_inspect_path(const char *realm, char *buf, size_t size)
{
	if (!realm)
		return ferryi_realm_default(buf, size);
	if ((size_t)snprintf(buf, size, "%s", realm) >= size)
		return ferryi_fail(-EINVAL,
				   "the path of the realm is too long");
	return 0;
}

/* Whether some user of it lives; needs no lease of our own. */
static bool has_live_user(int dir, const struct ferryi_users *u)
{
	int fd = ferryi_open_at(dir, FERRYI_REGISTRY_NAME);
	bool live = false;

	for (uint32_t i = 0; fd >= 0 && i < FERRYI_OWNERS && !live; i++)
		if (ferryi_member_is(u, i))
			live = ferryi_lock_held(fd, i, 1) != 0;
	ferryi_close(fd);
	return live;
}

static void describe(int dir, struct ferryi_view *v, struct ferry_object *out)
{
	out->created_at = v->header.preamble.created_at;
	if (v->kind == FERRYI_KIND_TOPIC)
		ferryi_view_topic_stat(v, &out->topic);
	else
		ferryi_view_stat(v, &out->mailbox);
	if (ferryi_is_retired(&v->users)) {
		out->state = FERRY_ABANDONED;
		snprintf(out->why, sizeof out->why,
			 "it was removed, but its name is still there (ferry "
			 "gc --apply finishes that)");
	} else if (v->persistence == FERRY_PERSIST_PROCESS &&
		   !has_live_user(dir, &v->users)) {
		out->state = FERRY_ABANDONED;
		snprintf(out->why, sizeof out->why,
			 "its users have all died; it ends with them (ferry gc "
			 "--apply removes it)");
	}
}

void ferryi_inspect_file(int dir, const char *name, struct ferry_object *out)
{
	struct ferryi_view v;
	struct stat st;
	int fd;

	snprintf(out->name, sizeof out->name, "%.*s", FERRY_NAME_MAX,
		 ferryi_file_name(name));
	snprintf(out->kind, sizeof out->kind, "%s", ferryi_file_noun(name));
	if (ferryi_stat_at(dir, name, &st) == 0) {
		out->uid = st.st_uid;
		out->gid = st.st_gid;
		out->mode = st.st_mode & 07777;
	}
	fd = ferryi_open_at(dir, name);
	if (fd == -EACCES) {
		out->state = FERRY_NO_ACCESS;
		snprintf(out->why, sizeof out->why,
			 "belongs to uid %u, mode %04o: not yours to look at",
			 out->uid, out->mode);
		return;
	}
	if (fd < 0) {
		out->state = FERRY_FOREIGN;
		snprintf(out->why, sizeof out->why, "is no regular file");
		return;
	}
	if (ferryi_view_open(&v, fd) < 0) {
		out->state = v.state;
		snprintf(out->why, sizeof out->why, "%s", v.why);
		return;
	}
	if (v.kind != ferryi_file_kind(name)) {
		out->state = FERRY_DAMAGED;
		snprintf(out->why, sizeof out->why,
			 "it is another kind of object than its name says");
		ferryi_view_close(&v);
		return;
	}
	describe(dir, &v, out);
	ferryi_view_close(&v);
}

struct walk {
	int dir;
	struct ferryi_list list;
};

static int visit(const char *name, void *arg)
{
	bool is_door = ferryi_inspect_is_door(name);
	struct walk *w = arg;
	struct ferry_object *o;

	if (!is_door && !ferryi_file_kind(name))
		return 0;
	o = ferryi_list_add(&w->list, sizeof *o);
	if (!o)
		return -ENOMEM;
	if (is_door)
		ferryi_inspect_door(w->dir,
				    name + strlen(FERRYI_PROCESS_PREFIX), o);
	else
		ferryi_inspect_file(w->dir, name, o);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct ferry_object *)a)->name,
		      ((const struct ferry_object *)b)->name);
}

/* Pointers into a list that has moved. */
static void settle(struct ferry_object *o)
{
	o->mailbox.options.dead_letter =
		o->mailbox.dead_letter[0] ? o->mailbox.dead_letter : NULL;
}

int ferry_list(const char *realm, struct ferry_object **out, size_t *n_out)
{
	struct walk w = { 0 };
	char path[4096];
	int r;

	ferryi_fail_clear();
	r = ferryi_inspect_path(realm, path, sizeof path);
	if (r < 0)
		return r;
	w.dir = ferryi_realm_directory(path, false);
	if (w.dir == -ENOENT) {
		*out = NULL;
		*n_out = 0;
		return 0;
	}
	if (w.dir < 0)
		return w.dir;
	r = ferryi_each_name(w.dir, visit, &w);
	ferryi_close(w.dir);
	if (r < 0) {
		free(w.list.items);
		return ferryi_fail_sys(-r, "realm %s: cannot be listed", path);
	}
	*out = (void *)w.list.items;
	*n_out = w.list.n;
	if (w.list.n)
		qsort(*out, w.list.n, sizeof **out, by_name);
	for (size_t i = 0; i < w.list.n; i++)
		settle(&(*out)[i]);
	return 0;
}

/* One that is there, in an open directory; 0, or -ENOENT. */
static int look_at_door(int dir, const struct ferryi_place *p,
			struct ferry_object *out)
{
	char file[sizeof p->name + sizeof FERRYI_PROCESS_PREFIX];
	struct stat st;

	snprintf(file, sizeof file, "%s%s", FERRYI_PROCESS_PREFIX, p->name);
	if (ferryi_stat_at(dir, file, &st) < 0)
		return -ENOENT;
	ferryi_inspect_door(dir, p->name, out);
	return 0;
}

/* The same.  -EINVAL: the name is that of several. */
static int look_at_file(int dir, struct ferryi_place *p,
			struct ferry_object *out)
{
	struct stat st;
	int r = ferryi_place_find(p, dir);

	if (r == 0 && ferryi_stat_at(dir, p->file, &st) < 0)
		r = -ENOENT;
	if (r == 0)
		ferryi_inspect_file(dir, p->file, out);
	return r;
}

int ferry_look(const char *name, struct ferry_object *out)
{
	const char *process = ferryi_inspect_process(name);
	struct ferry_object found = { 0 };
	struct ferryi_place p;
	int dir, r;

	ferryi_fail_clear();
	r = process ? ferryi_place_parse(&p, process) :
		      ferryi_place_parse_any(&p, name);
	if (r < 0)
		return r;
	dir = ferryi_realm_directory(p.directory, false);
	if (dir < 0 && dir != -ENOENT)
		return dir;
	r = dir < 0 ? dir :
	    process ? look_at_door(dir, &p, &found) :
		      look_at_file(dir, &p, &found);
	ferryi_close(dir);
	if (r == -ENOENT)
		return ferryi_fail(-ENOENT,
				   "no %s %s in realm %s (ferry ls "
				   "shows what there is)",
				   process ? "process" : "object", p.name,
				   p.directory);
	if (r < 0)
		return r;
	*out = found;
	settle(out);
	return 0;
}
