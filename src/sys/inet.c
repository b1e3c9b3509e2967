/* SPDX-License-Identifier: MIT */
/* See inet.h. */
#include "sys/inet.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "sys/files.h"
#include "sys/sockets.h"

#define ASKED_TIMES 4 /* before a silent peer is given up */

static int set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 :
									-errno;
}

int ferryi_inet_socket(const struct ferryi_name *like, bool stream, bool both)
{
	int family = ferryi_name_family(like), err = 0;
	int fd = socket(family,
			(stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC |
				SOCK_NONBLOCK,
			0);

	if (fd < 0)
		return -errno;
	if (family == AF_INET6)
		err = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !both);
	if (!err)
		return fd;
	ferryi_close(fd);
	return err;
}

bool ferryi_inet_is_for_both(int fd)
{
	int only = 1;
	socklen_t size = sizeof only;

	return getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) == 0 &&
	       !only;
}

int ferryi_inet_reuse(int fd)
{
	return set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
}

int ferryi_inet_bind(int fd, const struct ferryi_name *n)
{
	return bind(fd, (const struct sockaddr *)n->bytes, n->size) == 0 ?
		       0 :
		       -errno;
}

int ferryi_inet_listen(int fd, int backlog)
{
	return listen(fd, backlog) == 0 ? 0 : -errno;
}

/* What happened to a connection before anybody could see it. */
static bool is_of_a_lost_one(int err)
{
	switch (err) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENOPROTOOPT:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENONET: return true;
	}
	return false;
}

int ferryi_inet_accept(int fd, struct ferryi_name *out_from)
{
	socklen_t size;
	int peer;

	do {
		size = sizeof out_from->bytes;
		peer = accept4(fd, (struct sockaddr *)out_from->bytes, &size,
			       SOCK_CLOEXEC | SOCK_NONBLOCK);
	} while (peer < 0 && is_of_a_lost_one(errno));
	out_from->size = size;
	return peer < 0 ? -errno : peer;
}

int ferryi_inet_connect(int fd, const struct ferryi_name *n)
{
	if (connect(fd, (const struct sockaddr *)n->bytes, n->size) == 0)
		return 0;
	return errno == EINTR ? -EINPROGRESS : -errno;
}

int ferryi_inet_error(int fd)
{
	int err = 0;
	socklen_t size = sizeof err;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) != 0)
		return -errno;
	return -err;
}

bool ferryi_inet_met_itself(int fd)
{
	struct ferryi_name here, there;

	return ferryi_socket_name(fd, &here) == 0 &&
	       ferryi_socket_peer_name(fd, &there) == 0 &&
	       ferryi_name_same(&here, &there);
}

int ferryi_inet_no_delay(int fd)
{
	return set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

int ferryi_inet_keep_alive(int fd, unsigned seconds)
{
	unsigned pause = seconds / ASKED_TIMES;
	int err = set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);

	if (err || seconds == 0)
		return err;
	err = set(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)seconds);
	if (!err)
		err = set(fd, IPPROTO_TCP, TCP_KEEPINTVL,
			  pause ? (int)pause : 1);
	if (!err)
		err = set(fd, IPPROTO_TCP, TCP_KEEPCNT, ASKED_TIMES);
	/* While something is unacknowledged nobody is asked: it is sent again. */
	if (!err)
		err = set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
			  (int)(2000 * seconds));
	return err;
}

int ferryi_inet_broadcast(int fd)
{
	return set(fd, SOL_SOCKET, SO_BROADCAST, 1);
}
