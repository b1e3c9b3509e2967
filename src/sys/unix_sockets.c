/* SPDX-License-Identifier: MIT */
/* See unix_sockets.h. */
#include "sys/unix_sockets.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define LISTENS 10 /* TCP_LISTEN, as UNIX sockets count as well */

static int ask(void)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} q = { { .nlmsg_len = sizeof q,
		  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		{ .sdiag_family = AF_UNIX,
		  .udiag_states = UINT32_MAX,
		  .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS |
				UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN |
				UDIAG_SHOW_ICONS } };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
			NETLINK_SOCK_DIAG);

	if (fd < 0)
		return -errno;
	if (send(fd, &q, sizeof q, 0) == sizeof q)
		return fd;
	close(fd);
	return -EIO;
}

static void read_attribute(struct ferryi_unix_socket *s, const struct rtattr *a)
{
	const void *data = RTA_DATA(a);
	size_t len = RTA_PAYLOAD(a);
	struct unix_diag_rqlen queue;
	struct unix_diag_vfs file;

	if (a->rta_type == UNIX_DIAG_PEER && len == sizeof s->peer) {
		memcpy(&s->peer, data, sizeof s->peer);
	} else if (a->rta_type == UNIX_DIAG_ICONS) {
		s->at_door = data;
		s->n_at_door = len / sizeof *s->at_door;
	} else if (a->rta_type == UNIX_DIAG_NAME) {
		s->name = data;
		s->name_len = len;
	} else if (a->rta_type == UNIX_DIAG_VFS && len == sizeof file) {
		memcpy(&file, data, sizeof file);
		s->has_file = true;
		s->file = file.udiag_vfs_ino;
		s->device = makedev(file.udiag_vfs_dev >> 20,
				    file.udiag_vfs_dev & 0xfffff);
	} else if (a->rta_type == UNIX_DIAG_RQLEN && len == sizeof queue) {
		memcpy(&queue, data, sizeof queue);
		s->waiting = queue.udiag_rqueue;
		s->most = queue.udiag_wqueue;
	}
}

static void read_socket(struct ferryi_unix_socket *s, struct nlmsghdr *m)
{
	const struct unix_diag_msg *head = NLMSG_DATA(m);
	struct rtattr *a = (struct rtattr *)((char *)NLMSG_DATA(m) +
					     sizeof(struct unix_diag_msg));
	size_t left = NLMSG_PAYLOAD(m, sizeof(struct unix_diag_msg));

	*s = (struct ferryi_unix_socket){
		.inode = head->udiag_ino,
		.listens = head->udiag_state == LISTENS,
	};
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		read_attribute(s, a);
}

int ferryi_unix_sockets(int (*each)(const struct ferryi_unix_socket *s,
				    void *arg),
			void *arg)
{
	static const size_t size = 1 << 16;
	int fd = ask(), r = fd < 0 ? fd : 0;
	char *buf = fd < 0 ? NULL : malloc(size);
	struct ferryi_unix_socket s;
	bool more = true;

	if (fd >= 0 && !buf)
		r = -ENOMEM;
	while (r == 0 && more) {
		ssize_t n = recv(fd, buf, size, MSG_DONTWAIT);
		struct nlmsghdr *m = (struct nlmsghdr *)buf;

		if (n <= 0)
			r = n < 0 ? -errno : -EIO;
		for (; r == 0 && n > 0 && NLMSG_OK(m, (size_t)n);
		     m = NLMSG_NEXT(m, n))
			if (m->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
				read_socket(&s, m);
				r = each(&s, arg);
			} else if (m->nlmsg_type == NLMSG_ERROR) {
				r = -EOPNOTSUPP;
			} else {
				more = m->nlmsg_type != NLMSG_DONE;
			}
	}
	free(buf);
	if (fd >= 0)
		close(fd);
	return r;
}

/* The kernel counts a path's last zero byte, or does not. */
static bool is_path(const struct ferryi_unix_socket *s, const char *path)
{
	return s->name_len && strnlen(s->name, s->name_len) == strlen(path) &&
	       memcmp(s->name, path, strlen(path)) == 0;
}

bool ferryi_unix_socket_is(const struct ferryi_unix_socket *s, const char *name,
			   const struct stat *st)
{
	if (name[0] == '@')
		return s->name_len == strlen(name) && s->name[0] == 0 &&
		       memcmp(s->name + 1, name + 1, s->name_len - 1) == 0;
	/* Where file systems are stacked, stat(2) may name another device. */
	return s->has_file && s->file == (uint32_t)st->st_ino &&
	       (s->device == st->st_dev || is_path(s, name));
}
