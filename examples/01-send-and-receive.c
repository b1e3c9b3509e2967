/* SPDX-License-Identifier: MIT */
/*
 * Send and receive: a mailbox is a named queue that any process of yours can
 * open.  Here one process does both.
 *
 *	cc 01-send-and-receive.c $(pkg-config --cflags --libs ferry)
 */
#include <stdio.h>
#include <stdlib.h>
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

int main(void)
{
	struct ferry_link *link;
	char buf[64];
	ssize_t n;

	/* Created, and open for both directions.  NULL: the usual options. */
	need(NULL, ferry_mailbox_create(&link, "example-01", NULL), "create");

	/* Once send returns 0 the message is accepted and survives us. */
	need(link, ferry_send(link, "hello, ferry", 12, FERRY_FOREVER), "send");
	need(link, ferry_send(link, "", 0, FERRY_FOREVER), "send");

	/* Every call that can wait takes the time at which it gives up. */
	for (int i = 0; i < 2; i++) {
		n = ferry_recv(link, buf, sizeof buf, ferry_after(FERRY_S(1)));
		need(link, (int)n, "recv");
		printf("received %zd bytes: \"%.*s\"\n", n, (int)n, buf);
	}

	/* An empty mailbox is an answer, not a failure. */
	n = ferry_recv(link, buf, sizeof buf, FERRY_NOWAIT);
	printf("without waiting: %s\n", ferry_error_name((int)n));
	n = ferry_recv(link, buf, sizeof buf, ferry_after(FERRY_MS(20)));
	printf("after 20 ms: %s\n", ferry_error_name((int)n));

	/* The last one to close it takes the mailbox away. */
	ferry_close(link);
	return 0;
}
