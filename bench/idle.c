/* SPDX-License-Identifier: MIT */
/*
 * What do --count receivers cost that sleep on one mailbox, or, --apart, on as
 * many mailboxes?
 *
 * They open theirs and receive for ever.  When all have settled their CPU time
 * and context switches are read from outside, twice, --ms apart.  Then each
 * is sent one message, to show that they were there, and the mailboxes
 * are shut down, which ends them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>
#include <ferry.h>
#include "crowd.h"

static struct ferry_link *ways[BENCH_CROWD_MAX];

static void need(struct bench *b, struct ferry_link *link, int err,
		 const char *what)
{
	char why[160];

	if (err >= 0)
		return;
	ferry_explain(link, err, why, sizeof why);
	bench_fail(b, "%s: %s: %s", what, ferry_error_name(err), why);
}

/* The mailbox that the i-th of them receives from. */
static struct ferry_link **way(struct bench *b, unsigned i)
{
	return &ways[b->o.apart ? i : 0];
}

static const char *name_of(struct bench *b, unsigned i)
{
	static char name[48];

	snprintf(name, sizeof name, "bench-idle-%u", b->o.apart ? i : 0);
	return name;
}

static void receiver(struct bench *b)
{
	struct ferry_link *link;
	uint64_t key;
	ssize_t n;

	b->side = 1;
	need(b, NULL, ferry_open(&link, name_of(b, b->index), FERRY_RECV),
	     "open");
	atomic_fetch_add(&b->shared->ready, 1);
	while ((n = ferry_recv(link, &key, sizeof key, FERRY_FOREVER)) >= 0) {
		bench_check(b, &key, (size_t)n, 7);
		atomic_fetch_add(&b->shared->total, 1);
	}
	if (n != -ENODATA)
		need(b, link, (int)n, "recv");
	ferry_close(link);
	_exit(0);
}

static void create(struct bench *b)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;

	for (unsigned i = 0; i < (b->o.apart ? b->o.count : 1); i++)
		need(b, NULL, ferry_mailbox_create(&ways[i], name_of(b, i), &o),
		     "create");
}

/* One message to each shows that they were there; the end lets them go. */
static void end_crowd(struct bench *b)
{
	uint64_t key;

	bench_fill(b, &key, sizeof key, 7);
	for (unsigned i = 0; i < b->o.count; i++)
		need(b, *way(b, i),
		     ferry_send(*way(b, i), &key, sizeof key,
				ferry_after(FERRY_S(5))),
		     "send");
	for (unsigned i = 0; i < b->o.count && ways[i]; i++)
		need(b, ways[i], ferry_shutdown(ways[i], FERRY_SEND),
		     "shutdown");
	bench_crowd_wait(b);
	for (unsigned i = 0; i < b->o.count && ways[i]; i++)
		ferry_close(ways[i]);
	if (atomic_load(&b->shared->total) != b->o.count)
		bench_fail(b, "%u messages were sent, %" PRIu64 " received",
			   b->o.count, atomic_load(&b->shared->total));
}

/* A wait begins with two looks for the dead, of a crowd after some seconds. */
static void settle(struct bench *b)
{
	int64_t pause = b->o.run_ns < 1000000000 ? b->o.run_ns : 1000000000;
	uint64_t before, after = 0;
	unsigned n = 0;

	do {
		before = after;
		bench_nap(pause);
		after = bench_crowd_cost(b, 0, b->o.count).switches;
	} while (after - before > 2 && ++n < 30);
}

int main(int argc, char **argv)
{
	struct bench_cost before, after;
	struct bench b;
	int64_t t0;

	bench_init(&b, argc, argv, 0);
	if (b.o.count < 1 || b.o.count > BENCH_CROWD_MAX)
		bench_skip("--count is 1 to %u", BENCH_CROWD_MAX);
	create(&b);
	bench_crowd_start(&b, b.o.count, receiver);
	settle(&b);
	before = bench_crowd_cost(&b, 0, b.o.count);
	t0 = bench_now();
	bench_nap(b.o.run_ns);
	after = bench_crowd_cost(&b, 0, b.o.count);
	b.shared->seconds = (double)(bench_now() - t0) / 1e9;
	end_crowd(&b);
	printf("{\"question\": \"idle\", \"peer\": \"mailbox\", \"count\": %u, "
	       "\"apart\": %s, \"seconds\": %.3f, \"cpu_s\": [%.6f, 0], "
	       "\"switches\": [%" PRIu64 ", 0], \"verified\": [0, %" PRIu64
	       "]}\n",
	       b.o.count, b.o.apart ? "true" : "false", b.shared->seconds,
	       after.cpu_s - before.cpu_s, after.switches - before.switches,
	       atomic_load(&b.shared->total));
	return 0;
}
