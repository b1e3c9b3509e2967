/* SPDX-License-Identifier: MIT */
/* See stream.h. */
#include "sys/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

int ferryi_fd_kind(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -errno;
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
	case S_IFBLK: return FERRYI_FD_FILE;
	case S_IFIFO: return FERRYI_FD_PIPE;
	case S_IFCHR: return FERRYI_FD_DEVICE;
	case S_IFSOCK: return FERRYI_FD_SOCKET;
	}
	return FERRYI_FD_OTHER;
}

int ferryi_fd_access(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (flags & O_PATH)
		return -EBADF;
	return flags & O_ACCMODE;
}

bool ferryi_fd_blocks(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !(flags & O_NONBLOCK);
}

int ferryi_fd_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return copy < 0 ? -errno : copy;
}

int ferryi_pipe_reopen(int fd, bool blocks)
{
	int access = ferryi_fd_access(fd), again;
	struct stat one, two;
	char path[40];

	if (access < 0)
		return access;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	again = open(path,
		     access | (blocks ? 0 : O_NONBLOCK) | O_CLOEXEC | O_NOCTTY);
	if (again < 0)
		return -errno;
	if (fstat(fd, &one) == 0 && fstat(again, &two) == 0 &&
	    one.st_dev == two.st_dev && one.st_ino == two.st_ino)
		return again;
	close(again); /* /proc is not what it seems */
	return -ENOENT;
}

int ferryi_pipe(int out[2])
{
	return pipe2(out, O_NONBLOCK | O_CLOEXEC) == 0 ? 0 : -errno;
}

bool ferryi_fd_ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	while ((n = poll(&p, 1, 0)) < 0 && errno == EINTR)
		;
	return n > 0;
}

ssize_t ferryi_fd_read(int fd, void *buf, size_t size)
{
	ssize_t n;

	while ((n = read(fd, buf, size)) < 0 && errno == EINTR)
		;
	return n < 0 ? -errno : n;
}

/* --- writing without SIGPIPE --------------------------------------------- */

/*
 * A write to a pipe nobody reads raises SIGPIPE for the writing thread, and
 * pipes have no MSG_NOSIGNAL.  The signal is blocked around the write and the
 * one that the write caused is fetched.  Ignoring it process-wide instead
 * would change the host program, and its children after exec.
 */
struct quiet {
	sigset_t pipe, before;
	bool ours; /* a SIGPIPE that turns up is the write's */
};

static void quiet_begin(struct quiet *q)
{
	sigset_t pending;

	sigemptyset(&q->pipe);
	sigaddset(&q->pipe, SIGPIPE);
	q->ours = true;
	if (pthread_sigmask(SIG_BLOCK, &q->pipe, &q->before) != 0)
		return;
	/* Only where it was blocked already can one be pending before. */
	if (sigismember(&q->before, SIGPIPE) == 1 && sigpending(&pending) == 0)
		q->ours = sigismember(&pending, SIGPIPE) != 1;
}

static void quiet_end(struct quiet *q, bool broken)
{
	static const struct timespec now;

	while (broken && q->ours && sigtimedwait(&q->pipe, NULL, &now) < 0 &&
	       errno == EINTR)
		;
	pthread_sigmask(SIG_SETMASK, &q->before, NULL);
}

static ssize_t write_masked(int fd, const void *data, size_t len)
{
	struct quiet q;
	ssize_t n;
	int err;

	quiet_begin(&q);
	while ((n = write(fd, data, len)) < 0 && errno == EINTR)
		;
	err = n < 0 ? errno : 0;
	quiet_end(&q, err == EPIPE);
	return err ? -err : n;
}

/*
 * Since Linux 6.18 one call does it.  What refuses the flag has written nothing: an
 * older kernel, a filter of system calls, or a device that knows no flags; then what
 * the plain write says is the answer.
 */
#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100
#endif

static bool without_flag; /* atomic: this kernel does not know it */

/* At the file's position.  musl has no function for it before 1.2.5. */
static ssize_t write_flagged(int fd, const void *data, size_t len)
{
	struct iovec v = { (void *)data, len };

	return syscall(SYS_pwritev2, fd, &v, 1, -1L, -1L, RWF_NOSIGNAL);
}

static bool is_an_answer(int err)
{
	return err == EAGAIN || err == EPIPE || err == EINTR;
}

ssize_t ferryi_fd_write(int fd, const void *data, size_t len)
{
	ssize_t n;

	if (__atomic_load_n(&without_flag, __ATOMIC_RELAXED))
		return write_masked(fd, data, len);
	while ((n = write_flagged(fd, data, len)) < 0 && errno == EINTR)
		;
	if (n >= 0 || is_an_answer(errno))
		return n < 0 ? -errno : n;
	if ((errno == EOPNOTSUPP || errno == ENOSYS || errno == EPERM) &&
	    ferryi_fd_kind(fd) == FERRYI_FD_PIPE)
		__atomic_store_n(&without_flag, true, __ATOMIC_RELAXED);
	return write_masked(fd, data, len);
}
