/* SPDX-License-Identifier: MIT */
/* See ready.h. */
#include "sys/ready.h"

#include <errno.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"

int ferryi_poll(struct pollfd *fds, unsigned n, int64_t deadline)
{
	int64_t left = deadline == INT64_MAX ? 0 : deadline - ferryi_now();
	struct timespec ts;
	int r;

	if (left < 0)
		left = 0;
	ts = (struct timespec){ left / 1000000000, left % 1000000000 };
	r = ppoll(fds, n, deadline == INT64_MAX ? NULL : &ts, NULL);
	return r < 0 ? -errno : r;
}

int ferryi_eventfd(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

void ferryi_eventfd_set(int fd)
{
	uint64_t one = 1;
	int saved = errno;

	if (write(fd, &one, sizeof one) < 0)
		errno = saved; /* full: it is readable already */
}

void ferryi_eventfd_clear(int fd)
{
	uint64_t count;
	int saved = errno;

	if (read(fd, &count, sizeof count) < 0)
		errno = saved;
}
