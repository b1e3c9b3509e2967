/* SPDX-License-Identifier: MIT */
/* ferry_destroy(): remove an object of any kind, whoever uses it. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "link/pollers.h"
#include "link/transport.h"
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
	ferryi_pollers_wake_all(&s->view.users);
	ferryi_segment_close(s);
	return e;
}

/* What comes behind "scheme:", or NULL. */
static const char *rest_of(const char *name, const char *scheme)
{
	size_t n = strlen(scheme);

	return strncmp(name, scheme, n) == 0 && name[n] == ':' ? name + n + 1 :
								 NULL;
}

static int destroy_file(const char *name)
{
	struct ferryi_realm *realm;
	struct ferryi_place p;
	int e;

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

/* What comes behind "scheme+", if it is an address, or NULL. */
static const char *behind(const char *name, const struct ferryi_transport *t)
{
	size_t n = strlen(t->info.scheme);

	return t->over && strncmp(name, t->info.scheme, n) == 0 &&
			       name[n] == '+' && strchr(name, ':') ?
		       name + n + 1 :
		       NULL;
}

int ferry_destroy(const char *name)
{
	const char *rest;

	ferryi_fail_clear();
	if (!name)
		return ferryi_fail(-EINVAL, "there is no name (NULL)");
	for (unsigned i = 0; ferryi_transports[i]; i++) {
		rest = behind(name, ferryi_transports[i]);
		if (rest)
			return ferryi_fail(-EINVAL,
					   "%s is a way to use what is behind "
					   "it (remove %s)",
					   name, rest);
		rest = rest_of(name, ferryi_transports[i]->info.scheme);
		if (rest && ferryi_transports[i]->destroy)
			return ferryi_transports[i]->destroy(rest);
		if (rest &&
		    !(ferryi_transports[i]->info.promises & FERRY_CAN_PERSIST))
			return ferryi_fail(-EOPNOTSUPP,
					   "%s names nothing that is kept, and "
					   "so could be removed (it goes with "
					   "the processes that use it)",
					   name);
	}
	return destroy_file(name);
}
