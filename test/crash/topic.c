/* SPDX-License-Identifier: MIT */
/*
 * Kill a participant of a topic after every instruction of what it does, and see
 * that nobody else notices but by what it has published.
 *
 *   crash-topic                 every instruction of every scenario
 *   crash-topic --most 60       about so many kills each, evenly spread
 *   crash-topic --only "publish"    scenarios whose name contains the words
 *
 * What was accepted is read by every subscriber that blocks, whole, in order, once;
 * what was not yet, once or not at all; publishers go on, within the deadline,
 * whoever died in their way; afterwards each chunk is free or a message, no place of
 * a subscriber is taken, and nothing is left in the realm.  The victim is stepped as
 * in crash.c; the auditor looks into the segment as well.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ferry.h>

#include "look.h"
#include "payload.h"
#include "realm/segment.h"
#include "scratch.h"
#include "shm/subscribe.h"
#include "step.h"
#include "sys/files.h"

#define HANG_S	  5
#define TRACE_MAX 200000
#define CAPACITY  3
#define RING	  4 /* cells */
#define NAME	  "topic:news"
#define MADE	  NAME "?capacity=3&max=8K"
#define OURS	  1000 /* numbers of the auditor's messages */
#define LAST	  9999

/* What the victim tells, in memory that no kill can take away. */
static struct board {
	struct step_marks marks;
	volatile int ready, go;
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
	void (*act)(const struct scenario *s);
};

static struct ferry_link *press, *reader; /* the auditor's */
static struct ferry_link *mine;		  /* the victim's */
static char buffer[1 << 14];
static int published;
static int *faults; /* shared with the children, too */
static long kill_number;
static struct scratch scratch;

static ferry_time soon(void)
{
	return ferry_after(FERRY_S(HANG_S));
}

static void violate(const struct scenario *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void violate(const struct scenario *s, const char *fmt, ...)
{
	va_list ap;

	if (++*faults > 10)
		return;
	printf("  VIOLATION in \"%s\", killed at %ld: ", s->name, kill_number);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* --- the victim ------------------------------------------------------------ */

static void open_it(const struct scenario *s)
{
	const char *address = s->victim ? s->victim : NAME;

	if (ferry_open(&mine, address, s->flags))
		mine = NULL;
}

static void publish_one(const struct scenario *s)
{
	unsigned reached;

	step_skip_begin(&board->marks);
	payload_fill(buffer, s->size, 1);
	step_skip_end(&board->marks);
	board->accepted += ferry_publish(mine, buffer, s->size, &reached,
					 FERRY_NOWAIT) == 0;
}

static void lend_one(const struct scenario *s)
{
	struct ferry_message m;

	if (ferry_loan(mine, s->size, &m, FERRY_NOWAIT))
		return;
	step_skip_begin(&board->marks);
	payload_fill(m.data, s->size, 1);
	step_skip_end(&board->marks);
	board->accepted += ferry_commit(&m, FERRY_NOWAIT) == 0;
}

static void lend_and_drop(const struct scenario *s)
{
	struct ferry_message m;

	if (ferry_loan(mine, s->size, &m, FERRY_NOWAIT) == 0)
		ferry_abandon(&m);
}

static void receive_one(const struct scenario *s)
{
	ssize_t n = ferry_recv(mine, buffer, sizeof buffer, FERRY_NOWAIT);

	step_skip_begin(&board->marks);
	if (n >= 0 && payload_check(buffer, (size_t)n, s->size) < 0)
		board->got = -1;
	step_skip_end(&board->marks);
}

static void take_and_release(const struct scenario *s)
{
	struct ferry_message m;

	(void)s;
	if (ferry_take(mine, &m, FERRY_NOWAIT) == 0)
		ferry_release(&m);
}

static void shut_down(const struct scenario *s)
{
	(void)s;
	ferry_shutdown(mine, FERRY_SEND);
}

static void close_it(const struct scenario *s)
{
	(void)s;
	ferry_close(mine);
}

static void peek_one(const struct scenario *s)
{
	struct ferry_message m;
	uint64_t cursor = 0;

	(void)s;
	ferry_peek(mine, &cursor, &m, buffer, sizeof buffer);
}

static void make_another(const struct scenario *s)
{
	struct ferry_link *l;

	(void)s;
	if (ferry_topic_create(&l, "other", NULL) == 0)
		ferry_close(l);
}

static void be_victim(const struct scenario *s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (s->act != open_it && s->act != make_another) {
		open_it(s);
		if (!mine)
			_exit(2);
	}
	board->ready = 1;
	while (!board->go)
		look_pause_us(50);
	step_trace_me();
	step_begin(&board->marks);
	s->act(s);
	step_end(&board->marks);
	for (;;)
		pause();
}

/* --- the auditor ------------------------------------------------------------ */

static int give(const struct scenario *s, long id)
{
	static char ours[1 << 14];
	int r;

	payload_fill(ours, s->size, id);
	r = ferry_send(press, ours, s->size, soon());
	published += r == 0;
	return r;
}

/* The next message for who blocks: its number, or what it says. */
static long read_next(const struct scenario *s)
{
	static char theirs[1 << 14];
	ssize_t n = ferry_recv(reader, theirs, sizeof theirs, soon());

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
			violate(s, "chunk %u is nobody's and not free", i);
	}
	for (uint64_t i = 0; i <= v->topic.mask; i++)
		filled -= v->topic.cells[i] != 0;
	if (filled)
		violate(s, "%d chunks are lost", (int)filled);
	for (uint32_t i = 0; i < FERRYI_SUBSCRIBERS; i++)
		slots += ferryi_word_state(v->topic.slots[i].word) !=
			 FERRYI_FREE;
	for (uint32_t i = 0; i < FERRYI_SUBSCRIBERS / 64; i++)
		block += (uint32_t)__builtin_popcountll(
			v->topic.control->blocking[i]);
	if (slots != 1 || block != 1 ||
	    ferryi_broadcast_subscribers(&v->topic) != 1)
		violate(s, "%u places are taken, %u counted, %u block", slots,
			ferryi_broadcast_subscribers(&v->topic), block);
}

static void audit_segment(const struct scenario *s)
{
	struct ferryi_view v;
	int dir = ferryi_open_directory(scratch.path);
	int fd = ferryi_open_at(dir, ".topic.news");

	if (fd < 0 || ferryi_view_open(&v, fd) < 0) {
		violate(s, "the topic is gone");
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
			violate(s, "nobody can publish any more: %s",
				ferry_error_name(r));
		if (r || read_next(s) != OURS) {
			violate(s, "what is published is not read");
			return;
		}
	}
}

static void audit_read(const struct scenario *s, bool finished)
{
	if (s->act == shut_down && finished && seen.end == -ENODATA)
		return;
	if (seen.end != LAST && !(s->act == shut_down && seen.end == -ENODATA))
		violate(s, "it ended with %s, behind %d of %d",
			seen.end == LAST ? "the last" :
					   ferry_error_name((int)seen.end),
			seen.ours, published);
	if (seen.theirs < board->accepted || seen.theirs > 1)
		violate(s, "%d of %d messages of the victim came", seen.theirs,
			board->accepted);
	if (board->got < 0)
		violate(s, "the victim was given what is damaged");
}

/* No gc, which would mend more than honest participants leave. */
static void look_for_the_dead(const struct scenario *s)
{
	struct ferryi_realm *r;

	if (ferryi_realm_join(&r, scratch.path, FERRYI_MAKE_NOTHING) < 0) {
		violate(s, "the realm is gone");
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
	if (kill_number % 2 && !asleep) {
		look_for_the_dead(s);
		audit_segment(s);
	}
	r = give(s, LAST);
	if (r && !(s->act == shut_down && r == -ENODATA))
		violate(s, "nobody can publish any more: %s",
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
	if (scratch_names(&scratch, left, sizeof left) > 0)
		violate(s, "left behind: %s", left);
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
	  false, receive_one },
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

static bool await(volatile int *flag)
{
	struct look_limit limit = look_limit(HANG_S);

	while (!*flag)
		if (look_is_over(&limit))
			return false;
		else
			look_pause_us(100);
	return true;
}

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
	return await(&board->ready) &&
	       say(s, s->after < 0 ? CAPACITY : s->after);
}

static void run_to(const struct scenario *s, struct step_trace *t, long k,
		   bool record)
{
	struct stepper stepper = { 0 };
	pthread_t sleeper, waiter;
	enum step_result r;
	void *result = NULL;
	pid_t pid;

	kill_number = k;
	if (!prepare(s) || (pid = fork()) < 0) {
		violate(s, "it cannot be set up");
		return;
	}
	if (pid == 0)
		be_victim(s);
	if (!meanwhile(s))
		violate(s, "the victim does not come so far");
	published = 0; /* what the auditor has read itself */
	if (s->asleep)
		pthread_create(&sleeper, NULL, read_all, (void *)s);
	if (s->after < 0)
		pthread_create(&waiter, NULL, wait_for_room, (void *)s);
	board->go = 1;
	if (!step_attach(&stepper, pid, &board->marks)) {
		violate(s, "the victim cannot be stepped");
		kill(pid, SIGKILL);
		return;
	}
	stepper.record = record ? t : NULL;
	r = record ? step_to(&stepper, TRACE_MAX) : step_run_to(&stepper, t, k);
	step_kill(&stepper);
	if (s->after < 0) {
		pthread_join(waiter, &result);
		if (result)
			violate(s, "who slept for room was told %s",
				ferry_error_name((int)(intptr_t)result));
	}
	audit(s, r == STEP_DONE, s->asleep ? &sleeper : NULL);
	scratch_empty(&scratch);
}

/* In a process of its own: what maps a registry keeps it mapped. */
static void run_apart(const struct scenario *s, struct step_trace *t, long k,
		      bool record)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		run_to(s, t, k, record);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		violate(s, "the auditor ended with status %#x", status);
}

static void run_scenario(const struct scenario *s, long most)
{
	struct step_trace *t = step_trace_new(TRACE_MAX);
	double began = look_clock();
	long stride, kills = 0;

	run_apart(s, t, TRACE_MAX, true);
	step_trace_index(t);
	stride = most && t->n > most ? t->n / most : 1;
	for (long k = 0; k < t->n && *faults < 10; k += stride, kills++)
		run_apart(s, t, k, false);
	printf("%-50s %6ld instructions %6ld kills %3d violations %6.1f s\n",
	       s->name, t->n, kills, *faults, look_clock() - began);
	fflush(stdout);
	munmap(t, sizeof *t + TRACE_MAX * sizeof t->at[0]);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "most", 1, 0, 'm' },
						 { "only", 1, 0, 'n' },
						 { 0 } };
	const char *only = "", *why = step_unsupported();
	long most = 0;
	int all = 0, opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0)
		switch (opt) {
		case 'm': most = atol(optarg); break;
		case 'n': only = optarg; break;
		default: return 2;
		}
	if (why) {
		printf("skipped: %s\n", why);
		return 77;
	}
	setenv("FERRY_SPIN_US", "0", 1);
	setenv("FERRY_NET_MS", "0", 1);
	scratch_make(&scratch, "topic");
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	faults = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (const struct scenario *s = scenarios; s->name; s++) {
		if (!strstr(s->name, only))
			continue;
		*faults = 0;
		run_scenario(s, most);
		all += *faults;
	}
	scratch_remove(&scratch);
	return all > 0;
}
