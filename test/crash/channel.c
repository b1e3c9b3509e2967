/* SPDX-License-Identifier: MIT */
/*
 * Kill one end of a channel after every instruction of what it does, and see
 * what the other end is told.
 *
 *   crash-channel [--most 60] [--only "send"]	as single.h says
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

struct board *board;
struct ferry_link *end, *mine;
char buffer[1 << 17];
int received;
int outlet[2];

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
	single_begin(&board->single);
	single_end(&board->single, s->act(s));
	single_rest();
}

static bool receive_before(const struct scenario *s)
{
	while (received < s->before &&
	       ferry_recv(end, buffer, sizeof buffer, single_soon()) ==
		       (ssize_t)s->size)
		received++;
	return received == s->before;
}

/* --- one kill -------------------------------------------------------------- */

/* Of what waits for the victim. */
static bool queue_one(const struct scenario *s)
{
	if (s->address && strstr(s->address, "framing=stream"))
		return ferry_write(end, buffer, s->size, FERRY_NOWAIT) > 0;
	return ferry_send_fds(end, buffer, s->size, &outlet[1],
			      s->how & WITH_OUTLET ? 1 : 0, FERRY_NOWAIT) == 0;
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
	for (int i = 0; i != s->queued && queue_one(s); i++)
		;
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

static void run(const void *of, const struct single_run *run)
{
	const struct scenario *s = of;
	struct stepper stepper = { 0 };
	pthread_t thread;
	bool finished;
	pid_t pid;
	char byte;

	if (!prepare(s) || (pid = start(s)) < 0) {
		single_violate(s->name, "it cannot be set up");
		return;
	}
	if (s->meanwhile)
		pthread_create(&thread, NULL, s->meanwhile, (void *)s);
	if (!single_await(&board->single.ready) ||
	    !step_attach(&stepper, pid, &board->single.marks)) {
		single_violate(s->name, "the victim does not come so far");
		kill(pid, SIGKILL);
		return;
	}
	if (s->how & RECEIVE_FIRST && !receive_before(s))
		single_violate(s->name, "what was sent before does not come");
	if (s->how & VICTIM_LISTENS && ferry_open(&end, NAME, FERRY_DUPLEX))
		single_violate(s->name, "the victim cannot be connected to");
	finished = single_step(&stepper, s->name, run, &board->single);
	step_kill(&stepper);
	if (s->meanwhile)
		pthread_join(thread, NULL);
	s->audit(s, finished);
	ferry_close(end);
	if (read(outlet[0], &byte, 1) != 0)
		single_violate(s->name,
			       "a descriptor of the dead one is still open");
	close(outlet[0]);
	scratch_empty(&single_realm);
}

int main(int argc, char **argv)
{
	static const struct single kind = {
		.tag = "channel",
		.scenarios = { scenarios_of_ends, scenarios_of_ways },
		.scenario_size = sizeof(struct scenario),
		.board_size = sizeof(struct board),
		.run = run,
	};

	return single_main(&kind, &board, argc, argv);
}
