/* SPDX-License-Identifier: MIT */
/*
 * How the two ends of a channel come together, and part.
 *
 * channel:NAME is a socket in the realm's directory, under a name of its own
 * (.channel.NAME).  Who connects makes the segment and the second socket, and
 * passes both through the connection; so its link is complete at once, and what it
 * sends waits in the segment until it is accepted.  A connection that has not
 * passed anything yet is put aside, and nobody waits for it.  The two ends of a
 * pair do the same, in one process.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "link/channel.h"
#include "realm/realm.h"
#include "shm/atomic.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/process.h"
#include "wire/address.h"

#define RING_BYTES ((uint64_t)256 << 10)

static int no_memory(struct ferry_link *l, int err, uint64_t bytes)
{
	return ferryi_fail_sys(-err,
			       "%s: %llu KiB of shared memory cannot be had: "
			       "%s (a smaller ring= needs less)",
			       l->address, (unsigned long long)bytes / 1024,
			       strerror(-err));
}

/* --- what an address says -------------------------------------------------- */

static int read_ring(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	const char *text = ferryi_address_get(a, "ring");
	uint64_t bytes = RING_BYTES;

	if (text && (ferryi_parse_size(text, &bytes) != 0 ||
		     bytes < FERRYI_SLOT << FERRYI_CHANNEL_LOG2_MIN ||
		     bytes > (uint64_t)FERRYI_SLOT << FERRYI_CHANNEL_LOG2_MAX))
		return ferryi_fail(-EINVAL,
				   "channel: ring=%.100s is no size of 16K to "
				   "4G (write 256K)",
				   text);
	c->ring_log2 = ferryi_log2_up(bytes / FERRYI_SLOT);
	return 0;
}

/* Messages, unless the address has a framing. */
static void read_framing(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_channel *c = ferryi_channel_of(l);

	c->stream = ferryi_address_get(a, "framing") != NULL;
}

static void set_tables(struct ferry_link *l)
{
	bool stream = ferryi_channel_of(l)->stream;

	l->messages = stream ? NULL : &ferryi_messages_of_channel;
	l->stream = stream ? &ferryi_stream_of_channel : NULL;
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

/* --- the segment ----------------------------------------------------------- */

/* A number that tells this process apart from all others that may have it. */
static uint64_t who(void)
{
	const struct ferryi_identity *self = ferryi_identity();

	return (uint64_t)self->pid << 32 | (uint32_t)self->start_time | 1;
}

static int map(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	uint64_t bytes = ferryi_channel_bytes(c->ring_log2);

	c->segment = ferryi_map(c->memory, bytes);
	if (!c->segment)
		return no_memory(l, -ENOMEM, bytes);
	c->generation = ferryi_generation();
	c->me = who();
	ferryi_store(&c->segment->end[c->side].owner, c->me);
	return 0;
}

/* Both rings, empty. */
static int attach(struct ferry_link *l, unsigned side)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	uint64_t words = ((uint64_t)1 << c->ring_log2) / 64;
	int r;

	c->side = side;
	c->bits = calloc(2 * words, sizeof *c->bits);
	if (!c->bits)
		return ferryi_fail(-ENOMEM, "out of memory for a channel");
	r = map(l);
	if (r < 0)
		return r;
	ferryi_channel_ring(&c->out, c->segment, c->ring_log2, side, c->bits);
	ferryi_channel_ring(&c->in, c->segment, c->ring_log2, !side,
			    c->bits + words);
	set_tables(l);
	c->attached = true;
	return 0;
}

/* Make everything, and pass on what the other side needs. */
static int offer(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	uint64_t bytes = ferryi_channel_bytes(c->ring_log2);
	int room[2], r;

	c->memory = ferryi_memory_new(bytes);
	if (c->memory < 0)
		return no_memory(l, c->memory, bytes);
	r = ferryi_socket_pair(FERRYI_SOCKET_STREAM, room);
	if (r < 0)
		return ferryi_fail_sys(-r, "%s: no sockets: %s", l->address,
				       strerror(-r));
	c->room = room[0];
	r = attach(l, 0);
	if (r == 0) {
		ferryi_channel_format(c->segment, c->ring_log2, c->stream,
				      ferryi_wall());
		r = ferryi_socket_pass(c->unix_.end.in,
				       (int[]){ c->memory, room[1] }, 2);
	}
	ferryi_close(room[1]);
	return r == -EPIPE || r == -ECONNRESET ? -ECONNRESET : r;
}

static int check_segment(struct ferry_link *l, int64_t bytes)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	struct ferryi_channel_header h;
	const char *why = "its memory is not sealed";
	int r = -EBADMSG;

	if (bytes >= (int64_t)sizeof h &&
	    ferryi_read_at(c->memory, &h, sizeof h, 0) == sizeof h)
		r = ferryi_channel_check(&h, (uint64_t)bytes, &why);
	if (r < 0)
		return ferryi_fail(r,
				   "%s: what the other side made is no "
				   "channel: %s",
				   l->address, why);
	if (c->stream != (bool)h.stream)
		return ferryi_fail(-EPROTOTYPE,
				   "%s: one who connects wants %s (both sides "
				   "need framing=, or none)",
				   l->address,
				   h.stream ? "a stream" : "messages");
	c->ring_log2 = h.ring_log2;
	return 0;
}

/* With what the other side has passed, which is ours from now on. */
static int join(struct ferry_link *l, const int fds[2])
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r;

	c->memory = fds[0];
	c->room = fds[1];
	r = check_segment(l, ferryi_memory_size(c->memory));
	return r < 0 ? r : attach(l, 1);
}

/* --- connecting ------------------------------------------------------------ */

/* A connected socket becomes an end. */
static void use(struct ferry_link *l, int fd)
{
	struct ferryi_channel *c = ferryi_channel_of(l);

	c->memory = c->room = -1;
	ferryi_endpoint_set(l, fd, fd);
	ferryi_endpoint_meet(l);
}

int ferryi_channel_open(struct ferry_link *l, const struct ferryi_address *a)
{
	char path[FERRYI_SOCKET_PATH_MAX + 1];
	int r = refuse_key(a, "mode", "listens");

	if (r == 0)
		r = read_ring(l, a);
	if (r == 0)
		r = socket_path(a, false, path);
	if (r < 0)
		return r;
	read_framing(l, a);
	r = ferryi_unix_connect(l, path, FERRYI_SOCKET_STREAM);
	if (r < 0)
		return r;
	use(l, r);
	return offer(l);
}

int ferryi_channel_pair(struct ferry_link *ends[2],
			const struct ferryi_address *a)
{
	int sockets[2], fds[2], r = refuse_key(a, "mode", "listens");

	if (r == 0 && *a->rest)
		r = ferryi_fail(-EINVAL, "channel: a pair has no name (write "
					 "just channel:)");
	for (int i = 0; i < 2 && r == 0; i++) {
		read_framing(ends[i], a);
		r = read_ring(ends[i], a);
	}
	if (r < 0)
		return r;
	r = ferryi_socket_pair(FERRYI_SOCKET_STREAM, sockets);
	if (r < 0)
		return ferryi_fail_sys(-r, "channel: no sockets: %s",
				       strerror(-r));
	use(ends[0], sockets[0]);
	use(ends[1], sockets[1]);
	r = offer(ends[0]);
	if (r == 0)
		r = ferryi_socket_receive_passed(sockets[1], fds, 2);
	return r < 0 ? r : join(ends[1], fds);
}

/* --- listening ------------------------------------------------------------- */

int ferryi_channel_listen(struct ferry_link *l, const struct ferryi_address *a)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	char path[FERRYI_SOCKET_PATH_MAX + 1];
	int r = refuse_key(a, "ring", "connects");

	if (r == 0)
		r = socket_path(a, true, path);
	if (r < 0)
		return r;
	read_framing(l, a);
	set_tables(l);
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
static int next_complete(struct ferryi_channel *door, int fds[2])
{
	unsigned i = 0;
	int fd, r;

	while (i < door->n_aside) {
		fd = door->aside[i];
		r = ferryi_socket_receive_passed(fd, fds, 2);
		if (r == -EAGAIN) {
			i++;
			continue;
		}
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
	int fds[2], fd, r;

	while ((fd = next_complete(from, fds)) == -EAGAIN) {
		r = admit(from);
		if (r == -EAGAIN)
			return r;
		if (r < 0)
			return ferryi_fail_sys(-r, "%s: accepting failed: %s",
					       door->address, strerror(-r));
	}
	ferryi_channel_of(peer)->stream = from->stream;
	use(peer, fd);
	return join(peer, fds);
}

/* --- forks and ends -------------------------------------------------------- */

/* The same ring where it is mapped now.  What other threads of the parent were
 * doing with it ended with the fork. */
static void move(struct ferryi_ring *r, struct ferryi_channel *c, unsigned side)
{
	struct ferryi_ring now;

	ferryi_channel_ring(&now, c->segment, c->ring_log2, side, r->bits);
	r->shared = now.shared;
	r->slots = now.slots;
	r->lent = 0;
	r->busy = 0;
}

int ferryi_channel_adopt(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	uint8_t *before = (uint8_t *)c->segment;
	int r;

	if (!c->attached || c->generation == ferryi_generation())
		return 0;
	r = map(l);
	if (r < 0)
		return r;
	move(&c->out, c, c->side);
	move(&c->in, c, !c->side);
	if (c->has_part)
		c->part.data = (uint8_t *)c->segment +
			       ((uint8_t *)c->part.data - before);
	return 0;
}

/* In good order, if it is ours: a forked process that closes its copy of an end
 * that another one has taken over says nothing. */
static void say_goodbye(struct ferryi_channel *c)
{
	struct ferryi_channel_end *end = &c->segment->end[c->side];

	if (ferryi_load(&end->owner) == c->me)
		ferryi_store(&end->closed_by, c->me);
}

void ferryi_channel_fini(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);

	if (c->attached && c->generation == ferryi_generation())
		say_goodbye(c);
	if (c->segment && c->generation == ferryi_generation())
		ferryi_unmap(c->segment, ferryi_channel_bytes(c->ring_log2));
	if (!l->listening && c->unix_.end.opened) {
		ferryi_close(c->memory);
		ferryi_close(c->room);
	}
	while (c->n_aside > 0)
		ferryi_close(c->aside[--c->n_aside]);
	free(c->bits);
	ferryi_unix_fini(l);
}
