/* SPDX-License-Identifier: MIT */
/* What the tests of realms share. */
#ifndef FERRYI_REALM_REALM_TEST_H
#define FERRYI_REALM_REALM_TEST_H

#include "realm/segment.h"
#include "realm/state.h"
#include "sys/files.h"
#include "unit.h"

/* What children and parent share. */
static struct {
	uint32_t ready, go, end;
	uint32_t owner[256];
	uint32_t count[4];
} * s;

static inline void setup(void)
{
	s = shared(sizeof *s);
}

static inline struct ferryi_realm *join(void)
{
	struct ferryi_realm *r = NULL;

	ok(ferryi_realm_join(&r, realm_path(), FERRYI_MAKE_REGISTRY));
	return r;
}

static inline struct ferryi_choice small(void)
{
	return (struct ferryi_choice){ .capacity = 8, .message_max = 64 };
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

static inline void sub(char out[300], const char *name)
{
	snprintf(out, 300, "%s/%s", realm_path(), name);
}

#endif
