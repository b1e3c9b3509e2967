/* SPDX-License-Identifier: MIT */
/*
 * A log that several programs write to through one FIFO, and a shell as well.  The
 * collector keeps the FIFO over all of them; lines of up to 4096 bytes are never
 * mixed.
 *
 *	cc 22-log-collector.c $(pkg-config --cflags --libs ferry)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

#define LINES 100

static void need(struct ferry_link *link, long long err, const char *what)
{
	char why[256];

	if (err >= 0)
		return;
	ferry_explain(link, (int)err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static void write_log(const char *path, char letter)
{
	char address[100], line[1000];
	struct ferry_link *l;

	snprintf(address, sizeof address, "fifo:%s?framing=line", path);
	need(NULL, ferry_open(&l, address, FERRY_SEND), "open");
	memset(line, letter, sizeof line);
	for (int i = 0; i < LINES; i++)
		need(l, ferry_send(l, line, sizeof line, FERRY_FOREVER),
		     "send");
	ferry_close(l);
	exit(0);
}

int main(void)
{
	char path[60], address[100], command[100], line[4097];
	int whole = 0, from_shell = 0;
	struct ferry_link *log;
	ssize_t n;

	snprintf(path, sizeof path, "/tmp/example-22.%d", (int)getpid());
	snprintf(address, sizeof address, "fifo:%s?framing=line&keep", path);
	need(NULL, ferry_open(&log, address, FERRY_RECV), "open");
	for (char c = 'a'; c < 'd'; c++)
		if (fork() == 0)
			write_log(path, c);
	snprintf(command, sizeof command, "echo 'hello from a shell' >%s",
		 path);
	if (fork() == 0)
		exit(system(command));
	for (int i = 0; i < 3 * LINES + 1; i++) {
		n = ferry_recv(log, line, sizeof line - 1,
			       ferry_after(FERRY_S(10)));
		need(log, n, "recv");
		line[n] = 0;
		if (n == 1000 && strspn(line, (char[]){ line[0], 0 }) >= 1000)
			whole++;
		from_shell += n == 18 && memcmp(line, "hello", 5) == 0;
	}
	printf("%d whole lines of programs, %d of a shell\n", whole,
	       from_shell);
	ferry_close(log);
	while (wait(NULL) > 0)
		;
	return 0;
}
