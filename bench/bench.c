/* SPDX-License-Identifier: MIT */
/*
 * Two processes, their supervisor, their clocks, and the line they print.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "bench.h"

static void usage(const char *program)
{
	fprintf(stderr,
		"usage: %s [--peer NAME] [--size BYTES] [--cpus A,B] [--ms N]\n"
		"       [--count N] [--apart] [--in-place] [--damage]\n",
		program);
	exit(2);
}

static void parse(struct bench_options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "peer", 1, NULL, 'p' },   { "size", 1, NULL, 's' },
		{ "cpus", 1, NULL, 'c' },   { "ms", 1, NULL, 'm' },
		{ "count", 1, NULL, 'n' },  { "in-place", 0, NULL, 'i' },
		{ "damage", 0, NULL, 'd' }, { "apart", 0, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p')
			o->peer = optarg;
		else if (c == 's')
			o->size = strtoul(optarg, NULL, 10);
		else if (c == 'm')
			o->run_ns = strtol(optarg, NULL, 10) * 1000000;
		else if (c == 'n')
			o->count = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'i')
			o->in_place = true;
		else if (c == 'a')
			o->apart = true;
		else if (c == 'd')
			o->damage = true;
		else if (c != 'c' ||
			 sscanf(optarg, "%d,%d", &o->cpu[0], &o->cpu[1]) != 2)
			usage(argv[0]);
	}
	if (optind != argc || o->size < 1 || o->run_ns < 1000000)
		usage(argv[0]);
}

void bench_init(struct bench *b, int argc, char **argv, size_t lines)
{
	size_t size = sizeof *b->shared + lines;

	*b = (struct bench){
		.o = { .peer = "mailbox",
		       .size = 64,
		       .cpu = { -1, -1 },
		       .run_ns = 200000000,
		       .count = 50 },
		.side = -1,
		.n_receivers = 1,
	};
	parse(&b->o, argc, argv);
	b->shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (b->shared == MAP_FAILED) {
		perror("bench: mmap");
		exit(1);
	}
}

void bench_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(BENCH_SKIP);
}

void bench_fail(struct bench *b, const char *fmt, ...)
{
	char why[sizeof b->shared->failure]; /* may quote the other's */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	memcpy(b->shared->failure, why, sizeof why);
	if (b->side < 0)
		fprintf(stderr, "bench: %s\n", b->shared->failure);
	_exit(1);
}

void bench_pin(struct bench *b, int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set) < 0)
		bench_fail(b, "cannot run on CPU %d: %s", cpu, strerror(errno));
}

static pid_t start(struct bench *b, int side, void (*run)(struct bench *))
{
	pid_t supervisor = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	b->side = side;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != supervisor)
		_exit(1);
	bench_pin(b, b->o.cpu[side]);
	run(b);
	_exit(0);
}

int bench_pair(struct bench *b, void (*side0)(struct bench *),
	       void (*side1)(struct bench *))
{
	pid_t pid[2], ended;
	bool bad;
	int status;

	pid[0] = start(b, 0, side0);
	pid[1] = start(b, 1, side1);
	bad = pid[0] < 0 || pid[1] < 0;
	for (int left = 2; left > 0 && !bad; left--) {
		ended = wait(&status);
		bad = ended < 0 || status != 0;
		pid[ended == pid[1]] = -1;
	}
	for (int i = 0; i < 2; i++) {
		if (pid[i] > 0) {
			kill(pid[i], SIGKILL);
			waitpid(pid[i], NULL, 0);
		}
	}
	if (bad)
		fprintf(stderr, "bench: refused: %s\n",
			b->shared->failure[0] ? b->shared->failure :
						"a side died");
	return bad;
}

void bench_meet(struct bench *b)
{
	unsigned target = (atomic_fetch_add(&b->shared->ready, 1) | 1) + 1;

	while (atomic_load(&b->shared->ready) < target)
		sched_yield();
}

void bench_leave(struct bench *b)
{
	unsigned target = (atomic_fetch_add(&b->shared->ready, 1) | 1) + 1;

	while (atomic_load(&b->shared->ready) < target)
		bench_nap(100000);
}

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t bench_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

void bench_nap(int64_t ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&t, NULL);
}

void bench_begin(struct bench *b)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	b->switches_begin = u.ru_nvcsw;
	b->cpu_begin = read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void bench_end(struct bench *b)
{
	struct bench_side *s = &b->shared->side[b->side];
	int64_t cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID);
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	s->cpu_s = (double)(cpu - b->cpu_begin) / 1e9;
	s->switches = (uint64_t)(u.ru_nvcsw - b->switches_begin);
	s->verified = b->verified;
}

bool bench_receiver_warm(struct bench *b, int64_t age)
{
	if (b->begin || age <= b->o.run_ns / 5)
		return false;
	bench_begin(b);
	atomic_store(&b->shared->warm, 1);
	b->begin = bench_now();
	return true;
}

/* A receiver that was kept from its CPU is waited for: it has to measure. */
bool bench_sender_done(struct bench *b, int64_t now)
{
	if (!b->begin &&
	    atomic_load_explicit(&b->shared->warm, memory_order_relaxed)) {
		bench_begin(b);
		b->begin = now;
	}
	return b->begin && now - b->begin > b->o.run_ns * 4 / 5;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void bench_percentiles(struct bench *b, uint32_t *samples, size_t n)
{
	size_t half, above_99, above_999;

	if (n == 0)
		bench_fail(b, "nothing was measured");
	qsort(samples, n, sizeof *samples, by_value);
	half = n / 2;
	above_99 = n / 100;
	above_999 = n / 1000;
	b->shared->p50 = samples[half];
	b->shared->p99 = samples[n - 1 - above_99];
	b->shared->p999 = samples[n - 1 - above_999];
}

void bench_report(const struct bench *b, const char *question)
{
	const struct bench_shared *s = b->shared;

	printf("{\"question\": \"%s\", \"peer\": \"%s\", \"size\": %zu, "
	       "\"in_place\": %s, \"messages\": %" PRIu64 ", "
	       "\"seconds\": %.6f, ",
	       question, b->o.peer, b->o.size, b->o.in_place ? "true" : "false",
	       s->messages, s->seconds);
	printf("\"deliveries\": %" PRIu64 ", ", s->deliveries);
	printf("\"verified\": [%" PRIu64 ", %" PRIu64 "], "
	       "\"p50_ns\": %.0f, \"p99_ns\": %.0f, \"p999_ns\": %.0f, ",
	       s->side[0].verified, s->side[1].verified, s->p50, s->p99,
	       s->p999);
	printf("\"cpu_s\": [%.6f, %.6f], \"switches\": [%" PRIu64 ", %" PRIu64
	       "], ",
	       s->side[0].cpu_s, s->side[1].cpu_s, s->side[0].switches,
	       s->side[1].switches);
	printf("\"compiler\": \"%s %s\"}\n",
#ifdef __clang__
	       "clang", __clang_version__
#else
	       "gcc", __VERSION__
#endif
	);
}
