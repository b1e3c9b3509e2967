/* SPDX-License-Identifier: MIT */
/* See ready.h. */
#include "sys/ready.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
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

int ferryi_eventfd_renew(int fd)
{
	int fresh = ferryi_eventfd(), r;

	if (fresh < 0)
		return fresh;
	r = dup3(fresh, fd, O_CLOEXEC) < 0 ? -errno : 0;
	close(fresh);
	return r;
}

void ferryi_eventfd_set(int fd)
{
	uint64_t one = 1;
	int saved = errno;

	if (write(fd, &one, sizeof one) < 0)
		errno = saved; /* full: it is readable already */
}

bool ferryi_eventfd_take(int fd)
{
	uint64_t count;
	int saved = errno;

	if (read(fd, &count, sizeof count) == sizeof count)
		return true;
	errno = saved;
	return false;
}

void ferryi_eventfd_clear(int fd)
{
	ferryi_eventfd_take(fd);
}

/* --- timers ---------------------------------------------------------------- */

int ferryi_timer(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

void ferryi_timer_set(int fd, int64_t at)
{
	struct itimerspec t = { { 0, 0 }, { 0, 0 } };

	if (at != INT64_MAX) {
		t.it_value.tv_sec = at / 1000000000;
		t.it_value.tv_nsec = at > 0 ? at % 1000000000 : 1;
	}
	timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL);
}

/* --- sets ------------------------------------------------------------------- */

#define READY_MOST 32

int ferryi_set_new(void)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int ferryi_set_add(int set, int fd, void *about)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = about };

	return epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : -errno;
}

/* The events of poll and of epoll have the same numbers. */
int ferryi_set_watch(int set, int fd, short events)
{
	struct epoll_event e = { .events = (uint16_t)events };

	if (epoll_ctl(set, EPOLL_CTL_MOD, fd, &e) == 0 ||
	    (errno == ENOENT && epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0))
		return 0;
	return -errno;
}

void ferryi_set_remove(int set, int fd)
{
	int saved = errno;

	if (epoll_ctl(set, EPOLL_CTL_DEL, fd, NULL) != 0)
		errno = saved; /* it was not in it */
}

unsigned ferryi_set_ready(int set, void **about, unsigned n)
{
	struct epoll_event e[READY_MOST];
	int r = epoll_wait(set, e, (int)(n < READY_MOST ? n : READY_MOST), 0);

	for (int i = 0; i < r; i++)
		about[i] = e[i].data.ptr;
	return r < 0 ? 0 : (unsigned)r;
}
