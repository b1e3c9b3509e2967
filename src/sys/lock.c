/* SPDX-License-Identifier: MIT */
/* See lock.h. */
#include "sys/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "sys/clock.h"

static int lock(int fd, int command, short type, uint64_t at, uint64_t len,
		struct flock *l)
{
	int r;

	*l = (struct flock){ .l_type = type,
			     .l_whence = SEEK_SET,
			     .l_start = (off_t)at,
			     .l_len = (off_t)len };
	do
		r = fcntl(fd, command, l);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

int ferryi_lock_try(int fd, uint64_t at, uint64_t len)
{
	struct flock l;

	return lock(fd, F_OFD_SETLK, F_WRLCK, at, len, &l);
}

int ferryi_lock_wait(int fd, uint64_t at, uint64_t len, int64_t deadline)
{
	int r;

	while ((r = ferryi_lock_try(fd, at, len)) == -EAGAIN &&
	       ferryi_now() < deadline)
		poll(NULL, 0, 1);
	return r;
}

void ferryi_lock_drop(int fd, uint64_t at, uint64_t len)
{
	struct flock l;

	lock(fd, F_OFD_SETLK, F_UNLCK, at, len, &l);
}

int ferryi_lock_held(int fd, uint64_t at, uint64_t len)
{
	struct flock l;
	int r = lock(fd, F_OFD_GETLK, F_WRLCK, at, len, &l);

	return r < 0 ? r : l.l_type != F_UNLCK;
}
