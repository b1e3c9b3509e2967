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
 *   channel_open.c	how the ends come together
 *   channel_segment.c	an end's place in the memory
 *   channel_send.c	messages in, channel_recv.c out, channel_stream.c bytes
 *   channel_beside.c	descriptors and long messages
 *   channel_parcel.c	an end goes to another process
 *   channel.c		turns, waiting, ends
 */
#include "link/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/error.h"
#include "link/turns.h"
#include "shm/atomic.h"
#include "sys/barrier.h"
#include "sys/clock.h"
#include "sys/ended.h"
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

/* --- turns ----------------------------------------------------------------- */

static uint32_t *turn_of(struct ferryi_channel *c)
{
	return &c->segment->turn.of;
}

bool ferryi_channel_has_turn(struct ferryi_channel *c)
{
	return ferryi_load(turn_of(c)) == c->side;
}

bool ferryi_channel_get_turn(struct ferryi_channel *c)
{
	return ferryi_channel_has_turn(c) ||
	       ferryi_cas32(turn_of(c), FERRYI_CHANNEL_NOBODY, c->side) ||
	       ferryi_load(&c->in.shared->ended); /* it needs none any more */
}

/* One store; if we die before it, the other side hears of that. */
void ferryi_channel_pass_turn(struct ferryi_channel *c, uint32_t to)
{
	ferryi_store(turn_of(c), to);
	ferryi_channel_tell_room(c);
}

static int turn(struct ferry_link *l)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r = ferryi_channel_enter(l);

	if (r < 0)
		return r;
	if (!ferryi_channel_is(c, FERRYI_CHANNEL_HALF))
		return ferryi_turns_none(l);
	if (!ferryi_channel_get_turn(c))
		return ferryi_turns_not_ours(l);
	ferryi_channel_pass_turn(c, !c->side);
	return 0;
}

/* --- waiting --------------------------------------------------------------- */

/* Before a sleep: what was rung for is known; a bell is only read here, so that
 * the connection stays readable as long as there is something to take. */
static bool heard_the_end(struct ferryi_channel *c, int bell)
{
	if (ferryi_socket_drain(bell) != -ENODATA || is_dead(c))
		return false;
	set_dead(c);
	return true;
}

/*
 * Between the word that says that we sleep and the last look.  Where the kernel no
 * longer makes the barrier that we have declared (a sandbox that began later), one
 * store of the other side may come too late: look again some time.
 */
static void make_barrier(struct ferryi_channel *c, struct ferryi_wait *w)
{
	if (c->in.reached && ferryi_barrier() < 0)
		ferryi_wait_tick(w, ferryi_now() + LOOK_AGAIN);
}

static int want_messages(struct ferryi_channel *c, struct ferryi_wait *w)
{
	if (heard_the_end(c, connection(c)))
		return 1;
	ferryi_ring_ask_more(&c->in);
	make_barrier(c, w);
	if (ferryi_ring_has_more(&c->in))
		return 1;
	ferryi_wait_fd(w, connection(c), POLLIN);
	return 0;
}

/* True: what the last attempt lacked is there. */
static bool has_what_was_missing(struct ferryi_channel *c)
{
	switch (c->blocked) {
	case FERRYI_BLOCKED_TURN: return ferryi_channel_get_turn(c);
	case FERRYI_BLOCKED_LONG:
		return ferryi_ring_has_passed(&c->out, c->long_until);
	case FERRYI_BLOCKED_ROOM:
	case FERRYI_BLOCKED_HAND: return ferryi_ring_has_room(&c->out, c->need);
	case FERRYI_BLOCKED_CARRIER: break;
	}
	return false;
}

static int want_to_send(struct ferryi_channel *c, struct ferryi_wait *w)
{
	if (heard_the_end(c, c->room))
		return 1;
	if (c->blocked != FERRYI_BLOCKED_CARRIER) {
		ferryi_ring_ask_room(&c->out);
		make_barrier(c, w);
	}
	if (has_what_was_missing(c) || ferryi_load(&c->out.shared->deaf))
		return 1;
	ferryi_wait_fd(w, c->room, POLLIN);
	if (c->blocked == FERRYI_BLOCKED_CARRIER)
		ferryi_wait_fd(w, c->carrier, POLLOUT);
	return 0;
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
	return wanted == FERRYI_WANT_RECV ? want_messages(c, w) :
					    want_to_send(c, w);
}

/* Messages that a receiver need not wait for more of. */
#define GATHER 64u

static unsigned gathered(void *of, unsigned *out_enough)
{
	uint64_t n = ferryi_ring_waiting(&ferryi_channel_of(of)->in);

	*out_enough = GATHER;
	return n < GATHER ? (unsigned)n : GATHER;
}

static bool glance(void *of)
{
	return ferryi_ring_glance(&ferryi_channel_of(of)->in);
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
			ferryi_channel_ring_bell(connection(c));
		if (ferryi_channel_is(c, FERRYI_CHANNEL_HALF))
			ferryi_channel_tell_room(c);
	}
	if (direction & FERRY_RECV) {
		c->unix_.end.ended_in = true;
		ferryi_store(&c->in.shared->deaf, 1);
		ferryi_channel_tell_room(c);
	}
	return 0;
}

/* --- what became of the other side ------------------------------------------- */

/* Whoever says that it has the other end; the kernel knows whether it is one of
 * those it tells us about. */
static pid_t other_process(struct ferryi_channel *c)
{
	return (pid_t)(ferryi_load(&other_end(c)->owner) >> 32);
}

static int peer_exit(struct ferry_link *l, int *status)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	int r = ferryi_channel_enter(l);

	return r < 0 ? r :
		       ferryi_how_it_ended(connection(c), other_process(c),
					   status);
}

static int explain_death(struct ferry_link *l, char *buf, size_t size)
{
	pid_t pid = other_process(ferryi_channel_of(l));
	int status;

	if (peer_exit(l, &status) != 0)
		return 0;
	if (WIFSIGNALED(status))
		return snprintf(buf, size,
				"%s: the other side, pid %d, was killed by "
				"signal %d",
				l->address, (int)pid, WTERMSIG(status));
	return snprintf(buf, size,
			"%s: the other side, pid %d, ended with status %d "
			"without a close",
			l->address, (int)pid, WEXITSTATUS(status));
}

static int explain(struct ferry_link *l, int err, char *buf, size_t size)
{
	struct ferryi_channel *c = ferryi_channel_of(l);
	bool mapped = c->attached && c->generation == ferryi_generation();
	int n = 0;

	if (mapped && err == -ECONNRESET)
		n = explain_death(l, buf, size);
	if (mapped && err == -ETIMEDOUT &&
	    ferryi_channel_is(c, FERRYI_CHANNEL_HALF) &&
	    ferryi_load(turn_of(c)) == !c->side)
		n = snprintf(buf, size,
			     "%s: the deadline passed; it is the other side's "
			     "turn",
			     l->address);
	return n ? n : ferryi_endpoint_explain(l, err, buf, size);
}

const struct ferryi_messages ferryi_messages_of_channel = {
	.send = ferryi_channel_send,
	.send_fds = ferryi_channel_send_fds,
	.recv = ferryi_channel_recv,
	.recv_fds = ferryi_channel_recv_fds,
	.next_len = ferryi_channel_next_len,
	.loan = ferryi_channel_loan,
	.commit = ferryi_channel_commit,
	.abandon = ferryi_channel_abandon,
	.take = ferryi_channel_take,
	.release = ferryi_channel_release,
	.reply = ferryi_channel_reply,
};

const struct ferryi_transport ferryi_transport_channel = {
	.info = {
		.scheme = "channel",
		.summary = "two processes, through memory of their own",
		.naming = "name in the realm, or path",
		.framing = "message; stream with ?framing=stream",
		.direction = "duplex; half-duplex with ?direction=half",
		.buffering = "bounded, 256 KiB each way unless ?ring=; zero "
			     "with ?capacity=0",
		.persistence = "process",
		.promises = FERRY_CAN_MESSAGES | FERRY_CAN_STREAM |
			    FERRY_CAN_DUPLEX | FERRY_CAN_ORDER |
			    FERRY_CAN_RELIABLE | FERRY_CAN_CONNECT |
			    FERRY_CAN_PAIR | FERRY_CAN_NAME |
			    FERRY_CAN_SHUTDOWN | FERRY_CAN_PEER_DEATH |
			    FERRY_CAN_CREDENTIAL | FERRY_CAN_IN_PLACE |
			    FERRY_CAN_FDS,
	},
	.keys = "mode ring capacity direction",
	.state_size = sizeof(struct ferryi_channel),
	.spins = true,
	.open = ferryi_channel_open,
	.listen = ferryi_channel_listen,
	.accept = ferryi_channel_accept,
	.pair = ferryi_channel_pair,
	.adopt = ferryi_channel_adopt,
	.pack = ferryi_channel_pack,
	.packed = ferryi_channel_packed,
	.unpack = ferryi_channel_unpack,
	.shutdown = shut_down,
	.turn = turn,
	.may_poll = ferryi_channel_may_poll,
	.peer = ferryi_endpoint_peer,
	.peer_exit = peer_exit,
	.fini = ferryi_channel_fini,
	.interest = interest,
	.gathered = gathered,
	.glance = glance,
	.gave_up = ferryi_channel_gave_up,
	.explain = explain,
	.messages = &ferryi_messages_of_channel,
	.stream = &ferryi_stream_of_channel,
};
