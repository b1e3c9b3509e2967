/* SPDX-License-Identifier: MIT */
/*
 * The segment of a channel and an end's place in it: made and passed on, joined,
 * taken over by the child of a fork, left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/channel.h"
#include "shm/atomic.h"
#include "sys/barrier.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/passing.h"
#include "sys/process.h"

static int no_memory(struct ferry_link *l, int err, uint64_t bytes)
{
	return ferryi_fail_sys(-err,
			       "%s: %llu KiB of shared memory cannot be had: "
			       "%s (a smaller ring= needs less)",
			       l->address, (unsigned long long)bytes / 1024,
			       strerror(-err));
}

void ferryi_channel_set_tables(struct ferry_link *l)
{
	bool stream =
		ferryi_channel_is(ferryi_channel_of(l), FERRYI_CHANNEL_STREAM);

	l->messages = stream ? NULL : &ferryi_messages_of_channel;
	l->stream = stream ? &ferryi_stream_of_channel : NULL;
}

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

/*
 * Whether this process makes a barrier before it sleeps, and those of the other
 * side reach it.  Who takes over an end whose last owner had declared that has to
 * do the same, for the other side may be in the middle of a store without a fence.
 */
static int declare_barriers(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	bool can = ferryi_barrier_register() == 0;

	if (!can && (ferryi_load(&c->out.shared->room_barrier) ||
		     ferryi_load(&c->in.shared->more_barrier)))
		return ferryi_fail(-EOPNOTSUPP,
				   "%s: this process may not call "
				   "membarrier(2), which its last owner did "
				   "(allow it in the sandbox)",
				   l->address);
	c->out.reached = c->in.reached = can;
	ferryi_store(&c->out.shared->room_barrier, can);
	ferryi_store(&c->in.shared->more_barrier, can);
	return 0;
}

int ferryi_channel_attach(struct ferry_link *l, unsigned side)
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
	c->out.hand_to_hand = c->in.hand_to_hand =
		ferryi_channel_is(c, FERRYI_CHANNEL_HAND);
	r = declare_barriers(l);
	if (r < 0)
		return r;
	ferryi_channel_set_tables(l);
	c->attached = true;
	return 0;
}

static int pass(struct ferry_link *l, int room, int carrier)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int fds[FERRYI_CHANNEL_PASSED] = { c->memory, room, carrier }, r;

	ferryi_channel_format(c->segment, c->ring_log2, c->flags,
			      ferryi_wall());
	r = ferryi_pass(c->unix_.end.in, "", 1, fds, FERRYI_CHANNEL_PASSED);
	if (r == -EPIPE || r == -ECONNRESET)
		return -ECONNRESET;
	return r < 0 ? ferryi_fail_sys(-r,
				       "%s: its memory cannot be passed on: %s",
				       l->address, strerror(-r)) :
		       0;
}

static int new_pair(struct ferry_link *l, enum ferryi_socket_type type,
		    int *ours, int *theirs)
{
	int ends[2] = { -1, -1 }, r = ferryi_socket_pair(type, ends);

	*ours = ends[0];
	*theirs = ends[1];
	if (r < 0)
		return ferryi_fail_sys(-r, "%s: no sockets: %s", l->address,
				       strerror(-r));
	return 0;
}

int ferryi_channel_offer(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	uint64_t bytes = ferryi_channel_bytes(c->ring_log2);
	int room, carrier, r;

	c->memory = ferryi_memory_new(bytes);
	if (c->memory < 0)
		return no_memory(l, c->memory, bytes);
	r = new_pair(l, FERRYI_SOCKET_STREAM, &c->room, &room);
	if (r < 0)
		return r;
	r = new_pair(l, FERRYI_SOCKET_SEQPACKET, &c->carrier, &carrier);
	if (r == 0) {
		r = ferryi_channel_attach(l, 0);
		if (r == 0)
			r = pass(l, room, carrier);
		ferryi_close(carrier);
	}
	ferryi_close(room);
	return r;
}

static int disagree(struct ferry_link *l, uint32_t flags)
{
	return ferryi_fail(
		-EPROTOTYPE,
		"%s: one who connects wants %s%s%s (both sides need the same of "
		"framing=, capacity=0 and direction=half)",
		l->address,
		flags & FERRYI_CHANNEL_STREAM ? "a stream" : "messages",
		flags & FERRYI_CHANNEL_HAND ? ", from hand to hand" : "",
		flags & FERRYI_CHANNEL_HALF ? ", in turns" : "");
}

int ferryi_channel_read_header(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int64_t bytes = ferryi_memory_size(c->memory);
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
	if (c->flags != h.flags)
		return disagree(l, h.flags);
	c->ring_log2 = h.ring_log2;
	return 0;
}

int ferryi_channel_join(struct ferry_link *l,
			const int fds[FERRYI_CHANNEL_PASSED])
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r;

	c->memory = fds[FERRYI_CHANNEL_MEMORY];
	c->room = fds[FERRYI_CHANNEL_ROOM_SOCKET];
	c->carrier = fds[FERRYI_CHANNEL_CARRIER_SOCKET];
	r = ferryi_channel_read_header(l);
	return r < 0 ? r : ferryi_channel_attach(l, 1);
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
	r->offered = 0;
	r->busy = 0;
}

/* What the parent has in its hands is not the child's. */
static void forget_taken(struct ferryi_channel *c)
{
	c->held = 0;
	c->in_long.base = NULL; /* not mapped here */
	memset(c->in.bits, 0, ((size_t)1 << c->ring_log2) / 8);
	ferryi_ring_end_all(&c->in);
}

static void forget_loan(struct ferryi_channel *c)
{
	if (c->out_long.base)
		ferryi_close(c->out_long.memory);
	c->out_long.base = NULL;
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
	forget_loan(c);
	move(&c->out, c, c->side);
	move(&c->in, c, !c->side);
	r = declare_barriers(l);
	if (r < 0) {
		c->generation = 0; /* it stays the parent's */
		return r;
	}
	if (c->has_part)
		c->part.data = (uint8_t *)c->segment +
			       ((uint8_t *)c->part.data - before);
	else
		forget_taken(c);
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

	if (c->attached && c->generation == ferryi_generation()) {
		if (!c->given_away)
			say_goodbye(c);
		ferryi_channel_drop_long(c);
		ferryi_channel_end_long(c);
	}
	if (c->segment && c->generation == ferryi_generation())
		ferryi_unmap(c->segment, ferryi_channel_bytes(c->ring_log2));
	if (!l->listening && c->unix_.end.opened) {
		ferryi_close(c->memory);
		ferryi_close(c->room);
		ferryi_close(c->carrier);
	}
	while (c->n_aside > 0)
		ferryi_close(c->aside[--c->n_aside]);
	free(c->bits);
	ferryi_unix_fini(l);
}
