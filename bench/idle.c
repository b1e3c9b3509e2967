/* SPDX-License-Identifier: MIT */
/*
 * What do --count receivers cost that sleep on one mailbox?
 *
 * They open it and receive for ever.  When all have settled their CPU time
 * and context switches are read from outside, twice, --ms apart.  Then each
 * is sent one message, to show that they were there, and the mailbox is
 * closed, which ends them.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <ferry.h>
#include "bench.h"

#define CROWD_MAX 2000u

struct cost {
	double cpu_s;
	uint64_t switches;
};

static pid_t crowd[CROWD_MAX];
static char name[32];

static void need(struct bench *b, struct ferry_link *link, int err,
		 const char *what)
{
	char why[160];

	if (err >= 0)
		return;
	ferry_explain(link, err, why, sizeof why);
	bench_fail(b, "%s: %s: %s", what, ferry_error_name(err), why);
}

static void nap(int64_t ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&t, NULL);
}

static void receiver(struct bench *b)
{
	struct ferry_link *link;
	uint64_t key;
	ssize_t n;

	need(b, NULL, ferry_open(&link, name, FERRY_RECV), "open");
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

static void start_crowd(struct bench *b)
{
	pid_t supervisor = getpid();

	for (unsigned i = 0; i < b->o.count; i++) {
		crowd[i] = fork();
		if (crowd[i] < 0)
			bench_fail(b, "only %u processes", i);
		if (crowd[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != supervisor)
				_exit(1);
			b->side = 1;
			receiver(b);
		}
	}
	while (atomic_load(&b->shared->ready) < b->o.count) {
		if (waitpid(-1, NULL, WNOHANG) > 0)
			bench_fail(b, "a receiver ended: %.200s",
				   b->shared->failure);
		nap(1000000);
	}
}

static uint64_t switches(pid_t pid)
{
	uint64_t sum = 0, n;
	char line[128];
	FILE *f;

	snprintf(line, sizeof line, "/proc/%d/status", (int)pid);
	f = fopen(line, "re");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "voluntary_ctxt_switches: %" SCNu64, &n) ==
			    1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %" SCNu64, &n) ==
			    1)
			sum += n;
	if (f)
		fclose(f);
	return sum;
}

static struct cost look(struct bench *b)
{
	struct cost c = { 0, 0 };
	struct timespec t;
	clockid_t id;

	for (unsigned i = 0; i < b->o.count; i++) {
		if (clock_getcpuclockid(crowd[i], &id) != 0 ||
		    clock_gettime(id, &t) != 0)
			bench_fail(b, "receiver %u is gone", i);
		c.cpu_s += (double)t.tv_sec + (double)t.tv_nsec / 1e9;
		c.switches += switches(crowd[i]);
	}
	return c;
}

static void end_crowd(struct bench *b, struct ferry_link *link)
{
	uint64_t key;
	int status;

	bench_fill(b, &key, sizeof key, 7);
	for (unsigned i = 0; i < b->o.count; i++)
		need(b, link,
		     ferry_send(link, &key, sizeof key,
				ferry_after(FERRY_S(5))),
		     "send");
	need(b, link, ferry_shutdown(link, FERRY_SEND), "shutdown");
	for (unsigned i = 0; i < b->o.count; i++)
		if (waitpid(crowd[i], &status, 0) < 0 || status != 0)
			bench_fail(b, "a receiver failed: %.200s",
				   b->shared->failure);
	if (atomic_load(&b->shared->total) != b->o.count)
		bench_fail(b, "%u messages were sent, %" PRIu64 " received",
			   b->o.count, atomic_load(&b->shared->total));
}

int main(int argc, char **argv)
{
	struct ferry_link *link;
	struct cost before, after;
	struct bench b;
	int64_t t0;

	bench_init(&b, argc, argv, 0);
	if (b.o.count < 1 || b.o.count > CROWD_MAX)
		bench_skip("--count is 1 to %u", CROWD_MAX);
	snprintf(name, sizeof name, "bench-idle-%d", (int)getpid());
	need(&b, NULL, ferry_mailbox_create(&link, name, NULL), "create");
	start_crowd(&b);
	nap(500000000);
	before = look(&b);
	t0 = bench_now();
	nap(b.o.run_ns);
	after = look(&b);
	b.shared->seconds = (double)(bench_now() - t0) / 1e9;
	end_crowd(&b, link);
	ferry_close(link);
	printf("{\"question\": \"idle\", \"peer\": \"mailbox\", \"count\": %u, "
	       "\"seconds\": %.3f, \"cpu_s\": [%.6f, 0], "
	       "\"switches\": [%" PRIu64 ", 0], \"verified\": [0, %" PRIu64
	       "], \"ferry\": \"%s\"}\n",
	       b.o.count, b.shared->seconds, after.cpu_s - before.cpu_s,
	       after.switches - before.switches, atomic_load(&b.shared->total),
	       ferry_version());
	return 0;
}
