/* SPDX-License-Identifier: MIT */
/* See sockets.h. */
#include "sys/sockets.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define QUIET	     (MSG_DONTWAIT | MSG_NOSIGNAL)
#define DRAIN_ROUNDS 16

static int raw_type(enum ferryi_socket_type type)
{
	return (type == FERRYI_SOCKET_STREAM ? SOCK_STREAM :
		type == FERRYI_SOCKET_DGRAM  ? SOCK_DGRAM :
					       SOCK_SEQPACKET) |
	       SOCK_CLOEXEC | SOCK_NONBLOCK;
}

int ferryi_socket(enum ferryi_socket_type type)
{
	int fd = socket(AF_UNIX, raw_type(type), 0);

	return fd < 0 ? -errno : fd;
}

int ferryi_socket_pair(enum ferryi_socket_type type, int out[2])
{
	return socketpair(AF_UNIX, raw_type(type), 0, out) == 0 ? 0 : -errno;
}

/* --- names --------------------------------------------------------------- */

int ferryi_socket_bind(int fd, const char *name, unsigned mode)
{
	struct ferryi_name a;
	int err = ferryi_name_of_path(&a, name);

	if (err)
		return err;
	/* The file is born with the socket's mode: it is never more open. */
	if (fchmod(fd, mode) != 0)
		return -errno;
	return bind(fd, (struct sockaddr *)a.bytes, a.size) == 0 ? 0 : -errno;
}

int ferryi_socket_bind_any(int fd)
{
	sa_family_t family = AF_UNIX;

	return bind(fd, (struct sockaddr *)&family, sizeof family) == 0 ?
		       0 :
		       -errno;
}

int ferryi_socket_connect(int fd, const char *name)
{
	struct ferryi_name a;
	int err = ferryi_name_of_path(&a, name);

	if (err)
		return err;
	while ((err = connect(fd, (struct sockaddr *)a.bytes, a.size)) != 0 &&
	       errno == EINTR)
		;
	return err == 0 ? 0 : -errno;
}

int ferryi_socket_listen(int fd)
{
	return listen(fd, SOMAXCONN) == 0 ? 0 : -errno;
}

int ferryi_socket_accept(int fd)
{
	int peer;

	while ((peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) <
		       0 &&
	       (errno == EINTR || errno == ECONNABORTED))
		;
	return peer < 0 ? -errno : peer;
}

/* --- the directory of a socket file -------------------------------------- */

int ferryi_directory_lock_try(int dir)
{
	int r;

	while ((r = flock(dir, LOCK_EX | LOCK_NB)) != 0 && errno == EINTR)
		;
	return r == 0 ? 0 : -errno;
}

void ferryi_directory_unlock(int dir)
{
	flock(dir, LOCK_UN);
}

int ferryi_chmod_at(int dir, const char *name, unsigned mode)
{
	return fchmodat(dir, name, mode, 0) == 0 ? 0 : -errno;
}

/* --- questions ----------------------------------------------------------- */

static int option(int fd, int name)
{
	int value = 0;
	socklen_t size = sizeof value;

	if (getsockopt(fd, SOL_SOCKET, name, &value, &size) != 0)
		return -errno;
	return value;
}

int ferryi_socket_type(int fd)
{
	int type = option(fd, SO_TYPE);

	if (type < 0)
		return type;
	if (option(fd, SO_ACCEPTCONN) == 1)
		return FERRYI_SOCKET_LISTENER;
	switch (type) {
	case SOCK_STREAM: return FERRYI_SOCKET_STREAM;
	case SOCK_SEQPACKET: return FERRYI_SOCKET_SEQPACKET;
	case SOCK_DGRAM: return FERRYI_SOCKET_DGRAM;
	}
	return FERRYI_SOCKET_OTHER;
}

bool ferryi_socket_is_connected(int fd)
{
	struct sockaddr_storage a;
	socklen_t size = sizeof a;

	return getpeername(fd, (struct sockaddr *)&a, &size) == 0;
}

int ferryi_socket_peer(int fd, pid_t *pid, uid_t *uid, gid_t *gid)
{
	struct ucred c;
	socklen_t size = sizeof c;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &size) != 0)
		return -errno;
	if (c.uid == (uid_t)-1) /* not a UNIX socket, or not connected */
		return -ENOTCONN;
	*pid = c.pid;
	*uid = c.uid;
	*gid = c.gid;
	return 0;
}

int ferryi_socket_name(int fd, struct ferryi_name *out)
{
	socklen_t size = sizeof out->bytes;

	if (getsockname(fd, (struct sockaddr *)out->bytes, &size) != 0)
		return -errno;
	out->size = size;
	return 0;
}

int ferryi_socket_peer_name(int fd, struct ferryi_name *out)
{
	socklen_t size = sizeof out->bytes;

	if (getpeername(fd, (struct sockaddr *)out->bytes, &size) != 0)
		return -errno;
	out->size = size;
	return 0;
}

int ferryi_socket_path(int fd, char out[FERRYI_SOCKET_PATH_MAX + 1])
{
	struct sockaddr_un a = { 0 };
	socklen_t size = sizeof a;

	if (getsockname(fd, (struct sockaddr *)&a, &size) != 0)
		return -errno;
	if (a.sun_family != AF_UNIX ||
	    size <= offsetof(struct sockaddr_un, sun_path) || !a.sun_path[0])
		return -EINVAL; /* no UNIX socket, or one without a path */
	memcpy(out, a.sun_path, FERRYI_SOCKET_PATH_MAX);
	out[FERRYI_SOCKET_PATH_MAX] = 0;
	return 0;
}

ssize_t ferryi_socket_largest(int fd)
{
	int size = option(fd, SO_SNDBUF);

	/* unix_dgram_sendmsg() keeps 32 bytes for itself. */
	return size < 32 ? size : size - 32;
}

int ferryi_socket_shutdown(int fd, bool sending, bool receiving)
{
	int how = sending && receiving ? SHUT_RDWR :
		  sending	       ? SHUT_WR :
					 SHUT_RD;

	return shutdown(fd, how) == 0 ? 0 : -errno;
}

/* --- bytes --------------------------------------------------------------- */

ssize_t ferryi_socket_send(int fd, const void *data, size_t len)
{
	ssize_t n;

	while ((n = send(fd, data, len, QUIET)) < 0 && errno == EINTR)
		;
	return n < 0 ? -errno : n;
}

ssize_t ferryi_socket_recv(int fd, void *buf, size_t size)
{
	ssize_t n;

	while ((n = recv(fd, buf, size, MSG_DONTWAIT)) < 0 && errno == EINTR)
		;
	return n < 0 ? -errno : n;
}

int ferryi_socket_drain(int fd)
{
	char bytes[256];
	ssize_t n = 1;

	for (unsigned i = 0; i < DRAIN_ROUNDS && n > 0; i++)
		n = ferryi_socket_recv(fd, bytes, sizeof bytes);
	return n == 0 || n == -ECONNRESET ? -ENODATA : 0;
}

/* --- messages ------------------------------------------------------------ */

ssize_t ferryi_socket_send_to(int fd, const struct ferryi_name *to,
			      const void *data, size_t len)
{
	ssize_t n;

	while ((n = sendto(fd, data, len, QUIET,
			   (const struct sockaddr *)to->bytes, to->size)) < 0 &&
	       errno == EINTR)
		;
	return n < 0 ? -errno : n;
}

int ferryi_socket_mark_messages(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0 ?
		       0 :
		       -errno;
}

/* What nobody has asked for must not fill our table. */
static void close_passed(struct msghdr *m)
{
	struct cmsghdr *c;
	int fd;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at < c->cmsg_len;
		     at += sizeof fd) {
			memcpy(&fd, (char *)c + at, sizeof fd);
			close(fd);
		}
	}
}

/* Who sent it, as far as the kernel says. */
static void note_sender(struct msghdr *m, struct ferryi_came *came)
{
	struct cmsghdr *c;
	struct ucred who;

	came->from.size = m->msg_namelen;
	came->known = false;
	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&who, CMSG_DATA(c), sizeof who);
		came->pid = who.pid;
		came->uid = who.uid;
		came->gid = who.gid;
		came->known = who.pid > 0;
	}
}

/* What the message is read into, and the flags that came with it, are in `m`. */
static ssize_t receive(int fd, struct msghdr *m, int flags)
{
	ssize_t n;

	while ((n = recvmsg(fd, m,
			    flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC |
				    MSG_TRUNC)) < 0 &&
	       errno == EINTR)
		;
	if (n < 0)
		return -errno;
	/* A message has credentials with it, read or cut off; the end has not. */
	if (n == 0 && m->msg_controllen == 0 && !(m->msg_flags & MSG_CTRUNC) &&
	    option(fd, SO_TYPE) != SOCK_DGRAM)
		return -ENODATA;
	if (!(flags & MSG_PEEK) && (m->msg_flags & MSG_TRUNC))
		return -EMSGSIZE;
	return n;
}

/* recv(2) costs a third less than recvmsg(2), but cannot tell no bytes from the end. */
static ssize_t receive_bytes(int fd, void *buf, size_t size, int flags)
{
	ssize_t n;

	while ((n = recv(fd, buf, size, flags | MSG_DONTWAIT | MSG_TRUNC)) <
		       0 &&
	       errno == EINTR)
		;
	return n < 0 ? -errno : n;
}

ssize_t ferryi_socket_next(int fd)
{
	ssize_t n = receive_bytes(fd, NULL, 0, MSG_PEEK);
	struct msghdr m = { .msg_iovlen = 0 };

	return n == 0 ? receive(fd, &m, MSG_PEEK) : n;
}

ssize_t ferryi_socket_next_from(int fd, struct ferryi_name *from)
{
	socklen_t size = sizeof from->bytes;
	ssize_t n;

	while ((n = recvfrom(fd, NULL, 0, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC,
			     (struct sockaddr *)from->bytes, &size)) < 0 &&
	       errno == EINTR)
		;
	from->size = size;
	return n < 0 ? -errno : n;
}

ssize_t ferryi_socket_drop(int fd)
{
	return receive_bytes(fd, NULL, 0, 0);
}

/* Without room for them the kernel closes the descriptors of a message itself. */
ssize_t ferryi_socket_take(int fd, void *buf, size_t len)
{
	struct msghdr m = { .msg_iovlen = 0 };
	ssize_t n;

	if (len == 0)
		return receive(fd, &m, 0);
	n = receive_bytes(fd, buf, len, 0);
	return n == 0 || n > (ssize_t)len ? -EMSGSIZE : n;
}

ssize_t ferryi_socket_take_from(int fd, void *buf, size_t size,
				struct ferryi_came *came)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec v = { buf, size };
	struct msghdr m = { .msg_name = came->from.bytes,
			    .msg_namelen = sizeof came->from.bytes,
			    .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof control };
	ssize_t n = receive(fd, &m, 0);

	if (n >= 0 || n == -EMSGSIZE) {
		close_passed(&m);
		note_sender(&m, came);
	}
	return n;
}
