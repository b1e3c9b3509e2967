/* SPDX-License-Identifier: MIT */
/*
 * channel: a connection between two processes, through shared memory.
 *
 * Two rings, one each way (shm/ring.h), in memory that only these two map.  No
 * call is made to the kernel while both sides are awake.  Who goes to sleep says
 * so in the ring, looks again, and polls its socket; who finds that said rings.
 * A sender that is killed before it rings is told of by its socket, which wakes
 * the receiver, who then finds the message first and the end behind it.
 *
 * channel_open.c makes connections, channel_segment.c an end's place in the
 * memory, channel_move.c moves messages and bytes; here is how they wait and end.
 */
#include "link/channel.h"

#include <errno.h>
#include <poll.h>

#include "base/error.h"
#include "shm/atomic.h"
#include "sys/clock.h"
#include "sys/process.h"
#include "sys/stream.h"

/* Calls that find a silent peer, between two looks whether it is still there. */
#define PATIENCE 64u

/* A full backlog cannot be polled for. */
#define LOOK_AGAIN FERRY_MS(2)

static int connection(const struct ferryi_channel *c)
{
	return c->unix_.end.in;
}

int ferryi_channel_enter(struct ferry_link *l)
{
	if (ferryi_channel_of(l)->generation != ferryi_generation())
		return ferryi_fail(-ESTALE,
				   "%s was opened before a fork (call "
				   "ferry_adopt_after_fork() in the child)",
				   l->address);
	return 0;
}

/* --- the end of the other side ------------------------------------------- */

static void set_dead(struct ferryi_channel *c)
{
	__atomic_store_n(&c->dead, true, __ATOMIC_SEQ_CST);
}

static bool is_dead(struct ferryi_channel *c)
{
	return __atomic_load_n(&c->dead, __ATOMIC_SEQ_CST);
}

static struct ferryi_channel_end *other_end(struct ferryi_channel *c)
{
	return &c->segment->end[!c->side];
}

/* Its last owner closed it; no proof that nobody else has it. */
static bool went_in_order(struct ferryi_channel *c)
{
	uint64_t by = ferryi_load(&other_end(c)->closed_by);

	return by != 0 && by == ferryi_load(&other_end(c)->owner);
}

/* Whether it is time for a look: soon, once somebody has said goodbye. */
static bool is_due(struct ferryi_channel *c)
{
	unsigned n = __atomic_load_n(&c->calls, __ATOMIC_RELAXED) + 1;

	__atomic_store_n(&c->calls, n, __ATOMIC_RELAXED);
	return n % PATIENCE == 0 || went_in_order(c);
}

static void look_at_connection(struct ferryi_channel *c)
{
	if (!is_dead(c) && is_due(c) && ferryi_fd_ready(connection(c), POLLHUP))
		set_dead(c);
}

int ferryi_channel_gone(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);

	look_at_connection(c);
	return is_dead(c) || ferryi_load(&c->out.shared->deaf) ? -ECONNRESET :
								 0;
}

int ferryi_channel_end(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);

	look_at_connection(c);
	if (ferryi_load(&c->in.shared->ended))
		return -ENODATA;
	if (!is_dead(c))
		return -EAGAIN;
	return went_in_order(c) ? -ENODATA : -ECONNRESET;
}

/* --- waiting --------------------------------------------------------------- */

/* True: look again.  The bell is only read when there is nothing to take, so
 * that the connection stays readable as long as there is. */
static bool want(struct ferryi_channel *c, enum ferryi_want want, uint64_t len)
{
	int bell = want == FERRYI_WANT_RECV ? connection(c) : c->room;

	if (ferryi_socket_drain(bell) == -ENODATA && !is_dead(c)) {
		set_dead(c);
		return true;
	}
	return want == FERRYI_WANT_RECV ? ferryi_ring_want_more(&c->in) :
					  ferryi_ring_want_room(&c->out, len);
}

static int interest(struct ferry_link *l, enum ferryi_want wanted,
		    struct ferryi_wait *w)
{
	struct ferryi_channel *c = ferryi_channel_of(l);

	if (wanted == FERRYI_WANT_OPEN) {
		ferryi_wait_tick(w, ferryi_now() + LOOK_AGAIN);
		return 0;
	}
	if (l->listening) {
		ferryi_wait_fd(w, connection(c), POLLIN);
		for (unsigned i = 0; i < c->n_aside; i++)
			ferryi_wait_fd(w, c->aside[i], POLLIN);
		return 0;
	}
	if (want(c, wanted, c->stream ? ferryi_channel_least(w->len) : w->len))
		return 1;
	ferryi_wait_fd(w, wanted == FERRYI_WANT_RECV ? connection(c) : c->room,
		       POLLIN);
	return 0;
}

/* Messages that a receiver need not wait for more of. */
#define GATHER 64u

static unsigned gathered(void *of, unsigned *out_enough)
{
	uint64_t n = ferryi_ring_waiting(&ferryi_channel_of(of)->in);

	*out_enough = GATHER;
	return n < GATHER ? (unsigned)n : GATHER;
}

/* --- half of it ------------------------------------------------------------ */

static int shut_down(struct ferry_link *l, unsigned direction)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r = ferryi_channel_enter(l);

	if (r < 0)
		return r;
	if (direction & FERRY_SEND) {
		c->unix_.end.ended_out = true;
		ferryi_store(&c->out.shared->ended, 1);
		if (ferryi_ring_lower_more(&c->out))
			ferryi_socket_send(connection(c), "", 1);
	}
	if (direction & FERRY_RECV) {
		c->unix_.end.ended_in = true;
		ferryi_store(&c->in.shared->deaf, 1);
		if (ferryi_ring_lower_room(&c->in))
			ferryi_socket_send(c->room, "", 1);
	}
	return 0;
}

const struct ferryi_transport ferryi_transport_channel = {
	.info = {
		.scheme = "channel",
		.summary = "two processes, through memory of their own",
		.naming = "name in the realm, or path",
		.framing = "message; stream with ?framing=stream",
		.direction = "duplex",
		.buffering = "bounded, 256 KiB each way unless ?ring=",
		.persistence = "process",
		.promises = FERRY_CAN_MESSAGES | FERRY_CAN_STREAM |
			    FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
			    FERRY_CAN_RELIABLE | FERRY_CAN_CONNECT |
			    FERRY_CAN_PAIR | FERRY_CAN_NAME |
			    FERRY_CAN_SHUTDOWN | FERRY_CAN_PEER_DEATH |
			    FERRY_CAN_CREDENTIAL | FERRY_CAN_IN_PLACE,
	},
	.keys = "mode ring",
	.state_size = sizeof(struct ferryi_channel),
	.spins = true,
	.open = ferryi_channel_open,
	.listen = ferryi_channel_listen,
	.accept = ferryi_channel_accept,
	.pair = ferryi_channel_pair,
	.adopt = ferryi_channel_adopt,
	.shutdown = shut_down,
	.peer = ferryi_endpoint_peer,
	.fini = ferryi_channel_fini,
	.interest = interest,
	.gathered = gathered,
	.explain = ferryi_endpoint_explain,
	.messages = &ferryi_messages_of_channel,
	.stream = &ferryi_stream_of_channel,
};
