/* SPDX-License-Identifier: MIT */
/*
 * Retry and dead letters: a message whose work fails is given back and comes
 * again later; one that never succeeds ends in a mailbox of its own, where a
 * person can look at it.
 *
 *	cc 06-retry-and-dead-letters.c $(pkg-config --cflags --libs ferry)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* One delivery: "flaky" works the second time, "poison" never does. */
static void handle(struct ferry_link *jobs, struct ferry_message *m)
{
	const char *word = m->data;

	printf("%s, delivery %u: ", word, m->deliveries);
	if (strcmp(word, "nonsense") == 0) {
		printf("rejected\n");
		need(jobs, ferry_reject(m), "reject");
	} else if (strcmp(word, "flaky") == 0 && m->deliveries == 2) {
		printf("done\n");
		need(jobs, ferry_release(m), "release");
	} else {
		printf("failed\n");
		need(jobs, ferry_requeue(m, FERRY_MS(20)), "requeue");
	}
}

int main(void)
{
	static const char *const words[] = { "flaky", "poison", "nonsense" };
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *jobs, *dead;
	struct ferry_message m;
	char buf[32];
	ssize_t n;
	int err;

	o.max_deliveries = 3;
	o.dead_letter = "example-06-dead"; /* made along with it */
	need(NULL, ferry_mailbox_create(&jobs, "example-06", &o), "create");
	need(NULL, ferry_open(&dead, "example-06-dead", FERRY_RECV), "open");
	for (int i = 0; i < 3; i++) {
		need(jobs,
		     ferry_send(jobs, words[i], strlen(words[i]) + 1,
				FERRY_FOREVER),
		     "send");
		for (;;) {
			err = ferry_take(jobs, &m, ferry_after(FERRY_MS(300)));
			if (err < 0)
				break;
			handle(jobs, &m);
		}
		if (err != -ETIMEDOUT)
			need(jobs, err, "take");
	}
	while ((n = ferry_recv(dead, buf, sizeof buf, FERRY_NOWAIT)) >= 0)
		printf("dead letter: %s\n", buf);
	if (n != -EAGAIN)
		need(dead, (int)n, "recv");
	ferry_close(dead);
	ferry_close(jobs);
	return 0;
}
