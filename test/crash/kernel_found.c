/* SPDX-License-Identifier: MIT */
/* What the auditor finds at the other end of a dead one. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kernel_moves.h"
#include "look.h"

#define SEEN 16

/* What the auditor has received, and the result that ended it. */
static struct {
	int id[SEEN], n, how;
	char why[300];
} seen;

static void drain(const struct scenario *s)
{
	ferry_time soon = s->way->ended == -EAGAIN ? FERRY_NOWAIT :
						     single_soon();
	ssize_t len;
	int id;

	seen.n = 0;
	while ((len = ferry_recv(end, buffer, sizeof buffer, soon)) >= 0) {
		id = number_of(s, buffer, (size_t)len);
		if (id < 0)
			single_violate(s->name,
				       "a message of %zd bytes is "
				       "damaged",
				       len);
		if (seen.n < SEEN)
			seen.id[seen.n++] = id;
	}
	seen.how = (int)len;
	ferry_explain(end, seen.how, seen.why, sizeof seen.why);
}

void *drain_meanwhile(void *scenario)
{
	drain(scenario);
	return NULL;
}

/* `n` messages, those from `first` on. */
static bool is_run(int first, int at_seen, int n)
{
	for (int i = 0; i < n; i++)
		if (seen.id[at_seen + i] != first + i)
			return false;
	return true;
}

static void check_end(const struct scenario *s, bool finished)
{
	if (seen.how == s->way->ended)
		return;
	if (!finished && s->can & STREAM && seen.how == -ECONNRESET &&
	    seen.n == board->accepted && strstr(seen.why, "inside a message"))
		return;
	single_violate(s->name, "behind %d messages comes %s: %s", seen.n,
		       ferry_error_name(seen.how), seen.why);
}

/* Of a dead sender: what it had sent, and then the end. */
void audit_seen(const struct scenario *s, bool finished)
{
	int more = finished ? 0 : s->move->unsure;

	if (seen.n < board->accepted || seen.n > board->accepted + more ||
	    !is_run(0, 0, seen.n))
		single_violate(s->name,
			       "%d messages were accepted, and %d came, or in "
			       "another order",
			       board->accepted, seen.n);
	check_end(s, finished);
}

void audit_sent(const struct scenario *s, bool finished)
{
	drain(s);
	audit_seen(s, finished);
}

/* The first came with two descriptors that work, or did not come at all. */
void audit_outlet(const struct scenario *s, bool finished)
{
	int fds[FERRY_FDS_MAX], worked = 0;
	unsigned n = FERRY_FDS_MAX;
	ferry_time soon = s->way->ended == -EAGAIN ? FERRY_NOWAIT :
						     single_soon();
	ssize_t len = ferry_recv_fds(end, buffer, sizeof buffer, fds, &n, soon);

	if (len < 0) {
		seen.n = 0;
		seen.how = (int)len;
		ferry_explain(end, seen.how, seen.why, sizeof seen.why);
		audit_seen(s, finished);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		worked += write(fds[i], "x", 1) == 1;
		close(fds[i]);
	}
	if (n != 2 || worked != 2 ||
	    read(outlet[0], buffer + LARGE / 2, 2) != 2)
		single_violate(s->name, "%u descriptors came with it, %d work",
			       n, worked);
	if (number_of(s, buffer, (size_t)len) != 0)
		single_violate(s->name, "another message came with them");
	drain(s);
	memmove(seen.id + 1, seen.id, sizeof seen.id - sizeof seen.id[0]);
	seen.id[0] = 0;
	seen.n++;
	audit_seen(s, finished);
}

/* Who sends to a dead receiver hears of it. */
static void audit_told(const struct scenario *s)
{
	struct look_limit limit = look_limit(SINGLE_HANG_S);
	int r;

	while ((r = give(s, end, queued, single_soon())) == 0 &&
	       s->can & LATE && !look_is_over(&limit))
		look_pause_us(100);
	is_one_of(s, "sending to the dead one", r, s->way->gone, s->way->gone);
}

/* In a queue is what was not received yet, and what was put back; what the kernel had
 * handed out and nobody has seen is gone with its receiver. */
static void audit_left(const struct scenario *s, bool finished)
{
	int taken = board->got, back, rest;

	drain(s);
	back = seen.n > 0 && seen.id[seen.n - 1] == 0 && taken > 0;
	rest = seen.n - back;
	if (!finished && rest < queued - taken &&
	    rest >= queued - taken - s->move->unsure)
		taken = queued - rest;
	if (rest != queued - taken || !is_run(taken, 0, rest) ||
	    (back && !s->move->puts_back) || (board->given && !back))
		single_violate(s->name,
			       "%d of %d messages were received and %d put "
			       "back, but %d are left%s",
			       board->got, queued, board->given, seen.n,
			       rest && seen.id[0] ? "" : " from the first on");
	check_end(s, finished);
}

void audit_received(const struct scenario *s, bool finished)
{
	if (board->wrong)
		single_violate(s->name, "%d messages were not what was sent",
			       board->wrong);
	if (s->can & FOR_ALL) {
		board->accepted = queued;
		audit_sent(s, finished);
	} else if (s->can & KEEPS) {
		audit_left(s, finished);
	} else {
		audit_told(s);
	}
}

/* The auditor sends a long message while the victim receives. */
static int sent;

void *send_meanwhile(void *scenario)
{
	sent = give(scenario, end, 0, single_soon());
	return NULL;
}

/* Or a short one once it sleeps. */
void *send_to_sleeper(void *scenario)
{
	if (await_sleep())
		queued += give(scenario, end, 0, FERRY_NOWAIT) == 0;
	return NULL;
}

void audit_sender(const struct scenario *s, bool finished)
{
	is_one_of(s, "sending to one who is killed", sent, 0,
		  finished ? 0 : -ECONNRESET);
	audit_received(s, finished);
}
