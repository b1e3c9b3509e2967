/* SPDX-License-Identifier: MIT */
/* Scenarios of crash-channel: from hand to hand, in turns, beside the ring, exported. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "payload.h"

#define LONG 9000 /* more than half of a ring of 16K */

/* --- from hand to hand -------------------------------------------------------- */

static void offer_one(const struct scenario *s)
{
	int r = give(s, mine, s->before);

	board->accepted += r == 0;
	board->refused += r == -EAGAIN;
}

/* What was withdrawn was not sent. */
static void check_offer(const struct scenario *s, int n)
{
	if (board->refused && n > 0)
		violate(s, "a message came that was not sent");
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
		violate(s, "a message was received, and its sender told %s",
			ferry_error_name(slept.how));
}

/* --- in turns -------------------------------------------------------------------- */

static void send_and_pass(const struct scenario *s)
{
	send_one(s);
	ferry_turn(mine);
}

/* Who waits for its turn gets it, or hears of the death. */
static void audit_turn(const struct scenario *s, bool finished)
{
	audit_sender(s, finished);
	if (finished && slept.how != 0)
		violate(s, "a turn that was passed did not come");
	audit_drain(s, finished);
}

/* --- descriptors ------------------------------------------------------------------ */

static void send_outlet(const struct scenario *s)
{
	step_skip_begin(&board->marks);
	payload_fill(buffer, s->size, s->before);
	step_skip_end(&board->marks);
	board->accepted += ferry_send_fds(mine, buffer, s->size, &outlet[1], 1,
					  FERRY_NOWAIT) == 0;
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
				   soon());
		if (r < 0)
			break;
		if (payload_check(buffer, (size_t)r, s->size) != n)
			violate(s, "message %d is damaged", n);
		if (n_fds != (n == s->before))
			violate(s, "message %d has %u descriptors", n, n_fds);
		if (n_fds != 1)
			continue;
		if (write(fds[0], "x", 1) != 1 ||
		    read(outlet[0], &byte, 1) != 1)
			violate(s, "it is another descriptor");
		close(fds[0]);
	}
	audit_received(s, n, (int)r, finished);
}

/* The other end sends its outlet to the victim, who is killed as it receives. */
static void receive_outlet(const struct scenario *s)
{
	int fds[2];
	unsigned n = 2;

	(void)s;
	board->acked += ferry_recv_fds(mine, buffer, sizeof buffer, fds, &n,
				       FERRY_NOWAIT) >= 0;
}

static void *send_its_outlet(void *scenario)
{
	const struct scenario *s = scenario;
	int copy = dup(outlet[1]);

	ferry_send_fds(end, buffer, s->size, &copy, 1, soon());
	close(copy);
	return NULL;
}

/* --- exported ------------------------------------------------------------------------ */

static void export_and_send(const struct scenario *s)
{
	int fd = ferry_export(mine);

	if (fd >= 0 && ferry_adopt(&mine, fd) == 0)
		send_one(s);
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
	{ "receive with descriptors", 40, "channel:", 0, 0, 0, receive_outlet,
	  send_its_outlet, audit_told },
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
