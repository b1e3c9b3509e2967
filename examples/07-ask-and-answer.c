/* SPDX-License-Identifier: MIT */
/*
 * Ask and answer through a channel: the child squares what it is asked, and is
 * killed in the middle.  What it has said is there, and the parent is told of its
 * death at once.
 *
 *	cc 07-ask-and-answer.c $(pkg-config --cflags --libs ferry)
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

static void answer(struct ferry_link *parent)
{
	int n;

	/* memory is not inherited as descriptors are: take the end over */
	need(parent, ferry_adopt_after_fork(parent), "adopt");
	while (ferry_recv(parent, &n, sizeof n, FERRY_FOREVER) >= 0) {
		n *= n;
		need(parent, ferry_send(parent, &n, sizeof n, FERRY_FOREVER),
		     "answer");
		if (n == 9)
			raise(SIGKILL);
	}
}

int main(void)
{
	struct ferry_link *ends[2];
	ssize_t r = 0;
	pid_t pid;
	int n;

	need(NULL, ferry_pair(ends, "channel:"), "pair");
	if ((pid = fork()) == 0) {
		ferry_close(ends[0]);
		answer(ends[1]);
		_exit(0);
	}
	ferry_close(ends[1]);
	for (int i = 1; i <= 3; i++)
		need(ends[0], ferry_send(ends[0], &i, sizeof i, FERRY_FOREVER),
		     "ask");
	while ((r = ferry_recv(ends[0], &n, sizeof n, FERRY_FOREVER)) >= 0)
		printf("%d\n", n);
	printf("no more: %s\n", ferry_error_name((int)r));
	ferry_close(ends[0]);
	return waitpid(pid, NULL, 0) != pid;
}
