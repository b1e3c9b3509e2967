/* SPDX-License-Identifier: MIT */
/* See passing.h. */
#include "sys/passing.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct ucred)) +
		   CMSG_SPACE(FERRYI_PASSED_MOST * sizeof(int))];
};

int ferryi_pass(int fd, const void *data, size_t len, const int *fds,
		unsigned n)
{
	union control control;
	struct iovec v = { (void *)data, len };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	struct cmsghdr *c;
	ssize_t r;

	if (n > FERRYI_PASSED_MOST)
		return -EINVAL;
	if (n > 0) {
		memset(&control, 0, CMSG_SPACE(n * sizeof(int)));
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	while ((r = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL)) < 0 &&
	       errno == EINTR)
		;
	return r < 0 ? -errno : 0;
}

/* How many descriptors came; they are ours now. */
static unsigned came_with(struct msghdr *m, int out[FERRYI_PASSED_MOST])
{
	struct cmsghdr *c;
	unsigned n;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(out, CMSG_DATA(c), n * sizeof(int));
		return n;
	}
	return 0;
}

ssize_t ferryi_passed(int fd, void *buf, size_t size, int *fds, unsigned max,
		      unsigned *out_n, bool peek)
{
	union control control;
	struct iovec v = { buf, size };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof control };
	int flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC | (peek ? MSG_PEEK : 0);
	int came[FERRYI_PASSED_MOST];
	unsigned n;
	ssize_t r;

	while ((r = recvmsg(fd, &m, flags)) < 0 && errno == EINTR)
		;
	if (r <= 0)
		return r < 0 ? -errno : -ENODATA;
	n = came_with(&m, came);
	if (n <= max && !(m.msg_flags & MSG_CTRUNC)) {
		memcpy(fds, came, n * sizeof(int));
		*out_n = n;
		return r;
	}
	while (n > 0)
		close(came[--n]);
	return m.msg_flags & MSG_CTRUNC ? -EMFILE : -EBADMSG;
}

/* What was looked at is taken; `n` is its length. */
static int take_seen(int fd, ssize_t n)
{
	ssize_t r;

	while ((r = recv(fd, NULL, 0, MSG_DONTWAIT | MSG_TRUNC)) < 0 &&
	       errno == EINTR)
		;
	return r == n ? 0 : -EBADMSG;
}

ssize_t ferryi_passed_message(int fd, void *buf, size_t size,
			      int fds[FERRYI_PASSED_MOST], unsigned *out_n)
{
	union control control;
	struct iovec v = { buf, size };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof control };
	unsigned n;
	ssize_t r;
	int err = 0;

	while ((r = recvmsg(fd, &m,
			    MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_PEEK |
				    MSG_TRUNC)) < 0 &&
	       errno == EINTR)
		;
	if (r < 0)
		return -errno;
	if (r == 0 && m.msg_controllen == 0)
		return -ENODATA;
	n = came_with(&m, fds);
	if ((size_t)r > size)
		err = -EMSGSIZE;
	else if (m.msg_flags & MSG_CTRUNC)
		err = -EMFILE;
	else
		err = take_seen(fd, r);
	*out_n = n;
	while (err && n > 0)
		close(fds[--n]);
	return err ? err : r;
}

int ferryi_drop_passed(int fd)
{
	char byte;
	ssize_t r;

	while ((r = recv(fd, &byte, 1, MSG_DONTWAIT)) < 0 && errno == EINTR)
		;
	if (r <= 0)
		return r < 0 ? -errno : -ENODATA;
	return 0;
}
