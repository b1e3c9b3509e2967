/* SPDX-License-Identifier: MIT */
/*
 * A log in a file: two processes append and are killed, and a reader that starts
 * late sees all that was accepted.  cat and grep read the file, too.
 *
 *	cc 21-shared-log.c $(pkg-config --cflags --libs ferry)
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

static char address[64];

static void need(struct ferry_link *link, int err, const char *what)
{
	char why[256];

	if (err >= 0)
		return;
	ferry_explain(link, err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* Append `n` records, say so, and wait for the end. */
static pid_t start_writer(const char *name, int n, int told)
{
	struct ferry_link *log;
	char text[64];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	need(NULL, ferry_open(&log, address, FERRY_SEND), "open");
	for (int i = 0; i < n; i++) {
		int len = snprintf(text, sizeof text, "%s %d", name, i);

		need(log, ferry_send(log, text, (size_t)len, FERRY_FOREVER),
		     "send");
	}
	if (write(told, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

int main(void)
{
	int told[2], seen[2] = { 0, 0 };
	struct ferry_link *log;
	pid_t writers[2];
	char buf[64];
	ssize_t n;

	snprintf(address, sizeof address, "file:/tmp/example-21-%d.log",
		 (int)getpid());
	if (pipe(told) != 0)
		return 1;
	writers[0] = start_writer("first", 500, told[1]);
	writers[1] = start_writer("second", 300, told[1]);
	for (int i = 0; i < 2; i++)
		if (read(told[0], buf, 1) != 1)
			return 1;
	for (int i = 0; i < 2; i++) {
		kill(writers[i], SIGKILL);
		waitpid(writers[i], NULL, 0);
	}
	need(NULL, ferry_open(&log, address, FERRY_RECV), "open"); /* late */
	while ((n = ferry_recv(log, buf, sizeof buf, FERRY_NOWAIT)) > 0)
		seen[buf[0] == 's']++;
	printf("first: %d, second: %d, then %s\n", seen[0], seen[1],
	       ferry_error_name((int)n));
	ferry_close(log);
	need(NULL, ferry_destroy(address), "remove");
	return n != -EAGAIN;
}
