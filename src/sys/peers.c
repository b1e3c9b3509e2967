/* SPDX-License-Identifier: MIT */
/* See peers.h. */
#include "sys/peers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ESTABLISHED 1 /* TCP_ESTABLISHED, as UNIX sockets count as well */

struct inodes {
	uint32_t *list;
	size_t n, room;
};

static int add(struct inodes *s, uint32_t inode)
{
	size_t room = s->room ? 2 * s->room : 64;
	uint32_t *grown;

	if (s->n == s->room) {
		grown = realloc(s->list, room * sizeof *grown);
		if (!grown)
			return -ENOMEM;
		s->list = grown;
		s->room = room;
	}
	s->list[s->n++] = inode;
	return 0;
}

/* --- what the kernel knows ------------------------------------------------------ */

static int ask(void)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} q = { { .nlmsg_len = sizeof q,
		  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		{ .sdiag_family = AF_UNIX,
		  .udiag_states = 1u << ESTABLISHED,
		  .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER } };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
			NETLINK_SOCK_DIAG);

	if (fd < 0)
		return -errno;
	if (send(fd, &q, sizeof q, 0) == sizeof q)
		return fd;
	close(fd);
	return -EIO;
}

/* One socket: the inode of its peer, if it was accepted at `path`. */
static int note(struct inodes *s, struct nlmsghdr *m, const char *path)
{
	struct rtattr *a = (struct rtattr *)((char *)NLMSG_DATA(m) +
					     sizeof(struct unix_diag_msg));
	size_t left = NLMSG_PAYLOAD(m, sizeof(struct unix_diag_msg));
	uint32_t peer = 0;
	bool is_it = false;

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		size_t len = RTA_PAYLOAD(a);

		if (a->rta_type == UNIX_DIAG_PEER && len == sizeof peer)
			memcpy(&peer, RTA_DATA(a), sizeof peer);
		else if (a->rta_type == UNIX_DIAG_NAME)
			is_it = strnlen(RTA_DATA(a), len) == strlen(path) &&
				memcmp(RTA_DATA(a), path, strlen(path)) == 0;
	}
	return is_it && peer ? add(s, peer) : 0;
}

static int listen_to(int fd, struct inodes *s, const char *path)
{
	static const size_t size = 1 << 16;
	char *buf = malloc(size);
	int r = buf ? 0 : -ENOMEM;
	bool more = true;

	while (r == 0 && more) {
		ssize_t n = recv(fd, buf, size, MSG_DONTWAIT);
		struct nlmsghdr *m = (struct nlmsghdr *)buf;

		if (n <= 0)
			r = n < 0 ? -errno : -EIO;
		for (; r == 0 && n > 0 && NLMSG_OK(m, (size_t)n);
		     m = NLMSG_NEXT(m, n))
			if (m->nlmsg_type == SOCK_DIAG_BY_FAMILY)
				r = note(s, m, path);
			else if (m->nlmsg_type == NLMSG_ERROR)
				r = -EOPNOTSUPP;
			else
				more = m->nlmsg_type != NLMSG_DONE;
	}
	free(buf);
	return r;
}

/* --- who has them ------------------------------------------------------------------ */

static bool has(const struct inodes *s, uint32_t inode)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i] == inode)
			return true;
	return false;
}

static int search_process(int proc, pid_t pid, const struct inodes *s,
			  int (*each)(pid_t pid, void *arg), void *arg)
{
	char path[32], target[64];
	unsigned inode;
	struct dirent *e;
	DIR *d;
	int fd, r = 0;

	snprintf(path, sizeof path, "%d/fd", (int)pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	while (d && r == 0 && (e = readdir(d))) {
		ssize_t n =
			readlinkat(fd, e->d_name, target, sizeof target - 1);

		target[n < 0 ? 0 : n] = 0;
		if (sscanf(target, "socket:[%u]", &inode) == 1 && has(s, inode))
			r = each(pid, arg);
	}
	if (d)
		closedir(d);
	return r;
}

static int search_all(const struct inodes *s, int (*each)(pid_t pid, void *arg),
		      void *arg)
{
	DIR *d = s->n ? opendir("/proc") : NULL;
	struct dirent *e;
	int r = 0;

	while (d && r == 0 && (e = readdir(d)))
		if (atoi(e->d_name) > 0)
			r = search_process(dirfd(d), atoi(e->d_name), s, each,
					   arg);
	if (d)
		closedir(d);
	return r;
}

int ferryi_peers_of(const char *path, int (*each)(pid_t pid, void *arg),
		    void *arg)
{
	struct inodes s = { 0 };
	int fd = ask(), r;

	if (fd < 0)
		return fd;
	r = listen_to(fd, &s, path);
	close(fd);
	if (r == 0)
		r = search_all(&s, each, arg);
	free(s.list);
	return r;
}
