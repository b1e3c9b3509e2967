/* SPDX-License-Identifier: MIT */
/*
 * Publish and subscribe: a thermometer and two who listen.  One must see every
 * value, so the thermometer waits for it; the other one only wants the newest.  A
 * third that dies in the middle is waited for by nobody.
 *
 *	cc 08-publish-and-subscribe.c $(pkg-config --cflags --libs ferry)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

#define VALUES 100

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

/* Reads until the end, and exits with how many values it saw. */
static pid_t listener(const char *address, int dies_after)
{
	struct ferry_link *topic;
	int value, n = 0;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	need(NULL, ferry_open(&topic, address, FERRY_RECV), "subscribe");
	while (ferry_recv(topic, &value, sizeof value, FERRY_FOREVER) >= 0)
		if (++n == dies_after)
			raise(SIGKILL);
	ferry_close(topic);
	_exit(n);
}

int main(void)
{
	struct ferry_link *topic;
	unsigned reached;
	pid_t every;
	int status;

	need(NULL, ferry_open(&topic, "topic:temp?capacity=8", FERRY_SEND),
	     "open");
	every = listener("topic:temp?policy=block", 0);
	listener("topic:temp?policy=latest", 0);
	listener("topic:temp?policy=block", 10);
	need(topic, ferry_topic_wait(topic, 3, FERRY_FOREVER), "wait");
	for (int i = 0; i < VALUES; i++)
		need(topic,
		     ferry_publish(topic, &i, sizeof i, &reached,
				   FERRY_FOREVER),
		     "publish");
	printf("the last value reached %u\n", reached);
	need(topic, ferry_shutdown(topic, FERRY_SEND), "shutdown");
	waitpid(every, &status, 0);
	printf("who waits for every value saw %d\n", WEXITSTATUS(status));
	while (wait(NULL) > 0)
		;
	ferry_close(topic);
	return 0;
}
