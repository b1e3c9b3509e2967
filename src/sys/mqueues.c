/* SPDX-License-Identifier: MIT */
/* See mqueues.h. */
#include "sys/mqueues.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static int access_of(enum ferryi_mqueue_use use)
{
	int access = use == FERRYI_MQUEUE_SEND ? O_WRONLY :
		     use == FERRYI_MQUEUE_RECV ? O_RDONLY :
						 O_RDWR;

	return access | O_NONBLOCK | O_CLOEXEC;
}

int ferryi_mqueue_open(const char *name, enum ferryi_mqueue_use use)
{
	mqd_t fd = mq_open(name, access_of(use));

	return fd < 0 ? -errno : fd;
}

int ferryi_mqueue_create(const char *name, enum ferryi_mqueue_use use,
			 unsigned mode, uint64_t capacity, uint64_t max)
{
	struct mq_attr attr = { 0 };
	mqd_t fd;
	int err;

	if (capacity > LONG_MAX || max > LONG_MAX)
		return -EINVAL;
	attr.mq_maxmsg = (long)capacity;
	attr.mq_msgsize = (long)max;
	fd = mq_open(name, access_of(use) | O_CREAT | O_EXCL, (mode_t)mode,
		     &attr);
	if (fd < 0)
		return -errno;
	/* Y1: a queue whose mode the umask has made narrower */
	if (fchmod(fd, mode) == 0) /* whatever the umask has taken away */
		return fd;
	err = -errno;
	mq_unlink(name);
	close(fd);
	return err;
}

#define PLACE "/dev/mqueue"
#define MAGIC 0x19800202 /* of that file system */

int ferryi_mqueues(int (*each)(const char *name, void *arg), void *arg)
{
	char name[NAME_MAX + 2];
	struct dirent *e;
	struct statfs fs;
	int r = 0;
	DIR *d;

	if (statfs(PLACE, &fs) != 0 || fs.f_type != MAGIC)
		return -ENODEV;
	d = opendir(PLACE);
	if (!d)
		return -errno;
	while (r == 0 && (e = readdir(d))) {
		if (e->d_name[0] == '.' &&
		    (!e->d_name[1] || (e->d_name[1] == '.' && !e->d_name[2])))
			continue;
		snprintf(name, sizeof name, "/%s", e->d_name);
		r = each(name, arg);
	}
	closedir(d);
	return r;
}

int ferryi_mqueue_look(int fd, struct ferryi_mqueue *out)
{
	struct mq_attr attr;

	if (mq_getattr(fd, &attr) != 0)
		return -errno;
	out->capacity = (uint64_t)attr.mq_maxmsg;
	out->max = (uint64_t)attr.mq_msgsize;
	out->queued = (uint64_t)attr.mq_curmsgs;
	return 0;
}

int ferryi_mqueue_unlink(const char *name)
{
	return mq_unlink(name) == 0 ? 0 : -errno;
}

/*
 * The calls have a time limit that has passed long ago: the kernel never waits,
 * whatever somebody has done to the flags of a description that came by fork.  It is
 * not const, for qemu writes it back.
 */

int ferryi_mqueue_send(int fd, const void *data, size_t len, unsigned priority)
{
	struct timespec long_past = { 0 };
	int r;

	do
		r = mq_timedsend(fd, data ? data : "", len, priority,
				 &long_past);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return 0;
	return errno == ETIMEDOUT ? -EAGAIN : -errno;
}

ssize_t ferryi_mqueue_recv(int fd, void *buf, size_t size, unsigned *priority)
{
	struct timespec long_past = { 0 };
	ssize_t n;

	do
		n = mq_timedreceive(fd, buf, size, priority, &long_past);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	return errno == ETIMEDOUT ? -EAGAIN : -errno;
}
