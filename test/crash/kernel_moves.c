/* SPDX-License-Identifier: MIT */
/* Scenarios of crash-kernel: what one of two ends does, in every way in which it can. */
#include <stdio.h>
#include <string.h>

#include "kernel_moves.h"
#include "payload.h"

int queued;

size_t length(const struct scenario *s)
{
	return s->can & VALUES ? sizeof(int) : s->move->size;
}

void fill(const struct scenario *s, void *out, int id)
{
	if (s->can & VALUES)
		memcpy(out, &id, sizeof id);
	else
		payload_fill(out, s->move->size, id);
}

int give(const struct scenario *s, struct ferry_link *l, int id,
	 ferry_time deadline)
{
	fill(s, buffer, id);
	return ferry_send(l, buffer, length(s), deadline);
}

int number_of(const struct scenario *s, const void *data, size_t len)
{
	const struct ferry_signal *signal = data;

	if (s->can & VALUES)
		return len == sizeof *signal ? signal->value : -1;
	return (int)payload_check(data, len, s->move->size);
}

/* --- every move in every way ----------------------------------------------------- */

static void audit_move(const struct scenario *s, bool finished)
{
	s->move->audit(s, finished);
	ferry_close(end);
	ferry_close(door);
	end = door = NULL;
	if (s->can & VALUES)
		return; /* a process has no name that another one could take */
	if (s->way->meet && !s->way->after)
		anew(s, can_listen);
	else if (s->way->join)
		anew(s, can_receive);
	if (s->can & (KEEPS | STAYS))
		remove_all(s);
}

static const struct move moves[] = {
	{ "send", SENDS, SMALL, 1, send_three, NULL, audit_sent, false },
	{ "send many at once", SENDS, SMALL, MANY, send_many, NULL, audit_sent,
	  false },
	{ "send 200 KB", SENDS | STREAM, LARGE, 1, send_one, drain_meanwhile,
	  audit_seen, false },
	{ "loan and commit", SENDS | LENDS, SMALL, 1, loan_and_commit, NULL,
	  audit_sent, false },
	{ "send descriptors", SENDS | CARRIES, SMALL, 1, send_with_outlet, NULL,
	  audit_outlet, false },
	{ "send and shut down", SENDS | SHUTS, SMALL, 1, send_and_shut_down,
	  NULL, audit_sent, false },
	{ "send and close", SENDS, SMALL, 1, send_and_close, NULL, audit_sent,
	  false },
	{ "receive", RECEIVES, SMALL, 1, receive_all, NULL, audit_received,
	  false },
	{ "receive many at once", RECEIVES, SMALL, MANY, receive_many, NULL,
	  audit_received, false },
	{ "receive, asleep before", RECEIVES, SMALL, 1, receive_one,
	  send_to_sleeper, audit_received, false },
	{ "receive 200 KB", RECEIVES | STREAM, LARGE, 1, receive_one,
	  send_meanwhile, audit_sender, false },
	{ "take and release", RECEIVES | LENDS, SMALL, 1, take_and_release,
	  NULL, audit_received, false },
	{ "take and put back", RECEIVES | GIVES, SMALL, 1, take_and_put_back,
	  NULL, audit_received, true },
	{ "ask for the length, receive", RECEIVES | TELLS, SMALL, 1,
	  ask_and_receive, NULL, audit_received, false },
	{ "receive descriptors", RECEIVES | CARRIES, SMALL, 1, receive_outlet,
	  NULL, audit_received, false },
	{ "close with messages unread", RECEIVES, SMALL, 0, close_it, NULL,
	  audit_received, false },
};

#define N_MOVES (sizeof moves / sizeof moves[0])
#define MOST	500

static bool make_ends(const struct scenario *s)
{
	return !s->way->make || s->way->make(s->way, s->move->needs & SENDS);
}

static bool join(const struct scenario *s)
{
	return !s->way->join || s->way->join(s->way, s->move->needs & SENDS);
}

static bool queue_some(const struct scenario *s)
{
	int fds[2] = { outlet[1], outlet[1] }, r;

	for (int i = 0; i < QUEUED; i++) {
		payload_fill(buffer, s->move->size, i);
		r = i == 0 && s->move->needs & CARRIES ?
			    ferry_send_fds(end, buffer, SMALL, fds, 2,
					   FERRY_NOWAIT) :
			    give(s, end, i, FERRY_NOWAIT);
		if (r)
			return false;
	}
	queued = QUEUED;
	return true;
}

static bool meet(const struct scenario *s)
{
	queued = 0;
	if (s->way->meet && !s->way->meet(s->way, s->move->needs & SENDS))
		return false;
	return s->move->needs & SENDS || s->move->meanwhile || queue_some(s);
}

const struct scenario *scenarios_of_moves(void)
{
	static struct scenario all[MOST + 1];
	static char names[MOST][80];
	unsigned n = 0;

	for (const struct way *w = ways; w->name; w++)
		for (unsigned i = 0; i < N_MOVES && n < MOST; i++) {
			if ((w->can & moves[i].needs) != moves[i].needs)
				continue;
			snprintf(names[n], sizeof names[n], "%s: %s", w->name,
				 moves[i].name);
			all[n] = (struct scenario){
				.name = names[n],
				.make = make_ends,
				.join = join,
				.meet = meet,
				.act = moves[i].act,
				.audit = audit_move,
				.meanwhile = moves[i].meanwhile,
				.way = w,
				.move = &moves[i],
				.address = w->address,
				.can = w->can,
				.after = w->after,
			};
			n++;
		}
	return all;
}
