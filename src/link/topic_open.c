/* SPDX-License-Identifier: MIT */
/*
 * The life of a link to a topic: open or create, subscribe, adopt, close.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/topic.h"
#include "sys/process.h"
#include "wire/address.h"

/* --- what an address says ------------------------------------------------------- */

/* The index of a value among `names`, 0 when the key is not there. */
static int read_word(const struct ferryi_address *a, const char *key,
		     const char *const *names, unsigned n, unsigned *out)
{
	const char *text = ferryi_address_get(a, key);
	char known[128];
	size_t len = 0;

	for (*out = 0; text && *out < n; ++*out)
		if (strcmp(text, names[*out]) == 0)
			return 0;
	if (!text)
		return 0;
	for (unsigned i = 0; i < n && len < sizeof known; i++)
		len += (size_t)snprintf(known + len, sizeof known - len, "%s%s",
					i ? ", " : "", names[i]);
	return ferryi_fail(-EINVAL, "topic: %s=%.60s is not known (it is %s)",
			   key, text, known);
}

static int read_size(const struct ferryi_address *a, const char *key,
		     uint64_t *out)
{
	const char *text = ferryi_address_get(a, key);

	if (text && ferryi_parse_size(text, out) != 0)
		return ferryi_fail(-EINVAL,
				   "topic: %s=%.60s is no number or size "
				   "(write 64 or 64K)",
				   key, text);
	return 0;
}

static int read_mode(const struct ferryi_address *a,
		     struct ferry_topic_options *o)
{
	const char *text = ferryi_address_get(a, "mode");
	char *end = NULL;

	if (!text)
		return 0;
	o->trust = FERRY_TRUST_GROUP;
	o->mode = (unsigned)strtoul(text, &end, 8);
	if (!*text || *end || o->mode & ~0666u)
		return ferryi_fail(-EINVAL,
				   "topic: mode=%.20s is not octal permission "
				   "bits (write 0660)",
				   text);
	return 0;
}

static const char *const persistences[] = { "process", "kernel" };

static int read_options(const struct ferryi_address *a,
			struct ferry_topic_options *o)
{
	unsigned keep = 0;
	int r;

	*o = (struct ferry_topic_options)FERRY_TOPIC_OPTIONS;
	o->flags = FERRY_CREATE_IF_MISSING;
	r = read_size(a, "capacity", &o->capacity);
	if (r == 0)
		r = read_size(a, "max", &o->message_max);
	if (r == 0)
		r = read_word(a, "persist", persistences, 2, &keep);
	if (r == 0)
		r = read_mode(a, o);
	o->persistence = (enum ferry_persistence)keep;
	return r;
}

static int refuse_drop_new(const struct ferryi_address *a)
{
	const char *text = ferryi_address_get(a, "policy");

	return text && strcmp(text, "drop-new") == 0 ?
		       ferryi_fail(-EOPNOTSUPP,
				   "topic: no subscriber can keep what it has "
				   "not read while the others go on (block "
				   "loses nothing, drop-old the oldest; a "
				   "mailbox has drop-new)") :
		       0;
}

static int read_subscription(struct ferry_link *l,
			     const struct ferryi_address *a)
{
	static const char *const policies[] = { "block", "drop-old", "latest",
						"disconnect" };
	static const char *const froms[] = { "now", "last", "oldest" };
	struct ferryi_topic *t = ferryi_topic_of(l);
	unsigned policy = 0, from = 0;
	int r = refuse_drop_new(a);

	if (r == 0)
		r = read_word(a, "policy", policies, 4, &policy);
	if (r == 0)
		r = read_word(a, "from", froms, 3, &from);
	if (r == 0 && !(l->flags & FERRY_RECV) &&
	    (ferryi_address_get(a, "policy") || ferryi_address_get(a, "from")))
		r = ferryi_fail(-EINVAL, "topic: policy= and from= are for who "
					 "subscribes (FERRY_RECV)");
	t->policy = (enum ferryi_policy)policy;
	t->from = (enum ferryi_from)from;
	return r;
}

/* --- making and finding the segment --------------------------------------------- */

static int join(struct ferryi_topic *t, const struct ferryi_place *p)
{
	return ferryi_realm_join(&t->realm, p->directory,
				 p->is_default ? FERRYI_MAKE_DIRECTORY :
						 FERRYI_MAKE_REGISTRY);
}

static int create(struct ferryi_topic *t, const struct ferryi_place *p,
		  const struct ferry_topic_options *o)
{
	bool shared = o->trust == FERRY_TRUST_GROUP;
	struct ferryi_topic_choice choice = {
		.capacity = o->capacity,
		.message_max = o->message_max,
		.persistence = o->persistence,
		.trust = o->trust,
	};
	int r = ferryi_segment_create_topic(&t->segment, t->realm, p->file,
					    &choice,
					    shared ? o->mode & 0666 : 0600,
					    shared ? o->group : -1);

	if (r == -EEXIST && !(o->flags & FERRY_CREATE_IF_MISSING))
		return ferryi_fail(-EEXIST,
				   "topic %s exists already in %s (open it)",
				   p->name, p->directory);
	return r == -EEXIST ? 0 : r;
}

/* One that was there already has to be what the address says. */
static int compare(struct ferry_link *l, const struct ferryi_address *a,
		   const struct ferry_topic_options *o)
{
	const struct ferryi_topic_choice *c =
		&ferryi_topic_of(l)->segment->view.topic_header.choice;
	const char *key = NULL;

	if (ferryi_address_get(a, "capacity") && c->capacity != o->capacity)
		key = "capacity";
	if (ferryi_address_get(a, "max") && c->message_max != o->message_max)
		key = "max";
	if (ferryi_address_get(a, "persist") &&
	    c->persistence != o->persistence)
		key = "persist";
	if (!key)
		return 0;
	return ferryi_fail(-EEXIST,
			   "%s is there already, made with capacity=%llu&"
			   "max=%llu&persist=%s (leave %s= out, or remove it "
			   "first)",
			   l->address, (unsigned long long)c->capacity,
			   (unsigned long long)c->message_max,
			   persistences[c->persistence == 1], key);
}

static int subscribe(struct ferry_link *l)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	struct ferryi_broadcast *b = ferryi_broadcast_of(l);
	struct ferryi_topic_slot *slot;
	int r = ferryi_broadcast_subscribe(b, ferryi_realm_owner(t->realm),
					   t->policy, t->from, &t->sub);

	if (r == -ENOSPC)
		return ferryi_fail(r,
				   "%s has %u subscribers, as many as a "
				   "topic can have",
				   l->address, FERRYI_SUBSCRIBERS);
	if (r < 0)
		return ferryi_fail(r,
				   "%s: what stands in its ring makes no "
				   "sense (ferry gc --apply mends it)",
				   l->address);
	slot = &b->slots[t->sub.slot];
	ferryi_put(&slot->pid, ferryi_identity()->pid);
	ferryi_put(&slot->start_time, ferryi_identity()->start_time);
	t->subscribed = true;
	ferryi_topic_wake(t->segment, FERRYI_GATE_CROWD);
	ferryi_topic_wake(t->segment, FERRYI_GATE_ROOM);
	return 0;
}

static int become_ready(struct ferry_link *l)
{
	struct ferryi_topic *t = ferryi_topic_of(l);

	t->generation = ferryi_generation();
	return l->flags & FERRY_RECV ? subscribe(l) : 0;
}

static int open_place(struct ferry_link *l, const struct ferryi_place *p,
		      const struct ferry_topic_options *o)
{
	struct ferryi_topic *t = ferryi_topic_of(l);
	int r = join(t, p);

	return r < 0 ? r : create(t, p, o);
}

int ferryi_topic_open(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferry_topic_options o;
	struct ferryi_place p;
	int r = ferryi_place_parse(&p, a->rest);

	if (r == 0)
		r = read_options(a, &o);
	if (r == 0)
		r = read_subscription(l, a);
	if (r < 0)
		return r;
	ferryi_place_set_kind(&p, FERRYI_KIND_TOPIC);
	r = open_place(l, &p, &o);
	if (r == 0)
		r = compare(l, a, &o);
	return r < 0 ? r : become_ready(l);
}

/* --- the end --------------------------------------------------------------------- */

static void unsubscribe(struct ferryi_topic *t)
{
	ferryi_broadcast_unsubscribe(&t->segment->view.topic, &t->sub);
	t->subscribed = false;
	ferryi_topic_wake(t->segment, FERRYI_GATE_ROOM);
}

void ferryi_topic_fini(struct ferry_link *l)
{
	struct ferryi_topic *t = ferryi_topic_of(l);

	if (t->generation && t->generation != ferryi_generation())
		return; /* a copy of the parent's */
	if (t->generation)
		ferryi_realm_enter(t->realm);
	if (t->subscribed)
		unsubscribe(t);
	if (t->has_loan) {
		ferryi_broadcast_abandon(&t->segment->view.topic, &t->loan);
		ferryi_topic_wake(t->segment, FERRYI_GATE_ROOM);
	}
	if (t->segment)
		ferryi_segment_close(t->segment);
	if (t->realm)
		ferryi_realm_leave(t->realm);
}

/* The structures of the parent are left alone: they are copies of its memory.  The
 * child subscribes for itself. */
int ferryi_topic_adopt(struct ferry_link *l)
{
	struct ferryi_topic *t = ferryi_topic_of(l), old = *t;
	struct ferryi_place p = { 0 };
	int r;

	if (old.generation == ferryi_generation())
		return 0;
	snprintf(p.directory, sizeof p.directory, "%s",
		 ferryi_realm_path(old.realm));
	memset(t, 0, sizeof *t);
	t->policy = old.policy;
	t->from = old.from;
	r = ferryi_realm_join(&t->realm, p.directory, FERRYI_MAKE_NOTHING);
	if (r == 0)
		r = ferryi_segment_open(&t->segment, t->realm,
					old.segment->name);
	if (r == -ENOENT)
		r = ferryi_fail(-ESTALE, "%s has been removed", l->address);
	if (r == 0)
		r = become_ready(l);
	if (r < 0) {
		ferryi_topic_fini(l);
		*t = old;
	}
	return r;
}

/* --- ferry_topic_create() --------------------------------------------------------- */

/* The caller's structure may be of an older or a newer version. */
static int take_options(struct ferry_topic_options *o,
			const struct ferry_topic_options *given)
{
	*o = (struct ferry_topic_options)FERRY_TOPIC_OPTIONS;
	if (!given)
		return 0;
	if (given->size < offsetof(struct ferry_topic_options, persistence) ||
	    given->size > sizeof *o)
		return ferryi_fail(
			-EINVAL,
			"options of %zu bytes, this library knows %zu "
			"(start from FERRY_TOPIC_OPTIONS)",
			given->size, sizeof *o);
	memcpy(o, given, given->size);
	return 0;
}

int ferry_topic_create(struct ferry_link **out, const char *name,
		       const struct ferry_topic_options *options)
{
	struct ferry_topic_options o;
	struct ferryi_place p;
	struct ferry_link *l;
	char address[300];
	int r;

	ferryi_fail_clear();
	if (strncmp(name, "topic:", 6) == 0)
		name += 6;
	r = take_options(&o, options);
	if (r == 0)
		r = ferryi_place_parse(&p, name);
	if (r < 0)
		return r;
	ferryi_place_set_kind(&p, FERRYI_KIND_TOPIC);
	snprintf(address, sizeof address, "topic:%s", name);
	r = ferryi_link_new(&l, &ferryi_transport_topic, FERRY_SEND, address);
	if (r < 0)
		return r;
	r = open_place(l, &p, &o);
	if (r == 0)
		r = become_ready(l);
	if (r < 0) {
		ferryi_link_free(l);
		return r;
	}
	*out = l;
	return 0;
}
