/* SPDX-License-Identifier: MIT */
/*
 * A POSIX message queue: what is urgent comes first.  The alarm is sent by the C
 * library's own mq_send(), as any program that knows nothing of Ferry may.
 *
 *	cc 19-queue-with-priorities.c $(pkg-config --cflags --libs ferry)
 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ferry.h>

static void need(struct ferry_link *link, int err, const char *what)
{
	char why[256];

	if (err >= 0)
		return;
	ferry_explain(link, err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

/* A priority is written into the message, between loan and commit. */
static void send_with(struct ferry_link *link, const char *text,
		      unsigned priority)
{
	struct ferry_message m;

	need(link, ferry_loan(link, strlen(text), &m, FERRY_FOREVER), "loan");
	memcpy(m.data, text, strlen(text));
	m.priority = priority;
	need(link, ferry_commit(&m, FERRY_FOREVER), "commit");
}

int main(void)
{
	struct ferry_link *receiver, *sender;
	struct ferry_message m;
	char address[64];
	mqd_t plain;

	snprintf(address, sizeof address, "mq:/example-19-%d", (int)getpid());
	need(NULL, ferry_open(&receiver, address, FERRY_RECV), "receiver");
	need(NULL, ferry_open(&sender, address, FERRY_SEND), "sender");
	send_with(sender, "sweep the floor", 0);
	send_with(sender, "answer the phone", 5);
	plain = mq_open(address + strlen("mq:"), O_WRONLY);
	if (plain < 0 || mq_send(plain, "fire!", 5, 31) != 0)
		return 1;
	mq_close(plain);
	for (int i = 0; i < 3; i++) {
		need(receiver, ferry_take(receiver, &m, FERRY_FOREVER), "take");
		printf("%2u  %.*s\n", m.priority, (int)m.len, (char *)m.data);
		ferry_release(&m);
	}
	ferry_close(sender);
	ferry_close(receiver);
	need(NULL, ferry_destroy(address), "remove"); /* or it stays */
	return 0;
}
