/* SPDX-License-Identifier: MIT */
/* What the tests of this room share: a realm in which something of everything lies. */
#ifndef FERRYI_INSPECT_INSPECT_TEST_H
#define FERRYI_INSPECT_INSPECT_TEST_H

#include "inspect/inspect.h"
#include "unit.h"

static struct {
	uint32_t ready, go, end;
} * s;

/* What the killed of a test have left. */
static inline void clean(void)
{
	struct ferry_garbage *g;
	size_t n;

	ok(ferry_gc(NULL, true, &g, &n));
	ferry_free(g);
}

static inline void setup(void)
{
	s = shared(sizeof *s);
	clean();
}

static inline struct ferry_link *make(const char *name,
				      enum ferry_persistence persistence)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *l = NULL;

	o.capacity = 8;
	o.message_max = 64;
	o.persistence = persistence;
	ok(ferry_mailbox_create(&l, name, &o));
	return l;
}

/* --- a realm with something of everything ------------------------------------- */

static inline void make_and_stay(void *arg)
{
	struct ferry_link *l = make(arg, FERRY_PERSIST_PROCESS);

	ok(ferry_send(l, "x", 1, FERRY_NOWAIT));
	gate_add(&s->ready);
	stay();
}

static inline void abandon(const char *name)
{
	uint32_t before = gate_count(&s->ready);
	pid_t pid = child(make_and_stay, (void *)(uintptr_t)name);

	gate_await(&s->ready, before + 1);
	kill_child(pid);
}

static inline void make_kept(void *arg)
{
	ferry_close(make(arg, FERRY_PERSIST_KERNEL));
}

/* Makes it in a child: this process must not have it mapped. */
static inline void kept(const char *name)
{
	expect_exit(child(make_kept, (void *)(uintptr_t)name), 0);
}

static inline struct ferry_link *furnish(void)
{
	static const uint8_t ones[8] = {
		255, 255, 255, 255, 255, 255, 255, 255
	};
	struct ferry_link *l;

	kept("d-damaged");
	scribble("d-damaged", ones, 8, sizeof(struct ferryi_preamble));
	kept("e-other");
	scribble("e-other", ones, 4, offsetof(struct ferryi_preamble, format));
	kept("f-kept");
	scribble("c-foreign", "hello\n", 6, 0);
	l = make("a-live", FERRY_PERSIST_PROCESS);
	abandon("b-abandoned");
	return l;
}

static inline void clear(struct ferry_link *l)
{
	ferry_close(l);
	erase("c-foreign");
	erase("d-damaged");
	erase("e-other");
	erase("f-kept");
}

static const struct {
	const char *name;
	enum ferry_state state;
} things[] = {
	{ "a-live", FERRY_LIVE },	    { "b-abandoned", FERRY_ABANDONED },
	{ "c-foreign", FERRY_FOREIGN },	    { "d-damaged", FERRY_DAMAGED },
	{ "e-other", FERRY_OTHER_VERSION }, { "f-kept", FERRY_LIVE },
};

#define N_THINGS (sizeof things / sizeof things[0])

static inline void check_thing(const struct ferry_object *o, size_t i)
{
	ck_assert_str_eq(o->name, things[i].name);
	ck_assert_int_eq(o->state, things[i].state);
	ck_assert_uint_eq(o->uid, geteuid());
	ck_assert_uint_eq(o->mode, 0600);
	if (o->state == FERRY_LIVE) {
		ck_assert_str_eq(o->why, "");
		ck_assert_str_eq(o->kind, "mailbox");
		ck_assert_uint_eq(o->mailbox.options.capacity, 8);
		ck_assert_int_gt(o->created_at, 0);
	} else
		ck_assert_uint_gt(strlen(o->why), 10);
	if (o->state == FERRY_ABANDONED)
		ck_assert_uint_eq(o->mailbox.queued, 1);
}

/* The list is what `things` says; with `without`, all but that one. */
static inline void check_list(const char *without)
{
	struct ferry_object *list;
	size_t n, at = 0;

	ok(ferry_list(NULL, &list, &n));
	ck_assert_uint_eq(n, N_THINGS - (without != NULL));
	for (size_t i = 0; i < N_THINGS; i++)
		if (!without || strcmp(things[i].name, without) != 0)
			check_thing(&list[at++], i);
	ferry_free(list);
}

#endif
