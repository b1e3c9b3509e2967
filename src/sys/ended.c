/* SPDX-License-Identifier: MIT */
/* See ended.h. */
#include "sys/ended.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Younger than the headers that this is built with: linux/pidfd.h. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#define INFO_PID  1u
#define INFO_EXIT 8u

struct info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid;
	uint32_t ids[8];
	int32_t status; /* as waitpid(2) gives it */
};

_Static_assert(sizeof(struct info) == 64, "as the kernel's first");

#define GET_INFO _IOWR(0xFF, 11, struct info)

/* The status of a child of ours, left for who waits for it. */
static int ask_as_parent(pid_t pid, int *out)
{
	siginfo_t si = { 0 };

	if (pid <= 0 ||
	    waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) != 0)
		return -ENODATA;
	if (si.si_pid == 0)
		return -EAGAIN;
	*out = si.si_code == CLD_EXITED ? (si.si_status & 0xff) << 8 :
	       si.si_code == CLD_DUMPED ? si.si_status | 0x80 :
					  si.si_status;
	return 0;
}

static int ask_pidfd(int fd, int *out)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct info i = { .mask = INFO_PID | INFO_EXIT };

	if (ioctl(fd, GET_INFO, &i) == 0 && i.mask & INFO_EXIT) {
		*out = i.status;
		return 0;
	}
	/* POLLHUP: it has been waited for, and the status is lost */
	return poll(&p, 1, 0) == 1 && p.revents & POLLHUP ? -ENODATA : -EAGAIN;
}

static pid_t connected(int socket)
{
	struct ucred c = { .pid = 0 };
	socklen_t size = sizeof c;

	return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &c, &size) == 0 ?
		       c.pid :
		       0;
}

int ferryi_how_it_ended(int socket, pid_t pid, int *out_status)
{
	int fd = -1, r = ask_as_parent(pid, out_status);
	socklen_t size = sizeof fd;

	if (r != -ENODATA || connected(socket) != pid ||
	    getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) != 0)
		return r;
	r = ask_pidfd(fd, out_status);
	close(fd);
	return r;
}
