/* SPDX-License-Identifier: MIT */
/*
 * unix:PATH?type=dgram: datagrams between processes of a machine.  Nothing is lost
 * and the order is kept; a full receiver makes senders wait.
 *
 *	FERRY_RECV	PATH or @NAME is where it receives, from anybody
 *	FERRY_SEND	it sends there, under a name that the system chooses, or bind=
 *	FERRY_DUPLEX	and receives what comes from there
 *	unix:?...	no destination: ferry_send_to(), and from anybody
 *
 * A sender who is connected can be polled for room at its receiver.  One that names
 * a destination with a message cannot: it looks again every 2 ms.  Connecting
 * for that would refuse the datagrams of all others meanwhile.
 */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "link/packets.h"
#include "link/unix.h"
#include "sys/files.h"
#include "wire/address.h"

static struct ferryi_unix *state(struct ferry_link *l)
{
	return l->state;
}

/* --- opening ------------------------------------------------------------- */

static int check_name(const char *name)
{
	size_t len = strlen(name);

	if (len > 0 && len <= FERRYI_SOCKET_PATH_MAX && strcmp(name, "@") != 0)
		return 0;
	return ferryi_fail(-EINVAL,
			   "unix: '%.120s' is no name (a path or @NAME of at "
			   "most %d bytes)",
			   name, FERRYI_SOCKET_PATH_MAX);
}

/* Under a name that nobody has, so that what it sends can be answered. */
static int bind_any(struct ferry_link *l, const struct ferryi_address *a)
{
	int err = ferryi_unix_refuse_mode(a);

	if (!err)
		err = ferryi_unix_make(l);
	if (err)
		return err;
	err = ferryi_socket_bind_any(state(l)->end.in);
	if (err)
		return ferryi_fail_sys(-err, "%s: no name is left: %s",
				       l->address, strerror(-err));
	return 0;
}

/* `to` is the address of that path. */
static int no_way(struct ferry_link *l, const char *to, const char *path,
		  int err)
{
	switch (err) {
	case -ENOENT:
		return ferryi_fail(-ENOENT,
				   "%s does not exist (start the one who "
				   "receives first)",
				   to);
	case -ECONNREFUSED:
		err = ferryi_unix_no_socket(to, path);
		return err ? err :
			     ferryi_fail(-ECONNREFUSED,
					 "%s: nobody receives there (the one "
					 "who did has ended; start it again)",
					 to);
	case -EPROTOTYPE:
		return ferryi_fail(-EPROTOTYPE,
				   "%s takes no datagrams (try type=stream or "
				   "type=seqpacket)",
				   to);
	case -EPERM:
		return ferryi_fail(-EACCES,
				   "%s takes what one other process sends, and "
				   "nothing else (it is connected)",
				   to);
	case -EACCES:
		return ferryi_fail(-EACCES,
				   "%s: you may not write to it (its receiver "
				   "sets mode=)",
				   to);
	}
	return ferryi_endpoint_result(l, err);
}

/*
 * Before it has a name: what is connected takes what its destination sends and nothing
 * else, and what has no name nobody can send to.  So it never receives from others.
 * Connecting names a socket that marks messages; so that one begins later, too.
 */
static int go_to(struct ferry_link *l, const char *name)
{
	int err = ferryi_unix_make(l);

	if (err ||
	    state(l)->has_destination) /* only the directory was locked */
		return err;
	err = ferryi_socket_connect(state(l)->end.in, name);
	if (err)
		return no_way(l, l->address, name, err);
	state(l)->has_destination = true;
	return 0;
}

/* Where this end is bound; NULL: anywhere. */
static const char *own_name(const struct ferry_link *l,
			    const struct ferryi_address *a)
{
	const char *bind = ferryi_address_get(a, "bind");

	return !(l->flags & FERRY_SEND) && *a->rest ? a->rest : bind;
}

int ferryi_unix_open_datagrams(struct ferry_link *l,
			       const struct ferryi_address *a)
{
	const char *own = own_name(l, a);
	const char *to = l->flags & FERRY_SEND && *a->rest ? a->rest : NULL;
	int err = own ? check_name(own) : 0;

	if (!err && to)
		err = check_name(to);
	if (!err && own == a->rest && ferryi_address_get(a, "bind"))
		err = ferryi_fail(-EINVAL,
				  "unix: who receives is bound to %s already "
				  "(leave bind= out)",
				  own);
	if (err)
		return err;
	state(l)->type = FERRYI_SOCKET_DGRAM;
	err = to ? go_to(l, to) : 0;
	if (!err)
		err = own ? ferryi_unix_listen_at(l, a, own) : bind_any(l, a);
	return err ? err :
		     ferryi_unix_use(l, state(l)->end.in, FERRYI_SOCKET_DGRAM);
}

/* --- sending ------------------------------------------------------------- */

static int check_destination(struct ferry_link *l)
{
	state(l)->crowded = false;
	if (state(l)->has_destination)
		return 0;
	return ferryi_fail(-EINVAL,
			   "%s: there is no destination (use ferry_send_to(), "
			   "or open unix:PATH?type=dgram)",
			   l->address);
}

static int datagram_send(struct ferry_link *l, const void *data, size_t len)
{
	int err = check_destination(l);

	return err ? err : ferryi_packet_send(l, data, len);
}

static int datagram_send_fds(struct ferry_link *l, const void *data, size_t len,
			     const int *fds, unsigned n)
{
	int err = check_destination(l);

	return err ? err : ferryi_packet_send_fds(l, data, len, fds, n);
}

static int datagram_send_to(struct ferry_link *l, const char *text,
			    const void *data, size_t len)
{
	struct ferryi_address a;
	struct ferryi_name to;
	const char *why = "";
	ssize_t n;
	int err;

	if (ferryi_address_parse(&a, text, &why) != 0 || a.n_keys > 0 ||
	    strcmp(a.scheme, "unix") != 0)
		return ferryi_fail(-EINVAL,
				   "%.200s is no address that %s can send to "
				   "(write unix:PATH or unix:@NAME)",
				   text, l->address);
	err = check_name(a.rest);
	if (err)
		return err;
	ferryi_name_of_path(&to, a.rest);
	n = ferryi_socket_send_to(state(l)->end.out, &to, data, len);
	state(l)->crowded = n == -EAGAIN;
	if (n == -EMSGSIZE)
		return ferryi_packet_too_large(l, len);
	return n < 0 ? no_way(l, text, a.rest, (int)n) : 0;
}

const struct ferryi_messages ferryi_unix_datagrams = {
	FERRYI_PACKETS,
	.send = datagram_send,
	.send_to = datagram_send_to,
	.send_fds = datagram_send_fds,
	.recv_fds = ferryi_packet_recv_fds,
};
