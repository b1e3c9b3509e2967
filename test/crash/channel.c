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
#include <fcntl.h>
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

#include "channel.h"
#include "look.h"
#include "payload.h"

#define HANG_S	  5
#define TRACE_MAX 200000

struct board *board;
struct ferry_link *end, *mine;
char buffer[1 << 17];
int received;
int outlet[2];
struct scratch scratch;

static int faults;
static long kill_number;

ferry_time soon(void)
{
	return ferry_after(FERRY_S(HANG_S));
}

void violate(const struct scenario *s, const char *fmt, ...)
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

static void be_victim(const struct scenario *s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mine && (!s->address || ferry_adopt_after_fork(mine)))
		_exit(2);
	if (s->how & VICTIM_LISTENS && ferry_listen(&mine, NAME))
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

static bool receive_before(const struct scenario *s)
{
	while (received < s->before && ferry_recv(end, buffer, sizeof buffer,
						  soon()) == (ssize_t)s->size)
		received++;
	return received == s->before;
}

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
	if (pipe2(outlet, O_CLOEXEC | O_NONBLOCK))
		return false;
	if (s->address) {
		if (ferry_pair(ends, s->address))
			return false;
		end = ends[0];
		mine = ends[1];
	}
	if (s->how & AUDITOR_LISTENS && ferry_listen(&end, NAME))
		return false;
	payload_fill(buffer, s->size, 1);
	for (int i = 0; i != s->queued; i++)
		if (ferry_send(end, buffer, s->size, FERRY_NOWAIT))
			break;
	return !(s->how & VICTIMS_TURN) || ferry_turn(end) == 0;
}

/* The victim, at its mark. */
static pid_t start(const struct scenario *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (s->address)
			ferry_close(end);
		close(outlet[0]);
		be_victim(s);
	}
	ferry_close(s->address ? mine : NULL);
	close(outlet[1]);
	return pid;
}

static void run_to(const struct scenario *s, struct step_trace *t, long k,
		   bool record)
{
	struct stepper stepper = { 0 };
	enum step_result r;
	pthread_t thread;
	pid_t pid;
	char byte;

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
	if (s->how & RECEIVE_FIRST && !receive_before(s))
		violate(s, "what was sent before does not come");
	if (s->how & VICTIM_LISTENS && ferry_open(&end, NAME, FERRY_DUPLEX))
		violate(s, "the victim cannot be connected to");
	stepper.record = record ? t : NULL;
	r = record ? step_to(&stepper, TRACE_MAX) : step_run_to(&stepper, t, k);
	step_kill(&stepper);
	if (s->meanwhile)
		pthread_join(thread, NULL);
	s->audit(s, r == STEP_DONE);
	ferry_close(end);
	if (read(outlet[0], &byte, 1) != 0)
		violate(s, "a descriptor of the dead one is still open");
	close(outlet[0]);
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

static int run_those(const struct scenario *s, const char *only, long most)
{
	int all = 0;

	for (; s->name; s++) {
		if (!strstr(s->name, only))
			continue;
		faults = 0;
		run_scenario(s, most);
		all += faults;
	}
	return all;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "most", 1, 0, 'm' },
						 { "only", 1, 0, 'n' },
						 { 0 } };
	const char *only = "", *why = step_unsupported();
	long most = 0;
	int all, opt;

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
	all = run_those(scenarios_of_ends, only, most) +
	      run_those(scenarios_of_ways, only, most);
	scratch_remove(&scratch);
	return all > 0;
}
