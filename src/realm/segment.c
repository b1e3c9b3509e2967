/* SPDX-License-Identifier: MIT */
/*
 * Opening, creating and leaving an object: see segment.h.
 *
 * A creator builds the whole segment, itself a member already, in a file
 * without a name, and links it into place.  An opener sets its member bit and
 * then joins; a last leaver marks the segment removed and then unlinks it; so
 * a name never leads to a segment that is about to go (shm/users.h, join).
 */
#include "realm/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "realm/state.h"
#include "shm/recover.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/lock.h"
#include "sys/process.h"

/* Each round needs somebody else to have removed or made the name. */
#define ROUNDS 1000

static struct ferryi_segment *find(struct ferryi_realm *r,
				   const struct stat *st)
{
	for (struct ferryi_segment *s = r->segments; s; s = s->next)
		if (s->view.file.st_dev == st->st_dev &&
		    s->view.file.st_ino == st->st_ino)
			return s;
	return NULL;
}

static void discard(struct ferryi_segment *s)
{
	free(s->name);
	free(s);
}

static struct ferryi_segment *new_segment(struct ferryi_realm *r,
					  const char *name)
{
	struct ferryi_segment *s = calloc(1, sizeof *s);

	if (s)
		s->name = strdup(name);
	if (!s || !s->name) {
		free(s);
		ferryi_fail_note(-ENOMEM, "out of memory");
		return NULL;
	}
	s->refs = 1;
	s->realm = r;
	return s;
}

static struct ferryi_segment *add(struct ferryi_segment *s)
{
	s->next = s->realm->segments;
	s->realm->segments = s;
	return s;
}

/* Some user of this object is dead and not repaired yet. */
static bool has_dead_member(const struct ferryi_realm *r,
			    const struct ferryi_users *u)
{
	for (uint32_t i = 0; i < FERRYI_OWNERS / 64; i++) {
		uint64_t bits = ferryi_load(&u->members[i]);

		for (; bits; bits &= bits - 1) {
			uint32_t owner =
				i * 64 + (uint32_t)__builtin_ctzll(bits);

			if (!ferryi_realm_holds(r, owner))
				return true;
		}
	}
	return false;
}

/* It should have ended with its last user, and has none: 1 once its name is
 * gone.  0: it is in use. */
static int remove_abandoned(struct ferryi_realm *r, const char *name,
			    struct ferryi_view *v)
{
	int e;

	if (!ferryi_view_may_end(v))
		return 0;
	if (has_dead_member(r, &v->users))
		ferryi_realm_look(r, NULL);
	if (!ferryi_retire_if_unused(&v->users))
		return 0;
	e = ferryi_realm_unlink(r, name, &v->file);
	return e < 0 ? e : 1;
}

static int view_by_name(struct ferryi_realm *r, const char *name,
			struct ferryi_view *v)
{
	int fd = ferryi_open_at(r->dir, name), e;
	char format[FERRYI_FORMAT_SAID];

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd == -EACCES) {
		struct stat st = { 0 };

		ferryi_stat_at(r->dir, name, &st);
		return ferryi_fail(-EACCES,
				   "%s %s belongs to uid %u, mode %04o; you "
				   "are uid %u (its owner can give access with "
				   "--mode and --group)",
				   ferryi_file_noun(name),
				   ferryi_file_name(name), st.st_uid,
				   st.st_mode & 07777, ferryi_uid());
	}
	if (fd < 0)
		return ferryi_fail_sys(-fd, "%s/%s: cannot be opened", r->path,
				       name);
	e = ferryi_view_open(v, fd);
	if (e == 0 && v->kind != ferryi_file_kind(name)) {
		v->why = "it is another kind of object";
		ferryi_view_close(v);
		e = -EBADMSG;
	}
	if (e < 0)
		return ferryi_fail(e,
				   "%s/%s cannot be used: %s (%sferry gc "
				   "explains what is left)",
				   r->path, name, v->why,
				   ferryi_other_format(&v->header.preamble,
						       format));
	return 0;
}

/* 0: a member.  1: it was removed under our eyes, try again. */
static int become_member(struct ferryi_segment **out, struct ferryi_realm *r,
			 const char *name, struct ferryi_view *v)
{
	struct ferryi_segment *s = find(r, &v->file);
	int e;

	if (s) {
		ferryi_view_close(v);
		s->refs++;
		*out = s;
		return 0;
	}
	s = new_segment(r, name);
	if (!s) {
		ferryi_view_close(v);
		return -ENOMEM;
	}
	s->view = *v;
	ferryi_member_add(&s->view.users, r->owner);
	if (ferryi_join(&s->view.users)) {
		*out = add(s);
		return 0;
	}
	ferryi_member_drop(&s->view.users, r->owner);
	/* without its name no repair finds it: tell its users first (J2) */
	ferryi_retire(&s->view.users);
	e = ferryi_realm_unlink(r, name, &v->file);
	ferryi_view_close(&s->view);
	discard(s);
	return e < 0 ? e : 1;
}

static int open_locked(struct ferryi_segment **out, struct ferryi_realm *r,
		       const char *name)
{
	struct ferryi_view v;
	int e;

	for (unsigned n = 0; n < ROUNDS; n++) {
		e = view_by_name(r, name, &v);
		if (e < 0)
			return e;
		e = find(r, &v.file) && !ferryi_is_retired(&v.users) ?
			    0 :
			    remove_abandoned(r, name, &v);
		if (e == 0) {
			e = become_member(out, r, name, &v);
			if (e <= 0)
				return e;
			continue;
		}
		ferryi_view_close(&v);
		if (e < 0)
			return e;
	}
	return ferryi_fail(-EBUSY,
			   "%s/%s is being made and removed all the time",
			   r->path, name);
}

int ferryi_segment_open(struct ferryi_segment **out, struct ferryi_realm *r,
			const char *name)
{
	int e;

	ferryi_realms_lock();
	e = open_locked(out, r, name);
	ferryi_realms_unlock();
	return e;
}

/* --- creation ----------------------------------------------------------- */

/* What a new object is to be, whatever its kind. */
struct draft {
	struct ferryi_preamble *preamble; /* the header begins with it */
	uint64_t *checksum;		  /* and ends with this */
	uint64_t first_bytes;		  /* that have memory from the start */
	void (*format)(void *base, const void *header);
};

/* The whole segment, in a file without a name. */
static int build(struct ferryi_realm *r, const char *name, int fd,
		 const struct draft *d)
{
	uint64_t first = d->first_bytes;
	struct ferryi_users users;
	uint8_t *base;
	int e = ferryi_resize(fd, d->preamble->total_bytes);

	if (e == 0)
		e = ferryi_reserve(fd, 0, first);
	if (e < 0)
		return ferryi_fail_room(r, name, e, first);
	base = ferryi_map(fd, first);
	if (!base)
		return ferryi_fail(-ENOMEM, "no address space for %s %s",
				   ferryi_file_noun(name),
				   ferryi_file_name(name));
	memcpy(base, d->preamble, d->preamble->header_bytes);
	d->format(base, d->preamble);
	ferryi_users_attach(&users, base + FERRYI_HEADER_BYTES);
	ferryi_member_add(&users, r->owner);
	ferryi_store(users.joins, 2);
	ferryi_unmap(base, first);
	return 0;
}

static int give_access(const char *name, int fd, unsigned mode, int64_t gid)
{
	int e = ferryi_set_access(fd, mode, gid);

	if (e == 0)
		return 0;
	return ferryi_fail_sys(-e,
			       "%s %s: cannot be given to group %lld (are "
			       "you a member?)",
			       ferryi_file_noun(name), ferryi_file_name(name),
			       (long long)gid);
}

/* Whatever can fail is done before the name is there. */
static int publish(struct ferryi_segment *s, const struct draft *d,
		   unsigned mode, int64_t gid)
{
	struct ferryi_realm *r = s->realm;
	char temporary[32];
	int fd = ferryi_file_new(r->dir, temporary), e;

	if (fd < 0)
		return ferryi_realm_fail_file(fd, r->dir, r->path);
	e = build(r, s->name, fd, d);
	if (e == 0)
		e = give_access(s->name, fd, mode, gid);
	if (e < 0)
		ferryi_close(fd);
	else if ((e = ferryi_view_open(&s->view, fd)) < 0)
		e = ferryi_fail(e, "%s %s: %s", ferryi_file_noun(s->name),
				ferryi_file_name(s->name), s->view.why);
	if (e < 0) {
		if (temporary[0])
			ferryi_unlink(r->dir, temporary);
		return e;
	}
	/* C2: complete, without a name; if we die here it vanishes */
	e = ferryi_file_publish(r->dir, fd, temporary, s->name);
	/* C3: it has its name and us as a member */
	if (e == 0 || e == -EEXIST)
		return e;
	return ferryi_fail_sys(-e, "%s/%s: cannot be made", r->path, s->name);
}

static void fill_identity(const struct draft *d)
{
	const struct ferryi_identity *self = ferryi_identity();
	uint64_t mix[2];

	d->preamble->created_at = ferryi_wall();
	mix[0] = (uint64_t)d->preamble->created_at ^ self->start_time << 32;
	mix[1] = (uint64_t)ferryi_now() << 20 ^ self->pid;
	memcpy(d->preamble->uuid, mix, sizeof d->preamble->uuid);
	*d->checksum =
		ferryi_checksum(d->preamble, (size_t)((char *)d->checksum -
						      (char *)d->preamble));
}

/* 0: made.  1: somebody was first. */
static int make(struct ferryi_segment **out, struct ferryi_realm *r,
		const char *name, const struct draft *d, unsigned mode,
		int64_t gid)
{
	struct ferryi_segment *s = new_segment(r, name);
	int e;

	if (!s)
		return -ENOMEM;
	s->view.fd = -1;
	e = publish(s, d, mode, gid);
	if (e == 0) {
		*out = add(s);
		return 0;
	}
	ferryi_view_close(&s->view);
	discard(s);
	return e == -EEXIST ? 1 : e;
}

static int create_locked(struct ferryi_segment **out, struct ferryi_realm *r,
			 const char *name, const struct draft *d, unsigned mode,
			 int64_t gid)
{
	int e;

	for (unsigned n = 0; n < ROUNDS; n++) {
		e = open_locked(out, r, name);
		if (e == 0)
			return -EEXIST;
		if (e == -ENOENT)
			e = make(out, r, name, d, mode, gid);
		if (e <= 0)
			return e;
	}
	return ferryi_fail(-EBUSY,
			   "%s/%s is being made and removed all the time",
			   r->path, name);
}

static int create(struct ferryi_segment **out, struct ferryi_realm *r,
		  const char *name, const struct draft *d, unsigned mode,
		  int64_t gid)
{
	int e;

	fill_identity(d);
	ferryi_fail_clear();
	ferryi_realms_lock();
	e = create_locked(out, r, name, d, mode, gid);
	ferryi_realms_unlock();
	return e;
}

static void format_mailbox(void *base, const void *header)
{
	ferryi_queue_format((void *)((uint8_t *)base + FERRYI_HEADER_BYTES),
			    header);
}

int ferryi_segment_create(struct ferryi_segment **out, struct ferryi_realm *r,
			  const char *name, const struct ferryi_choice *choice,
			  unsigned mode, int64_t gid)
{
	struct ferryi_header h;
	struct draft d = { &h.preamble, &h.checksum, 0, format_mailbox };
	const char *why = "";
	int e = ferryi_layout_plan(&h, choice, &why);

	if (e < 0)
		return ferryi_fail(e, "mailbox %s: %s", name, why);
	d.first_bytes = ferryi_layout_first_bytes(&h);
	return create(out, r, name, &d, mode, gid);
}

static void format_topic(void *base, const void *header)
{
	(void)base; /* all zero: nobody has published */
	(void)header;
}

int ferryi_segment_create_topic(struct ferryi_segment **out,
				struct ferryi_realm *r, const char *name,
				const struct ferryi_topic_choice *choice,
				unsigned mode, int64_t gid)
{
	struct ferryi_topic_header h;
	struct draft d = { &h.preamble, &h.checksum, 0, format_topic };
	const char *why = "";
	int e = ferryi_topic_plan(&h, choice, &why);

	if (e < 0)
		return ferryi_fail(e, "topic %s: %s", ferryi_file_name(name),
				   why);
	d.first_bytes = h.places_at;
	return create(out, r, name, &d, mode, gid);
}

/* --- use ---------------------------------------------------------------- */

void ferryi_segment_ref(struct ferryi_segment *s)
{
	ferryi_realms_lock();
	s->refs++;
	ferryi_realms_unlock();
}

static void leave(struct ferryi_segment *s)
{
	struct ferryi_realm *r = s->realm;

	ferryi_view_recover(&s->view, r->owner);
	ferryi_member_drop(&s->view.users, r->owner);
	/* J4: nobody's any more; the next open, create or gc removes it */
	if (s->view.persistence == FERRY_PERSIST_PROCESS &&
	    ferryi_retire_if_unused(&s->view.users))
		ferryi_realm_unlink(r, s->name, &s->view.file);
}

void ferryi_segment_close(struct ferryi_segment *s)
{
	struct ferryi_segment **p;

	ferryi_realms_lock();
	if (--s->refs > 0) {
		ferryi_realms_unlock();
		return;
	}
	leave(s);
	for (p = &s->realm->segments; *p && *p != s; p = &(*p)->next)
		;
	if (*p)
		*p = s->next;
	ferryi_realms_unlock();
	ferryi_view_close(&s->view);
	discard(s);
}
