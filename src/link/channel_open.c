/* SPDX-License-Identifier: MIT */
/*
 * How the two ends of a channel come together.
 *
 * channel:NAME is a socket in the realm's directory, under a name of its own
 * (.channel.NAME).  Who connects makes the segment and the other sockets, and
 * passes them through the connection; so its link is complete at once, and what it
 * sends waits in the segment until it is accepted.  A connection that has not
 * passed anything yet is put aside, and nobody waits for it.  The two ends of a
 * pair do the same, in one process.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "link/channel.h"
#include "link/turns.h"
#include "realm/realm.h"
#include "sys/files.h"
#include "sys/passing.h"
#include "wire/address.h"

#define RING_BYTES ((uint64_t)256 << 10)

/* Connections that one attempt to accept looks at, so that a flood of silent ones
 * cannot keep a call beyond its deadline. */
#define ADMIT_MOST 64u

/* --- what an address says -------------------------------------------------- */

int ferryi_channel_read_ring(const struct ferryi_address *a, uint32_t *out_log2)
{
	const char *text = ferryi_address_get(a, "ring");
	uint64_t bytes = RING_BYTES;

	if (text && (ferryi_parse_size(text, &bytes) != 0 ||
		     bytes < FERRYI_SLOT << FERRYI_CHANNEL_LOG2_MIN ||
		     bytes > (uint64_t)FERRYI_SLOT << FERRYI_CHANNEL_LOG2_MAX))
		return ferryi_fail(-EINVAL,
				   "%s: ring=%.100s is no size of 16K to "
				   "4G (write 256K)",
				   a->scheme, text);
	*out_log2 = ferryi_log2_up(bytes / FERRYI_SLOT);
	return 0;
}

static int read_ring(struct ferry_link *l, const struct ferryi_address *a)
{
	return ferryi_channel_read_ring(a, &ferryi_channel_of(l)->ring_log2);
}

/* Messages, unless the address has a framing; many, unless it has capacity=0. */
static int read_flags(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	const char *capacity = ferryi_address_get(a, "capacity");
	bool half;
	int r;

	if (capacity && strcmp(capacity, "0") != 0)
		return ferryi_fail(
			-EINVAL,
			"channel: capacity=%.100s: 0 is from hand to "
			"hand, what else fits is chosen in bytes, "
			"with ring=",
			capacity);
	r = ferryi_turns_asked(a, &half);
	if (r < 0)
		return r;
	if (ferryi_address_get(a, "framing"))
		c->flags |= FERRYI_CHANNEL_STREAM;
	if (capacity)
		c->flags |= FERRYI_CHANNEL_HAND;
	if (half)
		c->flags |= FERRYI_CHANNEL_HALF;
	if (capacity && c->flags & FERRYI_CHANNEL_STREAM)
		return ferryi_fail(-EINVAL,
				   "channel: bytes do not go from hand "
				   "to hand (leave capacity=0 or "
				   "framing= out)");
	return 0;
}

static int read_ends(struct ferry_link *l, const struct ferryi_address *a)
{
	int r = read_ring(l, a);

	return r < 0 ? r : read_flags(l, a);
}

/* Where the socket of a name lies. */
static int socket_path(const struct ferryi_address *a, bool make_realm,
		       char out[FERRYI_SOCKET_PATH_MAX + 1])
{
	struct ferryi_place p;
	int r, dir;

	if (!*a->rest)
		return ferryi_fail(-EINVAL, "channel: needs a name "
					    "(channel:NAME; ferry_pair() makes "
					    "two ends without one)");
	r = ferryi_place_parse(&p, a->rest);
	if (r < 0)
		return r;
	dir = ferryi_realm_directory(p.directory, make_realm && p.is_default);
	if (dir < 0)
		return dir;
	ferryi_close(dir);
	r = snprintf(out, FERRYI_SOCKET_PATH_MAX + 1,
		     "%s/" FERRYI_DOOR_PREFIX "%s", p.directory, p.name);
	if (r > FERRYI_SOCKET_PATH_MAX)
		return ferryi_fail(-EINVAL,
				   "channel:%.100s: its socket's path would "
				   "have %d bytes, the kernel takes %d (choose "
				   "a shorter name or realm)",
				   p.name, r, FERRYI_SOCKET_PATH_MAX);
	return 0;
}

static int refuse_key(const struct ferryi_address *a, const char *key,
		      const char *whose)
{
	return ferryi_address_get(a, key) ?
		       ferryi_fail(-EINVAL,
				   "channel: %s= is for the one who %s (leave "
				   "it out)",
				   key, whose) :
		       0;
}

/* What was passed through a connection, which stays there unless all of it can be
 * had.  -EAGAIN; -EMFILE; -ENODATA: the end; -EBADMSG: it is something else. */
static int receive_ends(int fd, int fds[FERRYI_CHANNEL_PASSED])
{
	char byte;
	unsigned n;
	ssize_t r = ferryi_passed(fd, &byte, 1, fds, FERRYI_CHANNEL_PASSED, &n,
				  true);

	if (r < 0)
		return (int)r;
	ferryi_drop_passed(fd);
	if (n == FERRYI_CHANNEL_PASSED)
		return 0;
	while (n > 0)
		ferryi_close(fds[--n]);
	return -EBADMSG;
}

void ferryi_channel_use(struct ferry_link *l, int fd)
{
	struct ferryi_channel *c = ferryi_channel_of(l);

	c->memory = c->room = c->carrier = -1;
	ferryi_endpoint_set(l, fd, fd);
	ferryi_endpoint_meet(l);
}

int ferryi_channel_meet(struct ferry_link *l, int fd)
{
	int fds[FERRYI_CHANNEL_PASSED], r = receive_ends(fd, fds);

	if (r == -EAGAIN)
		return r;
	ferryi_channel_use(l, fd);
	return r < 0 ? r : ferryi_channel_join(l, fds);
}

/* --- connecting ------------------------------------------------------------ */

int ferryi_channel_open(struct ferry_link *l, const struct ferryi_address *a)
{
	char path[FERRYI_SOCKET_PATH_MAX + 1];
	int r = refuse_key(a, "mode", "listens");

	if (r == 0)
		r = read_ends(l, a);
	if (r == 0)
		r = socket_path(a, false, path);
	if (r < 0)
		return r;
	r = ferryi_unix_connect(l, path, FERRYI_SOCKET_STREAM);
	if (r < 0)
		return r;
	ferryi_channel_use(l, r);
	return ferryi_channel_offer(l);
}

int ferryi_channel_pair(struct ferry_link *ends[2],
			const struct ferryi_address *a)
{
	int sockets[2], fds[FERRYI_CHANNEL_PASSED],
		r = refuse_key(a, "mode", "listens");

	if (r == 0 && *a->rest)
		r = ferryi_fail(-EINVAL, "channel: a pair has no name (write "
					 "just channel:)");
	for (int i = 0; i < 2 && r == 0; i++)
		r = read_ends(ends[i], a);
	if (r < 0)
		return r;
	r = ferryi_socket_pair(FERRYI_SOCKET_STREAM, sockets);
	if (r < 0)
		return ferryi_fail_sys(-r, "channel: no sockets: %s",
				       strerror(-r));
	ferryi_channel_use(ends[0], sockets[0]);
	ferryi_channel_use(ends[1], sockets[1]);
	r = ferryi_channel_offer(ends[0]);
	if (r == 0)
		r = receive_ends(sockets[1], fds);
	return r < 0 ? r : ferryi_channel_join(ends[1], fds);
}

/* --- listening ------------------------------------------------------------- */

int ferryi_channel_listen(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	char path[FERRYI_SOCKET_PATH_MAX + 1];
	int r = refuse_key(a, "ring", "connects");

	if (r == 0)
		r = read_flags(l, a);
	if (r == 0)
		r = socket_path(a, true, path);
	if (r < 0)
		return r;
	ferryi_channel_set_tables(l);
	c->unix_.type = FERRYI_SOCKET_STREAM;
	return ferryi_unix_listen_at(l, a, path);
}

static void forget(struct ferryi_channel *door, unsigned i)
{
	door->n_aside--;
	memmove(&door->aside[i], &door->aside[i + 1],
		(door->n_aside - i) * sizeof door->aside[0]);
}

/* Put the next connection aside; the one that has been there longest makes room
 * for it. */
static int admit(struct ferryi_channel *door)
{
	int fd = ferryi_socket_accept(door->unix_.end.in);

	if (fd < 0)
		return fd;
	if (door->n_aside == FERRYI_CHANNEL_ASIDE) {
		ferryi_close(door->aside[0]);
		forget(door, 0);
	}
	door->aside[door->n_aside++] = fd;
	return 0;
}

/* One of those that were put aside, with what it has passed.  -EAGAIN: none. */
static int next_complete(struct ferryi_channel *door,
			 int fds[FERRYI_CHANNEL_PASSED])
{
	unsigned i = 0;
	int fd, r;

	while (i < door->n_aside) {
		fd = door->aside[i];
		r = receive_ends(fd, fds);
		if (r == -EAGAIN) {
			i++;
			continue;
		}
		if (r == -EMFILE)
			return r; /* it may be accepted later */
		forget(door, i);
		if (r == 0)
			return fd;
		ferryi_close(fd); /* gone, or no channel */
	}
	return -EAGAIN;
}

int ferryi_channel_accept(struct ferry_link *door, struct ferry_link *peer)
{
	struct ferryi_channel *from = ferryi_channel_of(door);
	int fds[FERRYI_CHANNEL_PASSED], fd, r = 0;

	for (unsigned i = 0; (fd = next_complete(from, fds)) == -EAGAIN; i++) {
		r = i < ADMIT_MOST ? admit(from) : -EAGAIN;
		if (r == -EAGAIN)
			return r;
		if (r < 0)
			break;
	}
	if (fd < 0)
		return ferryi_fail_sys(r < 0 ? -r : -fd,
				       "%s: accepting failed: %s",
				       door->address,
				       strerror(r < 0 ? -r : -fd));
	ferryi_channel_of(peer)->flags = from->flags;
	ferryi_channel_use(peer, fd);
	return ferryi_channel_join(peer, fds);
}
