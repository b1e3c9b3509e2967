/* SPDX-License-Identifier: MIT */
/*
 * tcp:HOST:PORT: a stream to any machine.  What HOST may be is in inet.h.
 *
 * Whoever is on the other side need not be Ferry.  A process that ends closes its
 * sockets, and its kernel says so: an end (-ENODATA), or -ECONNRESET when it had
 * not read all that we sent.  A machine that is switched off says nothing:
 * keepalive= is for that.
 *
 * ferry_address() is in numbers: of a door, where it listens; of a connection, who
 * is at the other end.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/error.h"
#include "link/endpoint.h"
#include "link/inet.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/inet.h"
#include "sys/sockets.h"
#include "sys/stream.h"

/* How long an address of a name may be silent before the next one is tried; the
 * last one has the rest of the time. */
#define NEXT_ADDRESS FERRY_S(1)

#define BACKLOG	      4096 /* the kernel has a maximum of its own */
#define KEEPALIVE_MAX FERRY_S(9 * 3600)

struct tcp {
	struct ferryi_endpoint end; /* first */
	struct ferryi_hosts to, from;
	unsigned at;	 /* of to: what is tried */
	int why;	 /* the best reason so far why there is no connection */
	int unbound;	 /* why bind= cannot be had: no other address helps */
	ferry_time next; /* when the next address is tried */

	bool delay, keepalive;
	unsigned silence; /* s, of keepalive; 0: the system's */
	int backlog;
};

static struct tcp *state(struct ferry_link *l)
{
	return l->state;
}

/* --- settings ------------------------------------------------------------ */

static int read_keepalive(struct tcp *t, const struct ferryi_address *a)
{
	const char *text = ferryi_address_get(a, "keepalive");
	int64_t ns = 0;

	if (!text)
		return 0;
	t->keepalive = true;
	if (!*text || strcmp(text, "on") == 0)
		return 0;
	if (ferryi_parse_duration(text, &ns) != 0 || ns < FERRY_S(1) ||
	    ns > KEEPALIVE_MAX)
		return ferryi_fail(-EINVAL,
				   "tcp: keepalive=%.40s is neither on nor a "
				   "duration from 1s to 9h (write "
				   "keepalive=30s)",
				   text);
	t->silence = (unsigned)(ns / FERRY_S(1));
	return 0;
}

static int read_backlog(struct tcp *t, const struct ferryi_address *a)
{
	const char *text = ferryi_address_get(a, "backlog");
	uint64_t n = BACKLOG;

	if (text && (ferryi_parse_size(text, &n) != 0 || n < 1 || n > 65535))
		return ferryi_fail(-EINVAL,
				   "tcp: backlog=%.40s is no number from 1 to "
				   "65535 (it is how many connections may wait "
				   "to be accepted)",
				   text);
	t->backlog = (int)n;
	return 0;
}

/* A key of the other side's would have no effect. */
static int refuse(const struct ferryi_address *a, const char *key,
		  const char *whose)
{
	if (!ferryi_address_get(a, key))
		return 0;
	return ferryi_fail(-EINVAL,
			   "tcp: %s= is for the one who %s (leave it out)", key,
			   whose);
}

static int read_settings(struct tcp *t, const struct ferryi_address *a)
{
	int err = ferryi_inet_flag(a, "delay", &t->delay);

	if (ferryi_address_get(a, "tls"))
		return ferryi_fail(-EOPNOTSUPP,
				   "tcp: has no TLS (go through stunnel, ssh "
				   "-L or a private network)");
	if (!err)
		err = read_keepalive(t, a);
	return err ? err : read_backlog(t, a);
}

/* Before it listens or connects: what it accepts inherits it. */
static int apply_settings(struct ferry_link *l, int fd)
{
	struct tcp *t = state(l);
	int err = t->delay ? 0 : ferryi_inet_no_delay(fd);

	if (!err && t->keepalive)
		err = ferryi_inet_keep_alive(fd, t->silence);
	return err;
}

static void use(struct ferry_link *l, int fd)
{
	struct ferryi_endpoint *e = l->state;

	ferryi_endpoint_set(l, fd, fd);
	/* A small frame goes whole or not at all: see framing.h. */
	e->careful = l->framed;
}

/* --- connecting ---------------------------------------------------------- */

static int no_connection(struct ferry_link *l)
{
	int err = state(l)->why;

	switch (err) {
	case -ECONNREFUSED:
		return ferryi_fail(-ECONNREFUSED,
				   "%s: nobody listens there (start the one "
				   "who does; see ss -lnt on that machine)",
				   l->address);
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -EHOSTDOWN:
	case -ENETDOWN:
	case -EAFNOSUPPORT:
	case -EINVAL: /* from a loopback address to another machine */
		return ferryi_fail(-ECONNREFUSED,
				   "%s: no way leads there: %s (see ip route "
				   "get)",
				   l->address, strerror(-err));
	case -EACCES:
	case -EPERM:
		return ferryi_fail(-EACCES,
				   "%s: this machine forbids the connection "
				   "(a firewall, or a broadcast address)",
				   l->address);
	case -EADDRNOTAVAIL:
	case -EADDRINUSE:
		return ferryi_fail(-EBUSY,
				   "%s: no port of this machine is free for "
				   "the connection (leave bind= out, or see "
				   "net.ipv4.ip_local_port_range)",
				   l->address);
	}
	return ferryi_fail_sys(-err, "%s: connecting failed: %s", l->address,
			       strerror(-err));
}

/* Begin with the address that is next.  Errors of the system. */
static int begin(struct ferry_link *l)
{
	struct tcp *t = state(l);
	const struct ferryi_name *to = &t->to.at[t->at];
	int fd = t->from.n ? ferryi_hosts_bind(l, &t->from, to, true) :
			     ferryi_inet_socket(to, true, false);
	int err;

	if (fd < 0) {
		t->unbound = t->from.n ? fd : 0;
		return fd;
	}
	use(l, fd);
	t->next = ferryi_now() + NEXT_ADDRESS;
	err = apply_settings(l, fd);
	return err ? err : ferryi_inet_connect(fd, to);
}

/* How the one that was begun stands. */
static int look(struct ferry_link *l)
{
	struct tcp *t = state(l);
	int fd = t->end.in;

	if (ferryi_fd_ready(fd, POLLOUT))
		return ferryi_inet_error(fd);
	if (t->at + 1 < t->to.n && ferryi_now() >= t->next)
		return -ETIMEDOUT;
	return -EINPROGRESS;
}

/* Each address in turn.  That somebody refuses tells more than that another one
 * cannot be reached. */
static int connect_in_turn(struct ferry_link *l)
{
	struct tcp *t = state(l);
	int err;

	for (; t->at < t->to.n; t->at++) {
		err = t->end.opened ? look(l) : begin(l);
		if (err == -EINPROGRESS)
			return -EAGAIN;
		if (t->unbound)
			return t->unbound;
		if (err == 0 && !ferryi_inet_met_itself(t->end.in))
			return ferryi_inet_rename(l, &t->to.at[t->at]);
		if (err == 0)
			err = -ECONNREFUSED;
		ferryi_endpoint_fini(l);
		if (t->why != -ECONNREFUSED)
			t->why = err;
	}
	return no_connection(l);
}

static int read_places(struct ferry_link *l, const struct ferryi_address *a)
{
	struct tcp *t = state(l);
	const char *bind = ferryi_address_get(a, "bind");
	int err = ferryi_hosts_parse(&t->to, "tcp", a->rest,
				     FERRYI_HOSTS_TO_CONNECT);

	if (!err && bind)
		err = ferryi_hosts_parse(&t->from, "tcp", bind,
					 FERRYI_HOSTS_TO_BIND);
	return err || !bind ? err : ferryi_hosts_match(l, &t->to, &t->from);
}

static int tcp_open(struct ferry_link *l, const struct ferryi_address *a)
{
	struct tcp *t = state(l);
	int err = 0;

	if (t->to.n == 0) { /* the first time */
		err = refuse(a, "backlog", "listens");
		if (!err)
			err = read_settings(t, a);
		if (!err)
			err = read_places(l, a);
	}
	return err ? err : connect_in_turn(l);
}

/* --- listening ----------------------------------------------------------- */

static int tcp_listen(struct ferry_link *l, const struct ferryi_address *a)
{
	struct tcp *t = state(l);
	int err = refuse(a, "bind", "connects"), fd;

	if (!err)
		err = read_settings(t, a);
	if (!err)
		err = ferryi_hosts_parse(&t->from, "tcp", a->rest,
					 FERRYI_HOSTS_TO_BIND);
	if (err)
		return err;
	fd = ferryi_hosts_bind(l, &t->from, NULL, true);
	if (fd < 0)
		return fd;
	use(l, fd);
	err = apply_settings(l, fd);
	if (!err)
		err = ferryi_inet_listen(fd, t->backlog);
	if (err == -EADDRINUSE) /* bound by another one that listens only now */
		return ferryi_fail(-EBUSY,
				   "%s: the port is in use (see ss -lnt)",
				   l->address);
	if (err)
		return ferryi_fail_sys(-err, "%s: listening failed: %s",
				       l->address, strerror(-err));
	return ferryi_inet_rename(l, NULL);
}

static int tcp_accept(struct ferry_link *door, struct ferry_link *peer)
{
	struct ferryi_name from;
	int fd = ferryi_inet_accept(state(door)->end.in, &from);

	if (fd == -EAGAIN)
		return fd;
	if (fd < 0)
		return ferryi_fail_sys(-fd, "%s: accepting failed: %s",
				       door->address, strerror(-fd));
	use(peer, fd);
	return ferryi_inet_rename(peer, &from);
}

static int tcp_interest(struct ferry_link *l, enum ferryi_want want,
			struct ferryi_wait *w)
{
	struct tcp *t = state(l);

	if (want == FERRYI_WANT_OPEN && t->at + 1 < t->to.n)
		ferryi_wait_tick(w, t->next);
	return ferryi_endpoint_interest(l, want, w);
}

static int tcp_identify(const char *rest, struct ferryi_traces *out)
{
	return ferryi_inet_identify("tcp", rest, out);
}

static int tcp_figures(const char *rest, struct ferryi_figures *out)
{
	return ferryi_inet_figures("tcp", rest, out);
}

static int tcp_names(int (*each)(const char *rest, void *arg), void *arg)
{
	return ferryi_inet_names("tcp", each, arg);
}

const struct ferryi_transport ferryi_transport_tcp = {
	.info = {
		.scheme = "tcp",
		.summary = "a stream to any machine",
		.naming = "host and port",
		.framing = "stream",
		.direction = "duplex",
		.buffering = "kernel, as net.ipv4.tcp_wmem",
		.persistence = "process",
		.promises = FERRY_CAN_STREAM | FERRY_CAN_DUPLEX |
			    FERRY_CAN_ORDER | FERRY_CAN_RELIABLE |
			    FERRY_CAN_CONNECT | FERRY_CAN_NAME |
			    FERRY_CAN_SHUTDOWN | FERRY_CAN_PEER_DEATH |
			    FERRY_CAN_REMOTE,
	},
	.keys = "backlog bind delay keepalive tls",
	.state_size = sizeof(struct tcp),
	.open = tcp_open,
	.listen = tcp_listen,
	.accept = tcp_accept,
	.shutdown = ferryi_endpoint_shutdown_socket,
	.identify = tcp_identify,
	.figures = tcp_figures,
	.names = tcp_names,
	.local = ferryi_inet_local,
	.fini = ferryi_endpoint_fini,
	.spins = true,
	.interest = tcp_interest,
	.explain = ferryi_endpoint_explain,
	.stream = &ferryi_stream_of_socket,
};
