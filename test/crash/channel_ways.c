/* SPDX-License-Identifier: MIT */
/* Scenarios of crash-channel: from hand to hand, in turns, beside the ring, exported. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "payload.h"

#define LONG 9000 /* more than half of a ring of 16K */

/* --- from hand to hand -------------------------------------------------------- */

static bool offer_one(const struct scenario *s)
{
	int r = give(s, mine, s->before);

	board->accepted += r == 0;
	board->refused += r == -EAGAIN;
	return r == 0 || r == -EAGAIN;
}

/* What was withdrawn was not sent. */
static void check_offer(const struct scenario *s, int n)
{
	if (board->refused && n > 0)
		single_violate(s->name, "a message came that was not sent");
}

static void audit_offer(const struct scenario *s, bool finished)
{
	int how, n = drain(s, end, &how);

	check_offer(s, n);
	audit_received(s, n, how, finished);
}

static void audit_offer_taken(const struct scenario *s, bool finished)
{
	check_offer(s, slept.n);
	audit_slept(s, finished);
}

/* Who received it cannot be told that it was not sent. */
static void audit_handed(const struct scenario *s, bool finished)
{
	audit_sender(s, finished);
	if (board->acked && slept.how != 0)
		single_violate(s->name,
			       "a message was received, and its sender told %s",
			       ferry_error_name(slept.how));
}

/* --- in turns -------------------------------------------------------------------- */

static bool send_and_pass(const struct scenario *s)
{
	return send_one(s) && ferry_turn(mine) == 0;
}

/* Who waits for its turn gets it, or hears of the death. */
static void audit_turn(const struct scenario *s, bool finished)
{
	audit_sender(s, finished);
	if (finished && slept.how != 0)
		single_violate(s->name, "a turn that was passed did not come");
	audit_drain(s, finished);
}

/* --- descriptors ------------------------------------------------------------------ */

static bool send_outlet(const struct scenario *s)
{
	bool done;

	step_skip_begin(&board->single.marks);
	payload_fill(buffer, s->size, s->before);
	step_skip_end(&board->single.marks);
	done = ferry_send_fds(mine, buffer, s->size, &outlet[1], 1,
			      FERRY_NOWAIT) == 0;
	board->accepted += done;
	return done;
}

/* The message of the outlet has it, and no other one has. */
static void audit_outlet(const struct scenario *s, bool finished)
{
	int n = 0, fds[2];
	unsigned n_fds;
	ssize_t r;
	char byte;

	for (;; n++) {
		n_fds = 2;
		r = ferry_recv_fds(end, buffer, sizeof buffer, fds, &n_fds,
				   single_soon());
		if (r < 0)
			break;
		if (payload_check(buffer, (size_t)r, s->size) != n)
			single_violate(s->name, "message %d is damaged", n);
		if (n_fds != (n == s->before))
			single_violate(s->name, "message %d has %u descriptors",
				       n, n_fds);
		if (n_fds != 1)
			continue;
		if (write(fds[0], "x", 1) != 1 ||
		    read(outlet[0], &byte, 1) != 1)
			single_violate(s->name, "it is another descriptor");
		close(fds[0]);
	}
	audit_received(s, n, (int)r, finished);
}

static bool receive_outlet(const struct scenario *s)
{
	int fds[2];
	unsigned n = 2;
	bool done = ferry_recv_fds(mine, buffer, sizeof buffer, fds, &n,
				   FERRY_NOWAIT) == (ssize_t)s->size;

	board->acked += done;
	return done && n == 1;
}

/* --- exported ------------------------------------------------------------------------ */

static bool export_and_send(const struct scenario *s)
{
	int fd = ferry_export(mine);

	return fd >= 0 && ferry_adopt(&mine, fd) == 0 && send_one(s);
}

/* --- scenarios ------------------------------------------------------------------------ */

const struct scenario scenarios_of_ways[] = {
	{ "offer and withdraw", 40, "channel:?capacity=0", 0, 0, 0, offer_one,
	  NULL, audit_offer },
	{ "offer to a sleeper, or withdraw", 40, "channel:?capacity=0", 0, 0, 0,
	  offer_one, receive_all, audit_offer_taken },
	{ "receive from the hand of a sleeper", 40, "channel:?capacity=0", 0, 0,
	  0, receive_one, send_more, audit_handed },
	{ "send in turn, and pass it to a sleeper", 40,
	  "channel:?direction=half", 0, 0, VICTIMS_TURN, send_and_pass,
	  send_more, audit_turn },
	{ "send with descriptors", 40, "channel:", 2, 0, 0, send_outlet, NULL,
	  audit_outlet },
	{ "receive with descriptors", 40, "channel:", 0, 2, WITH_OUTLET,
	  receive_outlet, NULL, audit_told },
	{ "send a long message", LONG, "channel:?ring=16K", 0, 0, 0, send_one,
	  receive_all, audit_slept },
	{ "receive a long message", LONG, "channel:?ring=16K", 0, 1, 0,
	  receive_one, NULL, audit_told },
	{ "receive a long message, the next one waits", LONG,
	  "channel:?ring=16K", 0, 1, 0, receive_one, send_more, audit_sender },
	{ "export, adopt and send", 40, "channel:", 2, 1, 0, export_and_send,
	  NULL, audit_drain },
	{ 0 },
};
