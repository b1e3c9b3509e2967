/* SPDX-License-Identifier: MIT */
/* unix:PATH and unix:@NAME: who listens or is bound there, who is connected, and how
 * it stands. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/figures.h"
#include "link/queues.h"
#include "link/traces.h"
#include "link/unix.h"
#include "sys/files.h"
#include "sys/peers.h"
#include "sys/unix_sockets.h"

static int find_file(const char *path, struct stat *out)
{
	int err = ferryi_queue_identify("unix", path, out);

	return err || S_ISSOCK(out->st_mode) ?
		       err :
		       ferryi_fail(-EINVAL, "unix:%s is not a socket", path);
}

static int find(struct ferryi_address *a, const char *rest, struct stat *st)
{
	int err = ferryi_queue_parse(a, "unix", rest);

	memset(st, 0, sizeof *st);
	if (!err)
		err = ferryi_unix_check_name(a);
	return err || a->rest[0] == '@' ? err : find_file(a->rest, st);
}

int ferryi_unix_identify(const char *rest, struct ferryi_traces *out)
{
	struct ferryi_address a;
	struct stat st;
	int err = find(&a, rest, &st);

	if (err)
		return err;
	err = ferryi_unix_users(a.rest, &st, &out->inodes);
	return ferryi_traces_of_sockets(out, "unix", a.rest, err);
}

struct count {
	const char *name;
	const struct stat *st;
	bool listens;
	int64_t sockets, at_door, most, connections, bytes;
};

static int count(const struct ferryi_unix_socket *s, void *arg)
{
	struct count *c = arg;

	if (!ferryi_unix_socket_is(s, c->name, c->st))
		return 0;
	c->sockets++;
	if (s->listens) {
		c->listens = true;
		c->at_door += s->waiting;
		c->most = s->most;
	} else {
		c->connections += s->peer != 0;
		c->bytes += s->waiting;
	}
	return 0;
}

int ferryi_unix_figures(const char *rest, struct ferryi_figures *out)
{
	struct ferryi_address a;
	struct stat st;
	struct count c = { .st = &st };
	int err = find(&a, rest, &st);

	if (err)
		return err;
	c.name = a.rest;
	err = ferryi_unix_sockets(count, &c);
	err = ferryi_sockets_there("unix", a.rest, err, c.sockets != 0);
	if (err)
		return err;
	ferryi_figure(out, "listening", FERRY_YES_NO, c.listens);
	if (c.listens) {
		ferryi_figure(out, "at the door", FERRY_COUNT, c.at_door);
		ferryi_figure(out, "backlog", FERRY_COUNT, c.most);
	}
	ferryi_figure(out, "connections", FERRY_COUNT, c.connections);
	ferryi_figure(out, "bytes", FERRY_BYTES, c.bytes);
	return 0;
}

struct search {
	int (*each)(const char *rest, void *arg);
	void *arg;
	bool nameless;
};

/* Who listens, or is bound and takes what comes; who was accepted has his door's name. */
static int name_one(const struct ferryi_unix_socket *s, void *arg)
{
	struct search *w = arg;
	char rest[FERRYI_NAME_TEXT];
	bool hidden;

	if (!s->name_len || (!s->listens && s->peer))
		return 0;
	hidden = s->name_len >= sizeof rest ||
		 (s->name[0] == 0 && memchr(s->name + 1, 0, s->name_len - 1));
	if (hidden) {
		w->nameless = true;
		return 0;
	}
	memcpy(rest, s->name, s->name_len);
	rest[s->name_len] = 0;
	if (rest[0] == 0)
		rest[0] = '@';
	return w->each(rest, w->arg);
}

int ferryi_unix_names(int (*each)(const char *rest, void *arg), void *arg)
{
	struct search w = { each, arg, false };
	int r = ferryi_unix_sockets(name_one, &w);

	if (r < 0 && r != -ENOMEM)
		return ferryi_sockets_there("unix", "", r, false);
	return r ? r : w.nameless;
}
