/* SPDX-License-Identifier: MIT */
/*
 * One loop, with epoll, for a mailbox, a topic and a socket: no thread, and no CPU while
 * nothing comes.  Where the kernel has no io_uring, FERRY_THREAD lets the library
 * help with a thread.
 *
 *	cc 24-event-loop.c $(pkg-config --cflags --libs ferry)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <ferry.h>

static const char *const names[] = { "mailbox", "topic", "socket" };

static void need(struct ferry_link *link, ssize_t err, const char *what)
{
	char why[300];

	if (err >= 0)
		return;
	ferry_explain(link, (int)err, why, sizeof why);
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static void add(int set, struct ferry_link *l, unsigned i)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };
	int fd = ferry_pollfd(l, FERRY_RECV);

	need(l, fd, "pollfd");
	epoll_ctl(set, EPOLL_CTL_ADD, fd, &e);
}

/* Each waits for the one before it, so that they come in this order. */
static void send_three(struct ferry_link *to_socket)
{
	struct ferry_link *box, *topic;
	char seen;

	need(NULL, ferry_open(&box, "example-24", FERRY_SEND), "mailbox");
	need(NULL, ferry_open(&topic, "topic:example-24", FERRY_SEND), "topic");
	need(box, ferry_send(box, "a job", 5, FERRY_FOREVER), "send");
	need(to_socket, ferry_recv(to_socket, &seen, 1, FERRY_FOREVER), "seen");
	need(topic, ferry_send(topic, "some news", 9, FERRY_FOREVER), "send");
	need(to_socket, ferry_recv(to_socket, &seen, 1, FERRY_FOREVER), "seen");
	need(to_socket, ferry_send(to_socket, "bytes", 5, FERRY_FOREVER),
	     "send");
	_exit(0);
}

int main(void)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *l[3], *pair[2];
	int set = epoll_create1(EPOLL_CLOEXEC), came = 0;
	struct epoll_event e;
	char text[64];
	ssize_t n;

	o.flags = FERRY_THREAD;
	need(NULL, ferry_mailbox_create(&l[0], "example-24", &o), "mailbox");
	need(NULL,
	     ferry_open(&l[1], "topic:example-24", FERRY_RECV | FERRY_THREAD),
	     "topic");
	need(NULL, ferry_pair(pair, "unix:?type=seqpacket"), "socket");
	l[2] = pair[0];
	for (unsigned i = 0; i < 3; i++)
		add(set, l[i], i);
	if (fork() == 0)
		send_three(pair[1]);
	while (came < 3) {
		if (epoll_wait(set, &e, 1, -1) < 1)
			continue;
		n = ferry_recv(l[e.data.u32], text, sizeof text, FERRY_NOWAIT);
		if (n == -EAGAIN) /* only now it waits again */
			continue;
		need(l[e.data.u32], n, "recv");
		printf("%s: %.*s\n", names[e.data.u32], (int)n, text);
		if (++came < 3)
			need(l[2], ferry_send(l[2], "", 1, FERRY_FOREVER),
			     "seen");
	}
	wait(NULL);
	for (int i = 0; i < 3; i++)
		ferry_close(l[i]);
	ferry_close(pair[1]);
	close(set);
	return 0;
}
