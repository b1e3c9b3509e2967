/* SPDX-License-Identifier: MIT */
/*
 * The life of a link to a mailbox: open, create, adopt, close, destroy; and how
 * it stands.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "link/mailbox.h"
#include "shm/recover.h"
#include "sys/process.h"
#include "wire/address.h"

extern const struct ferryi_transport ferryi_transport_mailbox;

/* --- handle numbers -------------------------------------------------------- */

/*
 * A chunk says which handle of its owner has it, so that one handle can be
 * closed and the others go on.  Numbers are given out in turn and never twice
 * at a time; 0 is none.
 */
#define HANDLES 65536u

static uint64_t handles_used[HANDLES / 64] = { 1 };
static uint32_t handles_next = 1;

static bool claim_handle(uint32_t at)
{
	uint64_t bit = (uint64_t)1 << at % 64;

	return !(ferryi_load(&handles_used[at / 64]) & bit) &&
	       !(ferryi_or(&handles_used[at / 64], bit) & bit);
}

/* Without a lock: a fork could copy it while another thread holds it. */
static uint16_t new_handle(void)
{
	uint32_t from = ferryi_load(&handles_next);

	for (uint32_t n = 0; n < HANDLES; n++) {
		uint32_t at = (from + n) % HANDLES;

		if (!claim_handle(at))
			continue;
		ferryi_store(&handles_next, at + 1);
		return (uint16_t)at;
	}
	return 0;
}

static void free_handle(uint16_t handle)
{
	if (handle)
		ferryi_and(&handles_used[handle / 64],
			   ~((uint64_t)1 << handle % 64));
}

/* --- opening --------------------------------------------------------------- */

static int open_place(struct ferryi_mailbox *b, const struct ferryi_place *p)
{
	int r = ferryi_realm_join(&b->realm, p->directory, FERRYI_MAKE_NOTHING);

	if (r == -ENOENT)
		return ferryi_place_missing(p);
	if (r < 0)
		return r;
	r = ferryi_segment_open(&b->segment, b->realm, p->name);
	return r == -ENOENT ? ferryi_place_missing(p) : r;
}

/* The dead-letter mailbox; made anew when somebody has removed it. */
static int open_letters(struct ferryi_mailbox *b)
{
	const struct ferryi_choice *c = &b->segment->view.header.choice;
	const struct stat *file = &b->segment->view.file;
	struct ferryi_choice letters = *c;
	int r;

	if (!c->dead_letter[0])
		return 0;
	memset(letters.dead_letter, 0, sizeof letters.dead_letter);
	letters.max_deliveries = 0;
	letters.full = FERRY_FULL_BLOCK;
	r = ferryi_segment_open(&b->letters, b->realm, c->dead_letter);
	if (r == -ENOENT)
		r = ferryi_segment_create(&b->letters, b->realm, c->dead_letter,
					  &letters, file->st_mode & 0777,
					  (int64_t)file->st_gid);
	return r == -EEXIST ? 0 : r;
}

static int become_ready(struct ferryi_mailbox *b)
{
	int r = open_letters(b);

	if (r < 0)
		return r;
	b->generation = ferryi_generation();
	b->handle = new_handle();
	if (!b->handle)
		return ferryi_fail(-EMFILE,
				   "this process has %u mailbox handles "
				   "open, more cannot be told apart",
				   HANDLES - 1);
	return 0;
}

int ferryi_mailbox_open(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_mailbox *b = l->state;
	struct ferryi_place p;
	int r = ferryi_place_parse(&p, a->rest);

	if (r == 0)
		r = open_place(b, &p);
	return r < 0 ? r : become_ready(b);
}

/* The structures of the parent are left alone: they are copies of its memory. */
int ferryi_mailbox_adopt(struct ferry_link *l)
{
	struct ferryi_mailbox *b = l->state, old = *b;
	struct ferryi_place p = { 0 };
	int r;

	if (old.generation == ferryi_generation())
		return 0;
	snprintf(p.directory, sizeof p.directory, "%s",
		 ferryi_realm_path(old.realm));
	snprintf(p.name, sizeof p.name, "%s", old.segment->name);
	ferryi_place_set_kind(&p, FERRYI_KIND_MAILBOX);
	memset(b, 0, sizeof *b);
	r = open_place(b, &p);
	if (r == 0)
		r = become_ready(b);
	if (r < 0) {
		ferryi_mailbox_fini(l);
		*b = old;
	}
	return r;
}

void ferryi_mailbox_fini(struct ferry_link *l)
{
	struct ferryi_mailbox *b = l->state;
	struct ferryi_recovery done;

	if (b->generation && b->generation != ferryi_generation())
		return; /* a copy of the parent's */
	if (b->segment && b->handle) {
		ferryi_realm_enter(b->realm);
		/* H1: closing; what we die with here is repaired like any */
		ferryi_recover_owner(&b->segment->view.queue,
				     ferryi_realm_owner(b->realm), b->handle,
				     &done);
		if (done.returned)
			ferryi_mailbox_wake(b->segment, FERRYI_GATE_RECV);
		if (done.freed || done.lost)
			ferryi_mailbox_wake(b->segment, FERRYI_GATE_CHUNK);
		if (done.lost &&
		    ferryi_load(&b->segment->view.queue.control->state) &
			    FERRYI_CLOSED)
			ferryi_mailbox_wake_all(b->segment); /* the last? */
	}
	free_handle(b->handle);
	if (b->letters)
		ferryi_segment_close(b->letters);
	if (b->segment)
		ferryi_segment_close(b->segment);
	if (b->realm)
		ferryi_realm_leave(b->realm);
}

/* --- creating --------------------------------------------------------------- */

/* The caller's structure may be of an older or a newer version. */
static int read_options(struct ferry_mailbox_options *o,
			const struct ferry_mailbox_options *given)
{
	static const struct ferry_mailbox_options defaults =
		FERRY_MAILBOX_OPTIONS;

	*o = defaults;
	if (!given)
		return 0;
	if (given->size < offsetof(struct ferry_mailbox_options, full) ||
	    given->size > sizeof *o)
		return ferryi_fail(
			-EINVAL,
			"options of %zu bytes, this library knows %zu "
			"(start from FERRY_MAILBOX_OPTIONS)",
			given->size, sizeof *o);
	memcpy(o, given, given->size);
	return 0;
}

static int check_dead_letter(const struct ferry_mailbox_options *o,
			     const char *name)
{
	struct ferryi_place p;
	int r;

	if (!o->dead_letter)
		return 0;
	r = ferryi_place_parse(&p, o->dead_letter);
	if (r < 0)
		return r;
	if (!p.is_default || strcmp(p.name, name) == 0)
		return ferryi_fail(
			-EINVAL,
			"dead letters of %s: %s must be another mailbox "
			"in the same realm, named without '/'",
			name, o->dead_letter);
	return 0;
}

static void choose(struct ferryi_choice *c,
		   const struct ferry_mailbox_options *o)
{
	memset(c, 0, sizeof *c);
	c->capacity = o->capacity;
	c->message_max = o->message_max;
	c->bytes_max = o->bytes_max;
	c->full = o->full;
	c->delivery = o->delivery;
	c->persistence = o->persistence;
	c->trust = o->trust;
	c->max_deliveries = o->max_deliveries;
	if (o->dead_letter)
		snprintf(c->dead_letter, sizeof c->dead_letter, "%s",
			 o->dead_letter);
}

static int create(struct ferryi_mailbox *b, const struct ferryi_place *p,
		  const struct ferry_mailbox_options *o)
{
	unsigned mode = o->trust == FERRY_TRUST_GROUP ? o->mode & 0666 : 0600;
	struct ferryi_choice choice;
	int r = ferryi_realm_join(&b->realm, p->directory,
				  p->is_default ? FERRYI_MAKE_DIRECTORY :
						  FERRYI_MAKE_REGISTRY);

	if (r < 0)
		return r;
	choose(&choice, o);
	r = ferryi_segment_create(&b->segment, b->realm, p->name, &choice, mode,
				  o->trust == FERRY_TRUST_GROUP ? o->group :
								  -1);
	if (r == -EEXIST && !(o->flags & FERRY_CREATE_IF_MISSING))
		return ferryi_fail(-EEXIST,
				   "mailbox %s exists already in %s (open "
				   "it, or use --if-missing)",
				   p->name, p->directory);
	if (r < 0 && r != -EEXIST)
		return r;
	return become_ready(b);
}

int ferry_mailbox_create(struct ferry_link **out, const char *name,
			 const struct ferry_mailbox_options *options)
{
	struct ferry_mailbox_options o;
	struct ferryi_place p;
	struct ferry_link *l;
	char address[300];
	int r;

	ferryi_fail_clear();
	r = read_options(&o, options);
	if (r == 0)
		r = ferryi_place_parse(&p, name);
	if (r == 0)
		r = check_dead_letter(&o, p.name);
	if (r < 0)
		return r;
	snprintf(address, sizeof address, "mailbox:%s",
		 strncmp(name, "mailbox:", 8) == 0 ? name + 8 : name);
	r = ferryi_link_new(&l, &ferryi_transport_mailbox, FERRY_DUPLEX,
			    address);
	if (r < 0)
		return r;
	l->may_thread = o.flags & FERRY_THREAD;
	r = create(l->state, &p, &o);
	if (r < 0) {
		ferryi_link_free(l);
		return r;
	}
	*out = l;
	return 0;
}

/* --- how it stands ---------------------------------------------------------- */

int ferryi_mailbox_stat(struct ferry_link *l, struct ferry_mailbox_stat *st)
{
	struct ferryi_mailbox *b = l->state;
	struct ferry_mailbox_stat now;
	int r = ferryi_mailbox_enter(l);

	if (r < 0)
		return r;
	if (st->size == 0 || st->size > sizeof now)
		return ferryi_fail(-EINVAL,
				   "stat: set size to sizeof *st first");
	ferryi_view_stat(&b->segment->view, &now);
	now.size = st->size;
	memcpy(st, &now, st->size);
	if (st->size > offsetof(struct ferry_mailbox_stat, dead_letter))
		st->options.dead_letter = st->dead_letter[0] ? st->dead_letter :
							       NULL;
	return 0;
}

int ferryi_mailbox_explain(struct ferry_link *l, int err, char *buf,
			   size_t size)
{
	struct ferryi_mailbox *b = l->state;
	struct ferry_mailbox_stat st;

	if ((err != -EAGAIN && err != -ETIMEDOUT && err != -ECANCELED) ||
	    b->generation != ferryi_generation())
		return 0;
	ferryi_view_stat(&b->segment->view, &st);
	return snprintf(
		buf, size,
		"%s: %s; it holds %llu of %llu messages, %llu taken and "
		"not yet released, %llu to be redelivered; %u process%s "
		"use%s it",
		l->address,
		err == -EAGAIN	  ? "nothing can be done now" :
		err == -ETIMEDOUT ? "the deadline passed" :
				    "cancelled",
		(unsigned long long)st.queued,
		(unsigned long long)st.options.capacity,
		(unsigned long long)st.held, (unsigned long long)st.returned,
		st.users, st.users == 1 ? "" : "es", st.users == 1 ? "s" : "");
}
