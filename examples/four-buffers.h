/* SPDX-License-Identifier: MIT */
/*
 * Four bounded buffers behind one face: the two of the textbooks, a channel and a
 * mailbox.  Example 12 compares them.
 */
#ifndef FOUR_BUFFERS_H
#define FOUR_BUFFERS_H

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <ferry.h>

#include "textbook-buffers.h"

enum side { PRODUCER, CONSUMER };

struct buffer {
	const char *name;
	void (*make)(void);
	/* after a fork: we are this side; the other process is the other one */
	void (*be)(enum side side, bool child);
	int (*put)(int item, ferry_time deadline);
	int (*take)(int *item, ferry_time deadline);
	void (*done)(void); /* with the item that was taken */
	void (*end)(void);
};

/* Every call returns a negative errno when it fails; Ferry can explain it. */
static void need(struct ferry_link *link, int err, const char *what)
{
	char why[256];

	if (err >= 0)
		return;
	ferry_explain(link, err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* --- of the textbooks: wait by asking again --------------------------------------- */

static struct in_out *in_out;
static struct counted *counted;

static void make_in_out(void)
{
	in_out = shared_memory(sizeof *in_out);
}

static void make_counted(void)
{
	counted = shared_memory(sizeof *counted);
}

static void be_anybody(enum side side, bool child)
{
	(void)side;
	(void)child;
}

static void nothing(void)
{
}

/* Let the other one run, and say whether to ask again after that. */
static bool in_time(ferry_time deadline)
{
	return sched_yield() == 0 && ferry_after(0) < deadline;
}

static int put_in_out(int item, ferry_time deadline)
{
	while (!in_out_put(in_out, item, NULL))
		if (!in_time(deadline))
			return -ETIMEDOUT;
	return 0;
}

static int take_in_out(int *item, ferry_time deadline)
{
	while (!in_out_take(in_out, item))
		if (!in_time(deadline))
			return -ETIMEDOUT;
	return 0;
}

static int put_counted(int item, ferry_time deadline)
{
	while (!counted_put(counted, item, add_at_once))
		if (!in_time(deadline))
			return -ETIMEDOUT;
	return 0;
}

static int take_counted(int *item, ferry_time deadline)
{
	while (!counted_take(counted, item, add_at_once))
		if (!in_time(deadline))
			return -ETIMEDOUT;
	return 0;
}

/* --- a channel: each side has an end ------------------------------------------------- */

static struct ferry_link *end_of[2];

static void make_channel(void)
{
	need(NULL, ferry_pair(end_of, "channel:?ring=16K"), "pair");
}

static void be_at_an_end(enum side side, bool child)
{
	ferry_close(end_of[!side]);
	end_of[!side] = NULL;
	if (child)
		need(end_of[side], ferry_adopt_after_fork(end_of[side]),
		     "adopt");
}

static int put_channel(int item, ferry_time deadline)
{
	return ferry_send(end_of[PRODUCER], &item, sizeof item, deadline);
}

static int take_channel(int *item, ferry_time deadline)
{
	ssize_t n = ferry_recv(end_of[CONSUMER], item, sizeof *item, deadline);

	return n < 0 ? (int)n : 0;
}

static void end_channel(void)
{
	ferry_close(end_of[PRODUCER]);
	ferry_close(end_of[CONSUMER]);
}

/* --- a mailbox: as many of each side as you like --------------------------------------- */

static struct ferry_link *box;
static struct ferry_message taken;

static void make_mailbox(void)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;

	o.capacity = SIZE;
	need(NULL, ferry_mailbox_create(&box, "example-12", &o), "create");
}

static void be_a_user(enum side side, bool child)
{
	(void)side;
	if (child)
		need(box, ferry_adopt_after_fork(box), "adopt");
}

static int put_mailbox(int item, ferry_time deadline)
{
	return ferry_send(box, &item, sizeof item, deadline);
}

/* Taken, and ours until it is released: if we die before, another gets it. */
static int take_mailbox(int *item, ferry_time deadline)
{
	int r = ferry_take(box, &taken, deadline);

	if (r == 0)
		memcpy(item, taken.data, sizeof *item);
	return r;
}

static void done_mailbox(void)
{
	need(box, ferry_release(&taken), "release");
}

static void end_mailbox(void)
{
	ferry_close(box);
}

static const struct buffer buffers[] = {
	{ "in and out", make_in_out, be_anybody, put_in_out, take_in_out,
	  nothing, nothing },
	{ "atomic counter", make_counted, be_anybody, put_counted, take_counted,
	  nothing, nothing },
	{ "channel", make_channel, be_at_an_end, put_channel, take_channel,
	  nothing, end_channel },
	{ "mailbox", make_mailbox, be_a_user, put_mailbox, take_mailbox,
	  done_mailbox, end_mailbox },
};

#define N_BUFFERS (sizeof buffers / sizeof buffers[0])

#endif
