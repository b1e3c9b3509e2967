/* SPDX-License-Identifier: MIT */
/*
 * Kill a process before and behind every system call of what it does with a pipe, a
 * FIFO, a socket, a queue of the kernel's, a log or a signal, and see what the others
 * are told.
 *
 *	crash-kernel [--only "fifo"]	as single.h says; nothing is sampled
 *
 * What was accepted is received, whole, once and in order; what was not yet, once or
 * not at all; what comes next says that the other one has gone, where the scheme
 * promises that; the name can be used again at once, by a process that knows nothing
 * of the dead one; then nothing is left, neither a file nor a queue nor a descriptor.
 * What is expected of each scheme stands in kernel_ways.c.
 */
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "look.h"

struct board *board;
struct ferry_link *end, *door, *mine;
char buffer[LONGEST];
int outlet[2];

static int number; /* of keys, queues and ports, below those the system chooses */
static int queues_before;
static pid_t victim;

/* What %s and %d stand for. */
static size_t put(char *out, size_t room, char what)
{
	int n = what == 's' ? snprintf(out, room, "%s", single_realm.path) :
			      snprintf(out, room, "%d", number);

	return (size_t)n;
}

char *at(const char *address)
{
	static char places[8][300];
	static unsigned turn;
	char *out = places[turn++ % 8];
	size_t n = 0;

	for (const char *p = address; *p && n < sizeof places[0] / 2; p++)
		if (*p == '%')
			n += put(out + n, sizeof places[0] - n, *++p);
		else
			out[n++] = *p;
	out[n] = '\0';
	return out;
}

bool is_one_of(const struct scenario *s, const char *what, int err, int a,
	       int b)
{
	char why[300] = "";

	if (err == a || err == b)
		return true;
	ferry_explain(NULL, err, why, sizeof why);
	single_violate(s->name, "%s: %s, not %s or %s (%s)", what,
		       ferry_error_name(err), ferry_error_name(a),
		       ferry_error_name(b), why);
	return false;
}

/* --- others ---------------------------------------------------------------- */

void anew(const struct scenario *s, bool (*run)(const struct scenario *s))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		alarm(4 * SINGLE_HANG_S);
		_exit(run(s) ? 0 : 1);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		single_violate(s->name, "a new process %s",
			       WTERMSIG(status) == SIGALRM ? "hangs" :
							     "crashes");
	else if (status)
		single_violate(s->name, "for a new process it does not work");
}

void remove_all(const struct scenario *s)
{
	int err = ferry_destroy(at(s->address));

	if (is_one_of(s, "removing it", err, 0, -ENOENT))
		is_one_of(s, "removing it again", ferry_destroy(at(s->address)),
			  -ENOENT, -ENOENT);
}

/* As proc(5) has it; 'X' when there is no victim any more. */
static char state_of_victim(void)
{
	char path[40], line[200];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)victim);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, line, sizeof line - 1);
		close(fd);
	}
	line[n < 0 ? 0 : n] = '\0';
	return n > 0 && strrchr(line, ')') ? strrchr(line, ')')[2] : 'X';
}

bool is_dead(void)
{
	return board->single.marks.done || strchr("XZ", state_of_victim());
}

bool await_sleep(void)
{
	while (!is_dead()) {
		if (state_of_victim() == 'S')
			return true;
		look_pause_us(100);
	}
	return false;
}

/* --- the victim ------------------------------------------------------------ */

static void be_victim(const struct scenario *s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (s->join && !s->join(s))
		_exit(2);
	single_begin(&board->single);
	single_end(&board->single, s->act(s));
	single_rest();
}

static pid_t start(const struct scenario *s)
{
	pid_t pid = fork();

	if (pid == 0) {
		ferry_close(end);
		ferry_close(door);
		close(outlet[0]);
		be_victim(s);
	}
	ferry_close(mine);
	mine = NULL;
	return pid;
}

/* --- one kill -------------------------------------------------------------- */

static int count_queues(void)
{
	struct msginfo info = { 0 };

	return msgctl(0, MSG_INFO, (struct msqid_ds *)&info) < 0 ? 0 :
								   info.msgpool;
}

static bool prepare(const struct scenario *s)
{
	memset(board, 0, sizeof *board);
	end = door = mine = NULL;
	return pipe2(outlet, O_CLOEXEC | O_NONBLOCK) == 0 &&
	       (!s->make || s->make(s));
}

/* Until the victim stands at its mark, and the auditor has what it needs. */
static bool bring_together(const struct scenario *s, struct stepper *stepper)
{
	bool met = s->after || !s->meet || s->meet(s);

	if (!met || !single_await(&board->single.ready) ||
	    !step_attach(stepper, victim, &board->single.marks))
		return false;
	return !s->after || !s->meet || s->meet(s);
}

static void kill_it(const struct scenario *s, const struct single_run *run,
		    struct stepper *stepper)
{
	pthread_t thread;
	bool finished;

	if (s->meanwhile)
		pthread_create(&thread, NULL, s->meanwhile, (void *)s);
	finished = single_step(stepper, s->name, run, &board->single);
	step_kill(stepper);
	if (s->behind)
		s->behind(s);
	if (s->meanwhile)
		pthread_join(thread, NULL);
	s->audit(s, finished);
}

/* The descriptors that went with messages, and all that the test itself opened. */
static void clean_up(const struct scenario *s)
{
	char byte;

	ferry_close(end);
	ferry_close(door);
	close(outlet[1]);
	if (read(outlet[0], &byte, 1) != 0)
		single_violate(s->name,
			       "a descriptor of the dead one is still open");
	close(outlet[0]);
}

static void look_for_leaks(const struct scenario *s, int fds_before)
{
	char names[300];

	if (look_count_fds() != fds_before)
		single_violate(s->name, "%d descriptors are left",
			       look_count_fds() - fds_before);
	if (scratch_names(&single_realm, names, sizeof names) > 0)
		single_violate(s->name, "files are left: %s", names);
	if (count_queues() != queues_before)
		single_violate(s->name, "a System V queue is left");
	scratch_empty(&single_realm);
	queues_before = count_queues();
}

static void run(const void *of, const struct single_run *run)
{
	const struct scenario *s = of;
	int fds_before = look_count_fds();
	struct stepper stepper = { 0 };

	queues_before = count_queues();
	if (!prepare(s) || (victim = start(s)) < 0) {
		single_violate(s->name, "it cannot be set up");
		return;
	}
	if (bring_together(s, &stepper)) {
		kill_it(s, run, &stepper);
	} else {
		single_violate(s->name, "the two do not come together");
		kill(victim, SIGKILL);
		waitpid(victim, NULL, 0);
	}
	clean_up(s);
	look_for_leaks(s, fds_before);
}

int main(int argc, char **argv)
{
	const struct single kind = {
		.tag = "kernel",
		.scenarios = { scenarios_of_moves(), scenarios_of_names },
		.scenario_size = sizeof(struct scenario),
		.board_size = sizeof(struct board),
		.at_calls = true,
		.run = run,
	};

	number = 10000 + getpid() % 20000;
	return single_main(&kind, &board, argc, argv);
}
