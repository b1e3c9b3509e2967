/* SPDX-License-Identifier: MIT */
/* See appending.h. */
#include "sys/appending.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FLAGS (O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

int ferryi_append_open(const char *path, bool write)
{
	int fd = open(path, (write ? O_RDWR : O_RDONLY) | OPEN_FLAGS);

	return fd < 0 ? -errno : fd;
}

int ferryi_append_create(const char *path, unsigned mode)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | OPEN_FLAGS,
		      mode & 0600),
	    err;

	if (fd < 0)
		return -errno;
	if (fchmod(fd, mode) == 0)
		return fd;
	err = -errno;
	unlink(path);
	close(fd);
	return err;
}

int ferryi_append_remove(const char *path)
{
	return unlink(path) == 0 ? 0 : -errno;
}

int ferryi_append_stat(const char *path, struct stat *st)
{
	return stat(path, st) == 0 ? 0 : -errno;
}

/* Beyond the limit the kernel would send SIGXFSZ to the program. */
static bool within_limit(uint64_t end)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) != 0 || end <= limit.rlim_cur;
}

int ferryi_append_write(int fd, const struct iovec *v, int n, uint64_t at)
{
	struct iovec left[4];
	uint64_t end = at;
	ssize_t done;

	if (n > 4)
		return -EINVAL;
	for (int i = 0; i < n; i++)
		end += v[i].iov_len;
	if (!within_limit(end))
		return -EFBIG;
	memcpy(left, v, (size_t)n * sizeof *v);
	while (at < end) {
		/* X9: the beginning of a record, if the write was cut short */
		done = pwritev(fd, left, n, (off_t)at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		at += (uint64_t)done;
		for (int i = 0; i < n; i++) {
			size_t part = (size_t)done < left[i].iov_len ?
					      (size_t)done :
					      left[i].iov_len;

			left[i].iov_base = (char *)left[i].iov_base + part;
			left[i].iov_len -= part;
			done -= (ssize_t)part;
		}
	}
	return 0;
}

int ferryi_append_sync(int fd)
{
	int r;

	while ((r = fdatasync(fd)) < 0 && errno == EINTR)
		;
	return r < 0 ? -errno : 0;
}

int ferryi_append_sync_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	int err = 0, fd;
	char *dir;

	dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	if (!dir)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	free(dir);
	return err;
}

ssize_t ferryi_append_read(int fd, void *buf, size_t len, char *last,
			   uint64_t at)
{
	struct iovec v[2] = { { buf, len }, { last, 1 } };
	ssize_t n;

	while ((n = preadv(fd, v, 2, (off_t)at)) < 0 && errno == EINTR)
		;
	return n < 0 ? -errno : n;
}

int ferryi_append_path(const char *path, char *out, size_t size)
{
	size_t n = 0;

	if (path[0] != '/') {
		if (!getcwd(out, size))
			return -errno;
		n = strlen(out);
		n += (size_t)snprintf(out + n, size - n, "/");
	}
	return n + strlen(path) < size ?
		       snprintf(out + n, size - n, "%s", path) :
		       -ENAMETOOLONG;
}

int ferryi_append_watch(int fd)
{
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), err;
	char path[40];

	if (watch < 0)
		return -errno;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (inotify_add_watch(watch, path,
			      IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF |
				      IN_DELETE_SELF) >= 0)
		return watch;
	err = -errno;
	close(watch);
	return err;
}

void ferryi_append_heard(int watch)
{
	char events[4096];

	while (read(watch, events, sizeof events) > 0)
		;
}
