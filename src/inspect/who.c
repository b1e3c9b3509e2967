/* SPDX-License-Identifier: MIT */
/*
 * ferry_who(): the processes behind the leases.  A lease is alive when the
 * kernel says that its lock is held; pid and name are for people.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "inspect/inspect.h"
#include "link/transport.h"
#include "shm/recover.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/lock.h"
#include "sys/process.h"

struct holdings {
	uint32_t holds, loans;
	int64_t oldest; /* CLOCK_MONOTONIC ns */
};

static void weigh(const struct ferryi_queue *q, uint32_t owner,
		  struct holdings *h)
{
	for (uint32_t k = 0; k < q->n_classes; k++)
		for (uint32_t i = 0, n = ferryi_queue_reserved(q, k); i < n;
		     i++) {
			const struct ferryi_record *rec =
				&q->records[q->classes[k].first + i];
			uint64_t word = ferryi_load(&rec->word);
			int64_t at = rec->flags & FERRYI_TAKER_KNOWN ?
					     rec->taker.taken_at :
					     ferryi_now();
			uint64_t cell;

			if (ferryi_word_owner(word) != owner)
				continue;
			if (ferryi_word_state(word) == FERRYI_HELD) {
				h->holds++;
				if (h->oldest == 0 || at < h->oldest)
					h->oldest = at;
			} else if (ferryi_word_state(word) == FERRYI_LOAN) {
				cell = ferryi_cell_full(&q->cells, rec->seq,
							q->classes[k].first + i,
							ferryi_word_gen(word));
				h->loans +=
					!ferryi_queue_has_cell(q, rec->seq) ||
					ferryi_load(ferryi_queue_cell(
						q, rec->seq)) != cell;
			}
		}
}

static void fill(struct ferry_user *u, const struct ferryi_slot *s, bool alive,
		 const struct holdings *h)
{
	u->process.start_time = s->start_time;
	u->process.pid = (pid_t)s->pid;
	u->process.uid = s->uid;
	u->process.gid = s->gid;
	u->process.proof = FERRY_CLAIMED;
	memcpy(u->process.name, s->name, sizeof u->process.name);
	u->process.name[sizeof u->process.name - 1] = 0;
	u->alive = alive;
	u->same_namespace = s->pid_namespace ==
			    ferryi_identity()->pid_namespace;
	u->since = s->since;
	u->holds = h->holds;
	u->loans = h->loans;
	u->oldest_ns = h->oldest ? ferryi_now() - h->oldest : 0;
}

/* `v` is NULL for the whole realm. */
static int collect(int fd, const struct ferryi_registry *g,
		   const struct ferryi_view *v, struct ferryi_list *list)
{
	for (uint32_t i = 0; i < ferryi_registry_slots(g); i++) {
		struct holdings h = { 0 };
		struct ferry_user *u;

		if (!ferryi_slot_live(&g->slots[i]) ||
		    (v && !ferryi_member_is(&v->users, i)))
			continue;
		if (v && v->kind == FERRYI_KIND_TOPIC)
			h.loans = ferryi_broadcast_loans(&v->topic, i);
		else if (v)
			weigh(&v->queue, i, &h);
		u = ferryi_list_add(list, sizeof *u);
		if (!u)
			return ferryi_fail(-ENOMEM, "out of memory");
		fill(u, &g->slots[i], ferryi_lock_held(fd, i, 1) != 0, &h);
	}
	return 0;
}

static int view_of(int dir, const struct ferryi_place *p, struct ferryi_view *v)
{
	int fd = ferryi_open_at(dir, p->file), r;

	if (fd == -ENOENT)
		return ferryi_fail(-ENOENT, "no object %s in realm %s", p->name,
				   p->directory);
	if (fd < 0)
		return ferryi_fail_sys(-fd, "%s/%s: cannot be opened",
				       p->directory, p->name);
	r = ferryi_view_open(v, fd);
	return r < 0 ? ferryi_fail(r, "%s/%s cannot be used: %s", p->directory,
				   p->name, v->why) :
		       0;
}

/* Everybody in the registry of an open directory, or the users of one view. */
static int who(int dir, const char *path, const struct ferryi_view *v,
	       struct ferryi_list *list)
{
	struct ferryi_registry g;
	int fd = ferryi_registry_open(&g, dir, path, false), r;

	if (fd == -ENOENT)
		return 0; /* nobody has ever been here */
	if (fd < 0)
		return fd;
	r = collect(fd, &g, v, list);
	ferryi_unmap((uint8_t *)g.control - FERRYI_HEADER_BYTES,
		     FERRYI_REGISTRY_BYTES);
	ferryi_close(fd);
	return r;
}

static int give(int r, struct ferryi_list *list, struct ferry_user **out,
		size_t *n_out)
{
	if (r < 0) {
		ferry_free(list->items);
		return r;
	}
	*out = (void *)list->items;
	*n_out = list->n;
	return r;
}

int ferry_who(const char *realm, const char *name, struct ferry_user **out,
	      size_t *n_out)
{
	const char *process = ferryi_inspect_process(name), *rest;
	const struct ferryi_transport *t = ferryi_inspect_scheme(name, &rest);
	struct ferryi_list list = { 0 };
	struct ferryi_place p = { 0 };
	struct ferryi_view v = { .fd = -1 };
	int dir, r;

	ferryi_fail_clear();
	if (t && t->identify)
		return give(ferryi_inspect_holders(t, rest, &list), &list, out,
			    n_out);
	/* What is of a realm is removed there, and by no transport. */
	if (t && !process &&
	    (t->destroy || !(t->info.promises & FERRY_CAN_PERSIST)))
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: who uses it cannot be told (it has no "
				   "name that other processes know)",
				   name);
	r = !name   ? 0 :
	    process ? ferryi_place_parse(&p, process) :
		      ferryi_place_parse_any(&p, name);
	if (r == 0 && (!name || (realm && p.is_default)))
		r = ferryi_inspect_path(realm, p.directory, sizeof p.directory);
	if (r < 0)
		return r;
	dir = ferryi_realm_directory(p.directory, false);
	if (dir < 0 && (name || dir != -ENOENT))
		return dir;
	if (dir >= 0 && process) {
		r = ferryi_inspect_door_users(dir, p.name, &list);
		ferryi_close(dir);
	} else if (dir >= 0) {
		r = name ? ferryi_place_find(&p, dir) : 0;
		if (r == 0 && name)
			r = view_of(dir, &p, &v);
		if (r == 0)
			r = who(dir, p.directory, name ? &v : NULL, &list);
		ferryi_view_close(&v);
		ferryi_close(dir);
	}
	return give(r, &list, out, n_out);
}
