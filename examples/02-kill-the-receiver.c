/* SPDX-License-Identifier: MIT */
/*
 * kill -9 the receiver and carry on: what it had taken and not released goes
 * to the next receiver at once, marked as redelivered.
 *
 *	cc 02-kill-the-receiver.c $(pkg-config --cflags --libs ferry)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

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

/* A worker opens the mailbox itself: a handle does not cross a fork. */
static void worker(const char *name, int told)
{
	struct ferry_link *jobs;
	struct ferry_message m;

	need(NULL, ferry_open(&jobs, "example-02", FERRY_RECV), "open");
	need(jobs, ferry_take(jobs, &m, ferry_after(FERRY_S(5))), "take");
	printf("%s took \"%.*s\", delivery %u%s\n", name, (int)m.len,
	       (char *)m.data, m.deliveries,
	       m.redelivered ? ", redelivered" : "");
	fflush(stdout);
	if (told >= 0) {
		if (write(told, "x", 1) != 1) /* "I have it" */
			_exit(1);
		for (;;)
			pause(); /* killed here, in mid-work */
	}
	need(jobs, ferry_release(&m), "release");
	ferry_close(jobs);
	_exit(0);
}

int main(void)
{
	struct ferry_link *jobs;
	int told[2], status;
	pid_t pid;
	char c;

	need(NULL, ferry_mailbox_create(&jobs, "example-02", NULL), "create");
	need(jobs, ferry_send(jobs, "job 1", 5, FERRY_FOREVER), "send");

	if (pipe(told) < 0 || (pid = fork()) < 0)
		return 1;
	if (pid == 0)
		worker("first", told[1]);
	close(told[1]);
	if (read(told[0], &c, 1) != 1)
		return 1;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	printf("first was killed\n");
	fflush(stdout);

	if ((pid = fork()) == 0)
		worker("second", -1);
	waitpid(pid, &status, 0);
	ferry_close(jobs);
	return status != 0;
}
