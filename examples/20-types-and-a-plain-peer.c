/* SPDX-License-Identifier: MIT */
/*
 * A System V message queue: receivers choose by type.  A clerk without Ferry, plain
 * msgrcv() and msgsnd(), takes requests of type 1 and answers with the type that
 * the request names; each customer receives only its own.
 *
 *	cc 20-types-and-a-plain-peer.c $(pkg-config --cflags --libs ferry)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

#define REQUEST 1

static void need(struct ferry_link *link, int err, const char *what)
{
	char why[256];

	if (err >= 0)
		return;
	ferry_explain(link, err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* "TYPE NUMBER" in, its square out. */
static void clerk(key_t key)
{
	struct {
		long type;
		char text[64];
	} m;
	int id = msgget(key, 0), n;
	long answer_to;
	ssize_t len;

	for (int i = 0; i < 2; i++) {
		len = msgrcv(id, &m, sizeof m.text - 1, REQUEST, 0);
		if (len < 0)
			_exit(1);
		m.text[len] = 0;
		if (sscanf(m.text, "%ld %d", &answer_to, &n) != 2)
			_exit(1);
		m.type = answer_to;
		len = snprintf(m.text, sizeof m.text, "%d", n * n);
		if (msgsnd(id, &m, (size_t)len, 0) != 0)
			_exit(1);
	}
	_exit(0);
}

/* What address?type=N receives, and sends unless a message says otherwise. */
static struct ferry_link *open_typed(key_t key, int type, unsigned direction)
{
	struct ferry_link *link;
	char address[64];

	snprintf(address, sizeof address, "sysv:%d?type=%d", (int)key, type);
	need(NULL, ferry_open(&link, address, direction), "open");
	return link;
}

int main(void)
{
	key_t key = (key_t)getpid();
	struct ferry_link *answers[2], *requests;
	char address[64], buf[64];
	int status;
	ssize_t n;

	answers[0] = open_typed(key, 100, FERRY_RECV); /* makes the queue */
	answers[1] = open_typed(key, 101, FERRY_RECV);
	requests = open_typed(key, REQUEST, FERRY_SEND);
	if (fork() == 0)
		clerk(key);
	need(requests, ferry_send(requests, "101 12", 6, FERRY_FOREVER),
	     "send");
	need(requests, ferry_send(requests, "100 7", 5, FERRY_FOREVER), "send");
	for (int i = 0; i < 2; i++) {
		n = ferry_recv(answers[i], buf, sizeof buf,
			       ferry_after(FERRY_S(10)));
		need(answers[i], (int)n, "recv");
		printf("customer %d: %.*s\n", i, (int)n, buf);
		ferry_close(answers[i]);
	}
	ferry_close(requests);
	wait(&status);
	snprintf(address, sizeof address, "sysv:%d", (int)key);
	need(NULL, ferry_destroy(address), "remove"); /* or it stays */
	return status != 0;
}
