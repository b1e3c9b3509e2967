/* SPDX-License-Identifier: MIT */
/*
 * fd:N: a descriptor that is already open: inherited, from a shell, from a
 * library.  What it is decides what the link can do: sockets of type seqpacket
 * and dgram carry messages, everything else bytes.
 *
 * The link has a descriptor of its own; closing it leaves N open.  The flags
 * of N's open file description belong to whoever else has it, so O_NONBLOCK is
 * never set there:
 *
 *	sockets		MSG_DONTWAIT with each call
 *	pipes		a new description through /proc/self/fd; where that
 *			cannot be had, as terminals
 *	terminals	poll first, then at most PIPE_BUF bytes; when two
 *	and devices	processes use one at the same moment, a call may wait
 *	files		never wait
 *
 * One thing is set: SO_PASSCRED on seqpacket sockets, because without it an
 * empty message cannot be told from the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "link/endpoint.h"
#include "link/packets.h"
#include "sys/files.h"
#include "sys/sockets.h"
#include "sys/stream.h"
#include "wire/address.h"

/* N of fd:N, or -EINVAL with a sentence. */
static int parse_number(const struct ferryi_address *a)
{
	int n = 0;

	for (const char *p = a->rest; *p; p++) {
		if (*p < '0' || *p > '9' || n > 99999999)
			n = -1;
		if (n < 0)
			break;
		n = 10 * n + (*p - '0');
	}
	if (n < 0 || !*a->rest)
		return ferryi_fail(-EINVAL,
				   "fd:%.100s is not a descriptor's "
				   "number (write fd:3)",
				   a->rest);
	return n;
}

static int check_direction(struct ferry_link *l, int n)
{
	int access = ferryi_fd_access(n);

	if (access < 0)
		return ferryi_fail(-ENOENT,
				   "%s: no such descriptor is open in "
				   "this process",
				   l->address);
	if (l->flags & FERRY_SEND && access == O_RDONLY)
		return ferryi_fail(-EINVAL, "%s is open for reading only",
				   l->address);
	if (l->flags & FERRY_RECV && access == O_WRONLY)
		return ferryi_fail(-EINVAL, "%s is open for writing only",
				   l->address);
	return 0;
}

/* The one descriptor serves the directions that the link is opened for. */
static void use(struct ferry_link *l, int fd)
{
	ferryi_endpoint_set(l, l->flags & FERRY_RECV ? fd : -1,
			    l->flags & FERRY_SEND ? fd : -1);
}

static int no_descriptor(struct ferry_link *l, int err)
{
	return ferryi_fail_sys(-err, "%s: it cannot be duplicated: %s",
			       l->address, strerror(-err));
}

static int open_file(struct ferry_link *l, int n, int kind)
{
	struct ferryi_endpoint *e = l->state;
	bool careful = kind != FERRYI_FD_FILE && ferryi_fd_blocks(n);
	int fd = -ENOENT;

	if (kind == FERRYI_FD_PIPE && careful)
		fd = ferryi_pipe_reopen(n, false);
	if (fd >= 0)
		careful = false;
	else
		fd = ferryi_fd_dup(n);
	if (fd < 0)
		return no_descriptor(l, fd);
	e->careful = careful;
	use(l, fd);
	l->messages = NULL;
	l->stream = &ferryi_stream_of_files;
	return 0;
}

static int use_socket(struct ferry_link *l, int fd, int type)
{
	bool stream = type == FERRYI_SOCKET_STREAM;
	int err;

	ferryi_endpoint_set(l, fd, fd);
	ferryi_endpoint_meet(l);
	l->messages = stream ? NULL : &ferryi_messages_of_socket;
	l->stream = stream ? &ferryi_stream_of_socket : NULL;
	if (type != FERRYI_SOCKET_SEQPACKET)
		return 0;
	/* Only UNIX sockets know it; others have no empty messages. */
	err = ferryi_socket_mark_messages(fd);
	if (err && err != -EOPNOTSUPP && err != -ENOPROTOOPT)
		return ferryi_fail_sys(-err,
				       "%s: the kernel does not mark "
				       "messages: %s",
				       l->address, strerror(-err));
	return 0;
}

static int open_socket(struct ferry_link *l, int n)
{
	int type = ferryi_socket_type(n), fd;

	if (type == FERRYI_SOCKET_LISTENER)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s is a listening socket "
				   "(accept a connection first)",
				   l->address);
	if (type < 0 || type == FERRYI_SOCKET_OTHER)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s is a socket of a type that "
				   "ferry does not know",
				   l->address);
	if (!ferryi_socket_is_connected(n) &&
	    (l->flags & FERRY_SEND || type != FERRYI_SOCKET_DGRAM))
		return ferryi_fail(-EOPNOTSUPP,
				   "%s is a socket that is not "
				   "connected (connect it first)",
				   l->address);
	fd = ferryi_fd_dup(n);
	return fd < 0 ? no_descriptor(l, fd) : use_socket(l, fd, type);
}

static int fd_open(struct ferry_link *l, const struct ferryi_address *a)
{
	int n = parse_number(a), err, kind;

	if (n < 0)
		return n;
	err = check_direction(l, n);
	if (err)
		return err;
	kind = ferryi_fd_kind(n);
	if (kind == FERRYI_FD_SOCKET)
		return open_socket(l, n);
	if (kind < 0 || kind == FERRYI_FD_OTHER)
		return ferryi_fail(-EOPNOTSUPP,
				   "%s is neither pipe, file, "
				   "terminal, device nor socket",
				   l->address);
	return open_file(l, n, kind);
}

static int fd_shutdown(struct ferry_link *l, unsigned direction)
{
	struct ferryi_endpoint *e = l->state;
	int fd = e->in >= 0 ? e->in : e->out;

	if (fd >= 0 && ferryi_fd_kind(fd) == FERRYI_FD_SOCKET)
		return ferryi_endpoint_shutdown_socket(l, direction);
	return ferryi_endpoint_shutdown_files(l, direction);
}

const struct ferryi_transport ferryi_transport_fd = {
	.info = {
		.scheme = "fd",
		.summary = "a descriptor that is already open",
		.naming = "number",
		.framing = "as it is",
		.direction = "as it is",
		.buffering = "as it is",
		.persistence = "as it is",
		.promises = FERRY_CAN_MESSAGES | FERRY_CAN_STREAM |
			    FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
			    FERRY_CAN_SHUTDOWN | FERRY_CAN_CREDENTIAL,
	},
	.state_size = sizeof(struct ferryi_endpoint),
	.open = fd_open,
	.shutdown = fd_shutdown,
	.peer = ferryi_endpoint_peer,
	.fini = ferryi_endpoint_fini,
	.spins = true,
	.interest = ferryi_endpoint_interest,
	.explain = ferryi_endpoint_explain,
	.messages = &ferryi_messages_of_socket,
	.stream = &ferryi_stream_of_files,
};
