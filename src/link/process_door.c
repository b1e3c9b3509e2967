/* SPDX-License-Identifier: MIT */
/*
 * The door of a name: who has registered it listens at a socket in the realm's
 * directory (.process.NAME).
 *
 * Who connects says a hello, with the name under which it sends; if it has one,
 * it passes its certificate; then it passes what makes a channel.  It waits for
 * no answer, and may have ended before anybody looks: what it sent counts.  So a
 * claim must be checked without it.  A *certificate* is the accepted end of a
 * connection that a process has made to its own door.  The kernel says of it which
 * path it was accepted at, and which pid connected.  Only who has the door can
 * accept there; so when that pid is the one that now connects to us, it had the
 * name.  Others can have neither: their connections to that door are with the one
 * who listens, and the certificates that they have been shown tell another pid.
 * Whose claim does not hold is somebody without a name.
 *
 * A connection is put aside until it is complete, and nobody waits for it.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "link/process.h"
#include "sys/files.h"
#include "sys/passing.h"
#include "sys/process.h"
#include "sys/ready.h"
#include "sys/stream.h"

extern const struct ferryi_transport ferryi_transport_channel;

/* Connections that one look lets in: a flood keeps no call beyond its deadline. */
#define ADMIT_MOST 64u

/* --- who has knocked --------------------------------------------------------- */

static void forget(struct ferryi_station *s, unsigned i)
{
	s->n_aside--;
	memmove(&s->aside[i], &s->aside[i + 1],
		(s->n_aside - i) * sizeof s->aside[0]);
}

void ferryi_door_turn_away(struct ferryi_station *s, unsigned i)
{
	ferryi_set_remove(s->doors, s->aside[i].fd);
	ferryi_close(s->aside[i].fd);
	forget(s, i);
}

int ferryi_door_put_aside(struct ferryi_station *s, int fd)
{
	int r;

	if (s->n_aside == FERRYI_PROCESS_ASIDE)
		ferryi_door_turn_away(s, 0);
	r = ferryi_set_add(s->doors, fd, NULL);
	if (r < 0) {
		ferryi_close(fd);
		return ferryi_fail_sys(-r, "%s: nobody can be let in: %s",
				       s->door->address, strerror(-r));
	}
	s->aside[s->n_aside++] = (struct ferryi_aside){ .fd = fd };
	return 0;
}

/* Whether the certificate is of that name, and of who has connected. */
static bool is_of(const struct ferryi_station *s, int certificate, int fd,
		  const char *name)
{
	char path[FERRYI_SOCKET_PATH_MAX + 1], door[sizeof path];
	pid_t pid, its_pid;
	uid_t uid;
	gid_t gid;

	return ferryi_socket_peer(fd, &pid, &uid, &gid) == 0 && pid != 0 &&
	       ferryi_socket_peer(certificate, &its_pid, &uid, &gid) == 0 &&
	       its_pid == pid && ferryi_socket_path(certificate, path) == 0 &&
	       ferryi_door_path(s->directory, name, door) == 0 &&
	       strcmp(path, door) == 0;
}

/* The hello, and the certificate behind it. */
static int hear_name(struct ferryi_station *s, struct ferryi_aside *a)
{
	int certificate, r;
	unsigned n_fds;
	ssize_t n;
	char byte;

	if (!a->greeted) {
		n = ferryi_socket_recv(a->fd, &a->hello, sizeof a->hello);
		if (n < 0)
			return (int)n;
		if (n != sizeof a->hello)
			return -EBADMSG;
		r = ferryi_hello_check(&a->hello);
		if (r < 0)
			return r;
		a->greeted = true;
	}
	if (!a->hello.name[0] || a->is_verified)
		return 0;
	n = ferryi_passed(a->fd, &byte, 1, &certificate, 1, &n_fds, false);
	if (n < 0)
		return (int)n;
	if (n_fds != 1)
		return -EBADMSG;
	if (!is_of(s, certificate, a->fd, a->hello.name))
		a->hello.name[0] = 0;
	a->is_verified = true;
	ferryi_close(certificate);
	return 0;
}

static int new_channel(struct ferryi_station *s, struct ferry_link **out)
{
	return ferryi_link_inner(out, &ferryi_transport_channel, FERRY_DUPLEX,
				 s->door->address);
}

/* One of those who are aside: -EAGAIN: it has not said everything. */
static int hear(struct ferryi_station *s, unsigned i)
{
	struct ferryi_aside *a = &s->aside[i];
	struct ferry_link *channel;
	int r = hear_name(s, a);

	if (r == -EAGAIN)
		return r;
	if (r == 0)
		r = new_channel(s, &channel);
	if (r < 0) { /* gone, or nobody that we understand */
		ferryi_door_turn_away(s, i);
		return 0;
	}
	r = ferryi_channel_meet(channel, a->fd);
	if (r == -EAGAIN) {
		ferryi_link_free(channel);
		return r;
	}
	ferryi_set_remove(s->doors, a->fd);
	if (r == 0)
		ferryi_line_accept(s, channel, a->hello.name);
	else
		ferryi_link_free(channel);
	forget(s, i);
	return 0;
}

static void hear_all(struct ferryi_station *s)
{
	for (unsigned i = 0; i < s->n_aside;)
		if (hear(s, i) == -EAGAIN)
			i++;
}

int ferryi_door_admit(struct ferryi_station *s)
{
	int fd, r;

	if (!s->door)
		return 1;
	if (!ferryi_fd_ready(s->doors, POLLIN))
		return 1;
	hear_all(s);
	for (unsigned i = 0; i < ADMIT_MOST; i++) {
		fd = ferryi_socket_accept(ferryi_door_socket(s));
		if (fd == -EAGAIN)
			return 1;
		if (fd < 0)
			return ferryi_fail_sys(-fd,
					       "%s: nobody can be let in: %s",
					       s->door->address, strerror(-fd));
		r = ferryi_door_put_aside(s, fd);
		if (r < 0)
			return r;
		hear(s, s->n_aside - 1);
	}
	return 0;
}

int ferryi_door_greet(struct ferryi_station *s, int fd)
{
	struct ferryi_hello hello;
	ssize_t n;

	ferryi_hello_format(&hello, s->door ? s->name : "");
	n = ferryi_socket_send(fd, &hello, sizeof hello);
	if (n < 0)
		return (int)n;
	return s->door ? ferryi_pass(fd, "", 1, &s->certificate, 1) : 0;
}
