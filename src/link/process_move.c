/* SPDX-License-Identifier: MIT */
/*
 * Messages of process:.  Everything is an attempt under the station's lock; the
 * bytes go through the channels (channel_move.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/process.h"
#include "sys/clock.h"
#include "sys/process.h"
#include "sys/ready.h"

/* Loans have no place in the order of what was taken. */
#define LOANED UINT64_MAX

int ferryi_process_enter(struct ferry_link *l)
{
	struct ferryi_process *h = ferryi_process_of(l);

	if (h->station && h->station->generation == ferryi_generation())
		return 0;
	return ferryi_fail(-ESTALE,
			   "%s was opened before a fork; a name is its "
			   "process's (call ferry_adopt_after_fork() in the "
			   "child, or open it there)",
			   l->address);
}

int ferryi_process_lock(struct ferry_link *l)
{
	int r = ferryi_process_enter(l);

	if (r == 0)
		pthread_mutex_lock(&ferryi_process_of(l)->station->lock);
	return r;
}

/* An attempt begins: nobody sleeps any more. */
static int begin(struct ferry_link *l, unsigned side)
{
	struct ferryi_process *h = ferryi_process_of(l);
	int r = ferryi_process_lock(l);

	if (r < 0)
		return r;
	h->asleep[side] = false;
	if (h->waits_on[side])
		ferryi_line_unpin(h->waits_on[side]);
	h->waits_on[side] = NULL;
	return 0;
}

static ssize_t done(struct ferry_link *l, ssize_t result)
{
	pthread_mutex_unlock(&ferryi_process_of(l)->station->lock);
	return result;
}

/* --- receiving --------------------------------------------------------------- */

static ssize_t process_recv(struct ferry_link *l, void *buf, size_t size)
{
	struct ferryi_line *line;
	ssize_t r = begin(l, FERRYI_RECEIVING);

	if (r < 0)
		return r;
	r = ferryi_process_find(l, &line);
	if (r == 0)
		r = ferryi_line_calls(line)->recv(line->channel, buf, size);
	if (r == -EMSGSIZE)
		ferryi_process_of(l)->station->stays = line;
	return done(l, r);
}

static ssize_t process_next_len(struct ferry_link *l)
{
	struct ferryi_line *line;
	ssize_t r = begin(l, FERRYI_RECEIVING);

	if (r < 0)
		return r;
	r = ferryi_process_find(l, &line);
	if (r == 0) {
		r = ferryi_line_calls(line)->next_len(line->channel);
		ferryi_process_of(l)->station->stays = line;
	}
	return done(l, r);
}

/* What a handle has in its hands is remembered, to be given back at its end. */
static int reserve_held(struct ferryi_process *h)
{
	size_t room = h->room_held ? 2 * h->room_held : 8;
	struct ferryi_process_held *grown;

	if (h->n_held < h->room_held)
		return 0;
	grown = realloc(h->held, room * sizeof *grown);
	if (!grown)
		return ferryi_fail(-ENOMEM, "out of memory for a message");
	h->held = grown;
	h->room_held = room;
	return 0;
}

static void hold(struct ferry_link *l, struct ferryi_line *line, uint64_t at,
		 struct ferry_message *m)
{
	struct ferryi_process *h = ferryi_process_of(l);

	ferryi_line_pin(line);
	h->held[h->n_held++] = (struct ferryi_process_held){ line, at };
	m->link = l;
	m->reserved[2] = (uintptr_t)line;
	m->reserved[3] = h->station->generation;
}

/* Where a message is among those in our hands; -ESTALE. */
static int held_at(struct ferry_link *l, const struct ferry_message *m,
		   uint64_t at, size_t *out)
{
	struct ferryi_process *h = ferryi_process_of(l);

	for (size_t i = h->n_held; i > 0; i--)
		if (h->held[i - 1].line ==
			    (struct ferryi_line *)(uintptr_t)m->reserved[2] &&
		    h->held[i - 1].at == at &&
		    m->reserved[3] == h->station->generation) {
			*out = i - 1;
			return 0;
		}
	return ferryi_fail(-ESTALE,
			   "%s: the message is not in this handle's hands "
			   "(it was ended before, or is the parent's)",
			   l->address);
}

static void let_go(struct ferryi_process *h, size_t i)
{
	struct ferryi_line *line = h->held[i].line;

	if (h->held[i].at == LOANED)
		line->lent = false;
	h->held[i] = h->held[--h->n_held];
	ferryi_line_unpin(line);
}

static int process_take(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_line *line;
	int r = begin(l, FERRYI_RECEIVING);

	if (r < 0)
		return r;
	r = reserve_held(ferryi_process_of(l));
	if (r == 0)
		r = ferryi_process_find(l, &line);
	if (r == 0)
		r = ferryi_line_calls(line)->take(line->channel, m);
	if (r == 0) {
		m->from = line->from;
		hold(l, line, m->reserved[0], m);
	}
	return (int)done(l, r);
}

static int process_release(struct ferry_link *l, struct ferry_message *m)
{
	struct ferryi_line *line;
	size_t i = 0;
	int r = ferryi_process_lock(l);

	if (r < 0)
		return r;
	r = held_at(l, m, m->reserved[0], &i);
	if (r == 0) {
		line = ferryi_process_of(l)->held[i].line;
		r = ferryi_line_calls(line)->release(line->channel, m);
	}
	if (r == 0)
		let_go(ferryi_process_of(l), i);
	return (int)done(l, r);
}

/* --- sending ------------------------------------------------------------------ */

/* In this tick of the clock, whether the other side is there still. */
static bool has_gone(struct ferryi_line *line)
{
	int64_t now = ferryi_now_stamp();

	if (now == line->looked_at)
		return false;
	line->looked_at = now;
	return ferryi_line_is_cut(line);
}

/* It broke: told once to each handle, and the next send looks for the name. */
static int lose(struct ferryi_process *h, struct ferryi_line *line)
{
	struct ferryi_partner *p = line->partner;

	ferryi_line_lose(line);
	if (h->partner == p)
		h->losses = p->losses;
	return -ECONNRESET;
}

/* The line to the partner, which is made on first use. */
static int line_out(struct ferry_link *l, struct ferryi_line **out)
{
	struct ferryi_process *h = ferryi_process_of(l);
	struct ferryi_partner *p = h->partner;
	int r;

	if (h->losses != p->losses) {
		h->losses = p->losses;
		return -ECONNRESET;
	}
	if (!p->out) {
		r = ferryi_door_admit(
			h->station); /* it may have connected (P1) */
		if (r < 0)
			return r;
	}
	if (!ferryi_partner_out(p)) {
		r = ferryi_line_make(p, l);
		if (r < 0)
			return r;
	}
	*out = p->out;
	return has_gone(p->out) ? lose(h, p->out) : 0;
}

/* Behind an attempt to send on a line. */
static int sent(struct ferryi_process *h, struct ferryi_line *line, int r)
{
	h->sending = r == -EAGAIN ? line : NULL;
	if (h->sending && h->waits_on[FERRYI_SENDING] != line) {
		ferryi_line_pin(line);
		h->waits_on[FERRYI_SENDING] = line;
	}
	return r == -ECONNRESET ? lose(h, line) : r;
}

static int process_send(struct ferry_link *l, const void *data, size_t len)
{
	struct ferryi_process *h = ferryi_process_of(l);
	struct ferryi_line *line;
	int r = begin(l, FERRYI_SENDING);

	if (r < 0)
		return r;
	h->sending = NULL;
	r = line_out(l, &line);
	if (r == 0)
		r = sent(h, line,
			 ferryi_line_calls(line)->send(line->channel, data,
						       len));
	return (int)done(l, r);
}

/* The way back: the line that the pair has now, when it leads to the same
 * process; -ECONNRESET: that one has gone. */
static struct ferryi_line *way_back(struct ferryi_line *line)
{
	struct ferryi_line *out;

	if (line->over)
		return NULL;
	out = ferryi_partner_out(line->partner);
	if (!out || out->pid == line->pid)
		return out;
	return line->over ? NULL : line;
}

static int process_reply(struct ferry_link *l, const struct ferry_message *m,
			 const void *data, size_t len)
{
	struct ferryi_process *h = ferryi_process_of(l);
	struct ferryi_line *line = NULL;
	size_t i;
	int r = begin(l, FERRYI_SENDING);

	if (r < 0)
		return r;
	h->sending = NULL;
	r = held_at(l, m, m->reserved[0], &i);
	if (r == 0) {
		line = way_back(h->held[i].line);
		r = line && !has_gone(line) ? 0 : -ECONNRESET;
	}
	if (r == 0)
		r = sent(h, line,
			 ferryi_line_calls(line)->send(line->channel, data,
						       len));
	return (int)done(l, r);
}

/* --- lending ------------------------------------------------------------------ */

static int process_loan(struct ferry_link *l, size_t len,
			struct ferry_message *m)
{
	struct ferryi_process *h = ferryi_process_of(l);
	struct ferryi_line *line;
	int r = begin(l, FERRYI_SENDING);

	if (r < 0)
		return r;
	h->sending = NULL;
	r = reserve_held(h);
	if (r == 0)
		r = line_out(l, &line);
	if (r == 0)
		r = sent(h, line,
			 ferryi_line_calls(line)->loan(line->channel, len, m));
	if (r == 0) {
		line->lent = true;
		hold(l, line, LOANED, m);
	}
	return (int)done(l, r);
}

static int end_loan(struct ferry_link *l, struct ferry_message *m,
		    int (*end)(struct ferry_link *l, struct ferry_message *m))
{
	struct ferryi_process *h = ferryi_process_of(l);
	size_t i = 0;
	int r = held_at(l, m, LOANED, &i);

	if (r < 0)
		return r;
	r = end(h->held[i].line->channel, m);
	if (r == -ECONNRESET && !h->held[i].line->over)
		lose(h, h->held[i].line);
	if (r == 0)
		let_go(h, i);
	return r;
}

static int process_commit(struct ferry_link *l, struct ferry_message *m)
{
	int r = ferryi_process_lock(l);

	return r < 0 ? r :
		       (int)done(l,
				 end_loan(l, m,
					  ferryi_messages_of_channel.commit));
}

static int process_abandon(struct ferry_link *l, struct ferry_message *m)
{
	int r = ferryi_process_lock(l);

	return r < 0 ? r :
		       (int)done(l,
				 end_loan(l, m,
					  ferryi_messages_of_channel.abandon));
}

void ferryi_process_drop_held(struct ferryi_process *h)
{
	while (h->n_held > 0) {
		struct ferryi_line *line = h->held[h->n_held - 1].line;
		uint64_t at = h->held[h->n_held - 1].at;
		struct ferry_message m = { 0 };

		m.reserved[0] = at;
		m.reserved[1] = ferryi_channel_of(line->channel)->me;
		if (at == LOANED)
			ferryi_line_calls(line)->abandon(line->channel, &m);
		else
			ferryi_line_calls(line)->release(line->channel, &m);
		let_go(h, h->n_held - 1);
	}
}

const struct ferryi_messages ferryi_messages_of_process = {
	.send = process_send,
	.recv = process_recv,
	.next_len = process_next_len,
	.loan = process_loan,
	.commit = process_commit,
	.abandon = process_abandon,
	.take = process_take,
	.release = process_release,
	.reply = process_reply,
};
