/* SPDX-License-Identifier: MIT */
/* ferry_destroy(): remove an object of any kind, whoever uses it. */
#include <errno.h>
#include <limits.h>

#include "base/error.h"
#include "realm/segment.h"
#include "sys/futex.h"

static int destroy(struct ferryi_realm *r, struct ferryi_place *p)
{
	struct ferryi_segment *s;
	int e = ferryi_place_find(p, ferryi_realm_dir(r));

	if (e == 0)
		e = ferryi_segment_open(&s, r, p->file);
	if (e < 0)
		return e == -ENOENT ? ferryi_place_missing(p) : e;
	ferryi_retire(&s->view.users);
	/* D2: removed, its name still there; who opens it unlinks it */
	e = ferryi_realm_unlink(r, p->file, &s->view.file);
	for (unsigned g = 0; g < FERRYI_GATES; g++)
		ferryi_futex_wake(&s->view.users.gate[g], INT_MAX);
	ferryi_segment_close(s);
	return e;
}

int ferry_destroy(const char *name)
{
	struct ferryi_realm *realm;
	struct ferryi_place p;
	int e;

	ferryi_fail_clear();
	e = ferryi_place_parse_any(&p, name);
	if (e < 0)
		return e;
	e = ferryi_realm_join(&realm, p.directory, FERRYI_MAKE_NOTHING);
	if (e < 0)
		return e == -ENOENT ? ferryi_place_missing(&p) : e;
	e = destroy(realm, &p);
	ferryi_realm_leave(realm);
	return e;
}
