/* SPDX-License-Identifier: MIT */
/* Scenarios of crash-channel: messages, bytes, connections and names. */
#include <errno.h>
#include <string.h>

#include "channel.h"
#include "payload.h"

static struct ferry_message held;

/* --- the victim ------------------------------------------------------------ */

int give(const struct scenario *s, struct ferry_link *l, long id)
{
	step_skip_begin(&board->single.marks);
	payload_fill(buffer, s->size, id);
	step_skip_end(&board->single.marks);
	return ferry_send(l, buffer, s->size, FERRY_NOWAIT);
}

bool send_one(const struct scenario *s)
{
	bool done = give(s, mine, s->before) == 0;

	board->accepted += done;
	return done;
}

static bool lend_one(const struct scenario *s)
{
	struct ferry_message m;

	if (ferry_loan(mine, s->size, &m, FERRY_NOWAIT))
		return false;
	step_skip_begin(&board->single.marks);
	payload_fill(m.data, s->size, s->before);
	step_skip_end(&board->single.marks);
	if (ferry_commit(&m, FERRY_NOWAIT))
		return false;
	board->accepted++;
	return true;
}

static bool write_some(const struct scenario *s)
{
	(void)s;
	return ferry_write(mine, "some words", 10, FERRY_NOWAIT) == 10;
}

static bool read_some(const struct scenario *s)
{
	bool done = true;

	(void)s;
	for (unsigned i = 0; i < 3; i++)
		done &= ferry_read(mine, buffer, 3000, FERRY_NOWAIT) > 0;
	return done;
}

bool receive_one(const struct scenario *s)
{
	bool done = ferry_recv(mine, buffer, sizeof buffer, FERRY_NOWAIT) ==
		    (ssize_t)s->size;

	board->acked += done;
	return done;
}

static bool take_and_release(const struct scenario *s)
{
	(void)s;
	if (ferry_take(mine, &held, FERRY_NOWAIT) || ferry_release(&held))
		return false;
	board->acked++;
	return true;
}

static bool shut_down(const struct scenario *s)
{
	(void)s;
	return ferry_shutdown(mine, FERRY_SEND) == 0;
}

static bool close_it(const struct scenario *s)
{
	(void)s;
	ferry_close(mine);
	return true;
}

static bool connect_and_send(const struct scenario *s)
{
	return ferry_open(&mine, NAME, FERRY_DUPLEX) == 0 && send_one(s);
}

static bool listen_there(const struct scenario *s)
{
	(void)s;
	return ferry_listen(&mine, NAME) == 0;
}

static bool accept_one(const struct scenario *s)
{
	struct ferry_link *peer;
	bool done = ferry_accept(mine, &peer, FERRY_NOWAIT) == 0 &&
		    give(s, peer, 0) == 0;

	board->accepted += done;
	return done;
}

/* --- the other end --------------------------------------------------------- */

/* All that comes from the victim, and the end; how many messages. */
int drain(const struct scenario *s, struct ferry_link *l, int *out_end)
{
	int n = received;
	ssize_t r;

	while ((r = ferry_recv(l, buffer, sizeof buffer, single_soon())) >= 0)
		if (payload_check(buffer, (size_t)r, s->size) != n++)
			single_violate(s->name, "message %d is damaged", n - 1);
	*out_end = (int)r;
	return n;
}

void audit_received(const struct scenario *s, int n, int how, bool finished)
{
	int least = board->accepted;

	if (n < least || n > s->before + 1)
		single_violate(s->name, "%d of %d messages came", n, least);
	if (how == -ECONNRESET || (finished && how == -ENODATA) ||
	    (s->how & ENDS_IN_ORDER && how == -ENODATA))
		return;
	single_violate(s->name, "the end was %s", ferry_error_name(how));
}

void audit_drain(const struct scenario *s, bool finished)
{
	int how, n = drain(s, end, &how);

	audit_received(s, n, how, finished && s->how & ENDS_IN_ORDER);
}

struct seen slept;

void *receive_all(void *arg)
{
	slept.n = drain(arg, end, &slept.how);
	return NULL;
}

void audit_slept(const struct scenario *s, bool finished)
{
	(void)finished;
	audit_received(s, slept.n, slept.how, false);
}

void *send_more(void *arg)
{
	const struct scenario *s = arg;
	static char more[1 << 17];

	payload_fill(more, s->size, 77);
	slept.how = ferry_send(end, more, s->size, FERRY_FOREVER);
	return NULL;
}

/* Until it is told of the death. */
static void *write_on(void *scenario)
{
	static char more[5000];

	(void)scenario;
	while ((slept.how = (int)ferry_write(end, more, sizeof more,
					     FERRY_FOREVER)) > 0)
		;
	return NULL;
}

static void audit_writer(const struct scenario *s, bool finished)
{
	(void)finished;
	if (slept.how != -ECONNRESET)
		single_violate(s->name, "who writes to the dead is told %s",
			       ferry_error_name(slept.how));
}

/* Who slept for room got it, or heard of the death. */
void audit_sender(const struct scenario *s, bool finished)
{
	(void)finished;
	if (slept.how != 0 && slept.how != -ECONNRESET)
		single_violate(s->name, "who slept for room was told %s",
			       ferry_error_name(slept.how));
}

/* A dead receiver is noticed by who sends on. */
void audit_told(const struct scenario *s, bool finished)
{
	int r = 0;

	(void)finished;
	for (int i = 0; i < 200 && r == 0; i++)
		r = ferry_send(end, buffer, s->size, single_soon());
	if (r != -ECONNRESET)
		single_violate(s->name, "who sends to the dead is told %s",
			       ferry_error_name(r));
}

static void audit_bytes(const struct scenario *s, bool finished)
{
	char text[20];
	ssize_t n = ferry_read(end, text, sizeof text, single_soon());

	if (n != -ECONNRESET && (n != 10 || memcmp(text, "some words", 10)))
		single_violate(s->name, "%zd bytes came", n);
	if (finished && n != 10)
		single_violate(s->name, "what was written is lost");
	if (n > 0)
		n = ferry_read(end, text, sizeof text, single_soon());
	if (n != -ECONNRESET)
		single_violate(s->name, "the end was %s",
			       ferry_error_name((int)n));
}

/* Somebody new comes in by the door, whoever died in it. */
static void audit_door(const struct scenario *s, bool finished)
{
	struct ferry_link *peer, *fresh;
	int r, how, n = 0, met = 0;

	(void)finished;
	if (ferry_open(&fresh, NAME, FERRY_DUPLEX)) {
		single_violate(s->name, "nobody can connect any more");
		return;
	}
	ferry_send(fresh, "fresh", 5, single_soon());
	while ((r = ferry_accept(end, &peer, single_soon())) == 0) {
		ssize_t len =
			ferry_recv(peer, buffer, sizeof buffer, single_soon());

		met = len == 5 && memcmp(buffer, "fresh", 5) == 0;
		if (!met) {
			n = len >= 0;
			drain(s, peer, &how);
		}
		ferry_close(peer);
		if (met)
			break;
	}
	if (!met)
		single_violate(s->name, "the next one does not get in: %s",
			       ferry_error_name(r));
	if (n < board->accepted)
		single_violate(s->name, "what the dead one sent is lost");
	ferry_close(fresh);
}

/* The name can be had again, and nothing of it is left. */
static void audit_name(const struct scenario *s, bool finished)
{
	struct ferry_link *again;
	int r = ferry_listen(&again, NAME), how, n;
	char left[200];

	(void)finished;
	if (r)
		single_violate(s->name, "nobody can listen any more: %s",
			       ferry_error_name(r));
	else
		ferry_close(again);
	if (end) {
		n = drain(s, end, &how);
		if (n < board->accepted || how != -ECONNRESET)
			single_violate(s->name,
				       "who was accepted got %d, then %s", n,
				       ferry_error_name(how));
	}
	if (scratch_names(&single_realm, left, sizeof left) > 0)
		single_violate(s->name, "left behind: %s", left);
}

/* --- scenarios ------------------------------------------------------------- */

const struct scenario scenarios_of_ends[] = {
	{ "send", 40, "channel:", 2, 0, 0, send_one, NULL, audit_drain },
	{ "send to a sleeper", 40, "channel:", 0, 0, 0, send_one, receive_all,
	  audit_slept },
	{ "send round the end of the ring", 1100, "channel:?ring=16K", 14, 0,
	  RECEIVE_FIRST, send_one, NULL, audit_drain }, /* too little room
							  * before it */
	{ "loan and commit", 300, "channel:", 1, 0, 0, lend_one, receive_all,
	  audit_slept },
	{ "write", 10, "channel:?framing=stream", 0, 0, 0, write_some, NULL,
	  audit_bytes },
	{ "read, a writer asleep for room", 1000,
	  "channel:?framing=stream&ring=16K", 0, -1, 0, read_some, write_on,
	  audit_writer },
	{ "receive", 40, "channel:", 0, 3, 0, receive_one, NULL, audit_told },
	{ "receive, a sender asleep for room", 4000, "channel:?ring=16K", 0, -1,
	  0, receive_one, send_more, audit_sender },
	{ "take and release, a sender asleep for room", 4000,
	  "channel:?ring=16K", 0, -1, 0, take_and_release, send_more,
	  audit_sender },
	{ "shut down", 40, "channel:", 2, 0, ENDS_IN_ORDER, shut_down,
	  receive_all, audit_slept },
	{ "close", 40, "channel:", 2, 1, ENDS_IN_ORDER, close_it, NULL,
	  audit_drain },
	{ "connect and send", 40, NULL, 0, 0, AUDITOR_LISTENS, connect_and_send,
	  NULL, audit_door },
	{ "listen", 40, NULL, 0, 0, 0, listen_there, NULL, audit_name },
	{ "accept and send", 40, NULL, 0, 0, VICTIM_LISTENS, accept_one, NULL,
	  audit_name },
	{ 0 },
};
