/* SPDX-License-Identifier: MIT */
/*
 * udp:HOST:PORT: datagrams to any machine.  What HOST may be is in inet.h.
 *
 *	FERRY_RECV	HOST:PORT is where it receives, from anybody
 *	FERRY_SEND	it sends there
 *	FERRY_DUPLEX	it sends there, and receives what comes from there
 *	udp:?bind=...	no destination: ferry_send_to(), and from anybody
 *
 * A datagram may be lost, come twice, or come before an earlier one; a full
 * receiver loses what comes, and nobody is told.  It is never cut.
 *
 * When nobody receives at a destination, its machine may say so: the next call
 * is -ECONNREFUSED, once, and the link goes on.  A port that is in use is -EBUSY:
 * there is no SO_REUSEADDR, by which one receiver could take another one's
 * datagrams.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/inet.h"
#include "link/packets.h"
#include "sys/inet.h"
#include "sys/sockets.h"

#define LARGEST_V4 65507u /* 64 KiB less the headers */
#define LARGEST_V6 65527u

struct udp {
	struct ferryi_endpoint end; /* first */
	bool has_destination;
	struct ferryi_name to;
	bool v6;   /* addresses of IPv6 only */
	bool both; /* of IPv6 and IPv4 */
};

static struct udp *state(struct ferry_link *l)
{
	return l->state;
}

/* --- opening ------------------------------------------------------------- */

static int use(struct ferry_link *l, int fd, bool broadcast)
{
	struct udp *u = state(l);
	int err = broadcast ? ferryi_inet_broadcast(fd) : 0;
	struct ferryi_name here;

	ferryi_endpoint_set(l, fd, fd);
	u->end.lasting = true;
	u->both = ferryi_inet_is_for_both(fd);
	if (!err)
		err = ferryi_socket_name(fd, &here);
	u->v6 = !err && !u->both && ferryi_name_is_v6(&here);
	return err ? ferryi_endpoint_result(l, err) : 0;
}

static int no_way(struct ferry_link *l, const char *to, int err)
{
	switch (err) {
	case -EACCES:
		return ferryi_fail(-EACCES,
				   "%s is a broadcast address (open the link "
				   "with ?broadcast)",
				   to);
	case -EPERM:
		return ferryi_fail(-EACCES,
				   "%s: a firewall of this machine forbids it",
				   to);
	case -EAFNOSUPPORT:
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -EHOSTDOWN:
	case -ENETDOWN:
	case -EINVAL: /* from a loopback address to another machine */
		return ferryi_fail(-ECONNREFUSED,
				   "%s: no way leads there: %s (see ip route "
				   "get)",
				   to, strerror(-err));
	}
	return ferryi_endpoint_result(l, err);
}

/* A socket that is connected, which sends nothing.  `from` may be NULL. */
static int go_to(struct ferry_link *l, const struct ferryi_name *to,
		 const struct ferryi_hosts *from, bool broadcast)
{
	int fd = from ? ferryi_hosts_bind(l, from, to, false) :
			ferryi_inet_socket(to, false, false);
	int err;

	if (fd < 0)
		return from ? fd : no_way(l, l->address, fd);
	err = use(l, fd, broadcast);
	if (err)
		return err;
	err = ferryi_inet_connect(fd, to);
	if (err)
		return no_way(l, l->address, err);
	/* As the kernel has it: 0.0.0.0 became this machine. */
	err = ferryi_socket_peer_name(fd, &state(l)->to);
	if (err)
		return ferryi_endpoint_result(l, err);
	state(l)->has_destination = true;
	return ferryi_inet_rename(l, to);
}

/* The first address of the name that there is a way to. */
static int open_to(struct ferry_link *l, const struct ferryi_address *a,
		   bool broadcast)
{
	const char *bind = ferryi_address_get(a, "bind");
	struct ferryi_hosts to, from;
	int err = ferryi_hosts_parse(&to, "udp", a->rest,
				     FERRYI_HOSTS_TO_CONNECT);

	if (!err && bind)
		err = ferryi_hosts_parse(&from, "udp", bind,
					 FERRYI_HOSTS_TO_BIND);
	if (!err && bind)
		err = ferryi_hosts_match(l, &to, &from);
	if (err)
		return err;
	for (unsigned i = 0; i < to.n; i++) {
		ferryi_endpoint_fini(l);
		err = go_to(l, &to.at[i], bind ? &from : NULL, broadcast);
		if (err != -ECONNREFUSED)
			break;
	}
	return err;
}

/* Where it receives, or from where it sends: anybody. */
static int open_at(struct ferry_link *l, const char *text, bool broadcast)
{
	struct ferryi_hosts at;
	int err = ferryi_hosts_parse(&at, "udp", text, FERRYI_HOSTS_TO_BIND);
	int fd;

	if (err)
		return err;
	fd = ferryi_hosts_bind(l, &at, NULL, false);
	if (fd < 0)
		return fd;
	err = use(l, fd, broadcast);
	return err ? err : ferryi_inet_rename(l, NULL);
}

static int udp_open(struct ferry_link *l, const struct ferryi_address *a)
{
	const char *bind = ferryi_address_get(a, "bind");
	const char *where = *a->rest ? a->rest : NULL;
	bool broadcast;
	int err = ferryi_inet_flag(a, "broadcast", &broadcast);

	if (err)
		return err;
	if (l->flags & FERRY_SEND)
		return where ? open_to(l, a, broadcast) :
			       open_at(l, bind ? bind : "*:0", broadcast);
	if (where && bind)
		return ferryi_fail(-EINVAL,
				   "udp: who receives is bound to %s already "
				   "(leave bind= out)",
				   where);
	if (!where && !bind)
		return ferryi_fail(-EINVAL, "udp: where to receive is missing "
					    "(write udp::7000 or udp:*:7000)");
	return open_at(l, where ? where : bind, broadcast);
}

/* --- sending ------------------------------------------------------------- */

static int check_length(struct ferry_link *l, size_t len)
{
	size_t most = state(l)->v6 ? LARGEST_V6 : LARGEST_V4;

	if (len <= most)
		return 0;
	return ferryi_fail(-EMSGSIZE,
			   "%s: a message of %zu bytes is larger than the %zu "
			   "of a datagram (use tcp: with framing=len32)",
			   l->address, len, most);
}

static int udp_send(struct ferry_link *l, const void *data, size_t len)
{
	int err = check_length(l, len);
	ssize_t n;

	if (!err && !state(l)->has_destination)
		err = ferryi_fail(-EINVAL,
				  "%s: there is no destination (use "
				  "ferry_send_to(), or open udp:HOST:PORT)",
				  l->address);
	if (err)
		return err;
	n = ferryi_socket_send(state(l)->end.out, data, len);
	return n < 0 ? no_way(l, l->address, (int)n) : 0;
}

/* Of this socket's kind. */
static int read_destination(struct ferry_link *l, const char *text,
			    struct ferryi_name *out)
{
	struct ferryi_address a;
	struct ferryi_hosts to;
	const char *why = "";
	int err;

	if (ferryi_address_parse(&a, text, &why) != 0 || a.n_keys > 0 ||
	    strcmp(a.scheme, "udp") != 0)
		return ferryi_fail(-EINVAL,
				   "%.200s is no address that %s can send to "
				   "(write udp:HOST:PORT)",
				   text, l->address);
	err = ferryi_hosts_parse(&to, "udp", a.rest, FERRYI_HOSTS_TO_SEND);
	if (err)
		return err;
	*out = to.at[0];
	if (state(l)->both)
		ferryi_name_for_both(out);
	else if (ferryi_name_is_v6(out) != state(l)->v6)
		return ferryi_fail(-EINVAL,
				   "%s: %s is of another kind of address than "
				   "the link's (bind=*:0 makes one for both)",
				   l->address, text);
	return 0;
}

static int udp_send_to(struct ferry_link *l, const char *text, const void *data,
		       size_t len)
{
	struct ferryi_name to;
	int err = check_length(l, len);
	ssize_t n;

	if (!err)
		err = read_destination(l, text, &to);
	if (err)
		return err;
	n = ferryi_socket_send_to(state(l)->end.out, &to, data, len);
	return n < 0 ? no_way(l, text, (int)n) : 0;
}

/* --- receiving ----------------------------------------------------------- */

/*
 * From its destination only.  A socket has its port before it is connected, and until
 * then it takes what anybody sends; so does a datagram that was on its way at that
 * moment.  So the sender of each is compared.  Those of others come to an end: to a
 * connected socket the kernel brings no new ones.
 */
static ssize_t udp_next_len(struct ferry_link *l)
{
	const struct udp *u = state(l);
	struct ferryi_name from;
	ssize_t n;

	if (!u->has_destination)
		return ferryi_packet_next_len(l);
	do {
		n = ferryi_socket_next_from(u->end.in, &from);
		if (n >= 0 && ferryi_name_same(&from, &u->to))
			return n;
		if (n >= 0)
			n = ferryi_socket_drop(u->end.in);
	} while (n >= 0);
	return ferryi_endpoint_result(l, n);
}

static const struct ferryi_messages messages = {
	FERRYI_PACKETS_BUT_NEXT,
	.next_len = udp_next_len,
	.send = udp_send,
	.send_to = udp_send_to,
};

static int udp_identify(const char *rest, struct ferryi_traces *out)
{
	return ferryi_inet_identify("udp", rest, out);
}

static int udp_figures(const char *rest, struct ferryi_figures *out)
{
	return ferryi_inet_figures("udp", rest, out);
}

static int udp_names(int (*each)(const char *rest, void *arg), void *arg)
{
	return ferryi_inet_names("udp", each, arg);
}

const struct ferryi_transport ferryi_transport_udp = {
	.info = {
		.scheme = "udp",
		.summary = "datagrams to any machine",
		.naming = "host and port",
		.framing = "message",
		.direction = "duplex, or many to one",
		.buffering = "kernel, as net.core.rmem_default",
		.persistence = "process",
		.promises = FERRY_CAN_MESSAGES | FERRY_CAN_DUPLEX |
			    FERRY_CAN_MANY_SEND | FERRY_CAN_NAME |
			    FERRY_CAN_REMOTE | FERRY_CAN_SEND_TO,
	},
	.keys = "bind broadcast",
	.state_size = sizeof(struct udp),
	.open = udp_open,
	.identify = udp_identify,
	.figures = udp_figures,
	.names = udp_names,
	.local = ferryi_inet_local,
	.fini = ferryi_endpoint_fini,
	.spins = true,
	.interest = ferryi_endpoint_interest,
	.explain = ferryi_endpoint_explain,
	.messages = &messages,
};
