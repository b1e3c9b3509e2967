/* SPDX-License-Identifier: MIT */
/*
 * A pool of threads: they share one handle, look up now and then, and end
 * together when the wait is cancelled.
 *
 *	cc -pthread 05-worker-pool.c $(pkg-config --cflags --libs ferry)
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <ferry.h>

#define THREADS 4
#define JOBS	100

static struct ferry_link *jobs, *results;

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

static void *work(void *unused)
{
	struct ferry_message m;
	long n;
	int err;

	for (;;) {
		err = ferry_take(jobs, &m, ferry_after(FERRY_MS(100)));
		if (err == -ETIMEDOUT)
			continue; /* here it could do something else */
		if (err == -ECANCELED)
			return unused;
		need(jobs, err, "take");
		n = *(long *)m.data;
		n *= n;
		/* Release last: if we die before, another does it again. */
		need(results, ferry_send(results, &n, sizeof n, FERRY_FOREVER),
		     "send result");
		need(jobs, ferry_release(&m), "release");
	}
}

int main(void)
{
	pthread_t thread[THREADS];
	long n, sum = 0;

	need(NULL, ferry_mailbox_create(&jobs, "example-05", NULL), "create");
	need(NULL, ferry_mailbox_create(&results, "example-05-results", NULL),
	     "create");
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, work, NULL) != 0)
			return 1;
	for (n = 1; n <= JOBS; n++)
		need(jobs, ferry_send(jobs, &n, sizeof n, FERRY_FOREVER),
		     "send");
	for (int i = 0; i < JOBS; i++, sum += n)
		need(results,
		     (int)ferry_recv(results, &n, sizeof n,
				     ferry_after(FERRY_S(5))),
		     "recv");
	ferry_cancel(jobs); /* allowed in a signal handler too */
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("%d jobs by %d threads, sum of squares %ld\n", JOBS, THREADS,
	       sum);
	ferry_close(results);
	ferry_close(jobs);
	return 0;
}
