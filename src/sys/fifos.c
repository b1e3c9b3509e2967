/* SPDX-License-Identifier: MIT */
/* See fifos.h. */
#include "sys/fifos.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int ferryi_fifo_make(int dir, const char *name)
{
	return mkfifoat(dir, name, 0600) == 0 ? 0 : -errno;
}

static int is_fifo(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return -ELOOP;
	return S_ISFIFO(st->st_mode) ? 0 : -EINVAL;
}

int ferryi_fifo_open(int dir, const char *name, bool writing)
{
	struct stat st;
	int fd, r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	r = is_fifo(&st);
	if (r < 0)
		return r;
	while ((fd = openat(dir, name,
			    (writing ? O_WRONLY : O_RDONLY) | O_NONBLOCK |
				    O_CLOEXEC | O_NOFOLLOW | O_NOCTTY)) < 0 &&
	       errno == EINTR)
		;
	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) == 0 ? is_fifo(&st) : -errno;
	if (r < 0) /* it was another file a moment ago */
		close(fd);
	return r < 0 ? r : fd;
}

int ferryi_fifo_lock_try(int fd)
{
	int r;

	while ((r = flock(fd, LOCK_EX | LOCK_NB)) != 0 && errno == EINTR)
		;
	return r == 0 ? 0 : -errno;
}

short ferryi_fd_events(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	while ((n = poll(&p, 1, 0)) < 0 && errno == EINTR)
		;
	return n > 0 ? p.revents : 0;
}

int ferryi_fifo_queued(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) == 0 ? n : -errno;
}

uint64_t ferryi_random(void)
{
	uint64_t n = 0;

	if (getrandom(&n, sizeof n, GRND_NONBLOCK) != sizeof n)
		return 0;
	return n;
}
