/* SPDX-License-Identifier: MIT */
/* See peers.h. */
#include "sys/peers.h"

#include <errno.h>
#include <string.h>

#include "sys/unix_sockets.h"

struct search {
	const char *name;
	const struct stat *st;
	struct ferryi_inodes *found;
	struct ferryi_inodes named;
};

/* Those of the name, with the other ends that they know of. */
static int note_named(const struct ferryi_unix_socket *s, void *arg)
{
	struct search *w = arg;
	int err;

	if (!ferryi_unix_socket_is(s, w->name, w->st))
		return 0;
	err = ferryi_inodes_add(&w->named, s->inode);
	if (!err)
		err = ferryi_inodes_add(w->found, s->inode);
	if (!err && s->peer)
		err = ferryi_inodes_add(w->found, s->peer);
	for (size_t i = 0; i < s->n_at_door && !err; i++)
		if (s->at_door[i])
			err = ferryi_inodes_add(w->found, s->at_door[i]);
	return err;
}

/* Those that are connected to one of them, who may know nothing of it: datagrams. */
static int note_peer(const struct ferryi_unix_socket *s, void *arg)
{
	struct search *w = arg;

	return s->peer && ferryi_inodes_has(&w->named, s->peer) ?
		       ferryi_inodes_add(w->found, s->inode) :
		       0;
}

int ferryi_unix_users(const char *name, const struct stat *st,
		      struct ferryi_inodes *out)
{
	struct search w = { .name = name, .st = st, .found = out };
	int err = ferryi_unix_sockets(note_named, &w);

	if (!err && w.named.n)
		err = ferryi_unix_sockets(note_peer, &w);
	ferryi_inodes_fini(&w.named);
	return err;
}
