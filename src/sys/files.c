/* SPDX-License-Identifier: MIT */
/* See files.h. */
#include "sys/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sys/clock.h"

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

/*
 * A descriptor that we keep of a realm is never 0, 1 or 2: a program may run with
 * those closed, and whoever writes to what it takes for its output would write into
 * our files.
 */
static int kept(int fd)
{
	int above, err;

	if (fd < 0 || fd > STDERR_FILENO)
		return result(fd);
	above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	err = errno;
	close(fd);
	return above < 0 ? -err : above;
}

int ferryi_open_directory(const char *path)
{
	return kept(
		open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
}

int ferryi_make_directory(const char *path, unsigned mode)
{
	int fd, r;

	if (mkdir(path, 0700) != 0)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) { /* a umask of 0777: we own it, so chmod may still work */
		if (chmod(path, mode) != 0)
			return -errno;
		return 0;
	}
	r = result(fchmod(fd, mode));
	close(fd);
	return r;
}

int ferryi_open_at(int dir, const char *name)
{
	return kept(openat(dir, name,
			   O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
				   O_NOCTTY));
}

int ferryi_open_read_at(int dir, const char *name)
{
	return kept(openat(dir, name,
			   O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
				   O_NOCTTY));
}

int ferryi_file_new(int dir, char out_name[32])
{
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	out_name[0] = 0;
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return kept(fd);
	snprintf(out_name, 32, FERRYI_UNFINISHED "%d.%lld", (int)getpid(),
		 (long long)(ferryi_now() % 1000000000));
	return kept(openat(dir, out_name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC,
			   0600));
}

int ferryi_file_publish(int dir, int fd, const char *temporary,
			const char *name)
{
	char path[40];
	int r;

	if (temporary[0]) {
		r = result(linkat(dir, temporary, dir, name, 0));
		unlinkat(dir, temporary, 0);
		return r;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	r = result(linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW));
	if (r == -ENOENT) /* no /proc: needs a capability or Linux 6.10 */
		r = result(linkat(fd, "", dir, name, AT_EMPTY_PATH));
	return r;
}

int ferryi_unlink(int dir, const char *name)
{
	return result(unlinkat(dir, name, 0));
}

int ferryi_set_access(int fd, unsigned mode, int64_t gid)
{
	if (gid >= 0 && fchown(fd, (uid_t)-1, (gid_t)gid) != 0)
		return -errno;
	return result(fchmod(fd, mode));
}

int ferryi_resize(int fd, uint64_t size)
{
	struct rlimit limit;

	/* beyond it the kernel would send SIGXFSZ to the program */
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && size > limit.rlim_cur)
		return -EFBIG;
	return result(ftruncate(fd, (off_t)size));
}

int ferryi_reserve(int fd, uint64_t at, uint64_t len)
{
	int r;

	do
		r = result(fallocate(fd, 0, (off_t)at, (off_t)len));
	while (r == -EINTR);
	return r;
}

ssize_t ferryi_read_at(int fd, void *buf, size_t len, uint64_t at)
{
	ssize_t r;

	do
		r = pread(fd, buf, len, (off_t)at);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

ssize_t ferryi_write_at(int fd, const void *buf, size_t len, uint64_t at)
{
	ssize_t r;

	do
		r = pwrite(fd, buf, len, (off_t)at);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

int ferryi_memory_new(uint64_t size)
{
	int fd = kept(memfd_create("ferry", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	int e;

	if (fd < 0)
		return fd;
	e = ferryi_resize(fd, size);
	if (e == 0)
		e = ferryi_reserve(fd, 0, size);
	if (e == 0 && fcntl(fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_SEAL) != 0)
		e = -errno;
	if (e < 0)
		close(fd);
	return e < 0 ? e : fd;
}

int64_t ferryi_memory_size(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & SIZE_SEALS) != SIZE_SEALS)
		return -EINVAL;
	return fstat(fd, &st) == 0 ? (int64_t)st.st_size : -errno;
}

void *ferryi_map(int fd, uint64_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_NORESERVE, fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, size, MADV_DONTFORK);
	return p;
}

void ferryi_unmap(void *base, uint64_t size)
{
	if (base)
		munmap(base, size);
}

int ferryi_stat(int fd, struct stat *st)
{
	return result(fstat(fd, st));
}

int ferryi_stat_path(const char *path, struct stat *st)
{
	return result(lstat(path, st));
}

int ferryi_stat_at(int dir, const char *name, struct stat *st)
{
	return result(fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW));
}

void ferryi_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

int ferryi_keep_over_exec(int fd)
{
	return fcntl(fd, F_SETFD, 0) == 0 ? 0 : -errno;
}

bool ferryi_is_file(int fd, dev_t dev, ino_t ino)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == dev &&
	       st.st_ino == ino;
}

int ferryi_space(int fd, uint64_t *out_free, uint64_t *out_total)
{
	struct statfs s;

	if (fstatfs(fd, &s) != 0)
		return -errno;
	*out_free = (uint64_t)s.f_bavail * (uint64_t)s.f_bsize;
	*out_total = (uint64_t)s.f_blocks * (uint64_t)s.f_bsize;
	return 0;
}

void ferryi_path_of(int fd, char *buf, size_t size)
{
	char path[40];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	n = readlink(path, buf, size - 1);
	if (n < 0) {
		buf[0] = '?';
		n = 1;
	}
	buf[n] = 0;
}

int ferryi_each_name(int dir, int (*each)(const char *name, void *arg),
		     void *arg)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	struct dirent *e;
	DIR *d;

	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r == 0 && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = each(e->d_name, arg);
	closedir(d);
	return r;
}
