/* SPDX-License-Identifier: MIT */
/*
 * unix:PATH and unix:@NAME: UNIX sockets, ?type=stream (default), seqpacket or
 * dgram.  Opening and pairs; listening is in unix_listen.c, datagrams are in
 * unix_datagram.c.
 *
 * Whoever is on the other side need not be Ferry.  What the kernel tells of a
 * peer's end: closed or killed with nothing unread is the end (-ENODATA);
 * closed or killed while it had not read all that we sent is -ECONNRESET, and
 * comes after what it sent.  Kill and close look the same otherwise.
 *
 * seqpacket carries empty messages: see ferryi_socket_mark_messages().  A peer
 * that is not Ferry takes an empty message for the end.
 */
#include "link/unix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "link/packets.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/sockets.h"
#include "wire/address.h"

/* --- settings ------------------------------------------------------------ */

int ferryi_unix_type(const struct ferryi_address *a,
		     enum ferryi_socket_type *out)
{
	const char *type = ferryi_address_get(a, "type");

	if (!type || strcmp(type, "stream") == 0)
		*out = FERRYI_SOCKET_STREAM;
	else if (strcmp(type, "seqpacket") == 0)
		*out = FERRYI_SOCKET_SEQPACKET;
	else if (strcmp(type, "dgram") == 0)
		*out = FERRYI_SOCKET_DGRAM;
	else
		return ferryi_fail(-EINVAL,
				   "unix: has no type=%.100s (it has "
				   "stream, seqpacket and dgram)",
				   type);
	return 0;
}

int ferryi_unix_check_name(const struct ferryi_address *a)
{
	size_t len = strlen(a->rest);

	if (len == 0 || strcmp(a->rest, "@") == 0)
		return ferryi_fail(-EINVAL, "unix: needs a path or a name "
					    "(unix:PATH or unix:@NAME)");
	if (len > FERRYI_SOCKET_PATH_MAX)
		return ferryi_fail(-EINVAL,
				   "unix: the path has %zu bytes, the "
				   "kernel takes %d (use a shorter or a "
				   "relative one)",
				   len, FERRYI_SOCKET_PATH_MAX);
	return 0;
}

int ferryi_unix_refuse_mode(const struct ferryi_address *a)
{
	if (ferryi_address_get(a, "mode"))
		return ferryi_fail(-EINVAL, "unix: mode= is for the one who "
					    "listens (leave it out)");
	return 0;
}

static int refuse_bind(const struct ferryi_address *a)
{
	if (ferryi_address_get(a, "bind"))
		return ferryi_fail(-EINVAL, "unix: bind= is for who sends "
					    "datagrams (add type=dgram)");
	return 0;
}

/* With descriptors, too; the tables differ in where a message goes. */
static const struct ferryi_messages packets = {
	FERRYI_PACKETS,
	.send = ferryi_packet_send,
	.send_fds = ferryi_packet_send_fds,
	.recv_fds = ferryi_packet_recv_fds,
};

static const struct ferryi_messages *messages_of(enum ferryi_socket_type type)
{
	switch (type) {
	case FERRYI_SOCKET_SEQPACKET: return &packets;
	case FERRYI_SOCKET_DGRAM: return &ferryi_unix_datagrams;
	default: return NULL;
	}
}

int ferryi_unix_use(struct ferry_link *l, int fd, enum ferryi_socket_type type)
{
	bool stream = type == FERRYI_SOCKET_STREAM;
	int err;

	((struct ferryi_unix *)l->state)->type = type;
	ferryi_endpoint_set(l, fd, fd);
	ferryi_endpoint_meet(l);
	l->messages = messages_of(type);
	l->stream = stream ? &ferryi_stream_of_socket : NULL;
	if (stream)
		return 0;
	err = ferryi_socket_mark_messages(fd);
	if (err)
		return ferryi_fail_sys(-err,
				       "%s: the kernel does not mark "
				       "messages",
				       l->address);
	return 0;
}

/* --- opening ------------------------------------------------------------- */

int ferryi_unix_no_socket(const char *address, const char *path)
{
	struct stat st;

	if (path[0] == '@' || ferryi_stat_at(AT_FDCWD, path, &st) != 0 ||
	    S_ISSOCK(st.st_mode))
		return 0;
	return ferryi_fail(-EINVAL,
			   "%s is not a socket (choose the path that "
			   "the server listens at)",
			   address);
}

static int no_connection(struct ferry_link *l, const char *path, int err)
{
	switch (err) {
	case -ENOENT:
		return ferryi_fail(-ENOENT,
				   "%s does not exist (start the one "
				   "who listens first)",
				   l->address);
	case -ECONNREFUSED:
		err = ferryi_unix_no_socket(l->address, path);
		return err ? err :
			     ferryi_fail(-ECONNREFUSED,
					 "%s: nobody listens "
					 "(the one who did has ended; start it "
					 "again)",
					 l->address);
	case -EPROTOTYPE:
		return ferryi_fail(-EPROTOTYPE,
				   "%s listens with another type "
				   "(try type=stream or type=seqpacket)",
				   l->address);
	case -EACCES:
	case -EPERM:
		return ferryi_fail(-EACCES,
				   "%s: you may not write to it (its "
				   "listener sets mode=)",
				   l->address);
	}
	return ferryi_fail_sys(-err, "%s: connecting failed: %s", l->address,
			       strerror(-err));
}

int ferryi_unix_connect(struct ferry_link *l, const char *name,
			enum ferryi_socket_type type)
{
	int fd = ferryi_socket(type), err;

	if (fd < 0)
		return ferryi_fail_sys(-fd, "%s: no socket: %s", l->address,
				       strerror(-fd));
	err = ferryi_socket_connect(fd, name);
	if (!err)
		return fd;
	ferryi_close(fd);
	return err == -EAGAIN ? err : no_connection(l, name, err);
}

static int unix_open(struct ferry_link *l, const struct ferryi_address *a)
{
	enum ferryi_socket_type type = FERRYI_SOCKET_STREAM;
	int err = ferryi_unix_type(a, &type), fd;

	if (!err && type == FERRYI_SOCKET_DGRAM)
		return ferryi_unix_open_datagrams(l, a);
	if (!err)
		err = ferryi_unix_check_name(a);
	if (!err)
		err = ferryi_unix_refuse_mode(a);
	if (!err)
		err = refuse_bind(a);
	if (err)
		return err;
	fd = ferryi_unix_connect(l, a->rest, type);
	return fd < 0 ? fd : ferryi_unix_use(l, fd, type);
}

static int unix_pair(struct ferry_link *ends[2], const struct ferryi_address *a)
{
	enum ferryi_socket_type type = FERRYI_SOCKET_STREAM;
	int err = ferryi_unix_type(a, &type), fds[2];

	if (!err)
		err = ferryi_unix_refuse_mode(a);
	if (!err)
		err = refuse_bind(a);
	if (!err && *a->rest)
		err = ferryi_fail(-EINVAL, "unix: a pair has no name (write "
					   "just unix:)");
	if (err)
		return err;
	err = ferryi_socket_pair(type, fds);
	if (err)
		return ferryi_fail_sys(-err, "unix: no sockets: %s",
				       strerror(-err));
	err = ferryi_unix_use(ends[0], fds[0], type);
	if (err) {
		ferryi_close(fds[1]);
		return err;
	}
	for (int i = 0; i < 2; i++)
		((struct ferryi_unix *)ends[i]->state)->has_destination = true;
	return ferryi_unix_use(ends[1], fds[1], type);
}

static int unix_shutdown(struct ferry_link *l, unsigned direction)
{
	const struct ferryi_unix *u = l->state;

	if (u->type != FERRYI_SOCKET_DGRAM)
		return ferryi_endpoint_shutdown_socket(l, direction);
	return ferryi_fail(-EOPNOTSUPP,
			   "%s: datagrams have no end that the other side "
			   "would hear of (send one that means it)",
			   l->address);
}

static int unix_interest(struct ferry_link *l, enum ferryi_want want,
			 struct ferryi_wait *w)
{
	struct ferryi_unix *u = l->state;
	bool crowded = want == FERRYI_WANT_SEND && u->crowded;

	/* Neither a full backlog nor the full receiver of a message that has a
	 * destination of its own can be polled for. */
	if (want != FERRYI_WANT_OPEN && !crowded)
		return ferryi_endpoint_interest(l, want, w);
	ferryi_wait_tick(w, ferryi_now() + FERRYI_UNIX_LOOK_AGAIN);
	return 0;
}

static int unix_gave_up(struct ferry_link *l, enum ferryi_want want, int err)
{
	const struct ferryi_unix *u = l->state;

	if (want != FERRYI_WANT_OPEN || err != -ETIMEDOUT || !u->locked_out)
		return err;
	return ferryi_fail(err,
			   "%s: another process keeps its directory locked "
			   "(see lslocks, or raise timeout=)",
			   l->address);
}

const struct ferryi_transport ferryi_transport_unix = {
	.info = {
		.scheme = "unix",
		.summary = "UNIX sockets, to anybody on the machine",
		.naming = "path or @NAME",
		.framing = "stream; messages with ?type=seqpacket or dgram",
		.direction = "duplex",
		.buffering = "kernel, as net.core.wmem_default",
		.persistence = "process",
		.promises = FERRY_CAN_MESSAGES | FERRY_CAN_STREAM |
			    FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
			    FERRY_CAN_RELIABLE | FERRY_CAN_CONNECT |
			    FERRY_CAN_PAIR | FERRY_CAN_NAME |
			    FERRY_CAN_SHUTDOWN | FERRY_CAN_PEER_DEATH |
			    FERRY_CAN_CREDENTIAL | FERRY_CAN_FDS |
			    FERRY_CAN_SEND_TO,
	},
	.keys = "type mode bind",
	.state_size = sizeof(struct ferryi_unix),
	.open = unix_open,
	.listen = ferryi_unix_listen,
	.accept = ferryi_unix_accept,
	.pair = unix_pair,
	.destroy = ferryi_unix_destroy,
	.identify = ferryi_unix_identify,
	.figures = ferryi_unix_figures,
	.names = ferryi_unix_names,
	.shutdown = unix_shutdown,
	.peer = ferryi_endpoint_peer,
	.local = ferryi_endpoint_local,
	.fini = ferryi_unix_fini,
	.spins = true,
	.interest = unix_interest,
	.gave_up = unix_gave_up,
	.explain = ferryi_endpoint_explain,
	.messages = &packets,
	.stream = &ferryi_stream_of_socket,
};
