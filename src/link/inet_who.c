/* SPDX-License-Identifier: MIT */
/* tcp:HOST:PORT and udp:HOST:PORT: who of this machine has the port. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/figures.h"
#include "link/inet.h"
#include "link/queues.h"
#include "link/traces.h"
#include "sys/inet_sockets.h"

struct search {
	struct ferryi_hosts at;
	struct ferryi_inodes *found;
	bool listens;
	int64_t sockets, at_door, connections, sending, waiting;
};

static bool is_there(const struct search *w, const struct ferryi_inet_socket *s)
{
	bool is_it = w->at.every && s->port == ferryi_name_port(&w->at.at[0]);

	for (unsigned i = 0; i < w->at.n && !is_it; i++)
		is_it = ferryi_inet_socket_is(s, &w->at.at[i]);
	return is_it && s->inode;
}

static int note(const struct ferryi_inet_socket *s, void *arg)
{
	struct search *w = arg;

	return is_there(w, s) ? ferryi_inodes_add(w->found, (ino_t)s->inode) :
				0;
}

static int count(const struct ferryi_inet_socket *s, void *arg)
{
	struct search *w = arg;

	if (!is_there(w, s))
		return 0;
	w->sockets++;
	if (s->listens) {
		w->listens = true;
		w->at_door += s->waiting;
	} else {
		w->connections += s->connected;
		w->waiting += s->waiting;
		w->sending += s->sending;
	}
	return 0;
}

static int read_place(struct ferryi_address *a, struct ferryi_hosts *at,
		      const char *scheme, const char *rest)
{
	int err = ferryi_queue_parse(a, scheme, rest);

	if (!err)
		err = ferryi_hosts_parse(at, scheme, a->rest,
					 FERRYI_HOSTS_TO_BIND);
	return err || ferryi_name_port(&at->at[0]) != 0 ?
		       err :
		       ferryi_fail(-EINVAL,
				   "%s:%.280s: nobody has port 0 (name the one "
				   "that the system chose)",
				   scheme, a->rest);
}

int ferryi_inet_identify(const char *scheme, const char *rest,
			 struct ferryi_traces *out)
{
	struct search w = { .found = &out->inodes };
	struct ferryi_address a;
	int err = read_place(&a, &w.at, scheme, rest);

	if (err)
		return err;
	err = ferryi_inet_sockets(scheme, note, &w);
	return ferryi_traces_of_sockets(out, scheme, a.rest, err);
}

int ferryi_inet_figures(const char *scheme, const char *rest,
			struct ferryi_figures *out)
{
	struct search w = { 0 };
	struct ferryi_address a;
	int err = read_place(&a, &w.at, scheme, rest);

	if (err)
		return err;
	err = ferryi_inet_sockets(scheme, count, &w);
	err = ferryi_sockets_there(scheme, a.rest, err, w.sockets != 0);
	if (err)
		return err;
	ferryi_figure(out, "sockets", FERRY_COUNT, w.sockets);
	ferryi_figure(out, "listening", FERRY_YES_NO, w.listens);
	if (w.listens)
		ferryi_figure(out, "at the door", FERRY_COUNT, w.at_door);
	ferryi_figure(out, "connections", FERRY_COUNT, w.connections);
	ferryi_figure(out, "bytes", FERRY_BYTES, w.waiting);
	ferryi_figure(out, "bytes out", FERRY_BYTES, w.sending);
	return 0;
}

struct finding {
	int (*each)(const char *rest, void *arg);
	void *arg;
	bool datagrams;
};

/* A door, or a socket that takes datagrams from anybody. */
static int name_one(const struct ferryi_inet_socket *s, void *arg)
{
	struct finding *w = arg;
	char rest[FERRYI_NAME_TEXT];

	if (!s->inode || (w->datagrams ? s->connected : !s->listens))
		return 0;
	ferryi_inet_socket_format(s, rest);
	return w->each(rest, w->arg);
}

int ferryi_inet_names(const char *scheme,
		      int (*each)(const char *rest, void *arg), void *arg)
{
	struct finding w = { each, arg, strcmp(scheme, "udp") == 0 };
	int r = ferryi_inet_sockets(scheme, name_one, &w);

	return r < 0 && r != -ENOMEM ?
		       ferryi_sockets_there(scheme, "", r, false) :
		       r;
}
