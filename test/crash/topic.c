/* SPDX-License-Identifier: MIT */
/*
 * Kill a participant of a topic after every instruction of what it does, and see
 * that nobody else notices but by what it has published.
 *
 *   crash-topic [--most 60] [--only "publish"]	as single.h says
 *
 * What was accepted is read by every subscriber that blocks, whole, in order, once;
 * what was not yet, once or not at all; publishers go on, within the deadline,
 * whoever died in their way; afterwards each chunk is free or a message, no place of
 * a subscriber is taken, and nothing is left in the realm.  The victim is stepped as
 * in crash.c; the auditor looks into the segment as well.
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
#include "payload.h"
#include "realm/segment.h"
#include "shm/subscribe.h"
#include "single.h"
#include "sys/files.h"

#define CAPACITY 3
#define RING	 4 /* cells */
#define NAME	 "topic:news"
#define MADE	 NAME "?capacity=3&max=8K"
#define OURS	 1000 /* numbers of the auditor's messages */
#define LAST	 9999

/* What the victim tells, in memory that no kill can take away. */
static struct board {
	struct single_board single;
	volatile int go;
	volatile int accepted; /* messages that it published */
	volatile int got;      /* what it received */
} * board;

struct scenario {
	const char *name;
	size_t size;	    /* of each message */
	const char *victim; /* its address; NULL: it opens it while stepped */
	unsigned flags;
	int before;  /* messages of the auditor, before the victim is there */
	int after;   /* and then; -1: one that has to wait, in a thread */
	bool asleep; /* the auditor's subscriber sleeps meanwhile */
	bool (*act)(const struct scenario *s); /* whether it was done */
};

static struct ferry_link *press, *reader; /* the auditor's */
static struct ferry_link *mine;		  /* the victim's */
static char buffer[1 << 14];
static int published;

/* --- the victim ------------------------------------------------------------ */

static bool open_it(const struct scenario *s)
{
	const char *address = s->victim ? s->victim : NAME;

	if (ferry_open(&mine, address, s->flags))
		mine = NULL;
	return mine != NULL;
}

static bool publish_one(const struct scenario *s)
{
	unsigned reached;
	bool done;

	step_skip_begin(&board->single.marks);
	payload_fill(buffer, s->size, 1);
	step_skip_end(&board->single.marks);
	done = ferry_publish(mine, buffer, s->size, &reached, FERRY_NOWAIT) ==
	       0;
	board->accepted += done;
	return done;
}

static bool lend_one(const struct scenario *s)
{
	struct ferry_message m;

	if (ferry_loan(mine, s->size, &m, FERRY_NOWAIT))
		return false;
	step_skip_begin(&board->single.marks);
	payload_fill(m.data, s->size, 1);
	step_skip_end(&board->single.marks);
	if (ferry_commit(&m, FERRY_NOWAIT))
		return false;
	board->accepted++;
	return true;
}

static bool lend_and_drop(const struct scenario *s)
{
	struct ferry_message m;

	return ferry_loan(mine, s->size, &m, FERRY_NOWAIT) == 0 &&
	       ferry_abandon(&m) == 0;
}

static bool receive_one(const struct scenario *s)
{
	ssize_t n = ferry_recv(mine, buffer, sizeof buffer, FERRY_NOWAIT);

	step_skip_begin(&board->single.marks);
	if (n >= 0 && payload_check(buffer, (size_t)n, s->size) < 0)
		board->got = -1;
	step_skip_end(&board->single.marks);
	return n >= 0;
}

static bool be_cut(const struct scenario *s)
{
	(void)s;
	return ferry_recv(mine, buffer, sizeof buffer, FERRY_NOWAIT) ==
	       -ECONNRESET;
}

static bool take_and_release(const struct scenario *s)
{
	struct ferry_message m;

	(void)s;
	return ferry_take(mine, &m, FERRY_NOWAIT) == 0 &&
	       ferry_release(&m) == 0;
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

static bool peek_one(const struct scenario *s)
{
	struct ferry_message m;
	uint64_t cursor = 0;

	(void)s;
	return ferry_peek(mine, &cursor, &m, buffer, sizeof buffer) == 0;
}

static bool make_another(const struct scenario *s)
{
	struct ferry_link *l;

	(void)s;
	if (ferry_topic_create(&l, "other", NULL))
		return false;
	ferry_close(l);
	return true;
}

static void be_victim(const struct scenario *s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (s->act != open_it && s->act != make_another) {
		open_it(s);
		if (!mine)
			_exit(2);
	}
	board->single.ready = 1;
	while (!board->go)
		look_pause_us(50);
	single_begin(&board->single);
	single_end(&board->single, s->act(s));
	single_rest();
}

/* --- the auditor ------------------------------------------------------------ */

static int give(const struct scenario *s, long id)
{
	static char ours[1 << 14];
	int r;

	payload_fill(ours, s->size, id);
	r = ferry_send(press, ours, s->size, single_soon());
	published += r == 0;
	return r;
}

/* The next message for who blocks: its number, or what it says. */
static long read_next(const struct scenario *s)
{
	static char theirs[1 << 14];
	ssize_t n = ferry_recv(reader, theirs, sizeof theirs, single_soon());

	if (n < 0)
		return n;
	n = (ssize_t)payload_check(theirs, (size_t)n, s->size);
	return n < 0 ? -EBADMSG : n;
}

/* All of them, until the last: ours in order, the victim's one whole. */
static struct {
	int ours, theirs;
	long end;
} seen;

static void *read_all(void *arg)
{
	const struct scenario *s = arg;
	long id;

	seen.ours = seen.theirs = 0;
	while ((id = read_next(s)) >= 0 && id != LAST)
		if (id == 1)
			seen.theirs++;
		else if (id == OURS + seen.ours)
			seen.ours++;
		else
			break;
	seen.end = id;
	return NULL;
}

/* One who has to wait for the victim to read, or to die. */
static void *wait_for_room(void *arg)
{
	return (void *)(intptr_t)give(arg, OURS + published);
}

static void audit_chunks(const struct scenario *s, struct ferryi_view *v)
{
	uint32_t filled = 0, slots = 0, block = 0;

	for (uint32_t i = 0; i < v->topic.n_chunks; i++) {
		uint32_t state = ferryi_word_state(v->topic.records[i].word);

		filled += state == FERRYI_QUEUED;
		if (state == FERRYI_LOAN)
			single_violate(s->name,
				       "chunk %u is nobody's and not free", i);
	}
	for (uint64_t i = 0; i <= v->topic.mask; i++)
		filled -= v->topic.cells[i] != 0;
	if (filled)
		single_violate(s->name, "%d chunks are lost", (int)filled);
	for (uint32_t i = 0; i < FERRYI_SUBSCRIBERS; i++)
		slots += ferryi_word_state(v->topic.slots[i].word) !=
			 FERRYI_FREE;
	for (uint32_t i = 0; i < FERRYI_SUBSCRIBERS / 64; i++)
		block += (uint32_t)__builtin_popcountll(
			v->topic.control->blocking[i]);
	if (slots != 1 || block != 1 ||
	    ferryi_broadcast_subscribers(&v->topic) != 1)
		single_violate(s->name,
			       "%u places are taken, %u counted, %u block",
			       slots, ferryi_broadcast_subscribers(&v->topic),
			       block);
}

static void audit_segment(const struct scenario *s)
{
	struct ferryi_view v;
	int dir = ferryi_open_directory(single_realm.path);
	int fd = ferryi_open_at(dir, ".topic.news");

	if (fd < 0 || ferryi_view_open(&v, fd) < 0) {
		single_violate(s->name, "the topic is gone");
	} else {
		audit_chunks(s, &v);
		ferryi_view_close(&v);
	}
	ferryi_close(dir);
}

/* Three laps: nobody is in the way, nothing is missed. */
static void audit_going_on(const struct scenario *s)
{
	for (int i = 0; i < 3 * RING; i++) {
		int r = give(s, OURS);

		if (r)
			single_violate(s->name,
				       "nobody can publish any more: %s",
				       ferry_error_name(r));
		if (r || read_next(s) != OURS) {
			single_violate(s->name,
				       "what is published is not read");
			return;
		}
	}
}

static void audit_read(const struct scenario *s, bool finished)
{
	if (s->act == shut_down && finished && seen.end == -ENODATA)
		return;
	if (seen.end != LAST && !(s->act == shut_down && seen.end == -ENODATA))
		single_violate(s->name, "it ended with %s, behind %d of %d",
			       seen.end == LAST ?
				       "the last" :
				       ferry_error_name((int)seen.end),
			       seen.ours, published);
	if (seen.theirs < board->accepted || seen.theirs > 1)
		single_violate(s->name, "%d of %d messages of the victim came",
			       seen.theirs, board->accepted);
	if (board->got < 0)
		single_violate(s->name, "the victim was given what is damaged");
}

/* No gc, which would mend more than honest participants leave. */
static void look_for_the_dead(const struct scenario *s)
{
	struct ferryi_realm *r;

	if (ferryi_realm_join(&r, single_realm.path, FERRYI_MAKE_NOTHING) < 0) {
		single_violate(s->name, "the realm is gone");
		return;
	}
	ferryi_realm_look(r, NULL);
	ferryi_realm_leave(r);
}

static void audit(const struct scenario *s, bool finished, pthread_t *asleep)
{
	struct ferry_garbage *g;
	char left[200];
	size_t n;
	int r;

	/* the repair comes before, or in the middle; who sleeps may be at it */
	if (single_kill() % 2 && !asleep) {
		look_for_the_dead(s);
		audit_segment(s);
	}
	r = give(s, LAST);
	if (r && !(s->act == shut_down && r == -ENODATA))
		single_violate(s->name, "nobody can publish any more: %s",
			       ferry_error_name(r));
	if (asleep)
		pthread_join(*asleep, NULL);
	else
		read_all((void *)(uintptr_t)s);
	audit_read(s, finished);
	if (s->act != shut_down)
		audit_going_on(s);
	look_for_the_dead(s);
	audit_segment(s);
	ferry_close(reader);
	ferry_close(press);
	if (ferry_gc(NULL, true, &g, &n) == 0)
		ferry_free(g);
	if (scratch_names(&single_realm, left, sizeof left) > 0)
		single_violate(s->name, "left behind: %s", left);
}

/* --- scenarios ------------------------------------------------------------- */

static const struct scenario scenarios[] = {
	{ "publish, the first", 40, NAME, FERRY_SEND, 0, 0, false,
	  publish_one },
	{ "publish over an old message", 40, NAME, FERRY_SEND, 6, 0, false,
	  publish_one },
	{ "publish 5000 bytes", 5000, NAME, FERRY_SEND, 1, 0, false,
	  publish_one },
	{ "publish to a sleeper", 40, NAME, FERRY_SEND, 5, 0, true,
	  publish_one },
	{ "loan and commit", 300, NAME, FERRY_SEND, 6, 0, true, lend_one },
	{ "loan and abandon", 300, NAME, FERRY_SEND, 2, 0, false,
	  lend_and_drop },
	{ "subscribe, block, from the oldest", 40,
	  NAME "?policy=block&from=oldest", FERRY_RECV, 6, 0, false, open_it },
	{ "subscribe, latest", 40, NAME "?policy=latest&from=last", FERRY_RECV,
	  2, 0, false, open_it },
	{ "open to publish", 40, NAME, FERRY_SEND, 2, 0, false, open_it },
	{ "receive, block", 40, NAME, FERRY_RECV, 2, 2, false, receive_one },
	{ "receive, block, a publisher asleep for room", 40, NAME, FERRY_RECV,
	  2, -1, false, receive_one },
	{ "take and release, a publisher asleep for room", 40, NAME, FERRY_RECV,
	  2, -1, false, take_and_release },
	{ "receive after an overrun", 40, NAME "?policy=drop-old", FERRY_RECV,
	  2, 7, false, receive_one },
	{ "receive the latest", 40, NAME "?policy=latest", FERRY_RECV, 2, 7,
	  false, receive_one },
	{ "be disconnected", 40, NAME "?policy=disconnect", FERRY_RECV, 2, 7,
	  false, be_cut },
	{ "take and release", 300, NAME "?policy=drop-old", FERRY_RECV, 1, 2,
	  false, take_and_release },
	{ "look at what was", 40, NAME, FERRY_SEND, 6, 0, false, peek_one },
	{ "close, a publisher asleep for room", 40, NAME, FERRY_RECV, 2, -1,
	  false, close_it },
	{ "close, a publisher", 40, NAME, FERRY_SEND, 2, 0, false, close_it },
	{ "shut down, a subscriber asleep", 40, NAME, FERRY_SEND, 2, 0, true,
	  shut_down },
	{ "create and close", 40, NAME, FERRY_SEND, 0, 0, false, make_another },
	{ 0 },
};

/* --- one kill -------------------------------------------------------------- */

/* Messages of the auditor's; it reads them itself unless it is to sleep. */
static bool say(const struct scenario *s, int n)
{
	while (n-- > 0) {
		if (give(s, OURS + published))
			return false;
		if (read_next(s) < 0)
			return false;
	}
	return true;
}

static bool prepare(const struct scenario *s)
{
	memset(board, 0, sizeof *board);
	published = 0;
	press = reader = mine = NULL;
	if (ferry_open(&press, MADE, FERRY_SEND) ||
	    ferry_open(&reader, NAME, FERRY_RECV))
		return false;
	return say(s, s->before);
}

/* What happens between the victim's start and its mark. */
static bool meanwhile(const struct scenario *s)
{
	return single_await(&board->single.ready) &&
	       say(s, s->after < 0 ? CAPACITY : s->after);
}

static void kill_one(const struct scenario *s, const struct single_run *run)
{
	struct stepper stepper = { 0 };
	pthread_t sleeper, waiter;
	void *result = NULL;
	bool finished;
	pid_t pid;

	if (!prepare(s) || (pid = fork()) < 0) {
		single_violate(s->name, "it cannot be set up");
		return;
	}
	if (pid == 0)
		be_victim(s);
	if (!meanwhile(s))
		single_violate(s->name, "the victim does not come so far");
	published = 0; /* what the auditor has read itself */
	if (s->asleep)
		pthread_create(&sleeper, NULL, read_all, (void *)s);
	if (s->after < 0)
		pthread_create(&waiter, NULL, wait_for_room, (void *)s);
	board->go = 1;
	if (!step_attach(&stepper, pid, &board->single.marks)) {
		single_violate(s->name, "the victim cannot be stepped");
		kill(pid, SIGKILL);
		return;
	}
	finished = single_step(&stepper, s->name, run, &board->single);
	step_kill(&stepper);
	if (s->after < 0) {
		pthread_join(waiter, &result);
		if (result)
			single_violate(s->name,
				       "who slept for room was told %s",
				       ferry_error_name((int)(intptr_t)result));
	}
	audit(s, finished, s->asleep ? &sleeper : NULL);
	scratch_empty(&single_realm);
}

/* In a process of its own: what maps a registry keeps it mapped. */
static void run(const void *of, const struct single_run *run)
{
	const struct scenario *s = of;
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		kill_one(s, run);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		single_violate(s->name, "the auditor ended with status %#x",
			       status);
}

int main(int argc, char **argv)
{
	static const struct single kind = {
		.tag = "topic",
		.scenarios = { scenarios },
		.scenario_size = sizeof(struct scenario),
		.board_size = sizeof(struct board),
		.run = run,
	};

	return single_main(&kind, &board, argc, argv);
}
