/* SPDX-License-Identifier: MIT */
/*
 * fault+ANY: any other link, with faults on purpose: see ferry/fault.h.
 *
 * Each scheme has a table of its own here, made once, in which what the scheme does
 * not have is absent, so that the core finds of fault+X what it finds of X.
 */
#include "link/fault.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "sys/process.h"
#include "wire/address.h"

#define KEYS_TEXT 160 /* of all the keys of one scheme; a test reads them */

/* --- what an address asks for ---------------------------------------------- */

static int read_probability(const struct ferryi_address *a, const char *key,
			    uint32_t *out)
{
	const char *text = ferryi_address_get(a, key);

	if (!text || ferryi_parse_probability(text, out) == 0)
		return 0;
	return ferryi_fail(-EINVAL,
			   "%s: %s=%.40s is no probability (write 0.1 or 10%%, "
			   "from 0 to 1)",
			   a->scheme, key, text);
}

static int read_count(const struct ferryi_address *a, const char *key,
		      uint64_t least, uint64_t *out)
{
	const char *text = ferryi_address_get(a, key);
	uint64_t n = *out;

	if (!text)
		return 0;
	if (ferryi_parse_count(text, &n) != 0 || n < least)
		return ferryi_fail(-EINVAL,
				   "%s: %s=%.40s is no number from %d up "
				   "(write decimal digits)",
				   a->scheme, key, text, (int)least);
	*out = n;
	return 0;
}

static int read_delay(const struct ferryi_address *a, int64_t *out)
{
	const char *text = ferryi_address_get(a, "delay");

	if (!text || ferryi_parse_duration(text, out) == 0)
		return 0;
	return ferryi_fail(-EINVAL,
			   "%s: delay=%.40s is not a duration (write 5ms or "
			   "200us)",
			   a->scheme, text);
}

static int read_settings(const struct ferryi_address *a,
			 struct ferryi_fault_settings *out)
{
	struct ferryi_odds *odds = &out->odds;
	int r;

	out->seed = 1;
	r = read_count(a, "seed", 0, &out->seed);
	if (r == 0)
		r = read_count(a, "cut", 1, &out->cut);
	if (r == 0)
		r = read_probability(a, "drop", &odds->drop);
	if (r == 0)
		r = read_probability(a, "dup", &odds->dup);
	if (r == 0)
		r = read_probability(a, "reorder", &odds->reorder);
	if (r == 0)
		r = read_probability(a, "damage", &odds->damage);
	return r == 0 ? read_delay(a, &odds->delay_ns) : r;
}

/* --- opening ---------------------------------------------------------------- */

struct wrapper {
	struct ferryi_transport t; /* first */
	const struct ferryi_transport *inner;
	char scheme[16 + sizeof "fault+"];
	char keys[KEYS_TEXT];
};

static const struct ferryi_transport *inner_of(const struct ferry_link *l)
{
	return ((const struct wrapper *)l->t)->inner;
}

/* A key of both is ours; SCHEME.KEY is the other one's. */
static void inner_address(const struct ferry_link *l,
			  const struct ferryi_address *a,
			  struct ferryi_address *out)
{
	const char *scheme = inner_of(l)->info.scheme;
	size_t len = strlen(scheme);

	ferryi_address_without(a, scheme, FERRYI_FAULT_KEYS, out);
	for (unsigned i = 0; i < out->n_keys; i++) {
		const char **key = &out->keys[i].key;

		if (strncmp(*key, scheme, len) == 0 && (*key)[len] == '.')
			*key += len + 1;
	}
}

/* The link behind it, not yet open. */
static int new_inner(struct ferry_link *l, const char *address,
		     const struct ferryi_fault_settings *set)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	int r = ferryi_link_inner(&f->inner, inner_of(l), l->flags, address);

	if (r < 0)
		return r;
	f->inner->framed = l->framed;
	f->set = *set;
	f->generation = ferryi_generation();
	ferryi_dice_init(&f->dice, set->seed);
	return 0;
}

static int prepare(struct ferry_link *l, const struct ferryi_address *a,
		   const struct ferryi_address *behind)
{
	struct ferryi_fault_settings set = { 0 };
	char text[FERRYI_ADDRESS_MAX + 32];
	int r;

	if (ferryi_fault_of(l)->inner) /* an attempt before */
		return 0;
	r = read_settings(a, &set);
	if (r < 0)
		return r;
	ferryi_address_format(behind, text, sizeof text);
	r = new_inner(l, text, &set);
	if (r == 0)
		ferryi_fault_of(l)->inner->listening = l->listening;
	return r;
}

static const char *fault_of_messages(const struct ferryi_odds *odds)
{
	return odds->drop    ? "drop" :
	       odds->dup     ? "dup" :
	       odds->reorder ? "reorder" :
			       NULL;
}

/* Be called as the inner link is, where that has been given another address than
 * `asked` for: the port that the system chose, who is at the other end. */
static int take_name(struct ferry_link *l, const char *asked)
{
	const char *inner = ferryi_fault_of(l)->inner->address;
	char text[FERRYI_ADDRESS_MAX + 32];

	if (strcmp(inner, asked) == 0)
		return 0;
	snprintf(text, sizeof text, "fault+%s", inner);
	return ferryi_link_rename(l, text);
}

/* The inner link is there: be what it is. */
static int settle(struct ferry_link *l, const char *asked)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	const char *fault = fault_of_messages(&f->set.odds);
	int r = take_name(l, asked);

	if (r < 0)
		return r;
	l->flags = f->inner->flags;
	if (f->inner->messages)
		ferryi_fault_messages(f, &f->messages);
	l->messages = f->inner->messages ? &f->messages : NULL;
	l->stream = f->inner->stream ? &ferryi_stream_of_faults : NULL;
	if (l->messages || !fault)
		return 0;
	return ferryi_fail(-EOPNOTSUPP,
			   "%s: %s= needs messages, and this is a stream "
			   "(framing= lies above it; damage, delay and cut "
			   "are there)",
			   l->address, fault);
}

/* The same when it was asked for by that address. */
static int settle_at(struct ferry_link *l, const struct ferryi_address *behind)
{
	char asked[FERRYI_ADDRESS_MAX + 32];

	ferryi_address_format(behind, asked, sizeof asked);
	return settle(l, asked);
}

static int fault_open(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	struct ferryi_address behind;
	int r;

	inner_address(l, a, &behind);
	r = prepare(l, a, &behind);
	if (r == 0)
		r = f->inner->t->open(f->inner, &behind);
	if (r < 0)
		return r;
	f->at_recv = !(f->inner->flags & FERRY_SEND);
	return settle_at(l, &behind);
}

static int fault_listen(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_fault *f = ferryi_fault_of(l);
	struct ferryi_address behind;
	int r;

	inner_address(l, a, &behind);
	r = prepare(l, a, &behind);
	if (r == 0)
		r = f->inner->t->listen(f->inner, &behind);
	return r < 0 ? r : settle_at(l, &behind);
}

static int fault_accept(struct ferry_link *door, struct ferry_link *peer)
{
	struct ferryi_fault *d = ferryi_fault_of(door);
	struct ferryi_fault *f = ferryi_fault_of(peer);
	int r = 0;

	if (!f->inner)
		r = new_inner(peer, d->inner->address, &d->set);
	if (r == 0)
		r = d->inner->t->accept(d->inner, f->inner);
	return r < 0 ? r : settle(peer, d->inner->address);
}

/* The ends have one address: where it goes one way only the sender has faults. */
static int fault_pair(struct ferry_link *ends[2],
		      const struct ferryi_address *a)
{
	struct ferry_link *inner[2];
	struct ferryi_address behind;
	int r = 0;

	inner_address(ends[0], a, &behind);
	for (int i = 0; i < 2 && r == 0; i++) {
		r = prepare(ends[i], a, &behind);
		inner[i] = ferryi_fault_of(ends[i])->inner;
	}
	if (r == 0)
		r = inner[0]->t->pair(inner, &behind);
	for (int i = 0; i < 2 && r == 0; i++)
		r = settle_at(ends[i], &behind);
	return r;
}

/* --- the tables -------------------------------------------------------------- */

static struct wrapper wrappers[FERRYI_TRANSPORTS_MOST];
static pthread_once_t made = PTHREAD_ONCE_INIT;

/* All of ours, all of its own, and SCHEME.KEY for those of both. */
static void make_keys(struct wrapper *w, const struct ferryi_transport *i)
{
	char *to = w->keys, *end = w->keys + sizeof w->keys;
	const char *key = i->keys ? i->keys : "";

	to += snprintf(to, sizeof w->keys, "%s", FERRYI_FAULT_KEYS);
	while (*key && to < end) {
		size_t len = strcspn(key, " ");
		bool both =
			ferryi_address_has_word(FERRYI_FAULT_KEYS, key, len);

		to += snprintf(to, (size_t)(end - to), " %s%s%.*s",
			       both ? i->info.scheme : "", both ? "." : "",
			       (int)len, key);
		key += len + (key[len] == ' ');
	}
}

#define PASSES(name) .name = i->name ? ferryi_fault_##name : NULL

static void make(struct wrapper *w, const struct ferryi_transport *i)
{
	snprintf(w->scheme, sizeof w->scheme, "fault+%s", i->info.scheme);
	make_keys(w, i);
	w->inner = i;
	w->t = (struct ferryi_transport){
		.info = i->info,
		.keys = w->keys,
		.state_size = sizeof(struct ferryi_fault),
		.sleeps_on_words = i->sleeps_on_words,
		.spins = i->spins,
		.open = i->open ? fault_open : NULL,
		.listen = i->listen ? fault_listen : NULL,
		.accept = i->accept ? fault_accept : NULL,
		.pair = i->pair ? fault_pair : NULL,
		PASSES(adopt),
		PASSES(shutdown),
		PASSES(turn),
		PASSES(may_poll),
		PASSES(peer),
		PASSES(peer_exit),
		PASSES(local),
		PASSES(gathered),
		PASSES(glance),
		PASSES(woke),
		.fini = ferryi_fault_fini,
		.interest = ferryi_fault_interest,
		.gave_up = ferryi_fault_gave_up,
		.explain = ferryi_fault_explain,
	};
	w->t.info.scheme = w->scheme;
	w->t.info.promises &= ~(FERRY_CAN_RELIABLE | FERRY_CAN_ORDER);
}

static void make_all(void)
{
	struct wrapper *w = wrappers;

	for (unsigned i = 0; ferryi_transports[i]; i++)
		if (!ferryi_transports[i]->over)
			make(w++, ferryi_transports[i]);
}

static const struct ferryi_transport *over(const struct ferryi_transport *inner)
{
	struct wrapper *w = wrappers;

	pthread_once(&made, make_all);
	while (w->inner != inner)
		w++;
	return &w->t;
}

const struct ferryi_transport ferryi_transport_fault = {
	.info = {
		.scheme = "fault",
		.summary = "any other address, with faults on purpose (fault+udp:...)",
		.naming = "as the one behind it",
		.framing = "as the one behind it",
		.direction = "as the one behind it",
		.buffering = "as the one behind it",
		.persistence = "as the one behind it",
	},
	.over = over,
};

/* --- what it has done -------------------------------------------------------- */

static uint64_t counted(const uint64_t *what)
{
	return __atomic_load_n(what, __ATOMIC_RELAXED);
}

int ferry_fault_stat(struct ferry_link *l, struct ferry_fault_stat *st)
{
	struct ferry_fault_stat now;
	const struct ferry_fault_stat *s;

	ferryi_fail_clear();
	if (!l || !st)
		return ferryi_fail(-EINVAL, "there is no %s (NULL)",
				   l ? "place for the figures" : "link");
	if (l->t->interest != ferryi_fault_interest)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s has no faults (write fault+%s)",
				   l->address, l->address);
	if (st->size == 0 || st->size > sizeof now)
		return ferryi_fail(-EINVAL,
				   "stat: set size to sizeof *st first");
	s = &ferryi_fault_of(l)->stat;
	now = (struct ferry_fault_stat){
		.size = st->size,
		.passed = counted(&s->passed),
		.dropped = counted(&s->dropped),
		.doubled = counted(&s->doubled),
		.reordered = counted(&s->reordered),
		.damaged = counted(&s->damaged),
		.delayed = counted(&s->delayed),
		.cut = __atomic_load_n(&s->cut, __ATOMIC_RELAXED),
	};
	memcpy(st, &now, st->size);
	return 0;
}
