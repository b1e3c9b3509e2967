/* SPDX-License-Identifier: MIT */
/*
 * Kill a process that has a name, or sends to one, after every instruction of what
 * it does; or stop it there, let the other one send at that moment, and let it go on.
 *
 *   crash-process [--most 60] [--only "send"]	as single.h says
 *
 * What was accepted is received, once, in order and under its sender's name; behind
 * it comes an end, within the deadline; the name can be had again, and nothing is
 * left.  The victim is stepped as in crash.c.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ferry.h>

#include "look.h"
#include "single.h"

#define LATER 3 /* messages that follow where both go on */

/* What the victim tells, in memory that no kill can take away. */
static struct board {
	struct single_board single;
	volatile int accepted; /* messages it sent before, or while stepped */
	volatile int got[16];  /* what it received, in order */
	volatile int n_got;
	volatile int done;
} * board;

struct scenario {
	const char *name;
	const char *victim;  /* its name; NULL: it has none */
	const char *auditor; /* the name of the other one; NULL */
	const char *to;	     /* how the auditor opens the victim; NULL */
	int before;	     /* messages that the victim has sent */
	int queued;	     /* messages for it; -1: as many as fit */
	bool (*act)(const struct scenario *s); /* whether it was done */
	void *(*meanwhile)(void *scenario);
	void (*audit)(const struct scenario *s, bool finished);
	bool goes_on; /* the victim is not killed but met where it stands */
};

static struct ferry_link *mine, *out;	   /* the victim's */
static struct ferry_link *end, *to, *from; /* the auditor's */
static struct ferry_message held;

static int open_as(struct ferry_link **l, const char *name, unsigned flags)
{
	char address[120];

	snprintf(address, sizeof address, "process:%s", name);
	return ferry_open(l, address, flags);
}

/* --- the victim ------------------------------------------------------------ */

static int give(int number)
{
	int r = ferry_send(out, &number, sizeof number, FERRY_NOWAIT);

	board->accepted += r == 0;
	return r;
}

static bool get(ferry_time deadline)
{
	static char large[4000]; /* as queue() sends where nothing more fits */
	ssize_t n = ferry_recv(mine, large, sizeof large, deadline);

	if (n == sizeof(int))
		board->got[board->n_got++ % 16] = *(int *)large;
	return n >= 0;
}

static bool enter(const struct scenario *s)
{
	return open_as(&mine, s->victim, FERRY_RECV) == 0;
}

static bool send_one(const struct scenario *s)
{
	return give(s->before) == 0;
}

static bool receive_one(const struct scenario *s)
{
	(void)s;
	return get(FERRY_NOWAIT);
}

static bool take_and_release(const struct scenario *s)
{
	(void)s;
	return ferry_take(mine, &held, FERRY_NOWAIT) == 0 &&
	       ferry_release(&held) == 0;
}

static bool take_and_answer(const struct scenario *s)
{
	int number = 0;

	(void)s;
	if (ferry_take(mine, &held, FERRY_NOWAIT) ||
	    ferry_reply(&held, &number, sizeof number, FERRY_NOWAIT))
		return false;
	board->accepted++;
	return true;
}

static bool close_it(const struct scenario *s)
{
	(void)s;
	ferry_close(out);
	ferry_close(mine);
	return true;
}

static void go_on(void)
{
	for (int i = 0; i < LATER; i++)
		give(1 + i);
	while (board->n_got < 1 + LATER)
		get(FERRY_FOREVER);
	board->done = 1;
}

static void be_victim(const struct scenario *s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (s->victim && s->act != enter &&
	    open_as(&mine, s->victim, FERRY_RECV))
		_exit(2);
	if (s->auditor && open_as(&out, s->auditor, FERRY_SEND))
		_exit(2);
	for (int i = 0; i < s->before; i++)
		give(i);
	single_begin(&board->single);
	single_end(&board->single, s->act(s));
	if (s->goes_on)
		go_on();
	single_rest();
}

/* --- what the other one finds ------------------------------------------------ */

static void check_sender(const struct scenario *s,
			 const struct ferry_message *m)
{
	char sender[80];

	snprintf(sender, sizeof sender, "process:%s",
		 s->victim ? s->victim : "");
	if (s->victim ? !m->from || strcmp(m->from, sender) : !!m->from)
		single_violate(s->name, "a message is from %s",
			       m->from ? m->from : "nobody");
}

/* What comes from the victim, in order, until the end or nothing more. */
static int drain(const struct scenario *s, struct ferry_link *l, int *out_how)
{
	struct ferry_message m;
	int n = 0;

	while ((*out_how = ferry_take(l, &m, single_soon())) == 0) {
		if (m.len != sizeof(int) || *(int *)m.data != n++)
			single_violate(s->name, "message %d is another", n - 1);
		check_sender(s, &m);
		ferry_release(&m);
	}
	return n;
}

static void audit_count(const struct scenario *s, int n)
{
	if (n < board->accepted || n > s->before + 1)
		single_violate(s->name, "%d of %d messages came", n,
			       board->accepted);
}

/* A name is free: it can be had, used, and goes without a trace. */
static void audit_name(const struct scenario *s, bool finished)
{
	struct ferry_link *again, *l;
	char left[200], byte;
	int r = open_as(&again, s->victim, FERRY_RECV);

	(void)finished;
	if (r) {
		single_violate(s->name, "the name cannot be had: %s",
			       ferry_error_name(r));
		return;
	}
	if (open_as(&l, s->victim, FERRY_SEND) == 0) {
		r = ferry_send(l, "x", 1, single_soon());
		if (r || ferry_recv(again, &byte, 1, single_soon()) != 1)
			single_violate(s->name,
				       "who has the name next gets nothing: %s",
				       ferry_error_name(r));
		ferry_close(l);
	}
	ferry_close(again);
	ferry_close(end);
	ferry_close(to);
	ferry_close(from);
	end = to = from = NULL;
	if (scratch_names(&single_realm, left, sizeof left) > 0)
		single_violate(s->name, "left behind: %s", left);
}

/* The number of the next message; -1: of the one who comes next; or an error.  Of
 * the victim's the sender has to be right. */
static int hear(const struct scenario *s, ferry_time deadline, int *out)
{
	struct ferry_message m;
	int r = ferry_take(end, &m, deadline);

	if (r)
		return r;
	*out = *(int *)m.data;
	if (*out >= 0)
		check_sender(s, &m);
	ferry_release(&m);
	return 0;
}

/* All that was accepted; and others are heard as before. */
static void audit_heard(const struct scenario *s, bool finished)
{
	int number = -1, n = 0, how;
	struct ferry_link *l;

	if (open_as(&l, s->auditor, FERRY_SEND) ||
	    ferry_send(l, &number, sizeof number, single_soon()))
		single_violate(s->name, "nobody can send any more");
	while ((how = hear(s, single_soon(), &number)) == 0 && number >= 0)
		n++;
	if (how)
		single_violate(s->name, "who comes next is not heard: %s",
			       ferry_error_name(how));
	while (how == 0 && hear(s, FERRY_NOWAIT, &number) == 0)
		n++; /* there is no order between two */
	audit_count(s, n);
	ferry_close(l);
	if (s->victim)
		audit_name(s, finished);
}

/* The one who listens to it alone: all of it, and the end. */
static void audit_drained(const struct scenario *s, bool finished)
{
	int how, n = drain(s, from, &how);

	audit_count(s, n);
	if (how != -ECONNRESET && (s->act != close_it || how != -ENODATA))
		single_violate(s->name, "the end was %s",
			       ferry_error_name(how));
	audit_name(s, finished);
}

static struct {
	int n, how;
} slept;

static void *receive_all(void *arg)
{
	slept.n = drain(arg, from, &slept.how);
	return NULL;
}

static void audit_slept(const struct scenario *s, bool finished)
{
	audit_count(s, slept.n);
	if (slept.how != -ECONNRESET)
		single_violate(s->name, "the end was %s",
			       ferry_error_name(slept.how));
	audit_name(s, finished);
}

static void *send_more(void *arg)
{
	static char more[4000];

	(void)arg;
	slept.how = ferry_send(to, more, sizeof more, FERRY_FOREVER);
	return NULL;
}

/* Who sends to the dead is told, then finds nobody. */
static void audit_told(const struct scenario *s, bool finished)
{
	int r = 0;

	if (s->meanwhile && slept.how != 0 && slept.how != -ECONNRESET)
		single_violate(s->name, "who slept for room was told %s",
			       ferry_error_name(slept.how));
	for (int i = 0; i < 2000 && r == 0; i++) {
		r = ferry_send(to, "more", 4, single_soon());
		look_pause_us(100);
	}
	if (r == -ECONNRESET)
		r = ferry_send(to, "more", 4, single_soon());
	else if (!s->meanwhile || r != -ENOENT) /* told the one that slept */
		single_violate(s->name, "who sends to the dead is told %s",
			       ferry_error_name(r));
	if (r != -ENOENT)
		single_violate(s->name, "and then %s", ferry_error_name(r));
	audit_name(s, finished);
}

static void audit_answer(const struct scenario *s, bool finished)
{
	int how, n;

	for (n = 0; (how = (int)ferry_recv(to, &how, sizeof how,
					   single_soon())) == sizeof how;)
		n++;
	if (n < board->accepted || n > 1)
		single_violate(s->name, "%d answers, %d were accepted", n,
			       board->accepted);
	if (how != -ECONNRESET)
		single_violate(s->name, "the end was %s",
			       ferry_error_name(how));
	audit_name(s, finished);
}

/* Both have sent; neither was killed. */
static void audit_both(const struct scenario *s, bool finished)
{
	struct look_limit limit = look_limit(SINGLE_HANG_S);
	int number, r;

	for (int i = 0; i < 1 + LATER; i++) {
		r = (int)ferry_recv(end, &number, sizeof number, single_soon());
		if (r != sizeof number || number != i)
			single_violate(s->name, "message %d: %d, %d", i, r,
				       number);
	}
	while (!board->done && !look_is_over(&limit))
		look_pause_us(100);
	for (int i = 0; i < 1 + LATER; i++)
		if (i >= board->n_got || board->got[i] != i)
			single_violate(s->name,
				       "the other one received %d as number %d",
				       board->got[i], i);
	(void)finished;
}

/* --- scenarios ------------------------------------------------------------- */

#define SMALL "?ring=16K"

static const struct scenario scenarios[] = {
	{ "register", "app", NULL, NULL, 0, 0, enter, NULL, audit_name, false },
	{ "take over", "app", NULL, NULL, 0, 0, enter, NULL, audit_name,
	  false },
	{ "first send", NULL, "log", NULL, 0, 0, send_one, NULL, audit_heard,
	  false },
	{ "first send under a name", "app", "log", NULL, 0, 0, send_one, NULL,
	  audit_heard, false },
	{ "send", "app", "log", NULL, 2, 0, send_one, NULL, audit_drained,
	  false },
	{ "send to a sleeper", "app", "log", NULL, 1, 0, send_one, receive_all,
	  audit_slept, false },
	{ "first receive", "app", NULL, "app", 0, 2, receive_one, NULL,
	  audit_told, false },
	{ "receive, a sender asleep for room", "app", NULL, "app" SMALL, 0, -1,
	  receive_one, send_more, audit_told, false },
	{ "take and release", "app", NULL, "app", 0, 2, take_and_release, NULL,
	  audit_told, false },
	{ "take and answer", "app", NULL, "app", 0, 1, take_and_answer, NULL,
	  audit_answer, false },
	{ "close", "app", "log", NULL, 2, 0, close_it, NULL, audit_drained,
	  false },
	{ "meet a smaller name", "z", "a", "z", 0, 0, send_one, NULL,
	  audit_both, true },
	{ "meet a greater name", "a", "z", "a", 0, 0, send_one, NULL,
	  audit_both, true },
	{ 0 },
};

/* --- one kill -------------------------------------------------------------- */

/* A process that had the name before, and was killed. */
static void leave_a_dead_door(const struct scenario *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		enter(s);
		raise(SIGKILL);
	}
	waitpid(pid, NULL, 0);
}

static bool prepare(const struct scenario *s)
{
	char address[80];

	memset(board, 0, sizeof *board);
	memset(&slept, 0, sizeof slept);
	mine = out = end = to = from = NULL;
	if (strcmp(s->name, "take over") == 0)
		leave_a_dead_door(s);
	if (!s->auditor)
		return true;
	if (open_as(&end, s->auditor, FERRY_RECV))
		return false;
	snprintf(address, sizeof address, "%s?from=%s", s->auditor, s->victim);
	return !s->victim || s->goes_on ||
	       open_as(&from, address, FERRY_RECV) == 0;
}

/* Messages for the victim, which has its name by now. */
static bool queue(const struct scenario *s)
{
	static char large[4000];

	if (!s->to)
		return true;
	if (open_as(&to, s->to, s->goes_on ? FERRY_SEND : FERRY_DUPLEX))
		return false;
	for (int i = 0; i != s->queued; i++)
		if (ferry_send(to, s->queued < 0 ? large : (char *)&i,
			       s->queued < 0 ? sizeof large : sizeof i,
			       FERRY_NOWAIT))
			break;
	return true;
}

/* The victim stands still: send to it now, then both go on. */
static bool meet(const struct scenario *s, struct stepper *stepper)
{
	bool well = true;

	for (int i = 0; i < 1 + LATER; i++) {
		if (ferry_send(to, &i, sizeof i, single_soon()))
			well = false;
		if (i > 0)
			continue;
		if (!step_finish(stepper, SINGLE_HANG_S))
			well = false;
		step_let_go(stepper);
	}
	if (!well)
		single_violate(s->name, "they do not meet");
	return well;
}

static pid_t start(const struct scenario *s)
{
	pid_t pid = fork();

	if (pid == 0)
		be_victim(s);
	return pid;
}

static void run(const void *of, const struct single_run *run)
{
	const struct scenario *s = of;
	struct stepper stepper = { 0 };
	pthread_t thread;
	bool finished;
	pid_t pid;

	if (!prepare(s) || (pid = start(s)) < 0) {
		single_violate(s->name, "it cannot be set up");
		return;
	}
	if (!single_await(&board->single.ready) || !queue(s) ||
	    !step_attach(&stepper, pid, &board->single.marks)) {
		single_violate(s->name, "the victim does not come so far");
		kill(pid, SIGKILL);
		return;
	}
	if (s->meanwhile)
		pthread_create(&thread, NULL, s->meanwhile, (void *)s);
	finished = single_step(&stepper, s->name, run, &board->single);
	if (s->goes_on && meet(s, &stepper))
		s->audit(s, true);
	step_kill(&stepper);
	if (s->meanwhile)
		pthread_join(thread, NULL);
	if (!s->goes_on)
		s->audit(s, finished);
	ferry_close(to);
	ferry_close(from);
	ferry_close(end);
	scratch_empty(&single_realm);
}

int main(int argc, char **argv)
{
	static const struct single kind = {
		.tag = "process",
		.scenarios = { scenarios },
		.scenario_size = sizeof(struct scenario),
		.board_size = sizeof(struct board),
		.run = run,
	};

	return single_main(&kind, &board, argc, argv);
}
