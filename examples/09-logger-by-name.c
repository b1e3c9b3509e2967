/* SPDX-License-Identifier: MIT */
/*
 * A logger by name: processes send to it directly, it knows who they are, answers
 * one of them, and when it is killed another one takes its name over.
 *
 *	cc 09-logger-by-name.c $(pkg-config --cflags --libs ferry)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* Opened to receive: the name is ours. */
static struct ferry_link *be(const char *address)
{
	struct ferry_link *l;

	need(NULL, ferry_open(&l, address, FERRY_RECV), address);
	return l;
}

static pid_t start_app(void)
{
	struct ferry_link *me, *logger;
	char answer[20];
	pid_t pid = fork();

	if (pid)
		return pid;
	me = be("process:app");
	need(NULL, ferry_open(&logger, "process:logger", FERRY_SEND), "open");
	need(logger, ferry_send(logger, "started", 7, FERRY_FOREVER), "send");
	need(me, (int)ferry_recv(me, answer, sizeof answer, FERRY_FOREVER),
	     "receive");
	raise(SIGKILL);
	_exit(1);
}

int main(void)
{
	struct ferry_link *logger = be("process:logger"), *other;
	struct ferry_message m;
	pid_t pid = start_app();

	need(logger, ferry_take(logger, &m, FERRY_FOREVER), "take");
	printf("%s, %s: %.*s\n", m.from,
	       m.sender.pid == pid ? "by the kernel's word" : "somebody else",
	       (int)m.len, (char *)m.data);
	need(logger, ferry_reply(&m, "noted", 5, FERRY_FOREVER), "reply");
	need(logger, ferry_release(&m), "release");
	waitpid(pid, NULL, 0);
	other = be("process:app"); /* its holder was killed: it is free */
	printf("%s has another holder\n", ferry_address(other));
	ferry_close(other);
	ferry_close(logger);
	return 0;
}
