/* SPDX-License-Identifier: MIT */
/* What the tests of mailboxes share: small mailboxes, messages that are numbers. */
#ifndef FERRYI_LINK_MAILBOX_TEST_H
#define FERRYI_LINK_MAILBOX_TEST_H

#include <ferry/mailbox.h>

#include "unit.h"

static struct {
	uint32_t ready, go;
	int result;
} * s;

static struct ferry_mailbox_options o; /* of the next make() */

static inline void setup(void)
{
	o = (struct ferry_mailbox_options)FERRY_MAILBOX_OPTIONS;
	o.capacity = 8;
	o.message_max = 4096;
	s = shared(sizeof *s);
}

static inline struct ferry_link *make(const char *name)
{
	struct ferry_link *l = NULL;

	ok(ferry_mailbox_create(&l, name, &o));
	return l;
}

static inline struct ferry_link *open_box(const char *name)
{
	struct ferry_link *l = NULL;

	ok(ferry_open(&l, name, FERRY_DUPLEX));
	return l;
}

static inline struct ferry_mailbox_stat stat_of(struct ferry_link *l)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };

	ok(ferry_stat(l, &st));
	return st;
}

static inline int put(struct ferry_link *l, uint64_t id)
{
	return ferry_send(l, &id, sizeof id, FERRY_NOWAIT);
}

static inline int64_t get(struct ferry_link *l)
{
	uint64_t id = 0;
	ssize_t n = ferry_recv(l, &id, sizeof id, FERRY_NOWAIT);

	return n < 0 ? n : (int64_t)id;
}

static inline struct ferry_message take(struct ferry_link *l)
{
	struct ferry_message m = { 0 };

	ok(ferry_take(l, &m, FERRY_NOWAIT));
	return m;
}

static inline uint64_t id_of(const struct ferry_message *m)
{
	uint64_t id = 0;

	ck_assert_uint_eq(m->len, sizeof id);
	memcpy(&id, m->data, sizeof id);
	return id;
}

static inline bool waits(struct ferry_link *l)
{
	return stat_of(l).receivers_wait;
}

static inline void take_and_stay(void *arg)
{
	struct ferry_link *l = open_box("jobs");
	struct ferry_message m;

	(void)arg;
	ok(ferry_take(l, &m, SOON));
	gate_add(&s->ready);
	stay();
}

#endif
