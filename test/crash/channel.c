/* SPDX-License-Identifier: MIT */
/*
 * Kill one end of a channel after every instruction of what it does, and see
 * what the other end is told.
 *
 *   crash-channel                 every instruction of every scenario
 *   crash-channel --most 60       about so many kills each, evenly spread
 *   crash-channel --only "send"   scenarios whose name contains the words
 *
 * What was accepted is received, whole and in order; what was not yet, once or
 * not at all; behind it comes an end, within the deadline; and a name can be
 * used again.  The victim is stepped as in crash.c.
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
#include "scratch.h"
#include "step.h"

#define HANG_S	  5
#define TRACE_MAX 200000
#define NAME	  "channel:ends"

/* What the victim tells, in memory that no kill can take away. */
static struct board {
	struct step_marks marks;
	volatile int ready;
	volatile int accepted; /* messages it sent before, or while stepped */
	volatile int acked;    /* messages that it received */
} * board;

struct scenario {
	const char *name;
	size_t size;	     /* of each message */
	const char *address; /* of the pair; NULL: there is none */
	int before;	     /* messages that the victim has sent */
	int queued;	     /* messages for it; -1: as many as fit */
	void (*act)(const struct scenario *s);
	/* the other end, in a thread, from before until the victim is dead */
	void *(*meanwhile)(void *scenario);
	void (*audit)(const struct scenario *s, bool finished);
};

static struct ferry_link *end;	/* the auditor's */
static struct ferry_link *mine; /* the victim's */
static struct ferry_message held;
static char buffer[1 << 17];
static int received; /* by the auditor, before the kill */
static int faults;
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

	if (faults++ > 10)
		return;
	printf("  VIOLATION in \"%s\", killed at %ld: ", s->name, kill_number);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* --- the victim ------------------------------------------------------------ */

static int give(const struct scenario *s, struct ferry_link *l, long id)
{
	step_skip_begin(&board->marks);
	payload_fill(buffer, s->size, id);
	step_skip_end(&board->marks);
	return ferry_send(l, buffer, s->size, FERRY_NOWAIT);
}

static void send_one(const struct scenario *s)
{
	board->accepted += give(s, mine, s->before) == 0;
}

/* All before have been received: between this one and the end of the ring is too
 * little room for it. */
static void send_round(const struct scenario *s)
{
	send_one(s);
}

static void lend_one(const struct scenario *s)
{
	struct ferry_message m;

	if (ferry_loan(mine, s->size, &m, FERRY_NOWAIT))
		return;
	step_skip_begin(&board->marks);
	payload_fill(m.data, s->size, s->before);
	step_skip_end(&board->marks);
	board->accepted += ferry_commit(&m, FERRY_NOWAIT) == 0;
}

static void write_some(const struct scenario *s)
{
	(void)s;
	ferry_write(mine, "some words", 10, FERRY_NOWAIT);
}

static void receive_one(const struct scenario *s)
{
	(void)s;
	board->acked += ferry_recv(mine, buffer, sizeof buffer, FERRY_NOWAIT) >=
			0;
}

static void take_and_release(const struct scenario *s)
{
	(void)s;
	if (ferry_take(mine, &held, FERRY_NOWAIT) == 0)
		board->acked += ferry_release(&held) == 0;
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

static void connect_and_send(const struct scenario *s)
{
	if (ferry_open(&mine, NAME, FERRY_DUPLEX) == 0)
		send_one(s);
}

static void listen_there(const struct scenario *s)
{
	(void)s;
	ferry_listen(&mine, NAME);
}

static void accept_one(const struct scenario *s)
{
	struct ferry_link *peer;

	if (ferry_accept(mine, &peer, FERRY_NOWAIT) == 0 && s->before == 0)
		board->accepted += give(s, peer, 0) == 0;
}

static void be_victim(const struct scenario *s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mine && (!s->address || ferry_adopt_after_fork(mine)))
		_exit(2);
	if (s->act == accept_one && ferry_listen(&mine, NAME))
		_exit(2);
	for (int i = 0; i < s->before; i++) {
		payload_fill(buffer, s->size, i);
		board->accepted +=
			ferry_send(mine, buffer, s->size, FERRY_NOWAIT) == 0;
	}
	board->ready = 1;
	step_trace_me();
	step_begin(&board->marks);
	s->act(s);
	step_end(&board->marks);
	for (;;)
		pause();
}

/* --- the other end --------------------------------------------------------- */

static bool receive_before(const struct scenario *s)
{
	while (received < s->before && ferry_recv(end, buffer, sizeof buffer,
						  soon()) == (ssize_t)s->size)
		received++;
	return received == s->before;
}

/* All that comes from the victim, and the end; how many messages. */
static int drain(const struct scenario *s, struct ferry_link *l, int *out_end)
{
	int n = received;
	ssize_t r;

	while ((r = ferry_recv(l, buffer, sizeof buffer, soon())) >= 0)
		if (payload_check(buffer, (size_t)r, s->size) != n++)
			violate(s, "message %d is damaged", n - 1);
	*out_end = (int)r;
	return n;
}

static void audit_received(const struct scenario *s, int n, int how,
			   bool finished)
{
	int least = board->accepted;

	if (n < least || n > s->before + 1)
		violate(s, "%d of %d messages came", n, least);
	if (how == -ECONNRESET || (finished && how == -ENODATA) ||
	    (s->act == shut_down && how == -ENODATA) ||
	    (s->act == close_it && how == -ENODATA))
		return;
	violate(s, "the end was %s", ferry_error_name(how));
}

static void audit_drain(const struct scenario *s, bool finished)
{
	int how, n = drain(s, end, &how);

	audit_received(s, n, how, finished && s->act == shut_down);
}

static struct {
	int n, how;
} slept;

static void *receive_all(void *arg)
{
	slept.n = drain(arg, end, &slept.how);
	return NULL;
}

static void audit_slept(const struct scenario *s, bool finished)
{
	(void)finished;
	audit_received(s, slept.n, slept.how, false);
}

static void *send_more(void *arg)
{
	const struct scenario *s = arg;
	static char more[1 << 17];

	payload_fill(more, s->size, 77);
	slept.how = ferry_send(end, more, s->size, FERRY_FOREVER);
	return NULL;
}

/* Who slept for room got it, or heard of the death. */
static void audit_sender(const struct scenario *s, bool finished)
{
	(void)finished;
	if (slept.how != 0 && slept.how != -ECONNRESET)
		violate(s, "who slept for room was told %s",
			ferry_error_name(slept.how));
}

/* A dead receiver is noticed by who sends on. */
static void audit_told(const struct scenario *s, bool finished)
{
	int r = 0;

	(void)finished;
	for (int i = 0; i < 200 && r == 0; i++)
		r = ferry_send(end, buffer, s->size, soon());
	if (r != -ECONNRESET)
		violate(s, "who sends to the dead is told %s",
			ferry_error_name(r));
}

static void audit_bytes(const struct scenario *s, bool finished)
{
	char text[20];
	ssize_t n = ferry_read(end, text, sizeof text, soon());

	if (n != -ECONNRESET && (n != 10 || memcmp(text, "some words", 10)))
		violate(s, "%zd bytes came", n);
	if (finished && n != 10)
		violate(s, "what was written is lost");
	if (n > 0)
		n = ferry_read(end, text, sizeof text, soon());
	if (n != -ECONNRESET)
		violate(s, "the end was %s", ferry_error_name((int)n));
}

/* Somebody new comes in by the door, whoever died in it. */
static void audit_door(const struct scenario *s, bool finished)
{
	struct ferry_link *peer, *fresh;
	int r, how, n = 0, met = 0;

	(void)finished;
	if (ferry_open(&fresh, NAME, FERRY_DUPLEX)) {
		violate(s, "nobody can connect any more");
		return;
	}
	ferry_send(fresh, "fresh", 5, soon());
	while ((r = ferry_accept(end, &peer, soon())) == 0) {
		ssize_t len = ferry_recv(peer, buffer, sizeof buffer, soon());

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
		violate(s, "the next one does not get in: %s",
			ferry_error_name(r));
	if (n < board->accepted)
		violate(s, "what the dead one sent is lost");
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
		violate(s, "nobody can listen any more: %s",
			ferry_error_name(r));
	else
		ferry_close(again);
	if (end) {
		n = drain(s, end, &how);
		if (n < board->accepted || how != -ECONNRESET)
			violate(s, "who was accepted got %d, then %s", n,
				ferry_error_name(how));
	}
	if (scratch_names(&scratch, left, sizeof left) > 0)
		violate(s, "left behind: %s", left);
}

/* --- scenarios ------------------------------------------------------------- */

static const struct scenario scenarios[] = {
	{ "send", 40, "channel:", 2, 0, send_one, NULL, audit_drain },
	{ "send to a sleeper", 40, "channel:", 0, 0, send_one, receive_all,
	  audit_slept },
	{ "send round the end of the ring", 1100, "channel:?ring=16K", 14, 0,
	  send_round, NULL, audit_drain },
	{ "loan and commit", 300, "channel:", 1, 0, lend_one, receive_all,
	  audit_slept },
	{ "write", 10, "channel:?framing=stream", 0, 0, write_some, NULL,
	  audit_bytes },
	{ "receive", 40, "channel:", 0, 3, receive_one, NULL, audit_told },
	{ "receive, a sender asleep for room", 4000, "channel:?ring=16K", 0, -1,
	  receive_one, send_more, audit_sender },
	{ "take and release, a sender asleep for room", 4000,
	  "channel:?ring=16K", 0, -1, take_and_release, send_more,
	  audit_sender },
	{ "shut down", 40, "channel:", 2, 0, shut_down, receive_all,
	  audit_slept },
	{ "close", 40, "channel:", 2, 1, close_it, NULL, audit_drain },
	{ "connect and send", 40, NULL, 0, 0, connect_and_send, NULL,
	  audit_door },
	{ "listen", 40, NULL, 0, 0, listen_there, NULL, audit_name },
	{ "accept and send", 40, NULL, 0, 0, accept_one, NULL, audit_name },
	{ 0 },
};

/* --- one kill -------------------------------------------------------------- */

static bool await_ready(void)
{
	struct look_limit limit = look_limit(HANG_S);

	while (!board->ready)
		if (look_is_over(&limit))
			return false;
		else
			look_pause_us(100);
	return true;
}

static bool prepare(const struct scenario *s)
{
	struct ferry_link *ends[2];

	memset(board, 0, sizeof *board);
	end = mine = NULL;
	received = 0;
	if (s->address) {
		if (ferry_pair(ends, s->address))
			return false;
		end = ends[0];
		mine = ends[1];
	}
	if (s->act == connect_and_send && ferry_listen(&end, NAME))
		return false;
	payload_fill(buffer, s->size, 1);
	for (int i = 0; i != s->queued; i++)
		if (ferry_send(end, buffer, s->size, FERRY_NOWAIT))
			break;
	return true;
}

/* The victim, at its mark. */
static pid_t start(const struct scenario *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (s->address)
			ferry_close(end);
		be_victim(s);
	}
	ferry_close(s->address ? mine : NULL);
	return pid;
}

static void run_to(const struct scenario *s, struct step_trace *t, long k,
		   bool record)
{
	struct stepper stepper = { 0 };
	enum step_result r;
	pthread_t thread;
	pid_t pid;

	kill_number = k;
	if (!prepare(s) || (pid = start(s)) < 0) {
		violate(s, "it cannot be set up");
		return;
	}
	if (s->meanwhile)
		pthread_create(&thread, NULL, s->meanwhile, (void *)s);
	if (!await_ready() || !step_attach(&stepper, pid, &board->marks)) {
		violate(s, "the victim does not come so far");
		kill(pid, SIGKILL);
		return;
	}
	if (s->act == send_round && !receive_before(s))
		violate(s, "what was sent before does not come");
	if (s->act == accept_one && ferry_open(&end, NAME, FERRY_DUPLEX))
		violate(s, "the victim cannot be connected to");
	stepper.record = record ? t : NULL;
	r = record ? step_to(&stepper, TRACE_MAX) : step_run_to(&stepper, t, k);
	step_kill(&stepper);
	if (s->meanwhile)
		pthread_join(thread, NULL);
	s->audit(s, r == STEP_DONE);
	ferry_close(end);
	scratch_empty(&scratch);
}

static void run_scenario(const struct scenario *s, long most)
{
	struct step_trace *t = step_trace_new(TRACE_MAX);
	double began = look_clock();
	long stride, kills = 0;

	run_to(s, t, TRACE_MAX, true);
	step_trace_index(t);
	stride = most && t->n > most ? t->n / most : 1;
	for (long k = 0; k < t->n && faults < 10; k += stride, kills++)
		run_to(s, t, k, false);
	printf("%-45s %6ld instructions %6ld kills %3d violations %6.1f s\n",
	       s->name, t->n, kills, faults, look_clock() - began);
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
	scratch_make(&scratch, "channel");
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (const struct scenario *s = scenarios; s->name; s++) {
		if (!strstr(s->name, only))
			continue;
		faults = 0;
		run_scenario(s, most);
		all += faults;
	}
	scratch_remove(&scratch);
	return all > 0;
}
