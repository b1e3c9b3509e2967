/* SPDX-License-Identifier: MIT */
/*
 * Many processes at once, and what /proc tells of them.
 */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "crowd.h"

static pid_t crowd[BENCH_CROWD_MAX];
static unsigned n_crowd;

void bench_crowd_watch(struct bench *b)
{
	if (waitpid(-1, NULL, WNOHANG) > 0)
		bench_fail(b, "a process ended: %.200s", b->shared->failure);
}

void bench_crowd_nap(struct bench *b, int64_t ns)
{
	int64_t until = bench_now() + ns;

	while (bench_now() < until) {
		bench_crowd_watch(b);
		bench_nap(ns / 10);
	}
}

void bench_crowd_start(struct bench *b, unsigned n, void (*run)(struct bench *))
{
	pid_t supervisor = getpid();

	for (unsigned i = 0; i < n; i++) {
		crowd[i] = fork();
		if (crowd[i] < 0)
			bench_fail(b, "only %u processes", i);
		if (crowd[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (getppid() != supervisor)
				_exit(1);
			b->index = i;
			run(b);
			_exit(1);
		}
		n_crowd = i + 1;
	}
	while (atomic_load(&b->shared->ready) < n) {
		bench_crowd_watch(b);
		bench_nap(1000000);
	}
}

static uint64_t switches_of(const char *status)
{
	uint64_t sum = 0, n;
	char line[128];
	FILE *f = fopen(status, "re");

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

static uint64_t switches(pid_t pid)
{
	uint64_t sum = 0;
	struct dirent *task;
	char path[320];
	DIR *tasks;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (task = readdir(tasks)) != NULL) {
		snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid,
			 task->d_name);
		sum += switches_of(path);
	}
	if (tasks)
		closedir(tasks);
	return sum;
}

struct bench_cost bench_crowd_cost(struct bench *b, unsigned first, unsigned n)
{
	struct bench_cost c = { 0, 0 };
	struct timespec t;
	clockid_t id;

	for (unsigned i = first; i < first + n; i++) {
		if (clock_getcpuclockid(crowd[i], &id) != 0 ||
		    clock_gettime(id, &t) != 0)
			bench_fail(b, "process %u is gone", i);
		c.cpu_s += (double)t.tv_sec + (double)t.tv_nsec / 1e9;
		c.switches += switches(crowd[i]);
	}
	return c;
}

void bench_crowd_wait(struct bench *b)
{
	int status;

	for (unsigned i = 0; i < n_crowd; i++)
		if (waitpid(crowd[i], &status, 0) < 0 || status != 0)
			bench_fail(b, "a process failed: %.200s",
				   b->shared->failure);
}

void bench_crowd_kill(void)
{
	for (unsigned i = 0; i < n_crowd; i++)
		kill(crowd[i], SIGKILL);
	for (unsigned i = 0; i < n_crowd; i++)
		waitpid(crowd[i], NULL, 0);
}
